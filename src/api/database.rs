//! `PostgreSQLDatabase`.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DatabaseStatus, rules, schema};

/// The wanted database.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "hybridcloud.maibornwolff.de",
    version = "v1alpha1",
    kind = "PostgreSQLDatabase",
    plural = "postgresqldatabases",
    singular = "postgresqldatabase",
    shortname = "pgdb",
    shortname = "database",
    shortname = "db",
    category = "hcpg",
    namespaced,
    status = "DatabaseStatus",
    doc = "A database with a login of its own, on a PostgreSQLServer of the same namespace. The credentials are \
           published in a Secret. The database is named like this object, with underscores for dashes.",
    selectable = ".spec.serverRef.name",
    selectable = ".status.phase",
    printcolumn = r#"{"name": "Phase", "type": "string", "jsonPath": ".status.phase",
        "description": "What the operator is doing"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status",
        "description": "Whether the published credentials are believed to be usable"}"#,
    printcolumn = r#"{"name": "Server", "type": "string", "jsonPath": ".spec.serverRef.name",
        "description": "The server the database lives on"}"#,
    printcolumn = r#"{"name": "Database", "type": "string", "jsonPath": ".status.database.name",
        "description": "The name of the database in PostgreSQL"}"#,
    printcolumn = r#"{"name": "Secret", "type": "string", "jsonPath": ".spec.credentialsSecret",
        "description": "The Secret with the credentials"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(
    extend("x-kubernetes-preserve-unknown-fields" = true),
    transform = schema::tidy
)]
pub struct PostgreSQLDatabaseSpec {
    /// The server the database lives on. It cannot be changed.
    pub server_ref: ServerRef,
    /// Settings of the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseSettings>,
    /// Name of the Secret, in this namespace, that receives the credentials: host, port, dbname, username, password,
    /// sslmode and more. The operator creates it; a Secret of that name that belongs to somebody else is left alone.
    /// Example: fooservice-postgres-credentials.
    #[schemars(transform = rules::secret_name)]
    pub credentials_secret: String,
}

/// A PostgreSQLServer of the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerRef {
    /// Name of the PostgreSQLServer in this namespace. It need not exist yet: the database waits for it.
    #[schemars(transform = rules::server_name)]
    pub name: String,
}

/// Settings of a database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseSettings {
    /// Character set, given to PostgreSQL when the database is created; it has no effect later. Default: the backend's,
    /// as a rule UTF8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = rules::word)]
    pub charset: Option<String>,
    /// Collation, given to PostgreSQL when the database is created; it has no effect later. Which ones there are depends
    /// on the backend. Default: the backend's. Example: de-DE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = rules::word)]
    pub collation: Option<String>,
    /// Extensions to create in the database. The server must provide them; on Azure that means that they stand in
    /// spec.extensions of the PostgreSQLServer too. One that is taken off the list stays in the database, since dropping
    /// it may drop data. Example: uuid-ossp.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = rules::extensions)]
    pub extensions: Vec<String>,
}
