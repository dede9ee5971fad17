//! What was found settled lately, so that not every look has to ask for everything again.
//!
//! A login costs more than all other reads of a look together, for the operator and for PostgreSQL. One that worked is
//! taken to work for a while, as long as nothing is different that the operator can see without it. Nor is a pending
//! password looked for again: nobody else stores one. From memory nothing follows but that there is nothing to do:
//! whatever else would be decided is decided after a look without memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kube::Resource;

use super::watches::LAST_APPLIED;
use crate::postgres::DatabaseState;

/// So long a login counts as made just now, whatever the configuration says: the pass that publishes a password has
/// logged in with it, and the one behind it need not.
const JUST_NOW: Duration = Duration::from_secs(2);

/// Objects that were settled when everything about them was looked at.
pub struct Settled {
    within: Duration,
    // With random keys: what is hashed are passwords, too.
    hashing: RandomState,
    all: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    since: Instant,
    memory: Memory,
}

/// What is remembered of an object.
#[derive(Clone)]
pub struct Memory {
    /// A mark of what is wished, and of where.
    pub wishes: Mark,
    /// The login that worked.
    pub login: Login,
    /// What was in PostgreSQL then, for a database; nothing any more when the login is too long ago.
    pub database: Option<DatabaseState>,
}

/// What is known of the login of an object with which nothing was the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// The one with this mark worked a short while ago.
    Worked(Mark),
    /// That is too long ago.
    Unknown,
}

/// Stands for values that shall be the same as before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark(u64);

impl Memory {
    /// What was in PostgreSQL a short while ago, for a database.
    fn faded(self) -> Self {
        Self { login: Login::Unknown, database: None, ..self }
    }
}

impl Settled {
    /// Logins are believed for `within`.
    pub fn new(within: Duration) -> Self {
        Self { within: within.max(JUST_NOW), hashing: RandomState::new(), all: Mutex::default() }
    }

    /// A mark of these values.
    pub fn mark(&self, values: impl Hash) -> Mark {
        Mark(self.hashing.hash_one(values))
    }

    /// A mark of everything that people write on an object, and of `more`. Status is ours and does not count.
    pub fn wishes<K: Resource>(&self, object: &K, more: impl Hash) -> Mark {
        let meta = object.meta();
        let mut hasher = self.hashing.build_hasher();
        (&meta.generation, &meta.labels).hash(&mut hasher);
        // What is kept of an object has it not; what it holds shows in the generation.
        let annotations = meta.annotations.iter().flatten();
        annotations.filter(|(name, _)| *name != LAST_APPLIED).for_each(|one| one.hash(&mut hasher));
        meta.deletion_timestamp.is_some().hash(&mut hasher);
        more.hash(&mut hasher);
        Mark(hasher.finish())
    }

    /// What is remembered of `uid`, if these were its wishes then.
    pub fn find(&self, uid: &str, wishes: Mark) -> Option<Memory> {
        let all = self.lock();
        let Entry { since, memory } = all.get(uid).filter(|entry| entry.memory.wishes == wishes)?;
        Some(if since.elapsed() < self.within { memory.clone() } else { memory.clone().faded() })
    }

    /// Everything about `uid` was looked at, and there was nothing to do; or what there was to do was done.
    pub fn remember(&self, uid: &str, memory: Memory) {
        self.lock().insert(uid.to_owned(), Entry { since: Instant::now(), memory });
    }

    /// The next look at `uid` is one without memory.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;
    use crate::api::PostgreSQLServer;

    fn server(metadata: Value, status: Value) -> PostgreSQLServer {
        serde_json::from_value(json!({
            "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
            "kind": "PostgreSQLServer",
            "metadata": metadata,
            "spec": {"credentialsSecret": "any"},
            "status": status,
        }))
        .unwrap()
    }

    #[test]
    fn memory_holds_until_somebody_touches_the_object_or_its_time_is_over() {
        let settled = Settled::new(Duration::from_secs(60));
        let object = server(json!({"name": "a", "generation": 1, "resourceVersion": "1"}), Value::Null);
        let wishes = settled.wishes(&object, "here");
        let login = Login::Worked(settled.mark("login"));
        settled.remember("uid", Memory { wishes, login, database: None });
        assert!(settled.find("uid", wishes).is_some_and(|memory| memory.login == login));
        assert!(settled.find("other", wishes).is_none());

        let ours =
            server(json!({"name": "a", "generation": 1, "resourceVersion": "2"}), json!({"phase": "Ready"}));
        assert!(settled.find("uid", settled.wishes(&ours, "here")).is_some(), "our own status is no wish");
        for touched in [
            json!({"name": "a", "generation": 2}),
            json!({"name": "a", "generation": 1, "labels": {"any": "label"}}),
            json!({"name": "a", "generation": 1, "annotations": {"any": "annotation"}}),
            json!({"name": "a", "generation": 1, "deletionTimestamp": "2026-01-01T00:00:00Z"}),
        ] {
            let wishes = settled.wishes(&server(touched.clone(), Value::Null), "here");
            assert!(settled.find("uid", wishes).is_none(), "{touched}");
        }
        assert!(settled.find("uid", settled.wishes(&object, "elsewhere")).is_none());

        settled.forget("uid");
        assert!(settled.find("uid", wishes).is_none());
    }

    #[test]
    fn a_login_is_forgotten_after_its_time_and_that_nothing_was_pending_is_not() {
        let mut settled = Settled::new(Duration::ZERO);
        let object = server(json!({"name": "a", "generation": 1}), Value::Null);
        let wishes = settled.wishes(&object, "here");
        let login = Login::Worked(settled.mark("login"));
        settled.remember("uid", Memory { wishes, login, database: None });
        assert!(settled.find("uid", wishes).is_some_and(|memory| memory.login == login), "made just now");
        settled.within = Duration::ZERO;
        assert!(settled.find("uid", wishes).is_some_and(|memory| memory.login == Login::Unknown));
    }
}
