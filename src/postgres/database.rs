//! Creating a database.

use tokio_postgres::error::SqlState;

use super::error::SqlError;
use super::names::DatabaseNames;
use super::ownership::{self, Adoption, Existence};
use super::session::Session;
use super::statements;

/// What one Kubernetes object asks for.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseSpec<'a> {
    /// The names on the server.
    pub names: &'a DatabaseNames,
    /// The uid of the Kubernetes object: the mark of what is ours.
    pub owner_uid: &'a str,
    /// The encoding, for example `UTF8`; the server's default if absent. Fixed at creation.
    pub charset: Option<&'a str>,
    /// Collation and character type, for example `en_US.utf8`; the server's default if absent. Fixed at creation.
    pub collation: Option<&'a str>,
    /// Extensions to install.
    pub extensions: &'a [String],
    /// The extensions that may be installed; none: every one.
    pub allowed: Option<&'a [String]>,
}

impl DatabaseSpec<'_> {
    /// Whether this extension may be installed.
    pub(super) fn allows(&self, extension: &str) -> bool {
        self.allowed.is_none_or(|allowed| allowed.iter().any(|one| one.eq_ignore_ascii_case(extension)))
    }
}

/// Creates the database, owned by its role, and marks it. The role must be there and ours.
///
/// `CREATE DATABASE` cannot share a transaction with the mark. A crash in between leaves an unmarked database that
/// counts as ours all the same, because its owner is our marked role.
pub async fn create_database(
    admin: &Session,
    spec: &DatabaseSpec<'_>,
    adoption: Adoption<'_>,
) -> Result<(), SqlError> {
    let names = spec.names;
    let found = ownership::find(admin, names, spec.owner_uid).await?;
    let existence = found.database_existence();
    existence.permits(adoption, "database", &names.database)?;
    found.role_existence().permits(adoption, "role", &names.role)?;
    if found.role.is_none() {
        return Err(SqlError::RoleMissing { role: names.role.clone() });
    }
    ownership::ensure_membership(admin, &names.role).await?;
    if existence == Existence::Absent {
        let sql = statements::create_database(names, spec.charset, spec.collation)?;
        // An unknown charset or collation, or a pair that does not go together.
        let users_fault =
            [SqlState::WRONG_OBJECT_TYPE, SqlState::UNDEFINED_OBJECT, SqlState::INVALID_PARAMETER_VALUE];
        admin
            .execute("CREATE DATABASE", &names.database, &sql)
            .await
            .map_err(|error| error.invalid_request_on(&users_fault))?;
    } else if found.database.is_some_and(|database| database.has_comment) && existence == Existence::Ours {
        return Ok(());
    }
    let mark = statements::comment_on_database(&names.database, spec.owner_uid);
    admin.execute("COMMENT ON DATABASE", &names.database, &mark).await
}
