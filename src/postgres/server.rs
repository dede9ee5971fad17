//! Facts about a server.

use super::error::SqlError;
use super::session::Session;

/// What a server says about itself and about the login that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// `server_version_num`, for example 150018.
    pub version_num: u32,
    /// `server_version`, for example `15.18`.
    pub version: String,
    /// The server is a standby and takes no writes.
    pub in_recovery: bool,
    /// Transactions of this login are read-only by default, as on a server that is out of disk.
    pub read_only: bool,
    /// The login is a superuser.
    pub superuser: bool,
    /// The login may create databases and roles (a superuser may).
    pub can_manage: bool,
    /// This connection is encrypted.
    pub encrypted: bool,
}

/// Asks the server for its facts. Reads only.
pub async fn server_facts(session: &Session) -> Result<ServerFacts, SqlError> {
    let query = "SELECT current_setting('server_version'), pg_is_in_recovery(),
            current_setting('default_transaction_read_only') = 'on', r.rolsuper,
            r.rolsuper OR (r.rolcreatedb AND r.rolcreaterole),
            coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)
        FROM pg_roles r WHERE r.rolname = current_user";
    let rows = session.rows("SELECT", "server facts", query, &[]).await?;
    let row = rows.first().ok_or_else(|| SqlError::RoleMissing { role: session.user().to_owned() })?;
    Ok(ServerFacts {
        version_num: session.version_num(),
        version: row.get(0),
        in_recovery: row.get(1),
        read_only: row.get(2),
        superuser: row.get(3),
        can_manage: row.get(4),
        encrypted: row.get(5),
    })
}
