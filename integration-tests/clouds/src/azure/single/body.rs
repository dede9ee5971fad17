//! What a client may send for a single server [S].

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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sku {
    pub(super) name: String,
    pub(super) tier: Option<String>,
    pub(super) capacity: Option<u32>,
    pub(super) family: Option<String>,
    #[serde(rename = "size")]
    _size: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Properties {
    pub(super) administrator_login: Option<String>,
    pub(super) administrator_login_password: Option<String>,
    pub(super) version: Option<String>,
    pub(super) create_mode: Option<String>,
    pub(super) ssl_enforcement: Option<Switch>,
    #[serde(rename = "minimalTlsVersion")]
    _minimal_tls_version: Option<IgnoredAny>,
    #[serde(rename = "infrastructureEncryption")]
    _infrastructure_encryption: Option<IgnoredAny>,
    pub(super) public_network_access: Option<Switch>,
    #[serde(default)]
    pub(super) storage_profile: Storage,
    pub(super) replication_role: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Storage {
    pub(super) backup_retention_days: Option<u32>,
    pub(super) geo_redundant_backup: Option<Switch>,
    #[serde(rename = "storageMB")]
    pub(super) size: Option<u32>,
    pub(super) storage_autogrow: Option<Switch>,
}
