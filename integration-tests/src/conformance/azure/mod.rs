//! Servers on Azure under test: a simulated resource manager, with real PostgreSQL servers behind.

mod flexible;
pub mod pages;
mod single;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use clouds::azure::{Server, Simulator};
use clouds::faults::{Fault, Kind};
use hcpg::backend::{ServerBackend, Variables};
use hcpg::config::Config;
use serde_json::{Value, json};

use super::faults::Operation;
use super::flow::Flow;
use super::subject::{Drift, Shown, Subject, Update};
use crate::azure::Cloud;

pub use flexible::Flexible;
pub use single::Single;

/// Flexible servers.
pub type AzureFlexible = Azure<Flexible>;
/// Single servers, of a service that still makes some.
pub type AzureSingle = Azure<Single>;

/// Servers of one service on the simulated cloud.
pub struct Azure<S> {
    cloud: Cloud,
    service: S,
}

/// In what the services differ.
pub trait Service: Default + Send + Sync + 'static {
    /// The backend's name.
    const BACKEND: &'static str;
    /// The service's kind of servers, as it stands in calls.
    const KIND: &'static str;

    /// What the simulator has to be told first.
    fn prepare(&self, _simulator: &Simulator) {}

    /// What stands in the backend's section besides what both have.
    fn section(&self) -> Value {
        json!({})
    }

    /// The backend, from its section.
    fn backend(&self, config: &Config, variables: &Variables) -> Arc<dyn ServerBackend>;

    /// As [`Subject::spec`].
    fn spec(&self) -> Value;

    /// As [`Subject::updates`].
    fn updates(&self) -> Vec<Update>;

    /// As [`Subject::steps`].
    fn steps(&self, update: &Update) -> usize;

    /// A machine, as it is named, that a spec asks for, and another one.
    fn machines(&self) -> (Value, &'static str, &'static str);

    /// Makes another server of it, or the same one again.
    fn exchange(&self, server: &mut Server);

    /// The call that reads parameters.
    fn parameters(&self) -> &'static str;
}

impl<S: Service> Azure<S> {
    /// A new cloud, without servers.
    pub async fn new() -> Arc<Self> {
        let (cloud, service) = (Cloud::start().await, S::default());
        service.prepare(cloud.simulator());
        Arc::new(Self { cloud, service })
    }

    /// As [`Cloud::judge`].
    pub fn judge(&self, folder: &Path) {
        self.cloud.judge(folder);
    }

    fn simulator(&self) -> &Simulator {
        self.cloud.simulator()
    }
}

/// The name that the pattern makes.
fn identifier(namespace: &str, name: &str) -> String {
    format!("{namespace}-{name}")
}

/// What goes wrong with a call on the wire.
const WIRE: [(&str, Kind); 4] = [
    ("connection reset", Kind::Reset),
    ("done, and the answer lost", Kind::Lost),
    ("half an answer", Kind::Truncated),
    ("token expired", Kind::ExpiredToken),
];

fn kind(fault: &str) -> Kind {
    match fault {
        "throttled" => Kind::Error(429, "TooManyRequests".to_owned()),
        "500" => Kind::Error(500, "InternalServerError".to_owned()),
        "busy" => Kind::Error(409, "ServerIsBusy".to_owned()),
        fault => match WIRE.into_iter().find(|(name, _)| *name == fault) {
            Some((_, kind)) => kind,
            None => panic!("there is no fault {fault}"),
        },
    }
}

#[async_trait]
impl<S: Service> Subject for Azure<S> {
    fn config(&self) -> Value {
        let mut more = json!({
            "parameters": {"network": {"firewall_rules": [
                {"name": "cluster", "startIp": "192.0.2.1", "endIp": "192.0.2.1"},
            ]}},
        });
        json_patch::merge(&mut more, &self.service.section());
        let section = self.cloud.section(&more);
        json!({
            "backend": S::BACKEND,
            "allowed_backends": [S::BACKEND],
            "backends": {(S::BACKEND): section},
        })
    }

    fn backend(&self, config: &Config) -> Arc<dyn ServerBackend> {
        self.service.backend(config, &self.cloud.variables().into_iter().collect())
    }

    fn spec(&self) -> Value {
        self.service.spec()
    }

    fn updates(&self) -> Vec<Update> {
        self.service.updates()
    }

    fn steps(&self, update: &Update) -> usize {
        self.service.steps(update)
    }

    fn drifts(&self) -> Vec<Drift> {
        let (size, machine, _) = self.service.machines();
        vec![Drift {
            name: "machine changed by hand",
            spec: json!({"size": size}),
            by: Operation::Update,
            shown: Shown::ByStatus("/status/server/size", json!(machine)),
        }]
    }

    async fn drift(&self, _: &Drift, namespace: &str, name: &str) {
        let (_, _, other) = self.service.machines();
        self.simulator().drift(&identifier(namespace, name), |server| other.clone_into(&mut server.sku.0));
    }

    async fn servers(&self, namespace: &str) -> Vec<String> {
        let tag = "hybridcloud-postgresql-operator:namespace";
        let all = self.simulator().servers().into_iter();
        let theirs = all.filter(|one| one.tags.get(tag).is_some_and(|found| found == namespace));
        theirs.map(|one| one.name).collect()
    }

    async fn vanish(&self, namespace: &str, name: &str) {
        self.simulator().vanish(&identifier(namespace, name));
    }

    async fn crash(&self, namespace: &str, name: &str) -> bool {
        self.simulator().crash_briefly(&identifier(namespace, name))
    }

    async fn exchange(&self, namespace: &str, name: &str) {
        self.simulator().drift(&identifier(namespace, name), |server| self.service.exchange(server));
    }

    async fn fail_next_creation(&self) {
        self.simulator().fail_creations(1);
    }

    fn has_failed_creation(&self) -> bool {
        self.simulator().creations_to_fail() == 0
    }

    fn wire_faults(&self) -> Vec<&'static str> {
        let faults = WIRE.into_iter().map(|(name, _)| name);
        faults.chain(["throttled", "busy", "500"]).collect()
    }

    fn wire_calls(&self, flow: Flow) -> Vec<&'static str> {
        let calls = Calls::of(S::KIND);
        match flow {
            Flow::CreateServer => vec![calls.get, calls.put, calls.put_rule],
            Flow::UpdateServer | Flow::ResetServer => vec![calls.get, calls.patch],
            Flow::ConfigureServer => vec![self.service.parameters(), calls.put_parameter],
            Flow::DeleteServer => vec![calls.get, calls.delete],
            _ => Vec::new(),
        }
    }

    fn arm(&self, fault: &str, call: &str, namespace: &str) {
        let id = Some(identifier(namespace, super::case::SERVER));
        self.simulator().faults().add(Fault {
            action: Some(call.to_owned()),
            id,
            kind: kind(fault),
            times: 1,
        });
    }

    fn armed(&self, call: &str, namespace: &str) -> bool {
        self.simulator().faults().left(call, &identifier(namespace, super::case::SERVER)) > 0
    }
}

/// The calls of one kind of servers.
struct Calls {
    get: &'static str,
    put: &'static str,
    patch: &'static str,
    delete: &'static str,
    put_rule: &'static str,
    put_parameter: &'static str,
}

impl Calls {
    fn of(kind: &str) -> Self {
        match kind {
            "servers" => Self {
                get: "GET servers",
                put: "PUT servers",
                patch: "PATCH servers",
                delete: "DELETE servers",
                put_rule: "PUT servers/firewallRules",
                put_parameter: "PUT servers/configurations",
            },
            _ => Self {
                get: "GET flexibleServers",
                put: "PUT flexibleServers",
                patch: "PATCH flexibleServers",
                delete: "DELETE flexibleServers",
                put_rule: "PUT flexibleServers/firewallRules",
                put_parameter: "PUT flexibleServers/configurations",
            },
        }
    }
}
