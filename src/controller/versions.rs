//! In which version we last left each object, so that it need not be read again while the store holds just that one.
//!
//! Nor need one be read that this process has never worked on: what the store could lag behind is our own last write.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::Resource;

/// The versions, by uid; none: a pass that has not ended well may have written another one. What is taken from here
/// counts once: only a pass that ends well notes it anew.
#[derive(Default)]
pub struct Versions(Mutex<HashMap<String, Option<String>>>);

impl Versions {
    /// We know of nothing newer than this: it is what was read, or what our own last write returned.
    pub fn note<K: Resource>(&self, object: &K) {
        let meta = object.meta();
        if let (Some(uid), Some(version)) = (meta.uid.clone(), meta.resource_version.clone()) {
            self.lock().insert(uid, Some(version));
        }
    }

    /// Whether the object is just what we last left, or we have never worked on it. The next answer is no, unless it is
    /// noted anew.
    pub fn take<K: Resource>(&self, object: &K) -> bool {
        let meta = object.meta();
        let (Some(uid), Some(version)) = (&meta.uid, &meta.resource_version) else { return false };
        let noted = self.lock().insert(uid.clone(), None);
        noted.is_none_or(|noted| noted.as_ref() == Some(version))
    }

    /// The same objects, each in doubt: somebody else may be working on them.
    pub fn doubted(&self) -> Self {
        Self(Mutex::new(self.lock().keys().map(|uid| (uid.clone(), None)).collect()))
    }

    /// Forgets all objects but these.
    pub fn keep(&self, uids: &HashSet<String>) {
        self.lock().retain(|uid, _| uids.contains(uid));
    }

    /// Forgets the object, which is gone.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{PostgreSQLServer, PostgreSQLServerSpec};

    fn server(uid: &str, version: Option<&str>) -> PostgreSQLServer {
        let mut server = PostgreSQLServer::new("a", PostgreSQLServerSpec::default());
        server.metadata.uid = Some(uid.to_owned());
        server.metadata.resource_version = version.map(str::to_owned);
        server
    }

    #[test]
    fn only_the_version_that_we_left_counts_and_only_once() {
        let versions = Versions::default();
        versions.note(&server("a", Some("2")));
        assert!(versions.take(&server("a", Some("2"))));
        assert!(!versions.take(&server("a", Some("2"))), "the pass may not have ended well");
        versions.note(&server("a", Some("3")));
        assert!(!versions.take(&server("a", Some("2"))), "the store lags behind our own write");
        versions.note(&server("a", Some("3")));
        assert!(!versions.take(&server("a", Some("4"))), "somebody else wrote");
        versions.note(&server("a", None));
        assert!(!versions.take(&server("a", None)), "no version is no evidence");
    }

    #[test]
    fn what_nobody_here_has_worked_on_is_as_the_watch_says_and_only_once() {
        let versions = Versions::default();
        assert!(versions.take(&server("a", Some("1"))), "nothing of ours can be missing");
        assert!(
            !versions.take(&server("a", Some("1"))),
            "the first pass may have written, and not ended well"
        );
        assert!(!versions.take(&server("a", Some("2"))), "nor does a newer version tell");
        assert!(!versions.take(&server("b", None)), "no version is no evidence");
    }

    #[test]
    fn what_others_may_work_on_is_read() {
        let versions = Versions::default();
        versions.note(&server("a", Some("1")));
        assert!(!versions.doubted().take(&server("a", Some("1"))));
        assert!(versions.take(&server("a", Some("1"))), "that was only about the other one");
    }

    #[test]
    fn what_is_not_there_any_more_is_forgotten() {
        let versions = Versions::default();
        versions.note(&server("a", Some("1")));
        versions.note(&server("b", Some("1")));
        versions.keep(&HashSet::from(["b".to_owned()]));
        assert_eq!(versions.lock().len(), 1);
        assert!(!versions.take(&server("b", Some("0"))), "the other one is not forgotten");
    }
}
