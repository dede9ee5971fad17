//! `PostgreSQLServer`.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ServerStatus;

/// A PostgreSQL server, provided by one of the operator's backends.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "hybridcloud.maibornwolff.de",
    version = "v1alpha1",
    kind = "PostgreSQLServer",
    plural = "postgresqlservers",
    singular = "postgresqlserver",
    shortname = "pg",
    shortname = "postgre",
    shortname = "postgres",
    category = "hcpg",
    namespaced,
    status = "ServerStatus"
)]
#[serde(rename_all = "camelCase")]
pub struct PostgreSQLServerSpec {
    /// Name of the backend; empty: the operator's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Name of the Secret that receives the administrator's credentials.
    pub credentials_secret: String,
    /// Major version, or `latest`; empty: the backend's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How large the server is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Automatic backups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// Extensions that databases of this server may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
    /// Network access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Server parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub server_parameters: BTreeMap<String, ParameterValue>,
    /// When the backend may do maintenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Maintenance>,
    /// High availability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highavailability: Option<HighAvailability>,
    /// What happens to the server when this object is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// When changes that interrupt connections are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_window: Option<ChangeWindow>,
}

/// How large a server is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    /// A class from the operator's configuration; wins over cpu and memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// CPU cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<i64>,
    /// Memory in MB.
    #[serde(default, rename = "memoryMB", skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<i64>,
    /// Storage in GB.
    #[serde(default, rename = "storageGB", skip_serializing_if = "Option::is_none")]
    pub storage_gb: Option<i64>,
    /// Whether the storage may grow by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_auto_grow: Option<bool>,
    /// Up to how many GB the storage may grow by itself.
    #[serde(default, rename = "maxStorageGB", skip_serializing_if = "Option::is_none")]
    pub max_storage_gb: Option<i64>,
}

/// Automatic backups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Backup {
    /// Days backups are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<i64>,
    /// Whether backups are stored in more than one region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo_redundant: Option<bool>,
}

/// Network access.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Address ranges that may connect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firewall_rules: Vec<FirewallRule>,
}

/// An address range that may connect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FirewallRule {
    /// Name of the rule.
    pub name: String,
    /// First address.
    pub start_ip: String,
    /// Last address.
    pub end_ip: String,
}

/// The value of a server parameter. YAML readers turn `on` into a boolean and `1_000` into a number on the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ParameterValue {
    /// `true` is `on`, `false` is `off`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Any other value, as PostgreSQL reads it.
    Text(String),
}

/// When the backend may do maintenance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Maintenance {
    /// The weekly window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<MaintenanceWindow>,
}

/// A weekly window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MaintenanceWindow {
    /// `Mon` … `Sun`.
    pub weekday: String,
    /// `HH:MM`, UTC.
    pub starttime: String,
}

/// High availability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HighAvailability {
    /// Whether a standby takes over when the server fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What happens to the server when its object is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// The server is deleted.
    #[default]
    Delete,
    /// A final snapshot is taken, then the server is deleted.
    Snapshot,
    /// The server stays.
    Retain,
}

/// When changes that interrupt connections are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ChangeWindow {
    /// At once.
    #[default]
    Immediate,
    /// In the maintenance window.
    Maintenance,
}
