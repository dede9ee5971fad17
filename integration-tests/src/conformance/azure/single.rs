//! Single servers.

use std::sync::Arc;

use clouds::azure::{Server, Simulator};
use hcpg::backend::{ServerBackend, SingleBackend, Variables};
use hcpg::config::Config;
use serde_json::{Value, json};

use super::Service;
use crate::conformance::done;
use crate::conformance::faults::Operation;
use crate::conformance::subject::{Shown, Update};

/// Single servers.
#[derive(Debug, Default)]
pub struct Single;

impl Service for Single {
    const BACKEND: &'static str = "azurepostgres";
    const KIND: &'static str = "servers";

    fn prepare(&self, simulator: &Simulator) {
        simulator.open_single_servers(true);
    }

    fn section(&self) -> Value {
        json!({"allow_retired_service": true})
    }

    fn backend(&self, config: &Config, variables: &Variables) -> Arc<dyn ServerBackend> {
        match &config.backends.azurepostgres {
            Some(single) => Arc::new(done(SingleBackend::new(single.clone(), variables))),
            None => panic!("the configuration has no section backends.azurepostgres"),
        }
    }

    fn spec(&self) -> Value {
        json!({"version": "11", "size": {"storageGB": 100}})
    }

    fn updates(&self) -> Vec<Update> {
        let update = |name, spec, shown| Update { name, spec, by: Operation::Update, shown };
        vec![
            update(
                "storage grows, rounded up",
                json!({"size": {"storageGB": 198}}),
                Shown::ByStatus("/status/server/storageGB", json!(200)),
            ),
            update(
                "another machine",
                json!({"size": {"cpu": 4}}),
                Shown::ByStatus("/status/server/size", json!("GP_Gen5_4")),
            ),
            update(
                "a firewall rule is added",
                json!({"network": {"firewallRules": [
                    {"name": "office", "startIp": "198.51.100.1", "endIp": "198.51.100.9"},
                ]}}),
                Shown::ByStatus("/status/managedFirewallRules", json!(["cluster", "office"])),
            ),
            Update {
                name: "a library is preloaded",
                spec: json!({"extensions": ["pg_prewarm"]}),
                by: Operation::Configure,
                shown: Shown::BySql("SHOW shared_preload_libraries", "pg_prewarm"),
            },
        ]
    }

    /// The server is marked, the library is set, the server restarted, and the mark taken off.
    fn steps(&self, update: &Update) -> usize {
        if update.by == Operation::Configure { 4 } else { 1 }
    }

    fn machines(&self) -> (Value, &'static str, &'static str) {
        (json!({"cpu": 2}), "GP_Gen5_2", "GP_Gen5_8")
    }

    /// What tells two servers of one name apart is when we asked for them.
    fn exchange(&self, server: &mut Server) {
        const TAG: &str = "hybridcloud-postgresql-operator:created";
        const OTHER: &str = "1999-12-31T23:59:59Z ";
        let created = server.tags.entry(TAG.to_owned()).or_default();
        *created = match created.strip_prefix(OTHER) {
            Some(own) => own.to_owned(),
            None => format!("{OTHER}{created}"),
        };
    }

    fn parameters(&self) -> &'static str {
        "GET servers/configurations"
    }
}
