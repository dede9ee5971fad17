//! What can go wrong, without anything secret in it.

use std::error::Error as _;
use std::io;

use tokio_postgres::error::SqlState;

use super::endpoint::Endpoint;
use crate::secrets::Password;

/// The class of a failure: what the caller does next depends on this alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SqlErrorKind {
    /// The server knows this login and refuses its password (28P01).
    PasswordRefused,
    /// The server refuses the login for a reason that another password would not change (28000): no `pg_hba.conf`
    /// entry for this client, a role that may not log in.
    LoginRefused,
    /// No answer: connection refused or reset, timeout, unknown host.
    Unreachable,
    /// TLS failed: the server's certificate is not trusted, or it speaks no TLS.
    TlsRefused,
    /// The server answers but cannot serve now: starting, stopping, read-only, out of connections or disk.
    NotReady,
    /// The database to connect to does not exist (3D000).
    DatabaseMissing,
    /// The database is there and lets nobody in (55000): it was closed, or a `DROP DATABASE` broke off.
    DatabaseClosed,
    /// In use or locked by somebody else; asking again later helps.
    Busy,
    /// The administrator lacks a right (42501, or 2BP01 where objects out of its reach depend on a role).
    NotPermitted,
    /// The role or database belongs to somebody else. Nothing was changed.
    NotOurs,
    /// The user asked for something this server cannot do: an unknown extension, charset or collation.
    InvalidRequest,
    /// Anything else.
    Other,
}

/// A failed connection or statement. No variant holds a password, a statement's text or the server's `DETAIL`.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The server answered with an error.
    #[error("{action}: {message} (SQLSTATE {sqlstate})")]
    Server {
        /// What was tried: statement kind and object name.
        action: String,
        /// The class, from the SQLSTATE.
        kind: SqlErrorKind,
        /// The five-character code.
        sqlstate: String,
        /// The server's primary message.
        message: String,
    },
    /// The server gave no answer.
    #[error("{action}: no answer from {endpoint}: {cause}")]
    Unreachable {
        /// What was tried.
        action: String,
        /// Host and port.
        endpoint: String,
        /// What the network said.
        cause: String,
    },
    /// No trusted TLS connection could be made.
    #[error("no trusted TLS connection to {endpoint}: {cause}")]
    TlsRefused {
        /// Host and port.
        endpoint: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The role or database exists and is not this object's. Nothing was changed.
    #[error("{object} \"{name}\" exists already and {}", whose(mark.as_deref()))]
    NotOurs {
        /// `role` or `database`.
        object: &'static str,
        /// Its name on the server.
        name: String,
        /// The mark it bears, if any.
        mark: Option<String>,
    },
    /// The role cannot go while it owns databases; dropping it would hand them to the administrator.
    #[error("role \"{role}\" still owns the databases {databases:?}")]
    OwnsDatabases {
        /// The role.
        role: String,
        /// The databases it owns.
        databases: Vec<String>,
    },
    /// A password policy of the server refuses a password that is hashed already.
    #[error(
        "the server refuses the hashed password of role \"{role}\": {message} (SQLSTATE {sqlstate}); in clear text it is \
         sent only over TLS that can be verified: the server's CA is needed"
    )]
    HashRefused {
        /// The role.
        role: String,
        /// The five-character code.
        sqlstate: String,
        /// The server's primary message.
        message: String,
    },
    /// The role to be changed does not exist.
    #[error("role \"{role}\" does not exist")]
    RoleMissing {
        /// The role.
        role: String,
    },
    /// The user asked for something this server cannot do.
    #[error("{0}")]
    InvalidRequest(String),
    /// A statement had no effect although the server reported none as failed: it only warns when a non-superuser
    /// revokes or grants what it may not.
    #[error("{0}")]
    NoEffect(String),
    /// The driver or the peer broke the protocol.
    #[error("{action}: {cause}")]
    Protocol {
        /// What was tried.
        action: String,
        /// What went wrong.
        cause: String,
    },
}

fn whose(mark: Option<&str>) -> String {
    match mark {
        Some(mark) => format!("belongs to another object ({mark})"),
        None => "was not created by this operator".to_owned(),
    }
}

impl SqlError {
    /// The class of this failure.
    pub fn kind(&self) -> SqlErrorKind {
        match self {
            Self::Server { kind, .. } => *kind,
            Self::Unreachable { .. } => SqlErrorKind::Unreachable,
            Self::TlsRefused { .. } => SqlErrorKind::TlsRefused,
            Self::NotOurs { .. } => SqlErrorKind::NotOurs,
            Self::OwnsDatabases { .. } => SqlErrorKind::Busy,
            Self::InvalidRequest(_) => SqlErrorKind::InvalidRequest,
            Self::NoEffect(_) | Self::HashRefused { .. } => SqlErrorKind::NotPermitted,
            Self::RoleMissing { .. } | Self::Protocol { .. } => SqlErrorKind::Other,
        }
    }

    pub(super) fn from_driver(error: &tokio_postgres::Error, action: &str, endpoint: &Endpoint) -> Self {
        let action = action.to_owned();
        if let Some(db) = error.as_db_error() {
            // Only code and primary message: DETAIL, HINT and CONTEXT may quote data or statements.
            return Self::Server {
                action,
                kind: classify(db.code(), db.message()),
                sqlstate: db.code().code().to_owned(),
                message: db.message().to_owned(),
            };
        }
        let causes = Causes::of(error);
        if causes.tls || (causes.in_handshake && !causes.network) {
            return Self::TlsRefused { endpoint: endpoint.to_string(), cause: causes.text };
        }
        if causes.network || error.is_closed() {
            return Self::Unreachable { action, endpoint: endpoint.to_string(), cause: causes.text };
        }
        Self::Protocol { action, cause: causes.text }
    }

    pub(super) fn timed_out(action: &str, endpoint: &Endpoint, after: std::time::Duration) -> Self {
        Self::Unreachable {
            action: action.to_owned(),
            endpoint: endpoint.to_string(),
            cause: format!("timed out after {:.1} s", after.as_secs_f32()),
        }
    }

    /// Cuts `secret` and `verifier` out of the server's message.
    ///
    /// PostgreSQL itself quotes neither, but password-policy extensions of managed services write their own messages.
    pub(super) fn without(mut self, password: &Password, verifier: &str) -> Self {
        if let Self::Server { message, .. } = &mut self {
            for secret in [password.expose(), verifier] {
                if !secret.is_empty() {
                    *message = message.replace(secret, "[redacted]");
                }
            }
        }
        self
    }

    /// Makes a refusal of one of these codes the user's business.
    pub(super) fn invalid_request_on(self, codes: &[SqlState]) -> Self {
        match self {
            Self::Server { ref sqlstate, ref message, .. }
                if codes.iter().any(|code| code.code() == sqlstate) =>
            {
                Self::InvalidRequest(message.clone())
            }
            other => other,
        }
    }

    /// Makes a policy's answer to a statement with a password [`SqlError::HashRefused`].
    ///
    /// PostgreSQL itself accepts every verifier and answers none of these to `CREATE ROLE` and `ALTER ROLE` with nothing
    /// but LOGIN and PASSWORD; modules at its `check_password_hook` do: `credcheck` 28000, in its first versions XX000;
    /// PostgreSQL's `passwordcheck`, from which most others descend, 22023. A missing right (42501, as on RDS with
    /// `rds.restrict_password_commands`) stays one: clear text would not help.
    pub(super) fn hash_refused(self, role: &str) -> Self {
        match self {
            Self::Server { sqlstate, message, .. }
                if ["22023", "28000", "28P01", "0A000"].contains(&sqlstate.as_str())
                    || (sqlstate == "XX000" && message.contains("password type")) =>
            {
                Self::HashRefused { role: role.to_owned(), sqlstate, message }
            }
            other => other,
        }
    }

    pub(super) fn has_code(&self, codes: &[SqlState]) -> bool {
        matches!(self, Self::Server { sqlstate, .. } if codes.iter().any(|code| code.code() == sqlstate))
    }
}

fn classify(code: &SqlState, message: &str) -> SqlErrorKind {
    match code.code() {
        "28P01" => SqlErrorKind::PasswordRefused,
        "28000" => SqlErrorKind::LoginRefused,
        "3D000" => SqlErrorKind::DatabaseMissing,
        "55000" => SqlErrorKind::DatabaseClosed,
        "42501" | "2BP01" => SqlErrorKind::NotPermitted,
        // Object in use, lock not available, serialization failure, deadlock, our own statement_timeout; and the ways
        // in which losing a race against another creator shows.
        "55006" | "55P03" | "40001" | "40P01" | "57014" | "42P04" | "42710" | "23505" => SqlErrorKind::Busy,
        // Two sessions changed the same catalogue row; PostgreSQL has no code of its own for it.
        "XX000" if message.starts_with("tuple concurrently") => SqlErrorKind::Busy,
        "57P01" | "57P02" | "57P03" | "25006" => SqlErrorKind::NotReady,
        other if other.starts_with("53") => SqlErrorKind::NotReady,
        other if other.starts_with("08") => SqlErrorKind::Unreachable,
        _ => SqlErrorKind::Other,
    }
}

/// What the chain of causes of a driver error says.
struct Causes {
    in_handshake: bool,
    tls: bool,
    network: bool,
    text: String,
}

impl Causes {
    fn of(error: &tokio_postgres::Error) -> Self {
        let mut text = error.to_string();
        // The driver keeps its own kind to itself; the text is its only public trace.
        let in_handshake = text.starts_with("error performing TLS handshake");
        let (mut tls, mut network) = (false, false);
        let mut next = error.source();
        while let Some(cause) = next {
            let said = cause.to_string();
            if !text.contains(&said) {
                text = format!("{text}: {said}");
            }
            if let Some(io) = cause.downcast_ref::<io::Error>() {
                let inner_tls = io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
                tls |= inner_tls;
                network |= !inner_tls
                    && !matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
            }
            tls |= cause.is::<rustls::Error>();
            next = cause.source();
        }
        Self { in_handshake, tls, network, text }
    }
}
