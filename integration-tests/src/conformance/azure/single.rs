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
    const PAGES: &'static str = "azuresingle";
    const WORDS: (&'static str, &'static str) = ("single servers", "Azure's single servers");
    const STORAGE: (u32, u32) = (198, 200);
    const FOUR_CORES: &'static str = "GP_Gen5_4";

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

    fn parameters_set(&self) -> Vec<Update> {
        vec![Update {
            name: "a library is preloaded",
            spec: json!({"extensions": ["pg_prewarm"]}),
            by: Operation::Configure,
            shown: Shown::BySql("SHOW shared_preload_libraries", "pg_prewarm"),
        }]
    }

    /// The server is marked, the library is set, the server restarted, and the mark taken off.
    fn steps(&self, update: &Update) -> usize {
        if update.by == Operation::Configure { 4 } else { 1 }
    }

    fn machines(&self) -> (Value, &'static str, &'static str) {
        (json!({"cpu": 2}), "GP_Gen5_2", "GP_Gen5_8")
    }

    /// When we asked for them.
    fn made<'a>(&self, server: &'a mut Server) -> &'a mut String {
        server.tags.entry("hybridcloud-postgresql-operator:created".to_owned()).or_default()
    }

    fn parameters(&self) -> &'static str {
        "GET servers/configurations"
    }
}
