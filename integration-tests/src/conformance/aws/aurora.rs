//! Clusters of Aurora.

use std::sync::Arc;

use clouds::rds::Simulator;
use hcpg::backend::{AuroraBackend, ServerBackend};
use hcpg::config::Config;
use serde_json::{Value, json};

use super::Servers;
use crate::conformance::done;
use crate::conformance::faults::Operation;
use crate::conformance::flow::Flow;
use crate::conformance::subject::{Drift, Shown, Update};

/// The version of PostgreSQL that all of them have.
const MAJOR: &str = "16";

pub(super) struct Aurora;

impl Servers for Aurora {
    fn backend_name(&self) -> &'static str {
        "awsaurora"
    }

    fn classes(&self) -> Value {
        let scaling = json!({"min_capacity": 0.5, "max_capacity": 2});
        json!({
            "small": {"instance_type": "db.r6g.large"},
            "large": {"instance_type": "db.r6g.xlarge"},
            "serverless": {"instance_type": "db.serverless", "scaling_configuration": scaling},
        })
    }

    fn backend(&self, config: &Config) -> Arc<dyn ServerBackend> {
        match &config.backends.awsaurora {
            Some(aurora) => Arc::new(done(AuroraBackend::new(aurora.clone(), None))),
            None => panic!("the configuration has no section backends.awsaurora"),
        }
    }

    fn spec(&self) -> Value {
        json!({"version": MAJOR})
    }

    fn updates(&self) -> Vec<Update> {
        let update = |name, spec, shown| Update { name, spec, by: Operation::Update, shown };
        let size = |class| Shown::ByStatus("/status/server/size", json!(class));
        let mut updates = vec![
            update("another class", json!({"size": {"class": "large"}}), size("db.r6g.xlarge")),
            update(
                "a reader that stands by",
                json!({"highavailability": {"enabled": true}}),
                Shown::ByStatus("/status/phase", json!("Ready")),
            ),
            update(
                "no reader any more",
                json!({"highavailability": {"enabled": false}}),
                Shown::ByStatus("/status/phase", json!("Ready")),
            ),
        ];
        updates.extend(super::parameters());
        updates.push(update(
            "the next major version, with the parameters that are set",
            json!({"version": "17"}),
            Shown::BySql(
                "SELECT current_setting('server_version_num')::int / 10000 || ' ' || \
                 current_setting('max_connections')",
                "17 60",
            ),
        ));
        updates.push(update(
            "serverless, which the cluster is told before its member",
            json!({"size": {"class": "serverless"}}),
            size("db.serverless"),
        ));
        updates
    }

    fn steps(&self, update: &Update) -> usize {
        // The cluster is told how far to scale, then the member changes.
        if update.spec["size"]["class"] == "serverless" { 2 } else { 1 }
    }

    fn drifts(&self) -> Vec<Drift> {
        vec![Drift {
            name: "class changed by hand",
            spec: json!({}),
            by: Operation::Update,
            shown: Shown::ByStatus("/status/server/size", json!("db.r6g.large")),
        }]
    }

    fn drift(&self, simulator: &Simulator, server: &str) {
        simulator.drift(&primary(server), |instance| "db.r6g.4xlarge".clone_into(&mut instance.class));
    }

    fn tagged(&self, simulator: &Simulator, tag: &str, value: &str) -> Vec<String> {
        let all = simulator.clusters().into_iter();
        let theirs = all.filter(|one| one.tags.get(tag).is_some_and(|found| found == value));
        let mut found: Vec<String> = theirs.map(|one| one.id).collect();
        // A member without its cluster would be a server that nobody sees.
        let members = simulator.instances().into_iter();
        let lost = members.filter(|one| one.tags.get(tag).is_some_and(|found| found == value));
        found.extend(
            lost.filter(|one| one.cluster.as_ref().is_none_or(|id| simulator.cluster(id).is_none()))
                .map(|one| one.id),
        );
        found
    }

    fn exchange(&self, simulator: &Simulator, server: &str, other: fn(&mut String)) {
        simulator.drift_cluster(server, |cluster| other(&mut cluster.resource_id));
    }

    fn mends_creation_by(&self) -> Operation {
        // The member is replaced; the cluster stays.
        Operation::Update
    }

    fn wire_calls(&self, flow: Flow) -> Vec<&'static str> {
        let mut calls = vec!["DescribeDBClusters", "DescribeDBInstances"];
        calls.extend(match flow {
            Flow::CreateServer => &["CreateDBCluster", "CreateDBInstance"][..],
            Flow::UpdateServer => &["ModifyDBInstance"],
            Flow::ResetServer => &["ModifyDBCluster"],
            Flow::ConfigureServer => &[
                "CreateDBClusterParameterGroup",
                "DescribeDBClusterParameters",
                "ModifyDBClusterParameterGroup",
                "ModifyDBCluster",
                "RebootDBInstance",
            ],
            Flow::DeleteServer => &[
                "DeleteDBInstance",
                "DeleteDBCluster",
                "DescribeDBClusterSnapshots",
                "DescribeDBClusterParameterGroups",
                "DeleteDBClusterParameterGroup",
            ],
            _ => return Vec::new(),
        });
        calls
    }

    fn shared_calls(&self) -> [&'static str; 2] {
        ["DescribeDBClusterSnapshots", "DescribeDBClusterParameterGroups"]
    }

    fn aim(&self, call: &str, server: &str) -> String {
        match call {
            "CreateDBInstance" | "ModifyDBInstance" | "RebootDBInstance" | "DeleteDBInstance" => {
                primary(server)
            }
            call if call.contains("Parameter") => format!("{server}-hcpg-pg{MAJOR}"),
            _ => server.to_owned(),
        }
    }
}

/// The member that is made first.
fn primary(server: &str) -> String {
    format!("{server}-primary")
}
