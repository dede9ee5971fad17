//! Why a pass could not do all it wanted: one shape for every error of the rooms below.

use std::time::Duration;

use crate::api::Reason;
use crate::backend::{BackendError, Retry};
use crate::postgres::{SqlError, SqlErrorKind};
use crate::secrets::SecretError;

/// A failed observation or action, as it appears in conditions, events and metrics.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The reason of the condition.
    pub reason: Reason,
    /// One sentence for people, without secrets.
    pub message: String,
    /// When it is tried again.
    pub retry: Retry,
    /// The object or something beside it changed under our hands: look again, and call it no failure.
    pub conflict: bool,
}

impl Failure {
    /// A failure with a reason of its own.
    pub fn new(reason: Reason, message: impl Into<String>, retry: Retry) -> Self {
        Self { reason, message: message.into(), retry, conflict: false }
    }

    /// Something changed since it was observed.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self { reason: Reason::Conflict, message: message.into(), retry: Retry::Poll, conflict: true }
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::new(error.reason(), error.to_string(), error.retry())
    }
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) if status.code == 409 => Self::conflict(status.message.clone()),
            kube::Error::Api(status) => {
                // As the header Retry-After says, of a server that has too much to do.
                let asked = status.details.as_ref().map(|details| details.retry_after_seconds);
                let asked =
                    asked.filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.into()));
                let reason = if status.code == 403 { Reason::Forbidden } else { Reason::Transient };
                Self::new(
                    reason,
                    format!("the API server answered {}: {}", status.code, status.message),
                    Retry::Backoff(asked),
                )
            }
            _ => Self::new(Reason::Transient, format!("the API server: {error}"), Retry::Backoff(None)),
        }
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Api { name, source } => {
                let failure = Self::from(*source);
                Self { message: format!("Secret {name}: {}", failure.message), ..failure }
            }
            SecretError::Foreign { .. } | SecretError::Empty { .. } => {
                Self::new(Reason::SecretConflict, error.to_string(), Retry::Slowly)
            }
        }
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        let (reason, retry) = match error.kind() {
            SqlErrorKind::PasswordRefused => (Reason::CredentialsRefused, Retry::Backoff(None)),
            SqlErrorKind::LoginRefused | SqlErrorKind::TlsRefused => {
                (Reason::Unreachable, Retry::Backoff(None))
            }
            SqlErrorKind::Unreachable => (Reason::Unreachable, Retry::Backoff(None)),
            SqlErrorKind::NotReady => (Reason::Unusable, Retry::Poll),
            SqlErrorKind::Busy => (Reason::Busy, Retry::Backoff(Some(Duration::from_secs(1)))),
            SqlErrorKind::DatabaseMissing | SqlErrorKind::DatabaseClosed => {
                (Reason::Transient, Retry::Backoff(None))
            }
            SqlErrorKind::NotPermitted | SqlErrorKind::InvalidRequest => (Reason::Rejected, Retry::Slowly),
            SqlErrorKind::NotOurs => (Reason::NameConflict, Retry::Slowly),
            SqlErrorKind::Other => (Reason::Transient, Retry::Backoff(None)),
        };
        Self::new(reason, error.to_string(), retry)
    }
}
