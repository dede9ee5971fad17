//! The SQL of this backend: the set-up of a new cluster and the administrator's password.

use std::path::Path;
use std::time::Duration;

use postgres_protocol::password::scram_sha_256;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use crate::fence;
use crate::secrets::Password;

use super::conf::SUPERUSER;
use super::error::LocalError;

const LIMIT: Duration = Duration::from_secs(30);

/// The statements that make a fresh cluster look like a managed server, one per line as single-user mode reads them.
///
/// The administrator may make databases and roles and watch and end sessions, and is no superuser. It may use the
/// database it logs in to as its own, but does not own it, so it cannot drop it by mistake. Nobody else gets in there.
pub(super) fn bootstrap(admin: &str, password: &Password, major: u32) -> String {
    let admin = quoted(admin);
    let verifier = scram_sha_256(password.expose().as_bytes());
    let mut statements = vec![
        format!("CREATE ROLE {admin} LOGIN CREATEDB CREATEROLE PASSWORD '{verifier}'"),
        format!("GRANT pg_monitor, pg_signal_backend TO {admin} WITH ADMIN OPTION"),
    ];
    for database in ["postgres", "template1"] {
        statements.push(format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC"));
    }
    statements.push(format!("GRANT ALL ON DATABASE postgres TO {admin}"));
    statements.push(format!("GRANT CONNECT ON DATABASE template1 TO {admin}"));
    if major < 15 {
        statements.push("REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned());
    }
    statements.push(format!("GRANT ALL ON SCHEMA public TO {admin}"));
    statements.into_iter().map(|statement| statement + ";\n").collect()
}

/// Sets the administrator's password over the server's own socket.
pub(super) async fn set_password(
    socket: &Path,
    port: u16,
    admin: &str,
    password: &Password,
) -> Result<(), LocalError> {
    // Whoever switched statement logging on shall not find a verifier in the log. A message is logged as a whole, so
    // this must be one before the other.
    let silence =
        "SET log_statement = none; SET log_min_duration_statement = -1; SET log_min_error_statement = panic";
    let verifier = scram_sha_256(password.expose().as_bytes());
    let statement = format!("ALTER ROLE {} PASSWORD '{verifier}'", quoted(admin));
    let work = async {
        let (client, connection) = superuser(socket, port).await?;
        let done = match client.batch_execute(silence).await {
            Ok(()) => client.batch_execute(&statement).await,
            refused => refused,
        };
        connection.abort();
        done
    };
    match tokio::time::timeout(LIMIT, fence::within(work)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(LocalError::Sql { message: described(&error) }),
        Err(_) => Err(LocalError::Sql { message: format!("no answer within {} s", LIMIT.as_secs()) }),
    }
}

/// A session of the superuser, who needs no password on the server's socket, and the task that keeps it going.
pub(super) async fn superuser(
    socket: &Path,
    port: u16,
) -> Result<(Client, JoinHandle<Result<(), tokio_postgres::Error>>), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::Config::new()
        .host_path(socket)
        .port(port)
        .user(SUPERUSER)
        .dbname("postgres")
        .connect(NoTls)
        .await?;
    Ok((client, tokio::spawn(fence::within(connection))))
}

/// Code and primary message only: details may repeat what was sent.
fn described(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} ({})", error.message(), error.code().code()),
        None => "the connection to the server's socket failed".to_owned(),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
