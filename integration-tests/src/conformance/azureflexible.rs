//! Azure's flexible servers under test: a simulated resource manager, with real PostgreSQL servers behind.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use clouds::azure::contract::Verdict;
use clouds::azure::{CLIENT, GROUP, SUBSCRIPTION, Simulator, TENANT};
use clouds::faults::{Fault, Kind};
use hcpg::backend::{FlexibleBackend, ServerBackend, Variables};
use hcpg::config::Config;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::done;
use super::faults::Operation;
use super::flow::Flow;
use super::subject::{Drift, Shown, Subject, Update};

/// The simulated cloud, and the file with its certificate authorities.
pub struct AzureFlexible {
    simulator: Simulator,
    authorities: NamedTempFile,
}

impl AzureFlexible {
    /// A new one, without servers.
    pub async fn new() -> Arc<Self> {
        let simulator = done(Simulator::start().await);
        let mut authorities = done(NamedTempFile::new());
        done(authorities.write_all(simulator.ca_pem().as_bytes()));
        Arc::new(Self { simulator, authorities })
    }

    /// The cloud itself.
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// Has the calls so far, the operator's requests and the answers, judged by Azure's own contract, where
    /// `HCPG_AZURE_SPECS` names it. `folder` is for the judge's installation.
    pub fn judge(&self, folder: &Path) {
        match done(self.simulator.judge(folder)) {
            Verdict::NotJudged(why) => println!("the traffic was not judged: {why}"),
            Verdict::Judged(count, findings) => {
                assert!(findings.is_empty(), "{}", findings.join("\n"));
                println!("{count} exchanges judged, no finding");
            }
        }
    }

    /// How the operator logs in: by variables of its environment.
    pub fn variables(&self) -> Vec<(String, String)> {
        let pairs = [
            ("AZURE_TENANT_ID", TENANT.to_owned()),
            ("AZURE_CLIENT_ID", CLIENT.to_owned()),
            ("AZURE_CLIENT_SECRET", self.simulator.client_secret()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
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
impl Subject for AzureFlexible {
    fn config(&self) -> Value {
        json!({
            "backend": "azurepostgresflexible",
            "allowed_backends": ["azurepostgresflexible"],
            "backends": {"azurepostgresflexible": {
                "subscription_id": SUBSCRIPTION,
                "location": "westeurope",
                "resource_group": GROUP,
                "name_pattern": "{namespace}-{name}",
                "resource_manager_endpoint": self.simulator.endpoint(),
                "authority_host": self.simulator.endpoint(),
                "extra_ca_file": self.authorities.path(),
                "parameters": {"network": {"firewall_rules": [
                    {"name": "cluster", "startIp": "192.0.2.1", "endIp": "192.0.2.1"},
                ]}},
                "call_budget": {"per_second": 1000, "burst": 10000},
            }},
        })
    }

    fn backend(&self, config: &Config) -> Arc<dyn ServerBackend> {
        let variables: Variables = self.variables().into_iter().collect();
        match &config.backends.azurepostgresflexible {
            Some(flexible) => Arc::new(done(FlexibleBackend::new(flexible.clone(), &variables))),
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

    fn drifts(&self) -> Vec<Drift> {
        vec![Drift {
            name: "machine changed by hand",
            spec: json!({"size": {"cpu": 2}}),
            by: Operation::Update,
            shown: Shown::ByStatus("/status/server/size", json!("Standard_D2ds_v4")),
        }]
    }

    async fn drift(&self, _: &Drift, namespace: &str, name: &str) {
        self.simulator.drift(&identifier(namespace, name), |server| {
            "Standard_D8ds_v4".clone_into(&mut server.sku.0);
        });
    }

    async fn servers(&self, namespace: &str) -> Vec<String> {
        let tag = "hybridcloud-postgresql-operator:namespace";
        let all = self.simulator.servers().into_iter();
        let theirs = all.filter(|one| one.tags.get(tag).is_some_and(|found| found == namespace));
        theirs.map(|one| one.name).collect()
    }

    async fn vanish(&self, namespace: &str, name: &str) {
        self.simulator.vanish(&identifier(namespace, name));
    }

    async fn crash(&self, namespace: &str, name: &str) -> bool {
        self.simulator.crash_briefly(&identifier(namespace, name))
    }

    async fn exchange(&self, namespace: &str, name: &str) {
        // What tells two servers of one name apart is when they were made.
        const OTHER: &str = "1999-12-31T23:59:59Z ";
        self.simulator.drift(&identifier(namespace, name), |server| {
            server.created = match server.created.strip_prefix(OTHER) {
                Some(own) => own.to_owned(),
                None => format!("{OTHER}{}", server.created),
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
        faults.chain(["throttled", "busy", "500"]).collect()
    }

    fn wire_calls(&self, flow: Flow) -> Vec<&'static str> {
        match flow {
            Flow::CreateServer => {
                vec!["GET flexibleServers", "PUT flexibleServers", "PUT flexibleServers/firewallRules"]
            }
            Flow::UpdateServer | Flow::ResetServer => vec!["GET flexibleServers", "PATCH flexibleServers"],
            Flow::ConfigureServer => {
                vec!["LIST flexibleServers/configurations", "PUT flexibleServers/configurations"]
            }
            Flow::DeleteServer => vec!["GET flexibleServers", "DELETE flexibleServers"],
            _ => Vec::new(),
        }
    }

    fn arm(&self, fault: &str, call: &str, namespace: &str) {
        let id = Some(identifier(namespace, super::case::SERVER));
        self.simulator.faults().add(Fault { action: Some(call.to_owned()), id, kind: kind(fault), times: 1 });
    }

    fn armed(&self, call: &str, namespace: &str) -> bool {
        self.simulator.faults().left(call, &identifier(namespace, super::case::SERVER)) > 0
    }
}
