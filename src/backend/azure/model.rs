//! What both services have in common on the wire: only the fields that we set or read.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::secrets::Password;

/// A server, as it is read; `P` are the properties that only its service tells.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Server<P> {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) sku: Option<Sku>,
    #[serde(default)]
    pub(super) properties: Properties<P>,
    #[serde(default)]
    pub(super) system_data: Option<SystemData>,
}

/// What a server is like, as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Properties<P> {
    #[serde(default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) fully_qualified_domain_name: Option<String>,
    #[serde(default)]
    pub(super) administrator_login: Option<String>,
    #[serde(flatten)]
    pub(super) own: P,
}

/// The properties that only one service's servers have, in words of both.
pub(super) trait OwnProperties: Default + fmt::Debug + DeserializeOwned + Send + Sync {
    /// What the server is doing, in the service's words.
    fn state(&self) -> Option<&str>;

    /// Its disk, and the backups of it.
    fn disk(&self) -> Disk<'_>;

    /// Whether it cannot be reached from outside of its network.
    fn is_private(&self) -> bool;

    /// Whether its certificate is for the name that it is reached by.
    fn is_named_in_certificate(&self) -> bool;

    /// When the server was made, where anything says so.
    fn made(server: &Server<Self>) -> Option<String>;
}

/// A disk, and the backups of it, as they are read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Disk<'a> {
    pub(super) gb: Option<u32>,
    pub(super) auto_grow: Option<&'a str>,
    pub(super) retention_days: Option<u32>,
    pub(super) geo_redundant: Option<&'a str>,
}

impl<P: OwnProperties> Server<P> {
    /// What it is doing, in the service's words.
    pub(super) fn state(&self) -> Option<&str> {
        self.properties.own.state()
    }

    /// Two servers that stand under one name one after the other are told apart by when they were made.
    pub(super) fn uid(&self) -> Option<String> {
        P::made(self).or_else(|| self.id.as_ref().map(|id| id.to_lowercase()))
    }
}

/// Who made a resource, and when.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SystemData {
    #[serde(default)]
    pub(super) created_at: Option<String>,
}

/// A server, as it is made or changed; `P` are the properties that only its service takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", bound = "P: Default + PartialEq + Serialize")]
pub(super) struct ServerWrite<P> {
    /// Only when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sku: Option<Sku>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tags: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "PropertiesWrite::is_empty")]
    pub(super) properties: PropertiesWrite<P>,
}

/// What a server shall be like; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PropertiesWrite<P> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) create_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) administrator_login: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) administrator_login_password: Option<Hidden>,
    #[serde(flatten)]
    pub(super) own: P,
}

impl<P: Default + PartialEq> PropertiesWrite<P> {
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
    /// Of single servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) family: Option<String>,
    /// Of single servers: its cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) capacity: Option<u32>,
}

/// A change of the tags of a server: all that it has from then on.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TagsWrite {
    pub(super) tags: BTreeMap<String, String>,
}

/// A change of the administrator's password.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PasswordWrite {
    pub(super) properties: PasswordProperties,
}

/// The new password.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PasswordProperties {
    pub(super) administrator_login_password: Hidden,
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
