//! Faults on the wire, for any call.

use std::sync::{Mutex, PoisonError};

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Refused with this HTTP status and error code, not executed.
    Error(u16, String),
    /// The connection is closed before the call is executed.
    Reset,
    /// The call is executed, then the connection is closed without an answer.
    Lost,
    /// No answer, not executed; until the client gives up.
    Hang,
}

/// A fault, and which calls it hits.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Only this action; none: any.
    pub action: Option<String>,
    /// Only calls for this identifier; none: any.
    pub id: Option<String>,
    /// What goes wrong.
    pub kind: Kind,
    /// How many calls it still hits.
    pub times: u32,
}

/// The faults that are armed.
#[derive(Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Arms one more.
    pub fn add(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// How many calls of that action for that identifier still meet a fault that was aimed at them.
    pub fn left(&self, action: &str, id: &str) -> u32 {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let aimed = faults
            .iter()
            .filter(|fault| fault.action.as_deref() == Some(action) && fault.id.as_deref() == Some(id));
        aimed.map(|fault| fault.times).sum()
    }

    /// Disarms all.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The first one that hits this call, used up by one.
    pub(crate) fn take(&self, action: &str, id: &str) -> Option<Kind> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hit = faults.iter_mut().find(|fault| {
            fault.times > 0
                && fault.action.as_deref().is_none_or(|wanted| wanted == action)
                && fault.id.as_deref().is_none_or(|wanted| wanted == id)
        })?;
        hit.times -= 1;
        Some(hit.kind.clone())
    }
}
