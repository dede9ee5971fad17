//! The simulated RDS and Aurora of these stories, and the objects in them.

use std::io::Write;

use clouds::rds::{Call, Quotas, Simulator};
use hcpg::api::PostgreSQLServer;
use integration_tests::aws::CREDENTIALS;
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{Credentials, Story, World};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

/// A page of the service's listing holds so many; so many servers are at rest.
pub const SERVERS: usize = 100;

/// The cloud, and the file with its authorities.
pub struct Cloud(pub Simulator, pub NamedTempFile);

impl Cloud {
    pub async fn start() -> Self {
        let simulator = Simulator::start().await.unwrap();
        simulator.set_quotas(Quotas { instances: SERVERS, clusters: SERVERS, ..Quotas::default() });
        let mut authorities = NamedTempFile::new().unwrap();
        authorities.write_all(simulator.ca_pem().as_bytes()).unwrap();
        Self(simulator, authorities)
    }

    pub async fn world(&self, reconcile: Value) -> World {
        let small = json!({"instance_type": "db.t4g.small", "storage_type": "gp3"});
        self.world_of("awsrds", json!({"small": small}), reconcile).await
    }

    /// An operator whose servers are made by that backend, of the class `small` if nothing is said.
    pub async fn world_of(&self, backend: &str, classes: Value, reconcile: Value) -> World {
        let section = json!({
            "region": "eu-central-1",
            "subnet_group": "default",
            "endpoint": self.0.endpoint(),
            "sts_endpoint": self.0.endpoint(),
            "extra_ca_file": self.1.path(),
            "classes": classes,
            "default_class": "small",
        });
        let config = json!({
            "backend": backend,
            "allowed_backends": [backend],
            "backends": {"local": null, backend: section},
            "reconcile": reconcile,
        });
        let environment =
            CREDENTIALS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        World::start_with(OperatorOptions { config, environment, ..OperatorOptions::default() }).await
    }

    pub fn calls_since(&self, begin: usize) -> Vec<Call> {
        self.0.log().split_off(begin)
    }
}

/// A server of 20 GB, and more.
pub fn server(name: &str, more: Value) -> Value {
    let mut object = json!({
        "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
        "kind": "PostgreSQLServer",
        "metadata": {"name": name},
        "spec": {"credentialsSecret": format!("{name}-login"), "size": {"storageGB": 20}},
    });
    json_patch::merge(&mut object, &more);
    object
}

/// The object and the Secret of a server as the original operator leaves them.
pub async fn left_by_the_original(story: &Story<'_>, backend: &str, object: Value, login: &Credentials) {
    let left = json!({
        "metadata": {"finalizers": ["kopf.zalando.org/KopfFinalizerMarker"]},
        "status": {"backend": backend, "deployment": {"status": "finished", "reason": "done"}},
    });
    let mut object = object;
    json_patch::merge(&mut object, &left);
    let secret = object["spec"]["credentialsSecret"].as_str().unwrap().to_owned();
    story.store::<PostgreSQLServer>(object).await;
    story.store_secret(&secret, login).await;
}

/// Whether a call only looks.
pub fn is_read(call: &Call) -> bool {
    call.action.starts_with("Describe")
}

/// What a query of the server `main` shows; nothing where it cannot be asked.
pub async fn shown(story: &Story<'_>, query: &str) -> String {
    let Ok(client) = story.credentials("main-login").await.connect().await else { return String::new() };
    client.query_one(query, &[]).await.map(|row| row.get(0)).unwrap_or_default()
}

/// How often something was called.
pub fn count(cloud: &Cloud, action: &str) -> usize {
    cloud.0.log().iter().filter(|call| call.action == action).count()
}
