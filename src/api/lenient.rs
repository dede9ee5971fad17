//! Reading what another version of the operator wrote.
//!
//! One word that this version does not know must not make an object unreadable, or nothing would look after it any
//! more. What cannot be read counts as not written: the next reconcile finds it out anew from what exists.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::Value;

/// The value, if this version knows it.
pub(super) fn known<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// The items that this version knows.
pub(super) fn known_items<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => {
            Ok(items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect())
        }
        _ => Err(D::Error::custom("expected a list")),
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use serde_json::json;

    use crate::api::{DatabaseStatus, Phase, Reason};

    #[test]
    fn unknown_words_lose_themselves_only() {
        let condition = |type_: &str, reason: &str| {
            json!({
                "type": type_, "status": "True", "reason": reason, "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            })
        };
        let status = json!({
            "phase": "Dreaming",
            "observedGeneration": 7,
            "deployment": {"status": "perfect", "reason": "kept"},
            "conditions": [condition("Ready", "Splendid"), condition("Fashionable", "Idle"), 5],
        });
        let status: DatabaseStatus = serde_json::from_value(status).expect("readable");
        assert_eq!((status.phase, status.observed_generation), (None, Some(7)));
        assert_eq!(status.conditions.iter().map(|one| one.reason).collect::<Vec<_>>(), [Reason::Unknown]);
        let deployment = status.deployment.expect("a deployment");
        assert_eq!((deployment.status, deployment.reason.as_deref()), (None, Some("kept")));
    }

    #[test]
    fn nulls_and_known_words_are_read() {
        let status = json!({"phase": "Ready", "conditions": null, "deployment": null});
        let status: DatabaseStatus = serde_json::from_value(status).expect("readable");
        assert_eq!((status.phase, status.conditions.len()), (Some(Phase::Ready), 0));
    }
}
