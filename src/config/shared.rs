//! `backends.aws` and `backends.azure`: what several backends have in common.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{AuroraConfig, AzureFlexibleConfig, AzureSingleConfig, RdsConfig};

/// Each shared section and the backends it is laid under.
pub(super) const SHARED: [(&str, [&str; 2]); 2] =
    [("aws", ["awsaurora", "awsrds"]), ("azure", ["azurepostgres", "azurepostgresflexible"])];

/// Keys that count only in a backend's own section, as in the original. Those of `network` and `parameters` that only
/// single servers have are among them, because flexible servers come first below.
pub(super) const OWN_ONLY: [&str; 6] = [
    "classes",
    "default_class",
    "availability_zone",
    "standby_availability_zone",
    "api_version",
    "allow_retired_service",
];
/// Unlike Azure's zone, the one of RDS may be shared.
const AWS_OWN_ONLY: [&str; 2] = ["classes", "default_class"];

/// `backends.aws`, as it stands; the backends on AWS get it laid under their own sections.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AwsShared(Map<String, Value>);

/// `backends.azure`, as it stands; the backends on Azure get it laid under their own sections.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AzureShared(Map<String, Value>);

impl JsonSchema for AwsShared {
    fn schema_name() -> Cow<'static, str> {
        "AwsShared".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        common(&[RdsConfig::json_schema(generator), AuroraConfig::json_schema(generator)], &AWS_OWN_ONLY)
    }
}

impl JsonSchema for AzureShared {
    fn schema_name() -> Cow<'static, str> {
        "AzureShared".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = [AzureFlexibleConfig::json_schema(generator), AzureSingleConfig::json_schema(generator)];
        common(&kinds, &OWN_ONLY)
    }
}

/// All keys of some sections, none of them required; where they differ, the first section counts.
fn common(kinds: &[Schema], own_only: &[&str]) -> Schema {
    let mut keys = Map::new();
    for (key, schema) in kinds.iter().filter_map(|kind| kind.get("properties")?.as_object()).flatten() {
        if !own_only.contains(&key.as_str()) {
            keys.entry(key.clone()).or_insert_with(|| schema.clone());
        }
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(keys));
    Schema::from(schema)
}
