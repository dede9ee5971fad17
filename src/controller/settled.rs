//! What was found settled lately, so that not every look has to log in again.
//!
//! A login costs more than all other reads of a look together, for the operator and for PostgreSQL. One that worked is
//! taken to work for a while, as long as nothing is different that the operator can see without it. From memory nothing
//! follows but that there is nothing to do: whatever else would be decided is decided after a look without memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kube::Resource;

use crate::postgres::DatabaseState;

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
    /// A mark of the login that worked.
    pub login: Mark,
    /// What was in PostgreSQL, for a database.
    pub database: Option<DatabaseState>,
}

/// Stands for values that shall be the same as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u64);

impl Settled {
    /// Memory that is believed for `within`; zero: never.
    pub fn new(within: Duration) -> Self {
        Self { within, hashing: RandomState::new(), all: Mutex::default() }
    }

    /// A mark of these values.
    pub fn mark(&self, values: impl Hash) -> Mark {
        Mark(self.hashing.hash_one(values))
    }

    /// A mark of everything that people write on an object, and of `more`. Status is ours and does not count.
    pub fn wishes<K: Resource>(&self, object: &K, more: impl Hash) -> Mark {
        let meta = object.meta();
        let mut hasher = self.hashing.build_hasher();
        (&meta.generation, &meta.labels, &meta.annotations).hash(&mut hasher);
        meta.deletion_timestamp.is_some().hash(&mut hasher);
        more.hash(&mut hasher);
        Mark(hasher.finish())
    }

    /// What is remembered of `uid`, if these were its wishes then and it was not too long ago.
    pub fn find(&self, uid: &str, wishes: Mark) -> Option<Memory> {
        let all = self.lock();
        let entry = all.get(uid)?;
        let holds = entry.memory.wishes == wishes && entry.since.elapsed() < self.within;
        holds.then(|| entry.memory.clone())
    }

    /// Everything about `uid` was looked at, and there was nothing to do.
    pub fn remember(&self, uid: &str, memory: Memory) {
        if !self.within.is_zero() {
            self.lock().insert(uid.to_owned(), Entry { since: Instant::now(), memory });
        }
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
        let login = settled.mark("login");
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
        let never = Settled::new(Duration::ZERO);
        never.remember("uid", Memory { wishes, login, database: None });
        assert!(never.find("uid", wishes).is_none());
    }
}
