//! Amazon RDS and Aurora under test: the simulated service over its wire protocol, with real PostgreSQL servers behind.

mod aurora;
pub mod pages;
mod rds;

use std::io::Write;
use std::sync::Arc;

use async_trait::async_trait;
use clouds::faults::{Fault, Kind};
use clouds::rds::{Quotas, Simulator};
use hcpg::backend::ServerBackend;
use hcpg::config::Config;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::done;
use super::faults::Operation;
use super::flow::Flow;
use super::subject::{Drift, Shown, Subject, Update};
use aurora::Aurora;
use rds::Rds;

/// The simulated service, the file with its certificate authorities, and which of its servers are tested.
pub struct Aws {
    simulator: Simulator,
    authorities: NamedTempFile,
    servers: Box<dyn Servers>,
}

/// What is one thing on RDS and another on Aurora.
trait Servers: Send + Sync {
    /// The name of the backend.
    fn backend_name(&self) -> &'static str;
    /// Its classes; there is one `small` and one `large`.
    fn classes(&self) -> Value;
    fn backend(&self, config: &Config) -> Arc<dyn ServerBackend>;
    fn spec(&self) -> Value;
    fn updates(&self) -> Vec<Update>;
    /// As [`Subject::steps`].
    fn steps(&self, _update: &Update) -> usize {
        1
    }
    fn drifts(&self) -> Vec<Drift>;
    fn drift(&self, simulator: &Simulator, server: &str);
    /// The identifiers of all servers with this value of the tag.
    fn tagged(&self, simulator: &Simulator, tag: &str, value: &str) -> Vec<String>;
    /// Gives the server another id that is never used again, or its own one back.
    fn exchange(&self, simulator: &Simulator, server: &str, other: fn(&mut String));
    /// As [`Subject::mends_creation_by`].
    fn mends_creation_by(&self) -> Operation {
        Operation::Create
    }
    fn wire_calls(&self, flow: Flow) -> Vec<&'static str>;
    /// The calls that do not say for which server they are made.
    fn shared_calls(&self) -> [&'static str; 2];
    /// What such a call for a server is about, as the simulator notes it.
    fn aim(&self, call: &str, server: &str) -> String;
}

impl Aws {
    /// Instances of RDS: a new service, without servers.
    pub async fn rds() -> Arc<Self> {
        Self::with(Box::new(Rds)).await
    }

    /// Clusters of Aurora.
    pub async fn aurora() -> Arc<Self> {
        Self::with(Box::new(Aurora)).await
    }

    async fn with(servers: Box<dyn Servers>) -> Arc<Self> {
        let simulator = done(Simulator::start().await);
        simulator.set_quotas(Quotas { instances: 1000, clusters: 1000, snapshots: 1000, groups: 1000 });
        let mut authorities = done(NamedTempFile::new());
        done(authorities.write_all(simulator.ca_pem().as_bytes()));
        Arc::new(Self { simulator, authorities, servers })
    }

    /// What the calls for a server are about; nothing where they do not say it.
    fn aim(&self, call: &str, namespace: &str) -> String {
        let server = identifier(namespace, super::case::SERVER);
        if self.is_shared(call) { String::new() } else { self.servers.aim(call, &server) }
    }
}

/// The identifier that the default pattern makes.
fn identifier(namespace: &str, name: &str) -> String {
    format!("{namespace}-{name}")
}

/// What goes wrong with a call on the wire.
const WIRE: [(&str, Kind); 4] = [
    ("connection reset", Kind::Reset),
    ("done, and the answer lost", Kind::Lost),
    ("no answer", Kind::Hang),
    ("500", Kind::Error(500, String::new())),
];

fn kind(fault: &str) -> Kind {
    match fault {
        "throttled" => Kind::Error(400, "Throttling".to_owned()),
        "500" => Kind::Error(500, "InternalFailure".to_owned()),
        "busy" => Kind::Error(400, "InvalidDBInstanceState".to_owned()),
        "credentials expired" => Kind::Error(403, "ExpiredToken".to_owned()),
        fault => match WIRE.into_iter().find(|(name, _)| *name == fault) {
            Some((_, kind)) => kind,
            None => panic!("there is no fault {fault}"),
        },
    }
}

#[async_trait]
impl Subject for Aws {
    fn config(&self) -> Value {
        let name = self.servers.backend_name();
        json!({
            "backend": name,
            "allowed_backends": [name],
            "backends": {name: {
                "region": "eu-central-1",
                "subnet_group": "default",
                "endpoint": self.simulator.endpoint(),
                "sts_endpoint": self.simulator.endpoint(),
                "extra_ca_file": self.authorities.path(),
                "default_class": "small",
                "classes": self.servers.classes(),
                "call_budget": {"per_second": 1000, "burst": 10000},
            }},
        })
    }

    fn backend(&self, config: &Config) -> Arc<dyn ServerBackend> {
        self.servers.backend(config)
    }

    fn spec(&self) -> Value {
        self.servers.spec()
    }

    fn updates(&self) -> Vec<Update> {
        self.servers.updates()
    }

    fn steps(&self, update: &Update) -> usize {
        self.servers.steps(update)
    }

    fn drifts(&self) -> Vec<Drift> {
        self.servers.drifts()
    }

    async fn drift(&self, _: &Drift, namespace: &str, name: &str) {
        self.servers.drift(&self.simulator, &identifier(namespace, name));
    }

    async fn servers(&self, namespace: &str) -> Vec<String> {
        self.servers.tagged(&self.simulator, "hybridcloud-postgresql-operator:namespace", namespace)
    }

    async fn vanish(&self, namespace: &str, name: &str) {
        self.simulator.vanish(&identifier(namespace, name));
    }

    async fn crash(&self, namespace: &str, name: &str) -> bool {
        self.simulator.crash(&identifier(namespace, name))
    }

    async fn exchange(&self, namespace: &str, name: &str) {
        // What tells two servers of one name apart is the identifier that is never used again.
        const OTHER: &str = "-OTHER";
        self.servers.exchange(&self.simulator, &identifier(namespace, name), |id| {
            *id = match id.strip_suffix(OTHER) {
                Some(own) => own.to_owned(),
                None => format!("{id}{OTHER}"),
            };
        });
    }

    async fn fail_next_creation(&self) {
        self.simulator.fail_creations(1);
    }

    fn has_failed_creation(&self) -> bool {
        self.simulator.creations_to_fail() == 0
    }

    fn mends_creation_by(&self) -> Operation {
        self.servers.mends_creation_by()
    }

    fn wire_faults(&self) -> Vec<&'static str> {
        let faults = WIRE.into_iter().map(|(name, _)| name);
        faults.chain(["throttled", "busy", "credentials expired"]).collect()
    }

    fn wire_calls(&self, flow: Flow) -> Vec<&'static str> {
        self.servers.wire_calls(flow)
    }

    fn is_shared(&self, call: &str) -> bool {
        self.servers.shared_calls().contains(&call)
    }

    fn arm(&self, fault: &str, call: &str, namespace: &str) {
        let id = Some(self.aim(call, namespace));
        self.simulator.faults().add(Fault { action: Some(call.to_owned()), id, kind: kind(fault), times: 1 });
    }

    fn armed(&self, call: &str, namespace: &str) -> bool {
        self.simulator.faults().left(call, &self.aim(call, namespace)) > 0
    }
}

/// A parameter that is set, changed, and brought back, and one that needs a restart.
fn parameters() -> Vec<Update> {
    let parameter = |name, parameters: Value, shown| Update {
        name,
        spec: json!({"serverParameters": parameters}),
        by: Operation::Configure,
        shown,
    };
    vec![
        parameter(
            "the first parameter is set, which makes a group",
            json!({"work_mem": 7168}),
            Shown::BySql("SHOW work_mem", "7MB"),
        ),
        parameter("a parameter is changed", json!({"work_mem": 9216}), Shown::BySql("SHOW work_mem", "9MB")),
        parameter(
            "a parameter that needs a restart is set",
            json!({"max_connections": 60}),
            Shown::BySql("SHOW max_connections", "60"),
        ),
        parameter(
            "a parameter goes back to its default",
            json!({"work_mem": null}),
            Shown::BySql("SHOW work_mem", "4MB"),
        ),
    ]
}
