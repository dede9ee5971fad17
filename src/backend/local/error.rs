//! What can go wrong here, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::super::BackendError;

/// Why the configuration of the local backend cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocalConfigError {
    /// The folder's name is not absolute, too long or not quotable.
    #[error("backends.local.data_dir: {message}")]
    DataDir {
        /// What was found, what was expected.
        message: String,
    },
    /// The port range is empty.
    #[error("backends.local.port_first {first} is greater than backends.local.port_last {last}")]
    Ports {
        /// First port.
        first: u16,
        /// Last port.
        last: u16,
    },
    /// Nobody could connect to that address.
    #[error("backends.local.address: {address} is no address to connect to; use 127.0.0.1 or ::1")]
    Address {
        /// The address found.
        address: std::net::IpAddr,
    },
    /// The name of the administrator cannot be a role.
    #[error("backends.local.admin_username: {message}")]
    AdminUsername {
        /// What was found, what was expected.
        message: String,
    },
    /// The pattern gives no usable names.
    #[error("backends.local.name_pattern: {message}")]
    NamePattern {
        /// What was found, what was expected.
        message: String,
    },
    /// The operator runs in a pod, and the data would go with it.
    #[error(
        "backends.local.data_dir: {} would be lost with this pod ({problem}); mount a persistent volume there, or set \
         backends.local.allow_data_loss if it may be lost", folder.display()
    )]
    Fleeting {
        /// The folder.
        folder: PathBuf,
        /// What says so.
        problem: String,
    },
    /// No PostgreSQL was found.
    #[error(
        "no PostgreSQL server programs found ({searched}); install PostgreSQL or set backends.local.bin_dir"
    )]
    NoPostgres {
        /// Where they were looked for.
        searched: String,
    },
}

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum LocalError {
    #[error("could not {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{} cannot be read: {source}", path.display())]
    Record { path: PathBuf, source: serde_json::Error },
    #[error(
        "the operating system user {user} cannot enter {}; give it search permission there (chmod o+x), or set \
         backends.local.data_dir and backends.local.bin_dir to places it can enter", folder.display()
    )]
    Unreachable { user: String, folder: PathBuf },
    #[error(
        "servers cannot run as the operating system user {user}: {problem}; set backends.local.run_as_user"
    )]
    User { user: String, problem: String },
    #[error(
        "no free port between {first} and {last}; delete a server or widen backends.local.port_first and \
         backends.local.port_last"
    )]
    PortsExhausted { first: u16, last: u16 },
    #[error("PostgreSQL {wanted} is not installed; installed: {installed}")]
    Version { wanted: String, installed: String },
    #[error("serverParameters: {message}")]
    Parameters { message: String },
    #[error("{tool}: {message}")]
    Tool { tool: &'static str, message: String },
    #[error("could not make a certificate: {0}")]
    Tls(#[from] rcgen::Error),
    #[error("could not set the administrator's password: {message}")]
    Sql { message: String },
    #[error("{message}")]
    Conflict { message: String },
    #[error("there is no local server {identity} any more")]
    Gone { identity: String },
    #[error("the server is busy: {operation}")]
    Busy { operation: &'static str },
    #[error("the server does not run: {message}")]
    Stopped { message: String },
}

impl LocalError {
    /// Wraps the error of a file operation, for `map_err`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}

impl From<LocalError> for BackendError {
    fn from(error: LocalError) -> Self {
        let message = error.to_string();
        match error {
            LocalError::Io { .. }
            | LocalError::Record { .. }
            | LocalError::Tool { .. }
            | LocalError::Tls(_)
            | LocalError::Sql { .. } => Self::transient(message),
            LocalError::Unreachable { .. }
            | LocalError::User { .. }
            | LocalError::PortsExhausted { .. }
            | LocalError::Version { .. }
            | LocalError::Parameters { .. } => Self::Rejected { message },
            LocalError::Conflict { .. } => Self::Conflict { message },
            LocalError::Gone { .. } => Self::Gone { message },
            LocalError::Busy { .. } | LocalError::Stopped { .. } => Self::Busy { message },
        }
    }
}
