//! What is there. Reads only, and the server holds us to it.

use super::database::DatabaseSpec;
use super::error::SqlError;
use super::ownership::{self, Existence};
use super::session::{Access, Session};

/// What exists on the server for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseState {
    /// The database and whose it is.
    pub database: Existence,
    /// The role and whose it is.
    pub role: Existence,
    /// The role may log in.
    pub role_can_login: bool,
    /// The database belongs to the role.
    pub owner_is_role: bool,
    /// The role may connect to its database and create schemas and temporary tables in it.
    pub role_has_database: bool,
    /// PUBLIC, and so every other role, has no right on the database.
    pub public_revoked: bool,
    /// The database bears a comment: our mark, or the tenant's own words.
    pub commented: bool,
    /// The database lets somebody in. False for what an interrupted `DROP DATABASE` leaves behind.
    pub accepts_connections: bool,
    /// Whether the administrator could look inside. If not, the next two fields tell of nothing seen.
    pub seen_inside: bool,
    /// The role may use schema `public` of its database and create in it.
    pub schema_granted: bool,
    /// Extensions that are asked for and not installed.
    pub extensions_missing: Vec<String>,
    /// Extensions that are asked for and not installed, and that may not be.
    pub extensions_barred: Vec<String>,
    /// The encoding, for example `UTF8`.
    pub charset: Option<String>,
    /// The collation, for example `en_US.utf8`.
    pub collation: Option<String>,
}

impl DatabaseState {
    /// Whether [`super::configure_database`] would find nothing to do.
    pub fn is_configured(&self) -> bool {
        self.database == Existence::Ours
            && self.role == Existence::Ours
            && self.role_can_login
            && self.owner_is_role
            && self.role_has_database
            && self.public_revoked
            && self.commented
            && self.schema_granted
            && self.extensions_missing.is_empty()
    }
}

/// Looks at everything `spec` is about. A second session is opened to the database itself if it can be entered.
///
/// Nothing is written: what is asked on `admin` runs in a read-only transaction, the second session is read-only.
pub async fn observe(admin: &Session, spec: &DatabaseSpec<'_>) -> Result<DatabaseState, SqlError> {
    admin.control("BEGIN READ ONLY", "", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let outside = outside(admin, spec).await;
    admin.control("ROLLBACK", "", "ROLLBACK").await?;
    let mut state = outside?;
    if state.seen_inside {
        let target = admin.beside(&spec.names.database, Access::ReadOnly).await?;
        state.schema_granted = schema_granted(&target, spec).await?;
        let missing = missing_extensions(&target, spec).await?;
        (state.extensions_missing, state.extensions_barred) =
            missing.into_iter().partition(|extension| spec.allows(extension));
    }
    Ok(state)
}

async fn outside(admin: &Session, spec: &DatabaseSpec<'_>) -> Result<DatabaseState, SqlError> {
    let found = ownership::find(admin, spec.names, spec.owner_uid).await?;
    let role_has_database =
        found.role.is_some() && found.database.is_some() && role_has_database(admin, spec).await?;
    let database = found.database.as_ref();
    let is = |fact: fn(&ownership::FoundDatabase) -> bool| database.is_some_and(fact);
    let accepts_connections = is(|database| database.accepts_connections);
    Ok(DatabaseState {
        database: found.database_existence(),
        role: found.role_existence(),
        role_can_login: found.role.as_ref().is_some_and(|role| role.can_login),
        owner_is_role: database.is_some_and(|database| database.owner == spec.names.role),
        role_has_database,
        public_revoked: is(|database| database.public_revoked),
        commented: is(|database| database.has_comment),
        accepts_connections,
        // Somebody else's database is none of our business, and one that PUBLIC lost and the administrator never got
        // is healed by configuring, not by failing here.
        seen_inside: accepts_connections
            && is(|database| {
                database.admin_may_connect && !matches!(database.existence, Existence::Foreign { .. })
            }),
        schema_granted: false,
        extensions_missing: spec.extensions.iter().filter(|one| spec.allows(one)).cloned().collect(),
        extensions_barred: Vec::new(),
        charset: database.map(|database| database.encoding.clone()),
        collation: database.map(|database| database.collation.clone()),
    })
}

pub(super) async fn role_has_database(admin: &Session, spec: &DatabaseSpec<'_>) -> Result<bool, SqlError> {
    let query = "SELECT has_database_privilege(r.oid, d.oid, 'CONNECT')
            AND has_database_privilege(r.oid, d.oid, 'CREATE') AND has_database_privilege(r.oid, d.oid, 'TEMPORARY')
        FROM pg_roles r, pg_database d WHERE r.rolname = $1 AND d.datname = $2";
    let names = spec.names;
    let rows =
        admin.rows("SELECT rights on", &names.database, query, &[&names.role, &names.database]).await?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}

/// True as well where the tenant dropped `public`: there is nothing to grant then.
pub(super) async fn schema_granted(target: &Session, spec: &DatabaseSpec<'_>) -> Result<bool, SqlError> {
    let query =
        "SELECT has_schema_privilege(r.oid, n.oid, 'USAGE') AND has_schema_privilege(r.oid, n.oid, 'CREATE')
        FROM pg_roles r, pg_namespace n WHERE r.rolname = $1 AND n.nspname = 'public'";
    let role = spec.names.role.as_str();
    let rows = target.rows("SELECT rights on", "public", query, &[role]).await?;
    if let Some(row) = rows.first() {
        return Ok(row.get(0));
    }
    let role_exists = "SELECT 1 FROM pg_roles WHERE rolname = $1";
    Ok(!target.rows("SELECT role", role, role_exists, &[role]).await?.is_empty())
}

/// The extensions asked for and not installed, each once. Names compare as the original's unquoted ones did.
pub(super) async fn missing_extensions(
    target: &Session,
    spec: &DatabaseSpec<'_>,
) -> Result<Vec<String>, SqlError> {
    if spec.extensions.is_empty() {
        return Ok(Vec::new());
    }
    let rows = target.rows("SELECT", "extensions", "SELECT extname::text FROM pg_extension", &[]).await?;
    let installed: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut missing: Vec<String> = Vec::new();
    for wanted in spec.extensions {
        let folded = wanted.to_lowercase();
        if !installed.iter().any(|name| name == wanted || *name == folded) && !missing.contains(wanted) {
            missing.push(wanted.clone());
        }
    }
    Ok(missing)
}
