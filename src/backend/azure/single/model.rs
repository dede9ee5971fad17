//! The resources of single servers, and of what the original put around them: only the fields that we set or read. API
//! version 2017-12-01, the only one.

use serde::{Deserialize, Serialize};

use super::super::fields::OFF;
use super::super::model::{self, Disk, OwnProperties};
use super::CREATED;

/// The version of the API that this was made for.
pub(super) const API_VERSION: &str = "2017-12-01";

pub(super) const MB_PER_GB: u32 = 1024;

/// A server, as it is read.
pub(super) type Server = model::Server<Properties>;
/// A server, as it is made or changed.
pub(super) type ServerWrite = model::ServerWrite<PropertiesWrite>;

/// What only single servers are like, as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Properties {
    #[serde(default)]
    pub(super) user_visible_state: Option<String>,
    #[serde(default)]
    pub(super) storage_profile: Option<Storage>,
    #[serde(default)]
    pub(super) public_network_access: Option<String>,
}

impl OwnProperties for Properties {
    fn state(&self) -> Option<&str> {
        self.user_visible_state.as_deref()
    }

    fn disk(&self) -> Disk<'_> {
        let Some(profile) = &self.storage_profile else { return Disk::default() };
        Disk {
            gb: profile.storage_mb.map(|mb| mb / MB_PER_GB),
            auto_grow: profile.storage_autogrow.as_deref(),
            retention_days: profile.backup_retention_days,
            geo_redundant: profile.geo_redundant_backup.as_deref(),
        }
    }

    fn is_private(&self) -> bool {
        self.public_network_access.as_deref() == Some(OFF)
    }

    /// The name stays the same within a network.
    fn is_named_in_certificate(&self) -> bool {
        true
    }

    /// Of the original's servers nothing tells when they were made.
    fn made(server: &Server) -> Option<String> {
        server.tags.as_ref()?.get(CREATED).cloned()
    }
}

/// What only a single server shall be like; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PropertiesWrite {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ssl_enforcement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) infrastructure_encryption: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) public_network_access: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) storage_profile: Option<Storage>,
}

/// The disk and its backups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Storage {
    #[serde(default, rename = "storageMB", skip_serializing_if = "Option::is_none")]
    pub(super) storage_mb: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) storage_autogrow: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) backup_retention_days: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) geo_redundant_backup: Option<String>,
}

/// A private endpoint.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Endpoint {
    #[serde(default)]
    pub(super) properties: EndpointProperties,
}

/// What a private endpoint leads to, and where it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EndpointProperties {
    #[serde(default)]
    pub(super) private_link_service_connections: Vec<Connection>,
    #[serde(default)]
    pub(super) manual_private_link_service_connections: Vec<Connection>,
    #[serde(default)]
    pub(super) custom_dns_configs: Vec<DnsConfig>,
}

/// A connection of a private endpoint.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Connection {
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) properties: ConnectionProperties,
}

/// Where a connection leads.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConnectionProperties {
    #[serde(default)]
    pub(super) private_link_service_id: Option<String>,
}

/// Where a private endpoint is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DnsConfig {
    #[serde(default)]
    pub(super) ip_addresses: Vec<String>,
}

/// The addresses of a name in a private zone.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Record {
    #[serde(default)]
    pub(super) properties: RecordProperties,
}

/// The addresses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecordProperties {
    #[serde(default)]
    pub(super) a_records: Vec<Address>,
}

/// An address.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Address {
    pub(super) ipv4_address: String,
}
