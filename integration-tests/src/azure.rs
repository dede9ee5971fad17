//! The simulated Azure, as operators and tests get to it.

pub mod left;

use std::io::Write;
use std::path::Path;

use clouds::azure::contract::Verdict;
use clouds::azure::{CLIENT, Call, GROUP, SUBSCRIPTION, Simulator, TENANT};
use hcpg::api::names::ORIGINAL_FINALIZER;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::operator::OperatorOptions;
use crate::world::World;

/// The cloud, and the file with its certificate authorities.
///
/// Like everything for tests it panics when something goes wrong that is not the product's.
pub struct Cloud {
    azure: Simulator,
    authorities: NamedTempFile,
}

#[track_caller]
fn done<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

impl Cloud {
    /// A new one, without servers.
    pub async fn start() -> Self {
        let azure = done(Simulator::start().await);
        let mut authorities = done(NamedTempFile::new());
        done(authorities.write_all(azure.ca_pem().as_bytes()));
        Self { azure, authorities }
    }

    /// The cloud itself.
    pub fn azure(&self) -> &Simulator {
        &self.azure
    }

    /// The file with its certificate authorities.
    pub fn authorities(&self) -> &Path {
        self.authorities.path()
    }

    /// What every backend on Azure is configured with, and `more`.
    pub fn section(&self, more: &Value) -> Value {
        let mut section = section(self.azure.endpoint(), self.authorities());
        section["call_budget"] = json!({"per_second": 1000, "burst": 10000});
        json_patch::merge(&mut section, more);
        section
    }

    /// The configuration of an operator of these backends, each with what stands in its section besides what all have; the
    /// first one is the default.
    pub fn config(&self, backends: &[(&str, &Value)], reconcile: Value) -> Value {
        let names: Vec<&str> = backends.iter().map(|(name, _)| *name).collect();
        let mut sections = json!({"local": null});
        for (name, more) in backends {
            sections[*name] = self.section(more);
        }
        json!({
            "backend": names[0],
            "allowed_backends": names,
            "backends": sections,
            "reconcile": reconcile,
        })
    }

    /// A control plane with an operator that has [such a configuration](Self::config).
    pub async fn world(&self, backends: &[(&str, &Value)], reconcile: Value) -> World {
        let config = self.config(backends, reconcile);
        let environment = variables(&self.azure);
        World::start_with(OperatorOptions { config, environment, ..OperatorOptions::default() }).await
    }

    /// The calls after the first `begin` ones.
    pub fn calls_since(&self, begin: usize) -> Vec<Call> {
        self.azure.log().split_off(begin)
    }

    /// How often something was called, and done.
    pub fn count(&self, action: &str) -> usize {
        self.azure.log().iter().filter(|call| call.action == action && call.status < 300).count()
    }

    /// Has the calls so far, the operator's requests and the answers, judged by Azure's own contract, where
    /// `HCPG_AZURE_SPECS` names it. The judge is installed below `folder`.
    pub fn judge(&self, folder: &str) {
        match done(self.azure.judge(&Path::new(folder).join("oav"))) {
            Verdict::NotJudged(why) => println!("the traffic was not judged: {why}"),
            Verdict::Judged(count, findings) => {
                assert!(findings.is_empty(), "{}", findings.join("\n"));
                println!("{count} exchanges judged, no finding");
            }
        }
    }
}

/// What every backend on a simulated Azure needs in its section.
pub fn section(endpoint: &str, authorities: &Path) -> Value {
    json!({
        "subscription_id": SUBSCRIPTION,
        "location": "westeurope",
        "resource_group": GROUP,
        "name_pattern": "{namespace}-{name}",
        "resource_manager_endpoint": endpoint,
        "authority_host": endpoint,
        "extra_ca_file": authorities,
    })
}

/// How an operator logs in: by variables of its environment.
pub fn variables(azure: &Simulator) -> Vec<(String, String)> {
    let pairs = [
        ("AZURE_TENANT_ID", TENANT.to_owned()),
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        ("AZURE_CLIENT_SECRET", azure.client_secret()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An object with the traces of the original operator: finalizer, annotation, status.
pub fn as_left_by_the_original(mut object: Value, backend: &str, finished: &str) -> Value {
    let handled = format!("{}\n", json!({"spec": object["spec"]}));
    let traces = json!({
        "metadata": {
            "finalizers": [ORIGINAL_FINALIZER],
            "annotations": {"kopf.zalando.org/last-handled-configuration": handled},
        },
        "status": {
            "backend": backend,
            "deployment": {
                "status": "finished",
                "reason": finished,
                "latest-update": "2025-07-13T08:15:42.123456+00:00",
            },
        },
    });
    json_patch::merge(&mut object, &traces);
    object
}
