//! What the tests of both services share.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::super::{Change, Difference, Owner, ServerIdentity};
use crate::api::PostgreSQLServerSpec;

/// The keys that every backend on Azure needs, and `more`.
pub(super) fn section<C: serde::de::DeserializeOwned>(more: Value) -> C {
    let needed = json!({
        "subscription_id": "sub", "location": "westeurope", "resource_group": "rg",
        "name_pattern": "{namespace}-{name}",
    });
    with(needed, more)
}

/// A spec with what each needs and `more`.
pub(super) fn spec(more: Value) -> PostgreSQLServerSpec {
    with(json!({"credentialsSecret": "s"}), more)
}

/// `more` laid over `base`, key by key.
pub(super) fn with<T: serde::de::DeserializeOwned>(mut base: Value, more: Value) -> T {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(base).unwrap()
}

pub(super) fn owner() -> Owner {
    Owner { namespace: "team".to_owned(), name: "orders".to_owned(), uid: "uid-1".to_owned() }
}

pub(super) fn identity() -> ServerIdentity {
    ServerIdentity {
        name: "team-orders".to_owned(),
        account: Some("sub".to_owned()),
        region: Some("westeurope".to_owned()),
        group: Some("rg".to_owned()),
    }
}

/// A difference in a sentence; restarts and refusals are marked.
pub(super) fn sentence(difference: &Difference) -> String {
    let restart = if difference.restarts() { " [restart]" } else { "" };
    let refused = if matches!(difference.change, Change::Refused { .. }) { " [refused]" } else { "" };
    format!("{}{restart}{refused}", difference.sentence())
}
