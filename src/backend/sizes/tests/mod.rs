//! What becomes of wishes, as tables; and what holds for all of them.

mod aws;
mod azure;
mod helm;
mod properties;

use serde_json::{Value, json};

use crate::api::Size;
use crate::backend::Rejection;
use crate::config::{AuroraConfig, AzureFlexibleConfig, AzureSingleConfig, RdsConfig};

/// A wish as it stands in `spec.size`.
fn wish(size: Value) -> Size {
    serde_json::from_value(size).unwrap()
}

fn merged(mut base: Value, more: Value) -> Value {
    let (Value::Object(base), Value::Object(more)) = (&mut base, more) else { panic!("two sections") };
    base.extend(more);
    Value::Object(base.clone())
}

fn azure() -> Value {
    json!({"subscription_id": "1", "location": "l", "resource_group": "g", "name_pattern": "{name}"})
}

fn flexible_config(more: Value) -> AzureFlexibleConfig {
    serde_json::from_value(merged(azure(), more)).unwrap()
}

fn single_config(more: Value) -> AzureSingleConfig {
    serde_json::from_value(merged(azure(), more)).unwrap()
}

fn rds_config(more: Value) -> RdsConfig {
    serde_json::from_value(merged(json!({"region": "r", "subnet_group": "s"}), more)).unwrap()
}

fn aurora_config(more: Value) -> AuroraConfig {
    serde_json::from_value(merged(json!({"region": "r", "subnet_group": "s"}), more)).unwrap()
}

/// Refusals as people read them.
fn sentences(refused: &[Rejection]) -> Vec<String> {
    refused.iter().map(|one| format!("{}: {}", one.field, one.message)).collect()
}
