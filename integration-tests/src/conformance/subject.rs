//! What a backend has to bring along to be put to the test.

use std::sync::Arc;

use async_trait::async_trait;
use hcpg::backend::ServerBackend;
use hcpg::config::Config;
use serde_json::Value;

use super::faults::Operation;
use super::flow::Flow;

/// A backend under test, with the hands to see and do behind it what only its owner can.
///
/// Like everything for tests it panics when something goes wrong that is not the product's.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The keys `backend`, `allowed_backends` and `backends` of the operator's configuration.
    fn config(&self) -> Value;

    /// The backend, made from the whole configuration.
    fn backend(&self, config: &Config) -> Arc<dyn ServerBackend>;

    /// The smallest spec of a server, without `credentialsSecret`.
    fn spec(&self) -> Value;

    /// Changes of the spec that can be carried out on a server; at least one by each of `update` and `configure`.
    fn updates(&self) -> Vec<Update>;

    /// How many calls to the backend carry out such a change: a service may take only one thing at a time.
    fn steps(&self, _update: &Update) -> usize {
        1
    }

    /// What can go wrong with a server behind the operator's back and is put right.
    fn drifts(&self) -> Vec<Drift>;

    /// Makes a [`Drift`] happen to the server of the object.
    async fn drift(&self, drift: &Drift, namespace: &str, name: &str);

    /// Every server that exists for objects of the namespace, whatever the operator knows of it.
    async fn servers(&self, namespace: &str) -> Vec<String>;

    /// Takes the server of the object away, with all its data.
    async fn vanish(&self, namespace: &str, name: &str);

    /// Ends the processes of the server at once, as a crash would; false as long as it has none.
    async fn crash(&self, namespace: &str, name: &str) -> bool;

    /// Puts another server in the place of the object's, or that one back.
    async fn exchange(&self, namespace: &str, name: &str);

    /// Fills the disk on which the servers stand; false where it cannot be had.
    async fn fill_disk(&self) -> bool {
        false
    }

    /// Makes room again.
    async fn free_disk(&self) {}

    /// The next creation is accepted, and fails before the server is available.
    async fn fail_next_creation(&self);

    /// Whether that has happened.
    fn has_failed_creation(&self) -> bool;

    /// The call that makes up for it: the whole server is made again, or what of it has failed.
    fn mends_creation_by(&self) -> Operation {
        Operation::Create
    }

    /// What can go wrong with the backend's own calls to a service, by name.
    fn wire_faults(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The calls to the service that a flow is sure to make, in their order.
    fn wire_calls(&self, _flow: Flow) -> Vec<&'static str> {
        Vec::new()
    }

    /// Whether such a call does not say for which server it is made.
    fn is_shared(&self, _call: &str) -> bool {
        false
    }

    /// The next such call for the server of the namespace meets the fault.
    fn arm(&self, _fault: &str, _call: &str, _namespace: &str) {}

    /// Whether no such call has met its fault yet.
    fn armed(&self, _call: &str, _namespace: &str) -> bool {
        false
    }
}

/// A change of the spec.
#[derive(Clone, Debug)]
pub struct Update {
    /// For reports.
    pub name: &'static str,
    /// Merged into the spec.
    pub spec: Value,
    /// The call that carries it out.
    pub by: Operation,
    /// What shows that it is in force.
    pub shown: Shown,
}

/// Something that has to go back to what it should be.
#[derive(Clone, Debug)]
pub struct Drift {
    /// For reports, and for [`Subject::drift`].
    pub name: &'static str,
    /// What holds of the spec before.
    pub spec: Value,
    /// The call that puts it right.
    pub by: Operation,
    /// What shows that it is put right.
    pub shown: Shown,
}

/// What shows that something is in force.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A query, with the published login, and its answer as text.
    BySql(&'static str, &'static str),
    /// A place in the object and its value.
    ByStatus(&'static str, Value),
}
