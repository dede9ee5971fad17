//! Sections of cloud backends with the shared section laid under them, key by key.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::model::{Backends, UnusedSection};
use super::{AuroraConfig, AzureFlexibleConfig, AzureSingleConfig, RdsConfig};

/// Keys that count only in a backend's own section, as in the original; dots lead into sections.
const NOT_SHARED: [&str; 7] = [
    "classes",
    "default_class",
    "standby_availability_zone",
    "network.vnets",
    "network.create_private_endpoint",
    "parameters.infrastructure_encryption",
    "allow_retired_service",
];

/// A section that cannot be read as the settings of its backend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("backends.{section}: {message}")]
pub struct SectionError {
    /// The backend.
    pub section: &'static str,
    /// What is wrong.
    pub message: String,
}

impl Backends {
    /// Settings of Amazon RDS; nothing where neither section says anything.
    ///
    /// # Errors
    /// When a required key is missing in both sections, or a value is of the wrong type.
    pub fn awsrds(&self) -> Result<Option<RdsConfig>, SectionError> {
        resolve("awsrds", self.awsrds.as_ref(), self.aws.as_ref())
    }

    /// Settings of Amazon Aurora.
    ///
    /// # Errors
    /// As for [`Self::awsrds`].
    pub fn awsaurora(&self) -> Result<Option<AuroraConfig>, SectionError> {
        resolve("awsaurora", self.awsaurora.as_ref(), self.aws.as_ref())
    }

    /// Settings of Azure's single servers.
    ///
    /// # Errors
    /// As for [`Self::awsrds`].
    pub fn azurepostgres(&self) -> Result<Option<AzureSingleConfig>, SectionError> {
        resolve("azurepostgres", self.azurepostgres.as_ref(), self.azure.as_ref())
    }

    /// Settings of Azure's flexible servers.
    ///
    /// # Errors
    /// As for [`Self::awsrds`].
    pub fn azurepostgresflexible(&self) -> Result<Option<AzureFlexibleConfig>, SectionError> {
        resolve("azurepostgresflexible", self.azurepostgresflexible.as_ref(), self.azure.as_ref())
    }
}

fn resolve<T: DeserializeOwned>(
    section: &'static str,
    own: Option<&UnusedSection>,
    shared: Option<&UnusedSection>,
) -> Result<Option<T>, SectionError> {
    let Some(own) = own else { return Ok(None) };
    let mut value: Map<String, Value> = own.clone().into_iter().collect();
    let shared = shared.cloned().unwrap_or_default().into_iter().collect();
    lay_under(&mut value, &shared, "");
    without_nothing(&mut value);
    let error = |error: serde_json::Error| SectionError { section, message: error.to_string() };
    serde_json::from_value(Value::Object(value)).map(Some).map_err(error)
}

/// `null` counts as not set; everything else, `false` and 0 too, wins over what is shared.
fn lay_under(own: &mut Map<String, Value>, shared: &Map<String, Value>, path: &str) {
    for (key, shared) in shared {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if NOT_SHARED.contains(&path.as_str()) {
            continue;
        }
        let is_section = ["network", "parameters", "parameters.network", "dns_zone"].contains(&path.as_str());
        let own = own.entry(key).or_insert(Value::Null);
        if is_section && own.is_null() && shared.is_object() {
            *own = Value::Object(Map::new());
        }
        match (own, shared) {
            (Value::Object(own), Value::Object(shared)) if is_section => lay_under(own, shared, &path),
            (own, shared) if own.is_null() => *own = shared.clone(),
            _ => {}
        }
    }
}

fn without_nothing(section: &mut Map<String, Value>) {
    section.retain(|_, value| !value.is_null());
    section.values_mut().filter_map(Value::as_object_mut).for_each(without_nothing);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn backends(value: Value) -> Backends {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_shared_section_counts_key_by_key_where_the_own_one_is_silent() {
        let rds = backends(json!({
            "aws": {"region": "eu-central-1", "subnet_group": "s", "deletion_protection": true,
                    "network": {"public_access": true}, "classes": {"big": {"instance_type": "x"}}},
            "awsrds": {"region": "eu-west-1", "deletion_protection": false, "network": {}, "subnet_group": null},
        }))
        .awsrds()
        .unwrap()
        .unwrap();
        assert_eq!((rds.aws.region.as_str(), rds.aws.subnet_group.as_str()), ("eu-west-1", "s"));
        assert!(!rds.aws.deletion_protection && rds.aws.network.public_access);
        assert!(rds.classes.is_empty(), "classes are not shared");
    }

    #[test]
    fn a_required_key_that_is_in_neither_section_is_named() {
        let error = backends(json!({"awsaurora": {"region": "r"}})).awsaurora().unwrap_err();
        assert!(error.to_string().starts_with("backends.awsaurora: missing field `subnet_group`"), "{error}");
        assert_eq!(backends(json!({"aws": {}})).awsrds(), Ok(None));
    }

    #[test]
    fn azure_takes_a_zone_as_text_or_section_and_addresses_in_both_spellings() {
        let flexible = backends(json!({
            "azure": {"subscription_id": "1", "location": "l", "resource_group": "g", "name_pattern": "{name}",
                      "dns_zone": "x.postgres.database.azure.com",
                      "parameters": {"network": {"firewall_rules":
                          [{"name": "a", "start_ip": "10.0.0.1", "endIp": "10.0.0.2"}]}}},
            "azurepostgresflexible": {},
        }))
        .azurepostgresflexible()
        .unwrap()
        .unwrap();
        assert_eq!(flexible.dns_zone.unwrap().name, "x.postgres.database.azure.com");
        assert_eq!(flexible.parameters.network.firewall_rules[0].start_ip.to_string(), "10.0.0.1");
    }
}
