//! What this process is doing to which server, and what failed last.
//!
//! One list for the whole process: a changed configuration makes a new backend while work of the old one may still run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use super::super::Owner;
use super::error::LocalError;

/// Work on a server, or how it failed.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) owner: Owner,
    pub(super) operation: &'static str,
    /// None while it runs.
    pub(super) failure: Option<String>,
}

static WORK: LazyLock<Mutex<HashMap<PathBuf, Work>>> = LazyLock::new(Mutex::default);

fn all() -> MutexGuard<'static, HashMap<PathBuf, Work>> {
    WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What runs or failed last.
pub(super) fn current(key: &Path) -> Option<Work> {
    all().get(key).cloned()
}

/// Whether any work runs.
pub(super) fn any() -> bool {
    all().values().any(|work| work.failure.is_none())
}

/// The right to work on a server; held by one at a time.
pub(super) struct Claim {
    key: PathBuf,
    work: Work,
    /// The failure of the work before.
    pub(super) previous: Option<Work>,
}

impl Claim {
    /// Takes the right, or tells what runs already.
    pub(super) fn take(key: &Path, owner: &Owner, operation: &'static str) -> Result<Self, Work> {
        let mut all = all();
        let previous = match all.get(key) {
            Some(running) if running.failure.is_none() => return Err(running.clone()),
            failed => failed.cloned(),
        };
        let work = Work { owner: owner.clone(), operation, failure: None };
        all.insert(key.to_path_buf(), work.clone());
        Ok(Self { key: key.to_path_buf(), work, previous })
    }

    /// Takes the right, or says that the server is busy.
    pub(super) fn take_or_busy(
        key: &Path,
        owner: &Owner,
        operation: &'static str,
    ) -> Result<Self, LocalError> {
        Self::take(key, owner, operation).map_err(|work| LocalError::Busy { operation: work.operation })
    }

    /// Ends the work; the failure is remembered until the next work begins.
    pub(super) fn fail(mut self, message: String) {
        self.work.failure = Some(message);
    }

    /// Ends without having done anything.
    pub(super) fn leave(mut self) {
        if let Some(previous) = self.previous.take() {
            self.work = previous;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.work.failure = Some(format!("{} ended unexpectedly", self.work.operation));
        }
        let mut all = all();
        match self.work.failure {
            Some(_) => all.insert(self.key.clone(), self.work.clone()),
            None => all.remove(&self.key),
        };
    }
}
