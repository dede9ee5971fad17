//! Taking over what was there before the object's first pass: what the original operator made, and servers and
//! databases that stayed when an earlier object went. Taking over writes nothing; what differs waits until the spec
//! changes or somebody asks for it. Pure.

use std::sync::Arc;

use kube::ResourceExt;

use super::requests::{Action, Requests};
use crate::api::names::ORIGINAL_FINALIZER;
use crate::api::{Deployment, DeploymentStatus, PostgreSQLDatabase};
use crate::config::known_backend;
use crate::postgres::original_database_name_for;

/// What the status says about taking over.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// What we pinned, if we have seen or begun anything.
    pub pinned: bool,
    /// The generation that was taken over.
    pub adopted: Option<i64>,
    /// The backend.
    pub backend: Option<&'a str>,
    /// The original's three keys.
    pub deployment: Option<&'a Deployment>,
}

impl Recorded<'_> {
    /// The generation that counts as taken over after this pass; none when nothing waits. What is `found` before
    /// anything is pinned was not made by us: names are pinned before the first effect.
    pub fn adopted(&self, found: bool, generation: i64, requests: &Requests) -> Option<i64> {
        let adopted = if self.pinned { self.adopted } else { found.then_some(generation) };
        adopted.filter(|_| requests.paused || !requests.asks_for(Action::ApplyNow))
    }

    /// Whether the original operator left something that says that the server or database existed, and we have not
    /// seen it yet. It recorded the backend before its own first effect, and wrote the Secret last.
    pub fn existed(&self, has_secret: bool) -> bool {
        let finished =
            self.deployment.is_some_and(|deployment| deployment.status == Some(DeploymentStatus::Finished));
        !self.pinned
            && self.backend.is_some_and(|backend| finished || has_secret || known_backend(backend).is_none())
    }
}

/// Whether differences wait.
pub fn waits(adopted: Option<i64>, generation: i64) -> bool {
    adopted.is_some_and(|adopted| generation <= adopted)
}

/// Whether the original operator has worked on the object.
pub fn is_original<K: ResourceExt>(object: &K) -> bool {
    object.finalizers().iter().any(|finalizer| finalizer == ORIGINAL_FINALIZER)
}

/// Where the original kept a password on its way, for an object that it has worked on and that was never Ready with
/// us; none where another live object would have had the same place, as the original cut long names.
pub fn temporary_secret<K: ResourceExt>(
    prefix: &str,
    object: &K,
    was_ready: bool,
    all: impl FnOnce() -> Vec<Arc<K>>,
) -> Option<String> {
    if was_ready || !is_original(object) {
        return None;
    }
    let place = |one: &K| -> String {
        let whole = format!("{prefix}-{}-{}-tmp", one.namespace().unwrap_or_default(), one.name_any());
        whole.chars().take(LONGEST).collect()
    };
    let ours = place(object);
    let is_other =
        |one: &Arc<K>| one.namespace() != object.namespace() || one.name_any() != object.name_any();
    let shared = all().into_iter().filter(is_other).any(|other| place(&other) == ours);
    (!shared).then_some(ours)
}

/// Whether the original operator has begun the database of the object, so that it bears the original's name; not where
/// another object of the same server would have had the same one, as PostgreSQL cut long names.
pub fn keeps_original_name(
    object: &PostgreSQLDatabase,
    all: impl FnOnce() -> Vec<Arc<PostgreSQLDatabase>>,
) -> bool {
    let begun = object.status.as_ref().is_some_and(|status| status.backend.is_some());
    if !begun || !is_original(object) {
        return false;
    }
    let place = |one: &PostgreSQLDatabase| {
        let name = original_database_name_for(&one.name_any());
        (one.namespace(), one.spec.server_ref.name.clone(), name)
    };
    let ours = place(object);
    let is_other = |one: &Arc<PostgreSQLDatabase>| one.name_any() != object.name_any() && is_original(&**one);
    !all().into_iter().filter(is_other).any(|other| place(&other) == ours)
}

/// Where the original cut names of Secrets.
const LONGEST: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{PostgreSQLServer, PostgreSQLServerSpec};

    const FINISHED: Deployment =
        Deployment { status: Some(DeploymentStatus::Finished), reason: None, latest_update: None };
    const WORKING: Deployment =
        Deployment { status: Some(DeploymentStatus::Working), reason: None, latest_update: None };

    fn left<'a>(backend: &'a str, deployment: &'a Deployment) -> Recorded<'a> {
        Recorded { pinned: false, adopted: None, backend: Some(backend), deployment: Some(deployment) }
    }

    fn server(namespace: &str, name: &str) -> PostgreSQLServer {
        let mut server = PostgreSQLServer::new(name, PostgreSQLServerSpec::default());
        server.metadata.namespace = Some(namespace.to_owned());
        server.metadata.finalizers = Some(vec![ORIGINAL_FINALIZER.to_owned()]);
        server
    }

    fn asking(action: &str) -> Requests {
        let mut object = server("a", "b");
        object.labels_mut().insert(crate::api::names::ACTION.to_owned(), action.to_owned());
        Requests::of(&object)
    }

    #[test]
    fn what_is_found_before_anything_is_pinned_is_taken_over_in_its_generation() {
        let (none, left) = (Requests::default(), left("local", &FINISHED));
        assert_eq!(left.adopted(true, 7, &none), Some(7));
        assert_eq!(left.adopted(false, 7, &none), None);
        let pinned = Recorded { pinned: true, adopted: Some(7), ..left };
        assert_eq!(pinned.adopted(true, 9, &none), Some(7));
        assert_eq!(pinned.adopted(false, 9, &none), Some(7), "a lost one is still one that was taken over");
        assert_eq!(Recorded { adopted: None, ..pinned }.adopted(true, 9, &none), None, "we made it");
    }

    #[test]
    fn differences_wait_until_the_spec_changes_or_somebody_asks() {
        let pinned = Recorded { pinned: true, adopted: Some(7), ..left("local", &FINISHED) };
        assert!(waits(Some(7), 7));
        assert!(!waits(Some(7), 8));
        assert!(!waits(None, 7));
        assert_eq!(pinned.adopted(true, 7, &asking("apply-now")), None);
        assert_eq!(pinned.adopted(true, 7, &asking("reset-password")), Some(7));
        let paused = Requests { paused: true, ..asking("apply-now") };
        assert_eq!(pinned.adopted(true, 7, &paused), Some(7), "a pause comes first");
    }

    #[test]
    fn finished_a_secret_or_a_backend_nobody_knows_tell_that_it_existed() {
        assert!(left("local", &FINISHED).existed(false));
        assert!(!left("local", &WORKING).existed(false));
        assert!(left("local", &WORKING).existed(true));
        assert!(left("mainframe", &WORKING).existed(false));
        assert!(!Recorded { backend: None, ..left("local", &FINISHED) }.existed(true));
        assert!(!Recorded { pinned: true, ..left("mainframe", &FINISHED) }.existed(true));
    }

    fn arcs(all: &[PostgreSQLServer]) -> impl FnOnce() -> Vec<Arc<PostgreSQLServer>> {
        let all = all.iter().cloned().map(Arc::new).collect();
        || all
    }

    #[test]
    fn a_place_that_two_objects_share_tells_nothing() {
        let one = server("a", "b-c");
        let place = |all: &[PostgreSQLServer]| temporary_secret("pg", &one, false, arcs(all));
        assert_eq!(place(std::slice::from_ref(&one)).as_deref(), Some("pg-a-b-c-tmp"));
        assert_eq!(place(&[one.clone(), server("a", "b-d")]).as_deref(), Some("pg-a-b-c-tmp"));
        assert_eq!(place(&[one.clone(), server("a-b", "c")]), None);
        let long = |end: &str| server("team", &("n".repeat(60) + end));
        let (first, second) = (long("1"), long("2"));
        assert_eq!(temporary_secret("pg", &first, false, arcs(&[first.clone(), second])), None);
        assert_eq!(
            temporary_secret("pg", &first, false, arcs(std::slice::from_ref(&first))).unwrap().len(),
            63
        );
    }

    #[test]
    fn the_name_that_the_original_gave_stays_unless_two_objects_would_have_it() {
        let database = |name: &str, server: &str| -> PostgreSQLDatabase {
            serde_json::from_value(serde_json::json!({
                "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1", "kind": "PostgreSQLDatabase",
                "metadata": {"name": name, "namespace": "team", "finalizers": [ORIGINAL_FINALIZER]},
                "spec": {"serverRef": {"name": server}, "credentialsSecret": "any"},
                "status": {"backend": "local"},
            }))
            .unwrap()
        };
        let keeps = |one: &PostgreSQLDatabase, others: &[PostgreSQLDatabase]| {
            let all = others.iter().chain([one]).cloned().map(Arc::new).collect();
            keeps_original_name(one, || all)
        };
        let long = |end: &str| "n".repeat(65) + end;
        let one = database(&long("1"), "main");
        assert!(keeps(&one, &[database("short", "main")]));
        assert!(keeps(&one, &[database(&long("2"), "elsewhere")]));
        assert!(!keeps(&one, &[database(&long("2"), "main")]));
        let mut new = database(&long("2"), "main");
        new.metadata.finalizers = None;
        assert!(keeps(&one, std::slice::from_ref(&new)), "ours bears another name");
        assert!(!keeps(&new, &[]));
        let mut unbegun = one;
        unbegun.status = None;
        assert!(!keeps(&unbegun, &[]));
    }

    #[test]
    fn only_what_the_original_worked_on_and_we_did_not_finish_has_such_a_place() {
        let mut one = server("a", "b");
        assert_eq!(temporary_secret("pg", &one, true, arcs(&[one.clone()])), None);
        one.metadata.finalizers = None;
        assert_eq!(temporary_secret("pg", &one, false, arcs(&[one.clone()])), None);
    }
}
