//! Amazon RDS under test: the simulated service over its wire protocol, with real PostgreSQL servers behind.

use std::io::Write;
use std::sync::Arc;

use async_trait::async_trait;
use clouds::faults::{Fault, Kind};
use clouds::rds::{Quotas, Simulator};
use hcpg::backend::{RdsBackend, ServerBackend};
use hcpg::config::Config;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::done;
use super::faults::Operation;
use super::flow::Flow;
use super::subject::{Drift, Shown, Subject, Update};

/// The simulated service, and the file with its certificate authorities.
pub struct AwsRds {
    simulator: Simulator,
    authorities: NamedTempFile,
}

impl AwsRds {
    /// A new one, without servers.
    pub async fn new() -> Arc<Self> {
        let simulator = done(Simulator::start().await);
        simulator.set_quotas(Quotas { instances: 1000, clusters: 1000, snapshots: 1000, groups: 1000 });
        let mut authorities = done(NamedTempFile::new());
        done(authorities.write_all(simulator.ca_pem().as_bytes()));
        Arc::new(Self { simulator, authorities })
    }

    /// What the calls for a server are about: the instance, or its parameter group; nothing where they name neither.
    fn aim(&self, call: &str, namespace: &str) -> String {
        let instance = identifier(namespace, super::case::SERVER);
        match call {
            call if self.is_shared(call) => String::new(),
            call if call.contains("DBParameter") => format!("{instance}-hcpg-pg{MAJOR}"),
            _ => instance,
        }
    }

    /// The service itself.
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }
}

/// The identifier that the default pattern makes.
fn identifier(namespace: &str, name: &str) -> String {
    format!("{namespace}-{name}")
}

/// The version of PostgreSQL that all of them have.
const MAJOR: &str = "17";

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
impl Subject for AwsRds {
    fn config(&self) -> Value {
        json!({
            "backend": "awsrds",
            "allowed_backends": ["awsrds"],
            "backends": {"awsrds": {
                "region": "eu-central-1",
                "subnet_group": "default",
                "endpoint": self.simulator.endpoint(),
                "sts_endpoint": self.simulator.endpoint(),
                "extra_ca_file": self.authorities.path(),
                "default_class": "small",
                "classes": {
                    "small": {"instance_type": "db.t3.small", "storage_type": "gp3"},
                    "large": {"instance_type": "db.t3.large", "storage_type": "gp3"},
                },
                "call_budget": {"per_second": 1000, "burst": 10000},
            }},
        })
    }

    fn backend(&self, config: &Config) -> Arc<dyn ServerBackend> {
        match &config.backends.awsrds {
            Some(rds) => Arc::new(done(RdsBackend::new(rds.clone()))),
            None => panic!("the configuration has no section backends.awsrds"),
        }
    }

    fn spec(&self) -> Value {
        json!({"version": MAJOR, "size": {"storageGB": 20}})
    }

    fn updates(&self) -> Vec<Update> {
        let update = |name, spec, shown| Update { name, spec, by: Operation::Update, shown };
        let parameter = |name, spec, shown| Update { name, spec, by: Operation::Configure, shown };
        vec![
            update(
                "storage grows",
                json!({"size": {"storageGB": 40}}),
                Shown::ByStatus("/status/server/storageGB", json!(40)),
            ),
            update(
                "another class",
                json!({"size": {"class": "large"}}),
                Shown::ByStatus("/status/server/size", json!("db.t3.large")),
            ),
            parameter(
                "the first parameter is set, which makes a group",
                json!({"serverParameters": {"work_mem": 7168}}),
                Shown::BySql("SHOW work_mem", "7MB"),
            ),
            parameter(
                "a parameter is changed",
                json!({"serverParameters": {"work_mem": 9216}}),
                Shown::BySql("SHOW work_mem", "9MB"),
            ),
            parameter(
                "a parameter that needs a restart is set",
                json!({"serverParameters": {"max_connections": 60}}),
                Shown::BySql("SHOW max_connections", "60"),
            ),
            parameter(
                "a parameter goes back to its default",
                json!({"serverParameters": {"work_mem": null}}),
                Shown::BySql("SHOW work_mem", "4MB"),
            ),
            update(
                "the next major version, with the parameters that are set",
                json!({"version": "18"}),
                Shown::BySql(
                    "SELECT current_setting('server_version_num')::int / 10000 || ' ' || \
                     current_setting('max_connections')",
                    "18 60",
                ),
            ),
        ]
    }

    fn drifts(&self) -> Vec<Drift> {
        vec![Drift {
            name: "class changed by hand",
            spec: json!({"size": {"storageGB": 20}}),
            by: Operation::Update,
            shown: Shown::ByStatus("/status/server/size", json!("db.t3.small")),
        }]
    }

    async fn drift(&self, _: &Drift, namespace: &str, name: &str) {
        self.simulator.drift(&identifier(namespace, name), |instance| {
            "db.t3.xlarge".clone_into(&mut instance.class);
        });
    }

    async fn servers(&self, namespace: &str) -> Vec<String> {
        let tag = "hybridcloud-postgresql-operator:namespace";
        let all = self.simulator.instances().into_iter();
        let theirs = all.filter(|one| one.tags.get(tag).is_some_and(|found| found == namespace));
        theirs.map(|one| one.id).collect()
    }

    async fn vanish(&self, namespace: &str, name: &str) {
        self.simulator.vanish(&identifier(namespace, name));
    }

    async fn crash(&self, namespace: &str, name: &str) -> bool {
        self.simulator.crash(&identifier(namespace, name))
    }

    async fn exchange(&self, namespace: &str, name: &str) {
        // What tells two instances of one name apart is the identifier that is never used again.
        const OTHER: &str = "-OTHER";
        self.simulator.drift(&identifier(namespace, name), |instance| {
            instance.resource_id = match instance.resource_id.strip_suffix(OTHER) {
                Some(own) => own.to_owned(),
                None => format!("{}{OTHER}", instance.resource_id),
            };
        });
    }

    async fn fail_next_creation(&self) {
        self.simulator.fail_creations(1);
    }

    fn has_failed_creation(&self) -> bool {
        self.simulator.creations_to_fail() == 0
    }

    fn wire_faults(&self) -> Vec<&'static str> {
        let faults = WIRE.into_iter().map(|(name, _)| name);
        faults.chain(["throttled", "busy", "credentials expired"]).collect()
    }

    fn wire_calls(&self, flow: Flow) -> Vec<&'static str> {
        match flow {
            Flow::CreateServer => vec!["DescribeDBInstances", "CreateDBInstance"],
            Flow::UpdateServer | Flow::ResetServer => vec!["DescribeDBInstances", "ModifyDBInstance"],
            Flow::ConfigureServer => vec![
                "DescribeDBInstances",
                "CreateDBParameterGroup",
                "DescribeDBParameters",
                "ModifyDBParameterGroup",
                "ModifyDBInstance",
                "RebootDBInstance",
            ],
            Flow::DeleteServer => vec![
                "DescribeDBInstances",
                "DeleteDBInstance",
                "DescribeDBSnapshots",
                "DescribeDBParameterGroups",
                "DeleteDBParameterGroup",
            ],
            _ => Vec::new(),
        }
    }

    fn is_shared(&self, call: &str) -> bool {
        ["DescribeDBSnapshots", "DescribeDBParameterGroups"].contains(&call)
    }

    fn arm(&self, fault: &str, call: &str, namespace: &str) {
        let id = Some(self.aim(call, namespace));
        self.simulator.faults().add(Fault { action: Some(call.to_owned()), id, kind: kind(fault), times: 1 });
    }

    fn armed(&self, call: &str, namespace: &str) -> bool {
        self.simulator.faults().left(call, &self.aim(call, namespace)) > 0
    }
}
