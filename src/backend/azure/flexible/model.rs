//! The resources of flexible servers: only the fields that we set or read. API version 2025-08-01; 2024-08-01 and
//! 2022-12-01 have the same ones but `autoGrow`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::secrets::Password;

/// The version of the API that this was made for.
pub(super) const API_VERSION: &str = "2025-08-01";

/// A server, as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Server {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) sku: Option<Sku>,
    #[serde(default)]
    pub(super) properties: Properties,
    #[serde(default)]
    pub(super) system_data: Option<SystemData>,
}

/// Who made a resource, and when.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SystemData {
    #[serde(default)]
    pub(super) created_at: Option<String>,
}

/// What a server is like, as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Properties {
    #[serde(default)]
    pub(super) state: Option<String>,
    #[serde(default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) minor_version: Option<String>,
    #[serde(default)]
    pub(super) fully_qualified_domain_name: Option<String>,
    #[serde(default)]
    pub(super) administrator_login: Option<String>,
    #[serde(default)]
    pub(super) storage: Option<Storage>,
    #[serde(default)]
    pub(super) backup: Option<Backup>,
    #[serde(default)]
    pub(super) network: Option<Network>,
    #[serde(default)]
    pub(super) high_availability: Option<HighAvailability>,
    #[serde(default)]
    pub(super) maintenance_window: Option<MaintenanceWindow>,
}

/// A server, as it is made or changed.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerWrite {
    /// Only when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sku: Option<Sku>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tags: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "PropertiesWrite::is_empty")]
    pub(super) properties: PropertiesWrite,
}

/// What a server shall be like; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PropertiesWrite {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) create_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) administrator_login: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) administrator_login_password: Option<Hidden>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) availability_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) storage: Option<Storage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) backup: Option<Backup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) network: Option<Network>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) high_availability: Option<HighAvailability>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) maintenance_window: Option<MaintenanceWindow>,
}

impl PropertiesWrite {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A password on its way; it is shown nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Hidden(pub(super) Password);

impl Serialize for Hidden {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sku {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) tier: String,
}

/// The disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Storage {
    #[serde(default, rename = "storageSizeGB", skip_serializing_if = "Option::is_none")]
    pub(super) storage_size_gb: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) auto_grow: Option<String>,
}

/// Backups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Backup {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) backup_retention_days: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) geo_redundant_backup: Option<String>,
}

/// How it can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Network {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) delegated_subnet_resource_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) private_dns_zone_arm_resource_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) public_network_access: Option<String>,
}

/// The standby.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HighAvailability {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) standby_availability_zone: Option<String>,
}

/// When the service may do maintenance. `dayOfWeek`: 0 is Sunday
/// (<https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-maintenance>).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MaintenanceWindow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) custom_window: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) day_of_week: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) start_hour: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) start_minute: Option<u8>,
}

/// A rule of the firewall.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct FirewallRule {
    pub(super) name: String,
    pub(super) properties: Range,
}

/// The same, as it is written.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FirewallRuleWrite {
    pub(super) properties: Range,
}

/// Addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Range {
    pub(super) start_ip_address: String,
    pub(super) end_ip_address: String,
}

/// A server parameter.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Configuration {
    pub(super) name: String,
    pub(super) properties: Parameter,
}

/// What is to be known about a server parameter.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameter {
    #[serde(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    pub(super) default_value: Option<String>,
    #[serde(default)]
    pub(super) data_type: Option<String>,
    #[serde(default)]
    pub(super) unit: Option<String>,
    #[serde(default)]
    pub(super) is_dynamic_config: Option<bool>,
    #[serde(default)]
    pub(super) is_read_only: Option<bool>,
    #[serde(default)]
    pub(super) is_config_pending_restart: Option<bool>,
}

/// A server parameter, as it is set.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ConfigurationWrite {
    pub(super) properties: ParameterWrite,
}

/// Its value, and by whom it was chosen.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ParameterWrite {
    pub(super) value: String,
    pub(super) source: &'static str,
}

/// A lock.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Lock {
    pub(super) properties: LockProperties,
}

/// A lock, as it is set.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LockWrite {
    pub(super) properties: LockProperties,
}

/// What a lock forbids.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LockProperties {
    pub(super) level: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) notes: Option<String>,
}
