//! The objects of these stories.

use hcpg::api::PostgreSQLServer;
use integration_tests::azure::as_left_by_the_original;
use integration_tests::world::{Credentials, Story};
use serde_json::{Value, json};

pub const BACKEND: &str = "azurepostgresflexible";

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
    let left = as_left_by_the_original(server(name, more), BACKEND, "Database server created");
    story.store::<PostgreSQLServer>(left).await;
    story.store_secret(&format!("{name}-login"), login).await;
}
