//! What was refused lately, so that a change nobody can make does not stand in the way of everything behind it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Refused actions, per object. Kept in memory: after a restart each is tried once more.
pub struct Refusals {
    retry_after: Duration,
    all: Mutex<HashMap<(String, &'static str), Refusal>>,
}

struct Refusal {
    generation: i64,
    since: Instant,
    message: String,
}

impl Refusals {
    /// Refusals are believed for `retry_after`, or until the spec changes.
    pub fn new(retry_after: Duration) -> Self {
        Self { retry_after, all: Mutex::default() }
    }

    /// Remembers that `action` was refused for this generation of the spec.
    pub fn remember(&self, uid: &str, action: &'static str, generation: i64, message: &str) {
        let refusal = Refusal { generation, since: Instant::now(), message: message.to_owned() };
        self.lock().insert((uid.to_owned(), action), refusal);
    }

    /// Why `action` was refused, if it was for this generation and not long ago.
    pub fn find(&self, uid: &str, action: &'static str, generation: i64) -> Option<String> {
        let all = self.lock();
        let refusal = all.get(&(uid.to_owned(), action))?;
        (refusal.generation == generation && refusal.since.elapsed() < self.retry_after)
            .then(|| refusal.message.clone())
    }

    /// Forgets what was refused to `uid`.
    pub fn forget(&self, uid: &str) {
        self.lock().retain(|(owner, _), _| owner != uid);
    }

    /// Forgets all objects but these.
    pub fn keep(&self, uids: &HashSet<String>) {
        self.lock().retain(|(uid, _), _| uids.contains(uid));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(String, &'static str), Refusal>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
