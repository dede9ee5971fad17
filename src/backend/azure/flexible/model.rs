//! The resources of flexible servers: only the fields that we set or read. API version 2025-08-01; 2024-08-01 and
//! 2022-12-01 have the same ones but `autoGrow`.

use serde::{Deserialize, Serialize};

use super::super::fields::OFF;
use super::super::model::{self, Disk, OwnProperties};

/// The version of the API that this was made for.
pub(super) const API_VERSION: &str = "2025-08-01";

/// A server, as it is read.
pub(super) type Server = model::Server<Properties>;
/// A server, as it is made or changed.
pub(super) type ServerWrite = model::ServerWrite<PropertiesWrite>;

/// What only flexible servers are like, as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Properties {
    #[serde(default)]
    pub(super) state: Option<String>,
    #[serde(default)]
    pub(super) minor_version: Option<String>,
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

impl OwnProperties for Properties {
    fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    fn disk(&self) -> Disk<'_> {
        let (storage, backup) = (self.storage.as_ref(), self.backup.as_ref());
        Disk {
            gb: storage.and_then(|storage| storage.storage_size_gb),
            auto_grow: storage.and_then(|storage| storage.auto_grow.as_deref()),
            retention_days: backup.and_then(|backup| backup.backup_retention_days),
            geo_redundant: backup.and_then(|backup| backup.geo_redundant_backup.as_deref()),
        }
    }

    fn is_private(&self) -> bool {
        self.network.as_ref().is_some_and(|network| {
            let subnet = network.delegated_subnet_resource_id.as_deref();
            network.public_network_access.as_deref() == Some(OFF) || subnet.is_some_and(|id| !id.is_empty())
        })
    }

    /// Within a network it is not known for sure.
    fn is_named_in_certificate(&self) -> bool {
        !self.is_private()
    }

    fn made(server: &Server) -> Option<String> {
        server.system_data.as_ref()?.created_at.clone()
    }
}

/// What only a flexible server shall be like; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PropertiesWrite {
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
