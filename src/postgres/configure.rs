//! Putting an existing database right: owner, rights, extensions.

use tokio_postgres::error::SqlState;

use super::database::DatabaseSpec;
use super::error::SqlError;
use super::observe;
use super::ownership::{self, Adoption, Existence};
use super::session::{Access, Session};
use super::statements;

/// Brings the database to what `spec` asks for. What is right already is not written again.
///
/// Extensions come last and each is tried, so that one that cannot be had hides neither the rest nor a drifted owner;
/// the first failure is returned.
pub async fn configure_database(
    admin: &Session,
    spec: &DatabaseSpec<'_>,
    adoption: Adoption<'_>,
) -> Result<(), SqlError> {
    let names = spec.names;
    let found = ownership::find(admin, names, spec.owner_uid).await?;
    found.role_existence().permits(adoption, "role", &names.role)?;
    found.database_existence().permits(adoption, "database", &names.database)?;
    let (role, database) = match (&found.role, &found.database) {
        (Some(role), Some(database)) => (role, database),
        (None, _) => return Err(SqlError::RoleMissing { role: names.role.clone() }),
        (_, None) => {
            return Err(SqlError::InvalidRequest(format!("database \"{}\" does not exist", names.database)));
        }
    };

    if role.existence != Existence::Ours {
        let mark = statements::comment_on_role(&names.role, spec.owner_uid);
        admin.execute("COMMENT ON ROLE", &names.role, &mark).await?;
    }
    if !role.can_login {
        admin.execute("ALTER ROLE", &names.role, &statements::login(&names.role, true)).await?;
    }
    ownership::ensure_membership(admin, &names.role).await?;
    // A tenant's own comment stays: the role's mark says enough.
    if database.existence != Existence::Ours || !database.has_comment {
        let mark = statements::comment_on_database(&names.database, spec.owner_uid);
        admin.execute("COMMENT ON DATABASE", &names.database, &mark).await?;
    }
    if database.owner != names.role {
        let sql = statements::own_database(names);
        admin.execute("ALTER DATABASE OWNER", &names.database, &sql).await?;
    }
    if !database.public_revoked {
        let sql = statements::revoke_public(&names.database);
        admin.execute("REVOKE FROM PUBLIC ON DATABASE", &names.database, &sql).await?;
    }
    if !observe::role_has_database(admin, spec).await? {
        let sql = statements::grant_database(names);
        admin.execute("GRANT ON DATABASE", &names.database, &sql).await?;
    }
    let now = ownership::find(admin, names, spec.owner_uid).await?;
    if now.database.is_some_and(|database| !database.public_revoked) {
        return Err(SqlError::NoEffect(format!(
            "PUBLIC keeps rights on database \"{}\" that the administrator may not revoke",
            names.database
        )));
    }
    inside(admin, spec).await
}

/// What has to be said in the database itself.
async fn inside(admin: &Session, spec: &DatabaseSpec<'_>) -> Result<(), SqlError> {
    let names = spec.names;
    let target = admin.beside(&names.database, Access::ReadWrite).await?;
    if !observe::schema_granted(&target, spec).await? {
        let sql = statements::grant_schema(&names.role);
        target.execute("GRANT ON SCHEMA", "public", &sql).await?;
        if !observe::schema_granted(&target, spec).await? {
            return Err(SqlError::NoEffect(format!(
                "role \"{}\" lacks rights on schema public of its database that the administrator may not grant",
                names.role
            )));
        }
    }
    let mut first_failure = None;
    let missing = observe::missing_extensions(&target, spec).await?;
    for extension in missing.into_iter().filter(|extension| spec.allows(extension)) {
        if let Err(error) = create_extension(&target, &extension).await {
            first_failure.get_or_insert(error);
        }
    }
    first_failure.map_or(Ok(()), Err)
}

async fn create_extension(target: &Session, extension: &str) -> Result<(), SqlError> {
    let unknown = || {
        SqlError::InvalidRequest(format!(
            "the server has no extension \"{}\"; remove it from the object or have it allowed on the server",
            extension.escape_debug()
        ))
    };
    // The original did not quote, so PostgreSQL folded `PostGIS` to `postgis`: take the folded name if only that exists.
    let available = "SELECT name::text FROM pg_available_extensions WHERE name = $1 OR name = lower($1)
        ORDER BY name = $1 DESC LIMIT 1";
    if extension.contains('\0') {
        return Err(unknown());
    }
    let rows = target.rows("SELECT extension", extension, available, &[extension]).await?;
    let name: String = rows.first().ok_or_else(unknown)?.get(0);
    let sql = statements::create_extension(&name);
    let users_fault = [
        SqlState::UNDEFINED_FILE,
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::INVALID_PARAMETER_VALUE,
        SqlState::UNDEFINED_OBJECT,
        // Some extensions must be preloaded first.
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
    ];
    target
        .execute("CREATE EXTENSION", &name, &sql)
        .await
        .map_err(|error| error.invalid_request_on(&users_fault))
}
