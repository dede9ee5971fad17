//! `PostgreSQLDatabase`.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DatabaseStatus;

/// A database with a login of its own, on a server of the same namespace.
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
    status = "DatabaseStatus"
)]
#[serde(rename_all = "camelCase")]
pub struct PostgreSQLDatabaseSpec {
    /// The server the database lives on. Cannot be changed.
    pub server_ref: ServerRef,
    /// Settings of the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseSettings>,
    /// Name of the Secret that receives the credentials.
    pub credentials_secret: String,
}

/// A `PostgreSQLServer` of the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerRef {
    /// Its name.
    pub name: String,
}

/// Settings of a database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseSettings {
    /// Character set; set when the database is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charset: Option<String>,
    /// Collation; set when the database is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// Extensions to create in the database.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
}
