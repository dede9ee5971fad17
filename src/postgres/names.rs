//! What a database and its role are called on the server.

/// The longest identifier PostgreSQL keeps; it cuts longer ones silently.
pub(super) const LONGEST: usize = 63;

/// Kept of a name that is too long; `_` and eight hexadecimal digits follow.
const KEPT: usize = LONGEST - 9;

/// Taken by PostgreSQL or by a service, as a database or as a role.
const RESERVED: &[&str] = &[
    "postgres",
    "template0",
    "template1",
    "public",
    "none",
    "yugabyte",
    "system_platform",
    "azuresu",
    "rdsadmin",
    "rdsrepladmin",
    "rdsproxyadmin",
    "rds_superuser",
    "rds_replication",
    "rds_iam",
    "rds_password",
    "rds_ad",
    "cloudsqladmin",
    "cloudsqlsuperuser",
    "cloudsqlreplica",
];

/// Further roles and databases of the services themselves, which [`RESERVED_PREFIXES`] cover for new names.
const OF_SERVICES: &[&str] = &["azure_pg_admin", "azure_superuser", "azure_maintenance", "azure_sys"];

const RESERVED_PREFIXES: &[&str] = &["pg_", "azure_"];
/// The second of them, as a [`NameError`] says it.
const AZURE_RULE: &str = "azure_*";

/// A database and the role that owns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseNames {
    /// The database's name.
    pub database: String,
    /// The name of the role that owns it and logs in to it.
    pub role: String,
}

impl DatabaseNames {
    /// Database and role of one name, as the operator creates them.
    pub fn of(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { role: name.clone(), database: name }
    }
}

/// Why a Kubernetes object's name cannot become the name of a database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name is taken on every server of this kind.
    #[error(
        "the name \"{name}\" is reserved by PostgreSQL or the service that runs it ({rule}); give the object another name"
    )]
    Reserved {
        /// The name the database would have.
        name: String,
        /// The reserved word, or `prefix*`.
        rule: String,
    },
    /// The name is that of an administrator of this server.
    #[error(
        "the name \"{name}\" is the administrator's user name on this server; give the object another name"
    )]
    Administrator {
        /// The name the database would have.
        name: String,
    },
    /// The name is empty or holds characters that PostgreSQL cannot store.
    #[error("the name is empty or holds control characters; give the object another name")]
    Unusable,
}

/// The name of the database, and of its role, for a Kubernetes object: `-` becomes `_`, everything else stays.
///
/// A name longer than 63 bytes is cut and ends in a hash of the whole, so that two long names never share a database
/// by being cut alike. `administrators` are the login names that manage this server.
pub fn database_name_for(object_name: &str, administrators: &[&str]) -> Result<String, NameError> {
    let name = object_name.replace('-', "_");
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(NameError::Unusable);
    }
    if let Some(rule) = reserved_by(&name) {
        return Err(NameError::Reserved { name, rule });
    }
    // Azure's single servers append `@server` to the login name; the role's name is what stands before it.
    let roles = administrators.iter().map(|login| login.split('@').next().unwrap_or(login));
    if roles.into_iter().any(|role| role.eq_ignore_ascii_case(&name)) {
        return Err(NameError::Administrator { name });
    }
    Ok(shortened(&name))
}

/// The name under which the original operator created this object's database: PostgreSQL cut what was too long.
///
/// Only for finding what exists already; a new database is named by [`database_name_for`].
pub fn original_database_name_for(object_name: &str) -> String {
    let name = object_name.replace('-', "_");
    prefix(&name, LONGEST).to_owned()
}

/// The name of the database of an object that the original operator has worked on. It let names pass that we keep for
/// Azure's own (`azure_shop`); those of the services themselves, and an administrator's, are nobody's all the same.
pub fn taken_over_name_for(object_name: &str, administrators: &[&str]) -> Result<String, NameError> {
    let name = original_database_name_for(object_name);
    match database_name_for(&name, administrators) {
        Err(NameError::Reserved { rule, .. }) if rule == AZURE_RULE && !is_of_a_service(&name) => Ok(name),
        Err(error) => Err(error),
        Ok(_) => Ok(name),
    }
}

/// Whether a service runs this role or database itself. A name that the original let pass (`azure_shop`) is none of them.
pub(super) fn is_of_a_service(name: &str) -> bool {
    RESERVED.iter().chain(OF_SERVICES).any(|word| word.eq_ignore_ascii_case(name))
}

fn reserved_by(name: &str) -> Option<String> {
    let word = RESERVED.iter().find(|word| word.eq_ignore_ascii_case(name)).map(|word| (*word).to_owned());
    word.or_else(|| {
        let lower = name.to_ascii_lowercase();
        RESERVED_PREFIXES.iter().find(|prefix| lower.starts_with(**prefix)).map(|prefix| format!("{prefix}*"))
    })
}

fn shortened(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    format!("{}_{:08x}", prefix(name, KEPT), stable_hash(name))
}

/// The longest prefix of at most `bytes` bytes that does not cut a character.
fn prefix(name: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    &name[..end]
}

/// FNV-1a, 64 bits folded to 32. The standard library's hasher may change between releases; a name must not.
///
/// A collision is no danger: the second object finds the first one's mark and is refused.
fn stable_hash(name: &str) -> u32 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash >> 32) ^ (hash & 0xffff_ffff)) as u32
}
