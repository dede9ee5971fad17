//! What a client may send for a flexible server [S]. A member that is not here is refused: read-only ones, misspelt ones.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::azure::switch::Switch;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    pub(super) location: Option<String>,
    pub(super) tags: Option<BTreeMap<String, String>>,
    pub(super) sku: Option<Sku>,
    #[serde(default)]
    pub(super) properties: Properties,
    pub(super) identity: Option<Value>,
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
    #[serde(rename = "name")]
    _name: Option<IgnoredAny>,
    #[serde(rename = "type")]
    _type: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sku {
    pub(super) name: Option<String>,
    pub(super) tier: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Properties {
    pub(super) administrator_login: Option<String>,
    pub(super) administrator_login_password: Option<String>,
    pub(super) version: Option<String>,
    pub(super) create_mode: Option<String>,
    pub(super) availability_zone: Option<String>,
    #[serde(default)]
    pub(super) storage: Storage,
    #[serde(default)]
    pub(super) backup: Backup,
    #[serde(default)]
    pub(super) network: Network,
    #[serde(default)]
    pub(super) high_availability: HighAvailability,
    pub(super) maintenance_window: Option<Window>,
    pub(super) auth_config: Option<AuthConfig>,
    // Known, and refused: they would mean something that is not simulated.
    pub(super) cluster: Option<Value>,
    pub(super) data_encryption: Option<Value>,
    #[serde(rename = "pointInTimeUTC")]
    pub(super) point_in_time: Option<Value>,
    pub(super) replica: Option<Value>,
    pub(super) replication_role: Option<Value>,
    pub(super) source_server_resource_id: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Storage {
    #[serde(rename = "storageSizeGB")]
    pub(super) size: Option<u32>,
    pub(super) auto_grow: Option<Switch>,
    pub(super) tier: Option<String>,
    pub(super) iops: Option<u32>,
    pub(super) throughput: Option<u32>,
    pub(super) r#type: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Backup {
    pub(super) backup_retention_days: Option<u32>,
    pub(super) geo_redundant_backup: Option<Switch>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Network {
    pub(super) delegated_subnet_resource_id: Option<String>,
    pub(super) private_dns_zone_arm_resource_id: Option<String>,
    pub(super) public_network_access: Option<Switch>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct HighAvailability {
    pub(super) mode: Option<String>,
    pub(super) standby_availability_zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Window {
    pub(super) custom_window: Option<Switch>,
    pub(super) day_of_week: Option<u32>,
    pub(super) start_hour: Option<u32>,
    pub(super) start_minute: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AuthConfig {
    pub(super) active_directory_auth: Option<Switch>,
    pub(super) password_auth: Option<Switch>,
    #[serde(rename = "tenantId")]
    _tenant_id: Option<IgnoredAny>,
}
