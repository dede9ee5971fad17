//! The one place that writes status.

use kube::api::{Api, Patch, PatchParams};
use kube::{Resource, ResourceExt};
use serde_json::{Map, Value, json};

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
    let Some(recorded) =
        unless_outdated(api.patch_status(&object.name_any(), &params, &Patch::Apply(&apply)).await)?
    else {
        return Ok(None);
    };
    failpoints::done(&format!("{} status {}", S::Machine::KIND, S::phase(&recorded).as_str()));
    // Applying takes away only what was applied by us: what the original wrote would stay for ever.
    let [wanted, found] =
        [Some(status), S::status(&recorded)].map(|status| serde_json::to_value(status).unwrap_or_default());
    let Some(leftovers) = leftovers(&wanted, &found) else { return Ok(Some(recorded)) };
    let clean = json!({
        "metadata": {"uid": object.uid(), "resourceVersion": recorded.resource_version()},
        "status": leftovers,
    });
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    unless_outdated(api.patch_status(&object.name_any(), &params, &Patch::Merge(&clean)).await)
}

fn unless_outdated<K>(answer: Result<K, kube::Error>) -> Result<Option<K>, Failure> {
    match answer {
        Ok(recorded) => Ok(Some(recorded)),
        Err(kube::Error::Api(answer)) if matches!(answer.code, 404 | 409) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The merge patch that takes away what was found and is not wanted; none if there is nothing of that kind.
fn leftovers(wanted: &Value, found: &Value) -> Option<Value> {
    let (wanted, found) = (wanted.as_object()?, found.as_object()?);
    let mut patch = Map::new();
    for (key, found) in found {
        match wanted.get(key) {
            None => drop(patch.insert(key.clone(), Value::Null)),
            Some(wanted) => patch.extend(leftovers(wanted, found).map(|inner| (key.clone(), inner))),
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_wants_any_more_is_taken_away() {
        let wanted =
            json!({"backend": "local", "deployment": {"status": "working"}, "conditions": [{"a": 1}]});
        let found = json!({"backend": "x", "old": 1, "conditions": [{"a": 1, "b": 2}],
            "deployment": {"status": "working", "reason": "Database server created"}});
        let patch = leftovers(&wanted, &found).unwrap();
        assert_eq!(patch, json!({"old": null, "deployment": {"reason": null}}));
        assert_eq!(leftovers(&wanted, &wanted), None);
    }
}
