//! Which plans failed the last time, so that another attempt is not told of as if nothing had happened.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Failed plans, per object. Kept in memory: after a restart each attempt is the first.
#[derive(Default)]
pub struct Attempts {
    failed: Mutex<HashMap<String, HashMap<&'static str, Option<i64>>>>,
}

impl Attempts {
    /// The plan that follows from `trigger` failed, for this generation of the spec.
    pub fn failed(&self, uid: &str, trigger: &'static str, generation: Option<i64>) {
        self.lock().entry(uid.to_owned()).or_default().insert(trigger, generation);
    }

    /// The plan that follows from `trigger` was carried out.
    pub fn succeeded(&self, uid: &str, trigger: &'static str) {
        if let Some(failed) = self.lock().get_mut(uid) {
            failed.remove(trigger);
        }
    }

    /// Whether the plan failed the last time, for this generation of the spec.
    pub fn is_again(&self, uid: &str, trigger: &'static str, generation: Option<i64>) -> bool {
        self.lock().get(uid).is_some_and(|failed| failed.get(trigger) == Some(&generation))
    }

    /// Forgets `uid`, which is gone.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, HashMap<&'static str, Option<i64>>>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_another_one_until_it_succeeds_or_the_spec_changes() {
        let attempts = Attempts::default();
        assert!(!attempts.is_again("a", "Absent", Some(1)));
        attempts.failed("a", "Absent", Some(1));
        assert!(attempts.is_again("a", "Absent", Some(1)));
        assert!(!attempts.is_again("a", "Absent", Some(2)), "the spec changed");
        assert!(!attempts.is_again("a", "Differs", Some(1)), "another plan");
        assert!(!attempts.is_again("b", "Absent", Some(1)), "another object");
        attempts.succeeded("a", "Absent");
        assert!(!attempts.is_again("a", "Absent", Some(1)));
    }
}
