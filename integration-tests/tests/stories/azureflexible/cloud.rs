//! The simulated Azure of these stories, and the objects in them.

use std::io::Write;
use std::path::Path;

use clouds::azure::contract::Verdict;
use clouds::azure::{CLIENT, Call, GROUP, SUBSCRIPTION, Simulator, TENANT};
use hcpg::api::PostgreSQLServer;
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{Credentials, Story, World};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

/// The cloud, and the file with its authorities.
pub struct Cloud(pub Simulator, pub NamedTempFile);

impl Cloud {
    pub async fn start() -> Self {
        let simulator = Simulator::start().await.unwrap();
        let mut authorities = NamedTempFile::new().unwrap();
        authorities.write_all(simulator.ca_pem().as_bytes()).unwrap();
        Self(simulator, authorities)
    }

    /// The operator's configuration, with more in the backend's section.
    pub fn config(&self, more: &Value, reconcile: Value) -> Value {
        let mut section = section(self.0.endpoint(), self.1.path());
        json_patch::merge(&mut section, more);
        json!({
            "backend": "azurepostgresflexible",
            "allowed_backends": ["azurepostgresflexible"],
            "backends": {"local": null, "azurepostgresflexible": section},
            "reconcile": reconcile,
        })
    }

    pub async fn world(&self, more: Value, reconcile: Value) -> World {
        let config = self.config(&more, reconcile);
        let environment = [
            ("AZURE_TENANT_ID", TENANT.to_owned()),
            ("AZURE_CLIENT_ID", CLIENT.to_owned()),
            ("AZURE_CLIENT_SECRET", self.0.client_secret()),
        ];
        let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        World::start_with(OperatorOptions { config, environment, ..OperatorOptions::default() }).await
    }

    pub fn calls_since(&self, begin: usize) -> Vec<Call> {
        self.0.log().split_off(begin)
    }

    pub fn count(&self, action: &str) -> usize {
        self.0.log().iter().filter(|call| call.action == action && call.status < 300).count()
    }

    /// All that was said so far before the official judge; without the contract's data nothing is judged.
    pub fn judge(&self) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oav");
        match self.0.judge(&folder).unwrap() {
            Verdict::NotJudged(why) => println!("the exchanges were not judged: {why}"),
            Verdict::Judged(exchanges, findings) => {
                println!("{exchanges} exchanges were judged by Azure's own contract");
                assert!(findings.is_empty(), "{findings:#?}");
            }
        }
    }
}

/// What the backend is configured with.
pub fn section(endpoint: &str, authorities: &Path) -> Value {
    json!({
        "subscription_id": SUBSCRIPTION,
        "location": "westeurope",
        "resource_group": GROUP,
        "name_pattern": "{namespace}-{name}",
        "resource_manager_endpoint": endpoint,
        "authority_host": endpoint,
        "extra_ca_file": authorities,
        "call_budget": {"per_second": 100, "burst": 1000},
    })
}

/// A server of 32 GB, and more.
pub fn server(name: &str, more: Value) -> Value {
    let mut object = json!({
        "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
        "kind": "PostgreSQLServer",
        "metadata": {"name": name},
        "spec": {"credentialsSecret": format!("{name}-login"), "version": "17", "size": {"storageGB": 32}},
    });
    json_patch::merge(&mut object, &more);
    object
}

/// The object and the Secret of a server as the original operator leaves them.
pub async fn left_by_the_original(story: &Story<'_>, name: &str, more: Value, login: &Credentials) {
    let mut left = json!({
        "metadata": {
            "finalizers": ["kopf.zalando.org/KopfFinalizerMarker"],
            "annotations": {"kopf.zalando.org/last-handled-configuration": "{\"spec\":{}}\n"},
        },
        "status": {
            "backend": "azurepostgresflexible",
            "deployment": {"status": "finished", "reason": "Database server created"},
        },
    });
    json_patch::merge(&mut left, &more);
    story.store::<PostgreSQLServer>(server(name, left)).await;
    story.store_secret(&format!("{name}-login"), login).await;
}
