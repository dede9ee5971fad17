//! Servers on Azure under test: a simulated resource manager, with real PostgreSQL servers behind.

mod flexible;
mod pages;
pub mod parts;
mod single;

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
use crate::azure::{self, Cloud};

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
    /// The service in the names of pages.
    const PAGES: &'static str;
    /// Its servers in the text of pages, and whom the operator talks to.
    const WORDS: (&'static str, &'static str);
    /// Gigabytes that a spec asks for, more than at first, and those that they become.
    const STORAGE: (u32, u32);
    /// The machine that four cores become.
    const FOUR_CORES: &'static str;

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

    /// Updates of parameters: see [`Subject::updates`].
    fn parameters_set(&self) -> Vec<Update>;

    /// As [`Subject::steps`].
    fn steps(&self, update: &Update) -> usize;

    /// A machine, as it is named, that a spec asks for, and another one.
    fn machines(&self) -> (Value, &'static str, &'static str);

    /// What tells two servers of one name apart.
    fn made<'a>(&self, server: &'a mut Server) -> &'a mut String;

    /// The call that reads parameters.
    fn parameters(&self) -> &'static str;
}

impl<S: Service> Azure<S> {
    /// A new cloud, without servers.
    pub async fn new() -> Arc<Self> {
        let (cloud, service) = (Cloud::start().await, S::default());
        service.prepare(cloud.azure());
        Arc::new(Self { cloud, service })
    }

    fn simulator(&self) -> &Simulator {
        self.cloud.azure()
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
        self.service.backend(config, &azure::variables(self.simulator()).into_iter().collect())
    }

    fn spec(&self) -> Value {
        self.service.spec()
    }

    fn updates(&self) -> Vec<Update> {
        let update = |name, spec, shown| Update { name, spec, by: Operation::Update, shown };
        let (asked, gb) = S::STORAGE;
        let mut updates = vec![
            update(
                "storage grows, rounded up",
                json!({"size": {"storageGB": asked}}),
                Shown::ByStatus("/status/server/storageGB", json!(gb)),
            ),
            update(
                "another machine",
                json!({"size": {"cpu": 4}}),
                Shown::ByStatus("/status/server/size", json!(S::FOUR_CORES)),
            ),
            update(
                "a firewall rule is added",
                json!({"network": {"firewallRules": [
                    {"name": "office", "startIp": "198.51.100.1", "endIp": "198.51.100.9"},
                ]}}),
                Shown::ByStatus("/status/managedFirewallRules", json!(["cluster", "office"])),
            ),
        ];
        updates.extend(self.service.parameters_set());
        updates
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
        const OTHER: &str = "1999-12-31T23:59:59Z ";
        self.simulator().drift(&identifier(namespace, name), |server| {
            let made = self.service.made(server);
            *made = match made.strip_prefix(OTHER) {
                Some(own) => own.to_owned(),
                None => format!("{OTHER}{made}"),
            };
        });
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
