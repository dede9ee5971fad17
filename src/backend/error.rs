//! Why a backend could not do what it was asked.

use std::time::Duration;

use crate::api::Reason;

/// A failed backend call. The texts are shown to users: one sentence, no secret, no raw answer of the service.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BackendError {
    /// It may work next time: timeouts, throttling, 5xx, lost answers.
    #[error("{message}")]
    Transient {
        /// What failed.
        message: String,
        /// How long the service asked to wait.
        retry_after: Option<Duration>,
    },
    /// The server is working on something else.
    #[error("{message}")]
    Busy {
        /// On what.
        message: String,
    },
    /// The request will be refused until an input changes.
    #[error("{message}")]
    Rejected {
        /// What was refused and what to change.
        message: String,
    },
    /// The operator lacks a right. Nothing is said about the request itself.
    #[error("{message}")]
    Forbidden {
        /// Which right.
        message: String,
    },
    /// Something of the same name stands in the way, or the server is not ours.
    #[error("{message}")]
    Conflict {
        /// What stands in the way.
        message: String,
    },
    /// What was there when it was looked at is gone: it has to be looked at again.
    #[error("{message}")]
    Gone {
        /// What is gone.
        message: String,
    },
    /// The server is protected against deletion.
    #[error("{message}")]
    Protected {
        /// How to lift the protection.
        message: String,
    },
}

/// When a failed call is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// With exponential back-off per object, or after the given time.
    Backoff(Option<Duration>),
    /// Soon: something is in flight.
    Poll,
    /// Slowly; at once when an input changes.
    Slowly,
}

impl BackendError {
    /// A passing failure.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::Transient { message: message.into(), retry_after: None }
    }

    /// A refusal that only a changed input can cure.
    pub fn rejected(message: impl Into<String>) -> Self {
        Self::Rejected { message: message.into() }
    }

    /// A right is missing.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::Forbidden { message: message.into() }
    }

    /// Whether the service will not do this one thing, so that others can be tried.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Rejected { .. } | Self::Forbidden { .. } | Self::Protected { .. })
    }

    /// The label of the metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
            Self::Busy { .. } => "busy",
            Self::Rejected { .. } => "rejected",
            Self::Forbidden { .. } => "forbidden",
            Self::Conflict { .. } => "conflict",
            Self::Gone { .. } => "gone",
            Self::Protected { .. } => "protected",
        }
    }

    /// The reason of the condition.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Transient { .. } => Reason::Transient,
            Self::Busy { .. } => Reason::Busy,
            Self::Rejected { .. } => Reason::Rejected,
            Self::Forbidden { .. } => Reason::Forbidden,
            Self::Conflict { .. } => Reason::NotOurs,
            Self::Gone { .. } => Reason::Conflict,
            Self::Protected { .. } => Reason::Protected,
        }
    }

    /// When the call is tried again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Transient { retry_after, .. } => Retry::Backoff(*retry_after),
            Self::Busy { .. } | Self::Gone { .. } => Retry::Poll,
            Self::Rejected { .. }
            | Self::Forbidden { .. }
            | Self::Conflict { .. }
            | Self::Protected { .. } => Retry::Slowly,
        }
    }
}
