//! What became of the plans of the last passes: which failed, so that another attempt is not told of as if nothing had
//! happened, and which succeeded in vain, so that they are not carried out all the time.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A plan: what it follows from, and the generation of the spec it is for.
type Plan = (&'static str, Option<i64>);

/// Plans, per object. Kept in memory: after a restart each attempt is the first.
#[derive(Default)]
pub struct Attempts {
    all: Mutex<HashMap<String, OfObject>>,
}

#[derive(Default)]
struct OfObject {
    failed: HashSet<Plan>,
    /// How often a plan was carried out since the object was last as it should be.
    carried_out: HashMap<Plan, u32>,
}

impl Attempts {
    /// The plan that follows from `trigger` failed, for this generation of the spec.
    pub fn failed(&self, uid: &str, trigger: &'static str, generation: Option<i64>) {
        self.lock().entry(uid.to_owned()).or_default().failed.insert((trigger, generation));
    }

    /// The plan that follows from `trigger` was carried out; the answer is how often that happened before, and yet it
    /// was needed again.
    pub fn succeeded(&self, uid: &str, trigger: &'static str, generation: Option<i64>) -> u32 {
        let mut all = self.lock();
        let plans = all.entry(uid.to_owned()).or_default();
        plans.failed.retain(|(failed, _)| *failed != trigger);
        let times = plans.carried_out.entry((trigger, generation)).or_default();
        *times = times.saturating_add(1);
        *times - 1
    }

    /// Whether the plan failed the last time, for this generation of the spec.
    pub fn is_again(&self, uid: &str, trigger: &'static str, generation: Option<i64>) -> bool {
        self.lock().get(uid).is_some_and(|plans| plans.failed.contains(&(trigger, generation)))
    }

    /// Nothing is left to do for `uid`: what was carried out was not in vain.
    pub fn settled(&self, uid: &str) {
        if let Some(plans) = self.lock().get_mut(uid) {
            plans.carried_out.clear();
        }
    }

    /// Forgets `uid`, which is gone.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    /// Forgets all objects but these.
    pub fn keep(&self, uids: &HashSet<String>) {
        self.lock().retain(|uid, _| uids.contains(uid));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, OfObject>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
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
        attempts.succeeded("a", "Absent", Some(1));
        assert!(!attempts.is_again("a", "Absent", Some(1)));
    }

    #[test]
    fn what_succeeds_in_vain_is_counted_until_nothing_is_left_to_do() {
        let attempts = Attempts::default();
        assert_eq!(attempts.succeeded("a", "Differs", Some(1)), 0);
        assert_eq!(attempts.succeeded("a", "Differs", Some(1)), 1);
        assert_eq!(attempts.succeeded("a", "Unpublished", Some(1)), 0, "another plan");
        assert_eq!(attempts.succeeded("a", "Differs", Some(1)), 2, "whatever was done in between");
        assert_eq!(attempts.succeeded("a", "Differs", Some(2)), 0, "the spec changed");
        attempts.settled("a");
        assert_eq!(attempts.succeeded("a", "Differs", Some(1)), 0);
    }
}
