//! What this process knows of a server that the service does not tell.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::Notes;

/// By the name of the server.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<HashMap<String, Remembered>>);

/// What is known of one server.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// When this process last changed it.
    pub(super) written: Option<Instant>,
    /// Its deletion was asked for and not refused, with a final snapshot or without one.
    pub(super) goes_with_snapshot: Option<bool>,
    /// By instance: the parameters that it was last restarted for, in one line.
    pub(super) restarted_for: BTreeMap<String, String>,
    /// The upgrade that the service has accepted: from which version, and what was asked for.
    pub(super) upgrade: Option<(String, String)>,
    /// It was said what was kept of these two.
    pub(super) recalled: bool,
}

impl Memory {
    /// What is known of a server, read or changed.
    pub(super) fn of<T>(&self, name: &str, with: impl FnOnce(&mut Remembered) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        with(all.entry(name.to_owned()).or_default())
    }

    /// What is kept of it in the object's status.
    pub(super) fn notes(&self, name: &str) -> Notes {
        Notes { operation: None, attempts: self.of(name, |known| known.attempts(name)) }
    }

    /// What was listed before no longer counts for this server: called when a change was answered, and when it was not.
    pub(super) fn note_write(&self, name: &str) {
        self.of(name, |known| known.written = Some(Instant::now()));
    }

    /// When a listing has to have been begun that answers for this server.
    pub(super) fn since(&self, name: &str, at_most: Duration) -> Instant {
        let now = Instant::now();
        let youngest = now.checked_sub(at_most).unwrap_or(now);
        self.of(name, |known| known.written).map_or(youngest, |written| written.max(youngest))
    }

    /// Nothing is known of a server that is gone.
    pub(super) fn forget(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}
