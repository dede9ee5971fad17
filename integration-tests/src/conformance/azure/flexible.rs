//! Flexible servers.

use std::sync::Arc;

use clouds::azure::Server;
use hcpg::backend::{FlexibleBackend, ServerBackend, Variables};
use hcpg::config::Config;
use serde_json::{Value, json};

use super::Service;
use crate::conformance::done;
use crate::conformance::faults::Operation;
use crate::conformance::subject::{Shown, Update};

/// Flexible servers.
#[derive(Debug, Default)]
pub struct Flexible;

impl Service for Flexible {
    const BACKEND: &'static str = "azurepostgresflexible";
    const KIND: &'static str = "flexibleServers";

    fn backend(&self, config: &Config, variables: &Variables) -> Arc<dyn ServerBackend> {
        match &config.backends.azurepostgresflexible {
            Some(flexible) => Arc::new(done(FlexibleBackend::new(flexible.clone(), variables))),
            None => panic!("the configuration has no section backends.azurepostgresflexible"),
        }
    }

    fn spec(&self) -> Value {
        // What a database asks for has to be allowed by its server.
        json!({"version": "17", "size": {"storageGB": 32}, "extensions": ["pg_trgm"]})
    }

    fn updates(&self) -> Vec<Update> {
        let update = |name, spec, shown| Update { name, spec, by: Operation::Update, shown };
        let parameter = |name, spec, shown| Update { name, spec, by: Operation::Configure, shown };
        vec![
            update(
                "storage grows, rounded up",
                json!({"size": {"storageGB": 100}}),
                Shown::ByStatus("/status/server/storageGB", json!(128)),
            ),
            update(
                "another machine",
                json!({"size": {"cpu": 4}}),
                Shown::ByStatus("/status/server/size", json!("Standard_D4ds_v4")),
            ),
            update(
                "a firewall rule is added",
                json!({"network": {"firewallRules": [
                    {"name": "office", "startIp": "198.51.100.1", "endIp": "198.51.100.9"},
                ]}}),
                Shown::ByStatus("/status/managedFirewallRules", json!(["cluster", "office"])),
            ),
            parameter(
                "a parameter is set",
                json!({"serverParameters": {"work_mem": "7MB"}}),
                Shown::BySql("SHOW work_mem", "7MB"),
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
            parameter(
                "an extension is allowed",
                json!({"extensions": ["pg_trgm", "uuid-ossp"]}),
                Shown::BySql("SHOW azure.extensions", "pg_cron,pg_stat_statements,pg_trgm,uuid-ossp"),
            ),
        ]
    }

    /// The value is set, then comes the restart.
    fn steps(&self, update: &Update) -> usize {
        if update.name.contains("needs a restart") { 2 } else { 1 }
    }

    fn machines(&self) -> (Value, &'static str, &'static str) {
        (json!({"cpu": 2}), "Standard_D2ds_v4", "Standard_D8ds_v4")
    }

    /// What tells two servers of one name apart is when they were made.
    fn exchange(&self, server: &mut Server) {
        const OTHER: &str = "1999-12-31T23:59:59Z ";
        server.created = match server.created.strip_prefix(OTHER) {
            Some(own) => own.to_owned(),
            None => format!("{OTHER}{}", server.created),
        };
    }

    fn parameters(&self) -> &'static str {
        "LIST flexibleServers/configurations"
    }
}
