//! Namespaces that were there a moment ago: many objects that are created at once stand in few of them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So long one is believed to be there still. One may go right after it was read, too.
const BELIEVED: Duration = Duration::from_secs(1);

/// When each was last seen.
#[derive(Default)]
pub struct Namespaces(Mutex<HashMap<String, Instant>>);

impl Namespaces {
    /// The API server says that it is there, and is not being deleted.
    pub fn note(&self, name: &str) {
        let mut seen = self.lock();
        seen.retain(|_, at| at.elapsed() < BELIEVED);
        seen.insert(name.to_owned(), Instant::now());
    }

    /// Whether it was there a moment ago.
    pub fn was_there(&self, name: &str) -> bool {
        self.lock().get(name).is_some_and(|at| at.elapsed() < BELIEVED)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_believed_for_a_moment_and_no_other_with_it() {
        let namespaces = Namespaces::default();
        assert!(!namespaces.was_there("team"));
        namespaces.note("team");
        assert!(namespaces.was_there("team") && !namespaces.was_there("other"));
        std::thread::sleep(BELIEVED);
        assert!(!namespaces.was_there("team"));
        namespaces.note("other");
        assert_eq!(namespaces.lock().len(), 1, "nor is it remembered");
    }
}
