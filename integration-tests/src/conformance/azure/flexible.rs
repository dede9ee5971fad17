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
    const PAGES: &'static str = "azureflexible";
    const WORDS: (&'static str, &'static str) = ("servers", "Azure");
    const STORAGE: (u32, u32) = (100, 128);
    const FOUR_CORES: &'static str = "Standard_D4ds_v4";

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

    fn parameters_set(&self) -> Vec<Update> {
        let parameter = |name, spec, shown| Update { name, spec, by: Operation::Configure, shown };
        vec![
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

    /// When they were made.
    fn made<'a>(&self, server: &'a mut Server) -> &'a mut String {
        &mut server.created
    }

    fn parameters(&self) -> &'static str {
        "LIST flexibleServers/configurations"
    }
}
