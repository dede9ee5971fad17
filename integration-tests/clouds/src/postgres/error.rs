//! What can go wrong with the servers behind a simulated cloud.

use std::io;
use std::path::PathBuf;

/// Why a server behind could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No programs of PostgreSQL.
    #[error("no PostgreSQL is installed: scripts/toolchain.sh installs it")]
    NoPostgres,
    /// The user that servers run as when this process is root.
    #[error("there is no user `postgres` to run PostgreSQL as; PostgreSQL refuses to run as root")]
    NoUser,
    /// A file or a program.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What came of it.
        source: io::Error,
    },
    /// A program that said why it failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Which one.
        program: &'static str,
        /// Its last words.
        output: String,
    },
    /// A server that does not come up.
    #[error("PostgreSQL at {address} does not start: {log}")]
    Start {
        /// Its address.
        address: std::net::Ipv4Addr,
        /// The end of its log.
        log: String,
    },
    /// A statement.
    #[error("SQL: {0}")]
    Sql(String),
    /// A certificate.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// What keeps connections secret.
    #[error("TLS: {0}")]
    Tls(String),
    /// No loopback address.
    #[error("no loopback address with a free port 5432 was found")]
    NoAddress,
    /// A task that was ended from outside.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    pub(crate) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Sql(match error.as_db_error() {
            Some(error) => format!("{} ({})", error.message(), error.code().code()),
            None => error.to_string(),
        })
    }
}
