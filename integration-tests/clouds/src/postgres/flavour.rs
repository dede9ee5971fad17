//! What makes a plain PostgreSQL look like the one of a certain cloud.

use std::collections::BTreeMap;

/// Parameter → value.
pub type Parameters = BTreeMap<String, String>;

/// What a cloud does to the servers it gives out. Servers of one flavour share their templates.
#[derive(Debug)]
pub struct Flavour {
    /// The cloud's own role: it owns the cluster, and nobody else can log in as it.
    pub owner: &'static str,
    /// The statements after the first start.
    pub bootstrap: fn(&Admin) -> Vec<String>,
    /// Extensions that the cloud has and a plain PostgreSQL has not: empty ones stand in for them, and those that a
    /// plain one has can be created by who is no superuser. None: as PostgreSQL has it.
    pub extensions: Option<&'static [&'static str]>,
    /// Whether connections without TLS are refused, by major version and the parameters in force.
    pub tls_only: fn(u32, &Parameters) -> bool,
}

/// The administrator that the user asked for.
#[derive(Clone)]
pub struct Admin {
    /// Its name.
    pub name: String,
    /// Its first password.
    pub password: String,
    /// A database besides `postgres`.
    pub database: Option<String>,
    /// PostgreSQL's major version.
    pub major: u32,
}

/// A name as it stands in SQL.
#[must_use]
pub fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as it stands in SQL.
#[must_use]
pub fn text(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
