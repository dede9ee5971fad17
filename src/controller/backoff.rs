//! How long a failing object waits: per object, doubling, with jitter. The runtime has no such thing per object.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::RngExt;

/// Failures in a row, or looks in a row that found nothing new, per object.
pub struct Backoffs {
    first: Duration,
    longest: Duration,
    failures: Arc<Mutex<HashMap<String, Failures>>>,
}

#[derive(Default)]
struct Failures {
    count: u32,
    about: Option<(&'static str, Option<i64>)>,
    /// A service asked to be left alone until then.
    not_before: Option<Instant>,
}

impl Backoffs {
    /// Waits from `first` to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: Arc::default() }
    }

    /// The same failures, with waits up to another `longest`.
    pub fn with_longest(&self, longest: Duration) -> Self {
        Self { first: self.first, longest, failures: self.failures.clone() }
    }

    /// The wait after one more failure of `uid`.
    pub fn next(&self, uid: &str) -> Duration {
        let mut failures = self.lock();
        let failures = failures.entry(uid.to_owned()).or_default();
        let wait = self.first.saturating_mul(2_u32.saturating_pow(failures.count)).min(self.longest);
        failures.count = failures.count.saturating_add(1);
        jittered(wait)
    }

    /// The wait after one more look of `uid` that found the same thing in the way; another thing, or the same under
    /// another generation of the spec, begins anew.
    pub fn next_about(&self, uid: &str, what: &'static str, generation: Option<i64>) -> Duration {
        let about = Some((what, generation));
        {
            let mut failures = self.lock();
            let failures = failures.entry(uid.to_owned()).or_default();
            if failures.about != about {
                *failures = Failures { about, ..Failures::default() };
            }
        }
        self.next(uid)
    }

    /// A service asked `uid` to wait: until then nothing wakes it, not even a change.
    pub fn hold(&self, uid: &str, wait: Duration) {
        self.lock().entry(uid.to_owned()).or_default().not_before = Instant::now().checked_add(wait);
    }

    /// How long `uid` is still to wait.
    pub fn held(&self, uid: &str) -> Option<Duration> {
        let left = self.lock().get(uid)?.not_before?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Forgets the failures of `uid` after a success; whoever asked to be left alone is left alone all the same.
    pub fn succeeded(&self, uid: &str) {
        let mut failures = self.lock();
        let Some(one) = failures.get_mut(uid) else { return };
        match one.not_before.filter(|until| *until > Instant::now()) {
            Some(until) => *one = Failures { not_before: Some(until), ..Failures::default() },
            None => drop(failures.remove(uid)),
        }
    }

    /// Forgets `uid`, which is gone or has a new matter.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    /// Forgets all objects but these.
    pub fn keep(&self, uids: &HashSet<String>) {
        self.lock().retain(|uid, _| uids.contains(uid));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wait after something that succeeded and had succeeded `times` before, in vain: none to speak of at first, since
/// some things take two or three steps.
pub fn after_success(first: Duration, times: u32, longest: Duration) -> Duration {
    let doublings = times.saturating_sub(2);
    jittered(first.saturating_mul(2_u32.saturating_pow(doublings)).min(longest))
}

/// `wait`, a fifth more or less, so that many objects do not come back in step.
pub fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::rng().random_range(0.8..=1.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_anew_after_a_success() {
        let backoffs = Backoffs::new(Duration::from_secs(1), Duration::from_secs(8));
        let waits: Vec<f64> = (0..6).map(|_| backoffs.next("a").as_secs_f64()).collect();
        for (wait, expected) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 8.0, 8.0]) {
            assert!((wait / expected - 1.0).abs() <= 0.2001, "{wait} is not about {expected}");
        }
        backoffs.forget("a");
        assert!(backoffs.next("a").as_secs_f64() <= 1.21);
    }

    #[test]
    fn another_longest_wait_forgets_neither_failures_nor_who_asked_to_be_left_alone() {
        let before = Backoffs::new(Duration::from_secs(1), Duration::from_secs(8));
        let after = before.with_longest(Duration::from_secs(100));
        for _ in 0..6 {
            before.next("a");
        }
        assert!(after.next("a").as_secs_f64() > 50.0);
        before.hold("b", Duration::from_secs(60));
        assert!(after.held("b").is_some(), "told to a pass that began before");
    }

    #[test]
    fn looks_at_something_else_begin_anew() {
        let waits = Backoffs::new(Duration::from_secs(1), Duration::from_secs(60));
        let next = |what, generation| waits.next_about("a", what, generation).as_secs_f64();
        for _ in 0..5 {
            next("Busy", Some(1));
        }
        assert!(next("Busy", Some(1)) > 20.0);
        assert!(next("Busy", Some(2)) < 1.3, "the spec changed");
        next("Busy", Some(2));
        assert!(next("Unusable", Some(2)) < 1.3, "something else is in the way");
    }

    #[test]
    fn what_succeeds_in_vain_again_and_again_waits_longer() {
        let after =
            |times| after_success(Duration::from_millis(100), times, Duration::from_secs(60)).as_secs_f64();
        assert!(after(0) <= 0.12 && after(2) <= 0.12);
        assert!((1.2..=2.0).contains(&after(6)), "{}", after(6));
        assert!((48.0..=72.0).contains(&after(1000)), "{}", after(1000));
    }

    #[test]
    fn who_was_asked_to_wait_is_held_until_then() {
        let backoffs = Backoffs::new(Duration::from_secs(1), Duration::from_secs(8));
        backoffs.next("a");
        assert_eq!(backoffs.held("a"), None);
        backoffs.hold("a", Duration::from_secs(60));
        assert!(backoffs.held("a").is_some_and(|left| left > Duration::from_secs(59)));
        assert_eq!(backoffs.held("b"), None);
        backoffs.succeeded("a");
        assert!(backoffs.held("a").is_some(), "also when something else went well");
        backoffs.hold("a", Duration::ZERO);
        assert_eq!(backoffs.held("a"), None);
    }
}
