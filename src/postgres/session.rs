//! One short-lived connection.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, SimpleQueryMessage};
use tracing::debug;

use super::endpoint::{Endpoint, Login, Timeouts};
use super::error::SqlError;
use super::login::{self, GRACE};
use crate::failpoints;
use crate::fence;
use crate::secrets::Password;

/// Nobody else's lock is worth waiting longer for: the next reconcile asks again.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether a session may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    ReadOnly,
    ReadWrite,
}

/// One connection to one database. Dropping it ends it. Use it from one task at a time.
pub struct Session {
    client: Client,
    origin: Origin,
    version_num: u32,
    _open: oneshot::Sender<()>,
}

/// How the session came about, so that a second one can be opened to another database of the same server.
struct Origin {
    endpoint: Endpoint,
    user: String,
    password: Option<Password>,
    dbname: String,
    timeouts: Timeouts,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("endpoint", &self.origin.endpoint.to_string())
            .field("user", &self.origin.user)
            .field("dbname", &self.origin.dbname)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Connects and logs in.
    pub async fn open(endpoint: &Endpoint, login: &Login<'_>, timeouts: Timeouts) -> Result<Self, SqlError> {
        Self::open_with(endpoint, login, timeouts, Access::ReadWrite).await
    }

    /// As [`Session::open`], but the server refuses every write of this session.
    pub async fn open_read_only(
        endpoint: &Endpoint,
        login: &Login<'_>,
        timeouts: Timeouts,
    ) -> Result<Self, SqlError> {
        Self::open_with(endpoint, login, timeouts, Access::ReadOnly).await
    }

    /// A second session of the same login, to another database of the same server.
    pub(super) async fn beside(&self, dbname: &str, access: Access) -> Result<Self, SqlError> {
        let Origin { endpoint, user, password, timeouts, .. } = &self.origin;
        let login = Login { user, password: password.as_ref(), dbname };
        Self::open_with(endpoint, &login, *timeouts, access).await
    }

    async fn open_with(
        endpoint: &Endpoint,
        login: &Login<'_>,
        timeouts: Timeouts,
        access: Access,
    ) -> Result<Self, SqlError> {
        let action = format!("login of {} to database {}", login.user, login.dbname);
        let opening = Self::connect(endpoint, login, timeouts, access, &action);
        match timeout(timeouts.connect, opening).await {
            Ok(session) => session,
            Err(_) => Err(SqlError::timed_out(&action, endpoint, timeouts.connect)),
        }
    }

    async fn connect(
        endpoint: &Endpoint,
        login: &Login<'_>,
        timeouts: Timeouts,
        access: Access,
        action: &str,
    ) -> Result<Self, SqlError> {
        let failed = |error: tokio_postgres::Error| SqlError::from_driver(&error, action, endpoint);
        let (client, connection) = login::log_in(endpoint, login, timeouts, action).await?;

        let (open, closed) = oneshot::channel::<()>();
        tokio::spawn(async move {
            // It writes what it was handed: if the process was stopped in between, not any more.
            let mut connection = pin!(fence::within(connection));
            tokio::select! {
                ended = &mut connection => if let Err(error) = ended {
                    debug!(code = error.code().map(|code| code.code()), "connection ended by the server");
                },
                // The session was dropped: leave time for the goodbye, but never hang on a dead peer.
                _ = closed => { let _ = timeout(GRACE, &mut connection).await; }
            }
        });

        let answers = client.simple_query(&preamble(timeouts, access)).await.map_err(failed)?;
        let version_num = answers
            .iter()
            .find_map(|answer| match answer {
                SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
                _ => None,
            })
            .ok_or_else(|| SqlError::Protocol {
                action: action.to_owned(),
                cause: "the server does not tell its version".to_owned(),
            })?;
        let origin = Origin {
            endpoint: endpoint.clone(),
            user: login.user.to_owned(),
            password: login.password.cloned(),
            dbname: login.dbname.to_owned(),
            timeouts,
        };
        Ok(Self { client, origin, version_num, _open: open })
    }

    /// `server_version_num`, for example 150018.
    pub fn version_num(&self) -> u32 {
        self.version_num
    }

    /// The database this session is connected to.
    pub fn dbname(&self) -> &str {
        &self.origin.dbname
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.origin.endpoint
    }

    pub(super) fn user(&self) -> &str {
        &self.origin.user
    }

    /// Runs a statement. Several statements in one text are one transaction: all of them happen or none.
    ///
    /// `kind` and `object` are for logs and errors; the text itself appears in neither.
    pub(super) async fn execute(&self, kind: &str, object: &str, sql: &str) -> Result<(), SqlError> {
        self.control(kind, object, sql).await?;
        failpoints::done(kind);
        Ok(())
    }

    /// Runs a statement that leaves nothing behind, such as the begin and end of a transaction that only reads.
    pub(super) async fn control(&self, kind: &str, object: &str, sql: &str) -> Result<(), SqlError> {
        let action = format!("{kind} {object}");
        debug!(server = %self.origin.endpoint, database = self.origin.dbname, kind, object, "sql");
        self.bounded(&action, self.client.batch_execute(sql)).await
    }

    /// Runs a query with text parameters.
    pub(super) async fn rows(
        &self,
        kind: &str,
        object: &str,
        sql: &str,
        parameters: &[&str],
    ) -> Result<Vec<Row>, SqlError> {
        let action = format!("{kind} {object}");
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            parameters.iter().map(|parameter| (parameter as &(dyn ToSql + Sync), Type::TEXT)).collect();
        self.bounded(&action, self.client.query_typed(sql, &typed)).await
    }

    async fn bounded<T>(
        &self,
        action: &str,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, SqlError> {
        let Origin { endpoint, timeouts, .. } = &self.origin;
        let bound = timeouts.statement + GRACE;
        match timeout(bound, fence::within(answer)).await {
            Ok(answer) => answer.map_err(|error| SqlError::from_driver(&error, action, endpoint)),
            Err(_) => Err(SqlError::timed_out(action, endpoint, bound)),
        }
    }
}

/// What every session starts with. Statements rather than start-up options, which poolers do not pass on.
///
/// The search path keeps functions and operators planted in `public` by a tenant out of the administrator's statements.
fn preamble(timeouts: Timeouts, access: Access) -> String {
    let statement = timeouts.statement.as_millis().max(1);
    let lock = timeouts.statement.min(LOCK_TIMEOUT).as_millis().max(1);
    let read_only = if access == Access::ReadOnly { "SET default_transaction_read_only = on; " } else { "" };
    format!(
        "SET search_path = pg_catalog; SET statement_timeout = {statement}; SET lock_timeout = {lock}; \
         SET idle_in_transaction_session_timeout = {statement}; SET client_min_messages = error; {read_only}\
         SHOW server_version_num"
    )
}

/// Whether this login works: connects and asks the server for one row.
pub async fn verify_login(endpoint: &Endpoint, login: &Login<'_>) -> Result<(), SqlError> {
    let timeouts = Timeouts::default();
    let action = format!("login of {} to database {}", login.user, login.dbname);
    let entering = login::log_in(endpoint, login, timeouts, &action);
    let (client, connection) = timeout(timeouts.connect, entering)
        .await
        .map_err(|_| SqlError::timed_out(&action, endpoint, timeouts.connect))??;
    let mut connection = pin!(fence::within(connection));
    // Nothing is sent but this, so that the session needs none of the settings of others; nor a task of its own.
    let asked = async {
        let mut asking = pin!(fence::within(client.batch_execute("SELECT 1")));
        tokio::select! {
            biased;
            answer = &mut asking => answer,
            ended = &mut connection => match ended {
                Err(error) => Err(error),
                Ok(()) => asking.await,
            },
        }
    };
    let bound = timeouts.statement + GRACE;
    let answer = timeout(bound, asked).await;
    drop(client);
    // The goodbye. Who does not take it hears nothing.
    let _ = timeout(GRACE, connection).await;
    match answer {
        Ok(answer) => answer.map_err(|error| SqlError::from_driver(&error, "SELECT 1", endpoint)),
        Err(_) => Err(SqlError::timed_out("SELECT 1", endpoint, bound)),
    }
}

/// Whether anybody listens there: far cheaper than a login, and it tells less. PostgreSQL does not log it.
pub async fn takes_connections(endpoint: &Endpoint) -> bool {
    let limit = Timeouts::default().connect;
    let Endpoint { host, port, .. } = endpoint;
    if endpoint.is_unix_socket() {
        let path = format!("{host}/.s.PGSQL.{port}");
        return matches!(timeout(limit, tokio::net::UnixStream::connect(path)).await, Ok(Ok(_)));
    }
    matches!(timeout(limit, tokio::net::TcpStream::connect((host.as_str(), *port))).await, Ok(Ok(_)))
}
