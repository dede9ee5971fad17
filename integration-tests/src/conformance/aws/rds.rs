//! Instances of RDS.

use std::sync::Arc;

use clouds::rds::Simulator;
use hcpg::backend::{RdsBackend, ServerBackend};
use hcpg::config::Config;
use serde_json::{Value, json};

use super::Servers;
use crate::conformance::done;
use crate::conformance::faults::Operation;
use crate::conformance::flow::Flow;
use crate::conformance::subject::{Drift, Shown, Update};

/// The version of PostgreSQL that all of them have.
const MAJOR: &str = "17";

pub(super) struct Rds;

impl Servers for Rds {
    fn backend_name(&self) -> &'static str {
        "awsrds"
    }

    fn classes(&self) -> Value {
        json!({
            "small": {"instance_type": "db.t3.small", "storage_type": "gp3"},
            "large": {"instance_type": "db.t3.large", "storage_type": "gp3"},
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
        let mut updates = vec![
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
        ];
        updates.extend(super::parameters());
        updates.push(update(
            "the next major version, with the parameters that are set",
            json!({"version": "18"}),
            Shown::BySql(
                "SELECT current_setting('server_version_num')::int / 10000 || ' ' || \
                 current_setting('max_connections')",
                "18 60",
            ),
        ));
        updates
    }

    fn drifts(&self) -> Vec<Drift> {
        vec![Drift {
            name: "class changed by hand",
            spec: json!({"size": {"storageGB": 20}}),
            by: Operation::Update,
            shown: Shown::ByStatus("/status/server/size", json!("db.t3.small")),
        }]
    }

    fn drift(&self, simulator: &Simulator, server: &str) {
        simulator.drift(server, |instance| "db.t3.xlarge".clone_into(&mut instance.class));
    }

    fn tagged(&self, simulator: &Simulator, tag: &str, value: &str) -> Vec<String> {
        let all = simulator.instances().into_iter();
        let theirs = all.filter(|one| one.tags.get(tag).is_some_and(|found| found == value));
        theirs.map(|one| one.id).collect()
    }

    fn exchange(&self, simulator: &Simulator, server: &str, other: fn(&mut String)) {
        simulator.drift(server, |instance| other(&mut instance.resource_id));
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

    fn shared_calls(&self) -> [&'static str; 2] {
        ["DescribeDBSnapshots", "DescribeDBParameterGroups"]
    }

    fn aim(&self, call: &str, server: &str) -> String {
        match call {
            call if call.contains("DBParameter") => format!("{server}-hcpg-pg{MAJOR}"),
            _ => server.to_owned(),
        }
    }
}
