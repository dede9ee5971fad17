//! The one place that writes status.

use kube::api::{Api, Patch, PatchParams};
use kube::{Resource, ResourceExt};
use serde_json::json;

use super::failure::Failure;
use super::subject::Subject;
use crate::api::names::FIELD_MANAGER;
use crate::failpoints;
use crate::fsm::Machine;

/// Applies the status to the object as it was read, if it says anything new.
///
/// The answer is the object with the status; none when the object changed since it was read, or is gone.
///
/// # Errors
/// When the API server could not be asked.
pub async fn status<S: Subject>(
    api: &Api<S::Object>,
    object: &S::Object,
    status: &S::Status,
) -> Result<Option<S::Object>, Failure> {
    if S::status(object) == Some(status) {
        return Ok(Some(object.clone()));
    }
    let apply = json!({
        "apiVersion": S::Object::api_version(&()),
        "kind": S::Object::kind(&()),
        "metadata": {
            "name": object.name_any(),
            "uid": object.uid(),
            "resourceVersion": object.resource_version(),
        },
        "status": status,
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    match api.patch_status(&object.name_any(), &params, &Patch::Apply(&apply)).await {
        Ok(recorded) => {
            failpoints::done(&format!("{} status {}", S::Machine::KIND, S::phase(&recorded).as_str()));
            Ok(Some(recorded))
        }
        Err(kube::Error::Api(answer)) if matches!(answer.code, 404 | 409) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
