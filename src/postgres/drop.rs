//! Dropping a database and its role.

use tokio_postgres::error::SqlState;

use super::database::DatabaseSpec;
use super::error::SqlError;
use super::names::DatabaseNames;
use super::ownership::{self, Adoption};
use super::session::{Access, Session};
use super::statements;

/// Drops the database with everything in it, whoever owns it, and ends the sessions that hold it. Absent is done.
pub async fn drop_database(
    admin: &Session,
    spec: &DatabaseSpec<'_>,
    adoption: Adoption<'_>,
) -> Result<(), SqlError> {
    let name = &spec.names.database;
    let found = ownership::find(admin, spec.names, spec.owner_uid).await?;
    found.database_existence().permits(adoption, "database", name)?;
    let Some(database) = found.database else { return Ok(()) };
    if database.owner == spec.names.role {
        ownership::ensure_membership(admin, &spec.names.role).await?;
    }
    if admin.version_num() >= 130_000 {
        let forced = admin.execute("DROP DATABASE", name, &statements::drop_database(name, true)).await;
        // FORCE is all or nothing: one session it may not end (another role's, on services without
        // pg_signal_backend) fails it. Servers that only speak PostgreSQL may not know the word.
        let refused =
            [SqlState::INSUFFICIENT_PRIVILEGE, SqlState::SYNTAX_ERROR, SqlState::FEATURE_NOT_SUPPORTED];
        match forced {
            Err(error) if error.has_code(&refused) => {}
            done => return done,
        }
    }
    if database.half_dropped {
        return admin.execute("DROP DATABASE", name, &statements::drop_database(name, false)).await;
    }
    drop_behind_a_closed_door(admin, name).await
}

/// Lets nobody in, ends the sessions it may end, and drops. Opens the door again if others stay: until the next try
/// they may need to get in, for example to drop a subscription that is in the way.
async fn drop_behind_a_closed_door(admin: &Session, name: &str) -> Result<(), SqlError> {
    let door = |open: bool| statements::allow_connections(name, open);
    admin.execute("ALTER DATABASE CLOSE", name, &door(false)).await?;
    let end_sessions = "SELECT pg_terminate_backend(a.pid)
        FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid, pg_roles me
        WHERE a.datname = $1 AND a.pid <> pg_backend_pid() AND me.rolname = current_user
          AND (me.rolsuper OR NOT r.rolsuper
               AND (pg_has_role(r.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')))";
    let dropped = match admin.rows("END SESSIONS OF", name, end_sessions, &[name]).await {
        // The server itself waits a few seconds for the ended sessions to go.
        Ok(_) => admin.execute("DROP DATABASE", name, &statements::drop_database(name, false)).await,
        Err(error) => Err(error),
    };
    if let Err(error) = dropped {
        if let Err(reopening) = admin.execute("ALTER DATABASE OPEN", name, &door(true)).await {
            tracing::warn!(database = name, error = %reopening, "database stays closed after a failed drop");
        }
        return Err(error);
    }
    Ok(())
}

/// Drops the role, its sessions and its rights wherever on the server it has any. Absent is done.
///
/// What the role owns in other databases is handed to the administrator, not dropped: nothing outside its own database
/// is lost. A role that still owns a database stays.
pub async fn drop_role(
    admin: &Session,
    names: &DatabaseNames,
    owner_uid: &str,
    adoption: Adoption<'_>,
) -> Result<(), SqlError> {
    let role = &names.role;
    let found = ownership::find(admin, names, owner_uid).await?;
    found.role_existence().permits(adoption, "role", role)?;
    let Some(found_role) = found.role else { return Ok(()) };
    let oid = found_role.oid.to_string();

    let owned = "SELECT datname::text FROM pg_database WHERE datdba = $1::oid ORDER BY 1";
    let databases = texts(admin.rows("SELECT databases of", role, owned, &[&oid]).await?);
    if !databases.is_empty() {
        return Err(SqlError::OwnsDatabases { role: role.clone(), databases });
    }

    ownership::ensure_membership(admin, role).await?;
    // A session outlives its role and would keep working without one; a pool would open the next.
    admin.execute("ALTER ROLE NOLOGIN", role, &statements::login(role, false)).await?;
    let end_sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = $1::oid";
    admin.rows("END SESSIONS OF", role, end_sessions, &[&oid]).await?;

    let elsewhere = "SELECT DISTINCT d.datname::text FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid
        WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1::oid AND d.datname <> current_database()
        ORDER BY 1";
    let release = statements::release(role);
    for database in texts(admin.rows("SELECT databases with", role, elsewhere, &[&oid]).await?) {
        let target = admin.beside(&database, Access::ReadWrite).await?;
        target.execute("REASSIGN AND DROP OWNED BY", role, &release).await?;
    }
    admin.execute("REASSIGN AND DROP OWNED BY", role, &release).await?;
    admin.execute("DROP ROLE", role, &statements::drop_role(role)).await
}

fn texts(rows: Vec<tokio_postgres::Row>) -> Vec<String> {
    rows.iter().map(|row| row.get(0)).collect()
}
