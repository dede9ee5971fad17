//! Flexible servers: created, changed, restarted, deleted.

mod backups;
mod body;
mod rules;
mod write;

pub(super) use backups::answer as backups;
pub(super) use write::{create, made, update};

use serde_json::{Value, json};

use super::server::Server;
use super::switch::word;

/// As the service describes it [S].
pub(super) fn json(it: &Server, api_version: &str) -> Value {
    let (ha, window) = (&it.high_availability, &it.window);
    let mut network = json!({"publicNetworkAccess": word(it.public)});
    if let (Some(subnet), Some(zone)) = (&it.subnet, &it.dns_zone) {
        network["delegatedSubnetResourceId"] = json!(subnet);
        network["privateDnsZoneArmResourceId"] = json!(zone);
    }
    let mut availability = json!({"mode": ha.mode, "state": ha.state});
    if let Some(zone) = &ha.standby_zone {
        availability["standbyAvailabilityZone"] = json!(zone);
    }
    let mut properties = json!({
        "administratorLogin": it.admin,
        "version": it.version,
        // Older versions do not know `Provisioning` [S].
        "state": if api_version < "2025" && it.state == "Provisioning" { "Updating" } else { &it.state },
        "availabilityZone": it.zone,
        "storage": {
            "storageSizeGB": it.storage.size,
            "autoGrow": word(it.storage.auto_grow),
            "tier": it.storage.tier,
            "iops": it.storage.iops,
        },
        "authConfig": {"activeDirectoryAuth": "Disabled", "passwordAuth": "Enabled"},
        "backup": {
            "backupRetentionDays": it.retention,
            "geoRedundantBackup": word(it.geo_backup),
        },
        "dataEncryption": {"type": "SystemManaged"},
        "network": network,
        "highAvailability": availability,
        "maintenanceWindow": {
            "customWindow": word(window.custom),
            "dayOfWeek": window.day,
            "startHour": window.hour,
            "startMinute": window.minute,
        },
        "replicationRole": "Primary",
        "replica": {"role": "Primary", "capacity": 5},
        "replicaCapacity": 5,
        "privateEndpointConnections": [],
    });
    if let Some(ip) = it.reached_at() {
        properties["fullyQualifiedDomainName"] = json!(ip.to_string());
        properties["backup"]["earliestRestoreDate"] = json!(it.created);
    }
    if let Some(minor) = &it.minor_version {
        properties["minorVersion"] = json!(minor);
    }
    let sku = json!({"name": it.sku.0, "tier": it.sku.1});
    let mut whole = it.resource(&it.location, sku, properties);
    whole["systemData"] = json!({"createdAt": it.created});
    whole
}
