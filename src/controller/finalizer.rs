//! Our finalizer and the original operator's, which counts as ours. kube's helper ignores a deleting object that lacks
//! its own marker, so a taken-over one would hang; therefore this.

use kube::api::{Api, Patch, PatchParams};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::api::names::{FINALIZER, ORIGINAL_FINALIZER};
use crate::failpoints;

/// Whether the object waits for us before it goes.
pub fn is_held<K: Resource>(object: &K) -> bool {
    object.finalizers().iter().any(|finalizer| finalizer == FINALIZER || finalizer == ORIGINAL_FINALIZER)
}

/// Puts our finalizer on the object as it was read; the answer is the object with it.
///
/// # Errors
/// 422 when the object changed since, else what the API server says.
pub async fn hold<K>(api: &Api<K>, object: &K) -> Result<K, kube::Error>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
{
    let version =
        json!({"op": "test", "path": "/metadata/resourceVersion", "value": object.resource_version()});
    let add = if object.finalizers().is_empty() {
        json!({"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]})
    } else {
        json!({"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER})
    };
    let held = patch(api, object, json!([version, add])).await?;
    failpoints::done("finalizer held");
    Ok(held)
}

/// Takes our finalizer and the original's off the object as it was read. Gone already is done.
///
/// # Errors
/// 422 when the object's finalizers changed since, else what the API server says.
pub async fn release<K>(api: &Api<K>, object: &K) -> Result<(), kube::Error>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
{
    let rest: Vec<&String> =
        object.finalizers().iter().filter(|name| *name != FINALIZER && *name != ORIGINAL_FINALIZER).collect();
    let operations = json!([
        // Another object may stand under the name by now.
        {"op": "test", "path": "/metadata/uid", "value": object.uid()},
        {"op": "test", "path": "/metadata/finalizers", "value": object.finalizers()},
        {"op": "replace", "path": "/metadata/finalizers", "value": rest},
    ]);
    match patch(api, object, operations).await {
        Ok(_) => {
            failpoints::done("finalizer released");
            Ok(())
        }
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error),
    }
}

async fn patch<K>(api: &Api<K>, object: &K, operations: serde_json::Value) -> Result<K, kube::Error>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
{
    let patch: json_patch::Patch = serde_json::from_value(operations).map_err(kube::Error::SerdeError)?;
    api.patch(&object.name_any(), &PatchParams::default(), &Patch::<()>::Json(patch)).await
}
