//! How long a failing object waits: per object, doubling, with jitter. The runtime has no such thing per object.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::RngExt;

/// First wait.
const BASE: Duration = Duration::from_secs(1);

/// Failures in a row, per object.
pub struct Backoffs {
    longest: Duration,
    failures: Mutex<HashMap<String, u32>>,
}

impl Backoffs {
    /// Waits of at most `longest`.
    pub fn new(longest: Duration) -> Self {
        Self { longest, failures: Mutex::default() }
    }

    /// The wait after one more failure of `uid`.
    pub fn next(&self, uid: &str) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(uid.to_owned()).or_insert(0);
        let wait = BASE.saturating_mul(2_u32.saturating_pow(*count)).min(self.longest);
        *count = count.saturating_add(1);
        jittered(wait)
    }

    /// Forgets the failures of `uid`, after a success or because the object is gone.
    pub fn forget(&self, uid: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
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
        let backoffs = Backoffs::new(Duration::from_secs(8));
        let waits: Vec<f64> = (0..6).map(|_| backoffs.next("a").as_secs_f64()).collect();
        for (wait, expected) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 8.0, 8.0]) {
            assert!((wait / expected - 1.0).abs() <= 0.2001, "{wait} is not about {expected}");
        }
        backoffs.forget("a");
        assert!(backoffs.next("a").as_secs_f64() <= 1.21);
    }
}
