//! What a backend has said to a password that is to be in force: accepted, and PostgreSQL does not take it yet; or refused.
//!
//! Some services put a password in force a while after they have said yes. To say it again then is no help: it may begin
//! the work anew, and it looks like an attack on an account. So what was accepted is only looked at for a while, and for
//! longer each time it had to be said again. One that the backend refuses, because it breaks its rules, is not put in
//! force by asking again either.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::secrets::Password;

/// So long an accepted password is waited for before it is set once more.
const FIRST: Duration = Duration::from_secs(60);
/// And so long at most, however often that was in vain.
const LONGEST: Duration = Duration::from_secs(3600);

/// The password that was last set, per object. Kept in memory: after a restart it may be set once more.
pub struct Awaited {
    // With random keys: what is hashed are passwords.
    hashing: RandomState,
    all: Mutex<HashMap<String, Set>>,
}

#[derive(Clone, Copy)]
struct Set {
    mark: u64,
    since: Instant,
    /// How often it was accepted; never: it was refused.
    times: u32,
}

/// How a password stands that is to be in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nothing speaks against setting it.
    #[default]
    Open,
    /// For so long it is only looked whether it is in force.
    Awaited(Duration),
    /// The backend does not take it.
    Refused,
}

impl Standing {
    /// How much longer it is only looked; none where nothing is waited for.
    pub fn left(self) -> Option<Duration> {
        match self {
            Self::Awaited(left) => Some(left),
            Self::Open | Self::Refused => None,
        }
    }
}

impl Default for Awaited {
    fn default() -> Self {
        Self { hashing: RandomState::new(), all: Mutex::default() }
    }
}

impl Awaited {
    /// The backend has accepted this password for `uid`.
    pub fn set(&self, uid: &str, password: &Password) {
        let mark = self.mark(password);
        let mut all = self.lock();
        let before = all.get(uid).filter(|set| set.mark == mark).map_or(0, |set| set.times);
        all.insert(uid.to_owned(), Set { mark, since: Instant::now(), times: before.saturating_add(1) });
    }

    /// The backend does not take this password for `uid`.
    pub fn refuse(&self, uid: &str, password: &Password) {
        let set = Set { mark: self.mark(password), since: Instant::now(), times: 0 };
        self.lock().insert(uid.to_owned(), set);
    }

    /// How this password of `uid` stands.
    pub fn standing(&self, uid: &str, password: &Password) -> Standing {
        let set = self.lock().get(uid).copied().filter(|set| set.mark == self.mark(password));
        match set {
            None => Standing::Open,
            Some(Set { times: 0, .. }) => Standing::Refused,
            Some(set) => {
                let left = patience(set.times).checked_sub(set.since.elapsed());
                left.filter(|left| !left.is_zero()).map_or(Standing::Open, Standing::Awaited)
            }
        }
    }

    /// PostgreSQL takes the password of `uid`, or `uid` is gone.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    /// Forgets all objects but these.
    pub fn keep(&self, uids: &HashSet<String>) {
        self.lock().retain(|uid, _| uids.contains(uid));
    }

    fn mark(&self, password: &Password) -> u64 {
        self.hashing.hash_one(password.expose())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Set>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a password is waited for that was set so many times. Pure.
fn patience(times: u32) -> Duration {
    FIRST.saturating_mul(2_u32.saturating_pow(times.saturating_sub(1))).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    #[test]
    fn what_was_accepted_is_waited_for_and_nothing_else_is() {
        let awaited = Awaited::default();
        assert_eq!(awaited.standing("a", &password("one")), Standing::Open, "it was never set");
        awaited.set("a", &password("one"));
        assert!(awaited.standing("a", &password("one")).left().is_some_and(|left| left > FIRST / 2));
        assert_eq!(awaited.standing("a", &password("two")), Standing::Open, "another password");
        assert_eq!(awaited.standing("b", &password("one")), Standing::Open, "another object");
        awaited.forget("a");
        assert_eq!(awaited.standing("a", &password("one")), Standing::Open);
    }

    #[test]
    fn what_was_refused_is_refused_until_another_one_is_looked_for_or_it_is_accepted_after_all() {
        let awaited = Awaited::default();
        awaited.refuse("a", &password("one"));
        assert_eq!(awaited.standing("a", &password("one")), Standing::Refused);
        assert_eq!(awaited.standing("a", &password("one")).left(), None);
        assert_eq!(awaited.standing("a", &password("two")), Standing::Open);
        awaited.set("a", &password("one"));
        assert!(awaited.standing("a", &password("one")).left().is_some());
        awaited.refuse("a", &password("one"));
        awaited.forget("a");
        assert_eq!(awaited.standing("a", &password("one")), Standing::Open);
    }

    #[test]
    fn each_time_it_was_in_vain_it_is_waited_for_longer() {
        let minutes = |times| patience(times).as_secs() / 60;
        assert_eq!([1, 2, 3, 4, 6, 7, u32::MAX].map(minutes), [1, 2, 4, 8, 32, 60, 60]);
        let awaited = Awaited::default();
        awaited.set("a", &password("one"));
        awaited.set("a", &password("one"));
        assert!(awaited.standing("a", &password("one")).left().is_some_and(|left| left > FIRST));
        awaited.set("a", &password("two"));
        assert!(
            awaited.standing("a", &password("two")).left().is_some_and(|left| left <= FIRST),
            "begun anew"
        );
    }
}
