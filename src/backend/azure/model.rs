//! What both services have in common on the wire: only the fields that we set or read.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::secrets::Password;

/// A server of either service.
pub(super) trait Resource: DeserializeOwned + Send + Sync {
    /// Its name.
    fn name(&self) -> Option<&str>;

    /// Its tags.
    fn tags(&self) -> Option<&BTreeMap<String, String>>;

    /// What it is doing, in the service's words.
    fn state(&self) -> Option<&str>;

    /// What tells it from another one of its name.
    fn uid(&self) -> Option<String>;
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
