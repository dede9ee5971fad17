//! `PostgreSQLServer`.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ServerStatus, rules, schema};

/// The wanted server.
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
    status = "ServerStatus",
    doc = "A PostgreSQL server, provided by one of the operator's backends: a cloud's managed service, a Helm chart, or \
           PostgreSQL on the operator's own host. The administrator's credentials are published in a Secret.",
    selectable = ".spec.backend",
    selectable = ".status.phase",
    printcolumn = r#"{"name": "Phase", "type": "string", "jsonPath": ".status.phase",
        "description": "What the operator is doing"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status",
        "description": "Whether the published credentials are believed to be usable"}"#,
    printcolumn = r#"{"name": "Backend", "type": "string", "jsonPath": ".status.backend",
        "description": "The backend the server lives in"}"#,
    printcolumn = r#"{"name": "Version", "type": "string", "jsonPath": ".status.server.version",
        "description": "The running version of PostgreSQL"}"#,
    printcolumn = r#"{"name": "Endpoint", "type": "string", "jsonPath": ".status.server.endpoint",
        "description": "Where to connect to"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Synced\")].reason",
        "priority": 1, "description": "Why the server is as asked or not"}"#,
    printcolumn = r#"{"name": "Size", "type": "string", "jsonPath": ".status.server.size", "priority": 1,
        "description": "The size the backend reports"}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::tidy)]
pub struct PostgreSQLServerSpec {
    /// Name of the backend that provides the server, for example azurepostgresflexible, awsrds or helmbitnami. Which
    /// ones may be chosen is up to the operator's configuration. Default: the one configured there. It cannot move a
    /// server: once the server exists, a change has no effect and is reported as a condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = rules::word)]
    pub backend: Option<String>,
    /// Name of the Secret, in this namespace, that receives the administrator's credentials: host, port, dbname,
    /// username, password, sslmode and more. The operator creates it; a Secret of that name that belongs to somebody
    /// else is left alone. Example: teamfoo-postgres-credentials.
    #[schemars(transform = rules::secret_name)]
    pub credentials_secret: String,
    /// Version of PostgreSQL: a major version such as "17", or latest for the newest that the backend has; on AWS also
    /// a minor version such as "17.4". Write numbers in quotes. Default: the newest that the backend has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = rules::word)]
    pub version: Option<String>,
    /// How large the server is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Automatic backups, where the backend has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// Extensions that databases of this server may use. What there is depends on the backend. They are created in a
    /// database by spec.database.extensions of the PostgreSQLDatabase. Example: timescaledb.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = rules::extensions)]
    pub extensions: Vec<String>,
    /// Network access, where the backend can restrict it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Parameters of the server by name, as in postgresql.conf: text, numbers, or true and false for on and off. A
    /// parameter that is taken out of the map goes back to the backend's default; those that were never in it are left
    /// alone. Changing some of them restarts the server, see changeWindow. Example: {work_mem: 16MB}.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = rules::parameters)]
    pub server_parameters: BTreeMap<String, ParameterValue>,
    /// When the backend may do maintenance, where that can be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Maintenance>,
    /// High availability, where the backend has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highavailability: Option<HighAvailability>,
    /// What happens to the server when this object is deleted. Delete: the server is deleted with its data. Snapshot: a
    /// final snapshot is taken first, where the backend can. Retain: the server stays, and is no longer looked after.
    /// Default: Delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// When changes are made that interrupt connections. Immediate: at once. Maintenance: in the maintenance window,
    /// where the backend can. Default: Immediate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_window: Option<ChangeWindow>,
}

/// How large a server is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules::size)]
pub struct Size {
    /// A class from the operator's configuration; it wins over cpu and memoryMB. Ask your administrator which there are.
    /// Example: small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = rules::word)]
    pub class: Option<String>,
    /// CPU cores, a whole number. Example: 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = rules::amount)]
    pub cpu: Option<i64>,
    /// Memory in MB. Most clouds derive it from the cores. Example: 512.
    #[serde(default, rename = "memoryMB", skip_serializing_if = "Option::is_none")]
    #[schemars(transform = rules::amount)]
    pub memory_mb: Option<i64>,
    /// Storage in GB. Each backend has a smallest size, for example 32 on Azure and 20 on AWS. It can grow, never shrink.
    #[serde(default, rename = "storageGB", skip_serializing_if = "Option::is_none")]
    #[schemars(transform = rules::amount)]
    pub storage_gb: Option<i64>,
    /// Whether the storage may grow by itself when it runs full, where the backend can. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_auto_grow: Option<bool>,
    /// Up to how many GB the storage may grow by itself. Not less than storageGB.
    #[serde(default, rename = "maxStorageGB", skip_serializing_if = "Option::is_none")]
    #[schemars(transform = rules::amount)]
    pub max_storage_gb: Option<i64>,
}

/// Automatic backups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Backup {
    /// Days that backups are kept: 7 to 35 on Azure; 0 to 35 on AWS RDS, where 0 switches backups off; 1 to 35 on AWS
    /// Aurora. Default: the one in the operator's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = rules::retention_days)]
    pub retention_days: Option<i64>,
    /// Whether backups are stored in more than one region, where the backend can. Azure decides it once, when the server
    /// is created. Default: the one in the operator's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo_redundant: Option<bool>,
}

/// Network access.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Address ranges that may connect from outside the cluster, in addition to those in the operator's configuration.
    /// Azure only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = rules::firewall_rules)]
    pub firewall_rules: Vec<FirewallRule>,
}

/// An address range that may connect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules::firewall_rule)]
pub struct FirewallRule {
    /// Name of the rule, unique in the list. Example: office.
    #[schemars(transform = rules::word)]
    pub name: String,
    /// First IPv4 address of the range. Example: 192.0.2.0.
    #[schemars(transform = rules::ipv4)]
    pub start_ip: String,
    /// Last IPv4 address of the range; the same as startIp for a single address. Example: 192.0.2.255.
    #[schemars(transform = rules::ipv4)]
    pub end_ip: String,
}

/// The value of a server parameter. YAML readers turn `on` into a boolean and `1_000` into a number on the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
pub struct Maintenance {
    /// The weekly window. Default: the backend chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<MaintenanceWindow>,
}

/// A weekly window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MaintenanceWindow {
    /// Day of the week: Mon, Tue, Wed, Thu, Fri, Sat or Sun; also "0" (Sunday) to "6" (Saturday).
    #[schemars(transform = rules::weekday)]
    pub weekday: String,
    /// When the window begins, as hours and minutes in UTC. Example: 03:00.
    #[schemars(transform = rules::starttime)]
    pub starttime: String,
}

/// High availability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HighAvailability {
    /// Whether a standby takes over when the server fails. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What happens to the server when its object is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = schema::words)]
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
#[schemars(transform = schema::words)]
pub enum ChangeWindow {
    /// At once.
    #[default]
    Immediate,
    /// In the maintenance window.
    Maintenance,
}
