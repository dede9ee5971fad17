//! Which changes of a server its databases want to know.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;

use crate::api::{Condition, ConditionType, Phase, PostgreSQLServer, Reason, ServerStatus};

/// What a database makes of its server, as one number: while it stays the same, nothing is to be gained by looking.
///
/// A server's status says more than that, and is written with every step of the server.
pub fn of_interest(server: &PostgreSQLServer) -> u64 {
    let unknown = ServerStatus::default();
    let status = server.status.as_ref().unwrap_or(&unknown);
    let find = |type_| status.conditions.iter().find(|condition: &&Condition| condition.type_ == type_);
    let stalled = find(ConditionType::Stalled).map(|stalled| stalled.reason);
    let pinned = status.server.as_ref();
    let mut hasher = DefaultHasher::new();
    (
        server.uid(),
        server.metadata.deletion_timestamp.is_some(),
        &server.spec.credentials_secret,
        status.binding.as_ref().map(|binding| &binding.name),
        &status.backend,
        pinned.map(|pinned| (&pinned.uid, &pinned.host, pinned.port)),
        // A password is published before its reset ends.
        status.phase == Some(Phase::ResettingPassword),
        find(ConditionType::Ready).map(|ready| ready.status.to_string()),
        stalled.filter(|reason| [Reason::ServerLost, Reason::ServerReplaced].contains(reason)),
    )
        .hash(&mut hasher);
    hasher.finish()
}

/// Remembers what was of interest, to tell what is news.
#[derive(Default)]
pub struct News(HashMap<ObjectRef<PostgreSQLServer>, u64>);

impl News {
    /// The server of the event, if it changed in a way that matters to its databases, or is gone.
    pub fn of<'a>(&mut self, event: &'a Event<PostgreSQLServer>) -> Option<&'a PostgreSQLServer> {
        match event {
            Event::Delete(server) => {
                self.0.remove(&ObjectRef::from_obj(server));
                Some(server)
            }
            Event::Apply(server) | Event::InitApply(server) => {
                let now = of_interest(server);
                (self.0.insert(ObjectRef::from_obj(server), now) != Some(now)).then_some(server)
            }
            Event::Init | Event::InitDone => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn server(change: Value) -> PostgreSQLServer {
        let mut object = json!({
            "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
            "kind": "PostgreSQLServer",
            "metadata": {"name": "team", "namespace": "default", "uid": "1", "resourceVersion": "1"},
            "spec": {"credentialsSecret": "team-login"},
            "status": {
                "phase": "Ready",
                "observedGeneration": 1,
                "backend": "local",
                "server": {"uid": "a", "host": "127.0.0.1", "port": 5432},
                "binding": {"name": "team-login"},
                "conditions": [condition("Ready", "True", "Available")],
            },
        });
        json_patch::merge(&mut object, &change);
        serde_json::from_value(object).unwrap()
    }

    fn condition(type_: &str, status: &str, reason: &str) -> Value {
        json!({"type": type_, "status": status, "reason": reason, "message": "",
            "lastTransitionTime": "2026-01-31T12:00:00Z"})
    }

    fn wakes(change: Value) -> bool {
        let mut known = News::default();
        assert!(known.of(&Event::InitApply(server(json!({})))).is_some(), "it is new");
        assert!(known.of(&Event::Apply(server(json!({})))).is_none(), "it is known");
        known.of(&Event::Apply(server(change))).is_some()
    }

    #[test]
    fn what_a_database_relies_on_wakes_it() {
        for change in [
            json!({"metadata": {"uid": "2"}}),
            json!({"metadata": {"deletionTimestamp": "2026-01-31T12:00:00Z"}}),
            json!({"spec": {"credentialsSecret": "other"}}),
            json!({"status": {"phase": "ResettingPassword"}}),
            json!({"status": {"backend": "other"}}),
            json!({"status": {"server": {"uid": "b"}}}),
            json!({"status": {"server": {"host": "127.0.0.2"}}}),
            json!({"status": {"server": {"port": 5433}}}),
            json!({"status": {"binding": {"name": "other"}}}),
            json!({"status": {"binding": null}}),
            json!({"status": {"conditions": [condition("Ready", "False", "Unusable")]}}),
            json!({"status": {"conditions": [
                condition("Ready", "True", "Available"), condition("Stalled", "True", "ServerLost")
            ]}}),
            json!({"status": {"conditions": [
                condition("Ready", "True", "Available"), condition("Stalled", "True", "ServerReplaced")
            ]}}),
            json!({"status": null}),
        ] {
            assert!(wakes(change.clone()), "{change}");
        }
    }

    #[test]
    fn what_only_the_server_is_about_wakes_nobody() {
        for change in [
            json!({"metadata": {"resourceVersion": "2", "labels": {"a": "b"}, "annotations": {"c": "d"}}}),
            json!({"metadata": {"generation": 2}, "spec": {"size": {"storageGB": 2}}}),
            json!({"status": {"phase": "Configuring", "phaseSince": "2026-01-31T12:00:00Z"}}),
            json!({"status": {"observedGeneration": 2, "differences": ["a"], "server": {"storageGB": 2}}}),
            json!({"status": {"operation": {"id": "", "kind": "restart", "since": "2026-01-31T12:00:00Z"}}}),
            json!({"status": {"conditions": [
                condition("Ready", "True", "LoginSucceeded"), condition("Synced", "False", "Updating"),
                condition("Reconciling", "True", "Updating"), condition("Stalled", "True", "NotApplied"),
            ]}}),
        ] {
            assert!(!wakes(change.clone()), "{change}");
        }
    }

    #[test]
    fn a_server_that_is_gone_wakes_its_databases_and_is_new_when_it_comes_back() {
        let mut known = News::default();
        known.of(&Event::Apply(server(json!({}))));
        assert!(known.of(&Event::Delete(server(json!({})))).is_some());
        assert!(known.of(&Event::Apply(server(json!({})))).is_some());
    }
}
