//! The resources of flexible servers: only the fields that we set or read. API version 2025-08-01; 2024-08-01 and
//! 2022-12-01 have the same ones but `autoGrow`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::model::{Hidden, Resource};

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

impl Resource for Server {
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn tags(&self) -> Option<&BTreeMap<String, String>> {
        self.tags.as_ref()
    }

    fn state(&self) -> Option<&str> {
        self.properties.state.as_deref()
    }

    /// Two servers that stand under one name one after the other are told apart by when they were made.
    fn uid(&self) -> Option<String> {
        let made = self.system_data.as_ref().and_then(|data| data.created_at.clone());
        let path = self.id.as_ref().map(|id| id.to_lowercase());
        made.or(path)
    }
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
