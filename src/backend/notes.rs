//! What a backend knows of a server that its service would not tell another process.

use crate::api::{Attempt, Operation, ServerStatus};

/// Kept in the object's status, so that whoever begins anew knows it, too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// What was begun and is under way, or has failed and was not told of yet.
    pub operation: Option<Operation>,
    /// Changes that are not begun again as long as nothing is different.
    pub attempts: Vec<Attempt>,
}

impl Notes {
    /// Those that were kept. An operation without a URL is what everybody sees.
    pub fn kept(status: &ServerStatus) -> Self {
        let operation = status.operation.clone().filter(|operation| !operation.id.is_empty());
        Self { operation, attempts: status.attempts.clone() }
    }
}
