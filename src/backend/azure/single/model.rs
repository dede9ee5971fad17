//! The resources of single servers, and of what the original put around them: only the fields that we set or read. API
//! version 2017-12-01, the only one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::model::{Hidden, Resource};
use super::CREATED;

/// The version of the API that this was made for.
pub(super) const API_VERSION: &str = "2017-12-01";

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
}

impl Resource for Server {
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn tags(&self) -> Option<&BTreeMap<String, String>> {
        self.tags.as_ref()
    }

    fn state(&self) -> Option<&str> {
        self.properties.user_visible_state.as_deref()
    }

    /// Of the original's servers nothing tells when they were made.
    fn uid(&self) -> Option<String> {
        let made = self.tags.as_ref().and_then(|tags| tags.get(CREATED).cloned());
        made.or_else(|| self.id.as_ref().map(|id| id.to_lowercase()))
    }
}

/// What a server is like, as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Properties {
    #[serde(default)]
    pub(super) user_visible_state: Option<String>,
    #[serde(default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) fully_qualified_domain_name: Option<String>,
    #[serde(default)]
    pub(super) administrator_login: Option<String>,
    #[serde(default)]
    pub(super) storage_profile: Option<Storage>,
    #[serde(default)]
    pub(super) public_network_access: Option<String>,
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
    pub(super) version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) administrator_login: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) administrator_login_password: Option<Hidden>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ssl_enforcement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) infrastructure_encryption: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) public_network_access: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) storage_profile: Option<Storage>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) family: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) capacity: Option<u32>,
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
