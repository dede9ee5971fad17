//! The server of a database, as far as the database may rely on it.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::Api;

use crate::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use crate::backend::Logins;
use crate::controller::context::Context;
use crate::controller::failure::Failure;
use crate::controller::settled::{Login as Remembered, Memory};
use crate::fsm::database::ServerSeen;
use crate::postgres::{Endpoint, Login, Session, SqlErrorKind, Timeouts, TlsMode, takes_connections};
use crate::secrets::{Password, SecretOwner, field, is_unmarked_and_complete, password_in};

/// The server of a database.
pub struct ServerOfDatabase {
    /// What the decision needs.
    pub seen: ServerSeen,
    /// What is waited for, for people.
    pub waiting_for: String,
    /// The server itself is there, only its administrator's password is being changed.
    pub passing: bool,
    /// How to log in as the administrator; none while the server cannot be used.
    pub access: Option<Access>,
    /// The recorded id of the server.
    pub uid: Option<String>,
    /// The backend the server lives in.
    pub backend: Option<String>,
}

/// A way in as the administrator.
pub struct Access {
    /// Where.
    pub endpoint: Endpoint,
    /// As whom.
    pub username: String,
    /// How the names of logins are spelled.
    pub logins: Logins,
    /// With which password.
    pub password: Password,
    /// To which database.
    pub dbname: String,
    /// What applications put in as `sslmode`.
    pub sslmode: String,
    /// The extensions that the server's spec allows, where the operator has to see to it; none: every one.
    pub allowed_extensions: Option<Vec<String>>,
}

impl Access {
    /// What it consists of, to be compared with an earlier one.
    pub fn parts(&self) -> impl std::hash::Hash {
        let Endpoint { host, port, tls } = &self.endpoint;
        let ca_pem = match tls {
            TlsMode::Verify { ca_pem } => Some(ca_pem),
            TlsMode::Disable | TlsMode::Require => None,
        };
        let allowed = &self.allowed_extensions;
        (host, port, ca_pem, &self.username, self.password.expose(), &self.dbname, &self.sslmode, allowed)
    }

    /// Opens a session as the administrator.
    ///
    /// # Errors
    /// When the server does not let us in.
    pub async fn open(&self) -> Result<Session, crate::postgres::SqlError> {
        let login = Login { user: &self.username, password: Some(&self.password), dbname: &self.dbname };
        Session::open(&self.endpoint, &login, Timeouts::default()).await
    }
}

impl ServerOfDatabase {
    fn waiting(message: impl Into<String>, server: Option<&PostgreSQLServer>) -> Self {
        Self::not_usable(ServerSeen::Waiting, message, server)
    }

    fn not_usable(seen: ServerSeen, message: impl Into<String>, server: Option<&PostgreSQLServer>) -> Self {
        let status = server.and_then(|server| server.status.as_ref());
        Self {
            seen,
            waiting_for: message.into(),
            passing: false,
            access: None,
            uid: status.and_then(|status| status.server.as_ref()).and_then(|pinned| pinned.uid.clone()),
            backend: status.and_then(|status| status.backend.clone()),
        }
    }
}

/// How to know what PostgreSQL holds.
pub enum Source {
    /// By asking it.
    Session(Box<Session>),
    /// From an earlier look, since when nothing has changed.
    Memory(Box<Memory>),
}

/// Looks the server up, and logs in to see whether it can be used; not where `remembered` knows that with this way in
/// everything was settled lately.
///
/// # Errors
/// When the API server could not be asked.
pub(super) async fn look(
    context: &Context,
    object: &PostgreSQLDatabase,
    remembered: impl Fn(&Access) -> Option<Memory>,
) -> Result<(ServerOfDatabase, Option<Source>), Failure> {
    let name = &object.spec.server_ref.name;
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<PostgreSQLServer> = Api::namespaced(context.client.clone(), &namespace);
    let Some(server) = api.get_opt(name).await? else {
        let message = format!("the PostgreSQLServer {name} does not exist");
        return Ok((ServerOfDatabase::not_usable(ServerSeen::Gone, message, None), None));
    };
    // A server that is going waits for its databases, so those that are there and shall stay are looked after.
    let stays = object.metadata.deletion_timestamp.is_none()
        && object.status.as_ref().is_some_and(|status| status.database.is_some());
    if server.metadata.deletion_timestamp.is_some() && !stays {
        let message = format!("the PostgreSQLServer {name} is being deleted");
        return Ok((ServerOfDatabase::not_usable(ServerSeen::Gone, message, Some(&server)), None));
    }
    match stalled(&server) {
        Some(Reason::ServerLost) => {
            let message = format!("the server of the PostgreSQLServer {name} is lost");
            return Ok((ServerOfDatabase::not_usable(ServerSeen::Gone, message, Some(&server)), None));
        }
        // It may hold this database, restored from a backup, or somebody else's: nobody touches it.
        Some(Reason::ServerReplaced) => {
            let message = format!("another server is in the place of the PostgreSQLServer {name}'s");
            return Ok((ServerOfDatabase::waiting(message, Some(&server)), None));
        }
        _ => {}
    }
    let owner = SecretOwner {
        kind: "PostgreSQLServer",
        namespace: namespace.clone(),
        name: name.clone(),
        uid: server.uid().unwrap_or_default(),
    };
    let secret = context.secrets.get(&namespace, &server.spec.credentials_secret).await?;
    let ours = secret.filter(|secret| owner.owns(secret) || is_left_for(&server, secret));
    let access = ours.and_then(|secret| access_in(&secret));
    let Some(mut access) = access else {
        let message = format!("the PostgreSQLServer {name} has no credentials yet");
        return Ok((ServerOfDatabase::waiting(message, Some(&server)), None));
    };
    let recorded = server.status.as_ref().and_then(|status| status.backend.as_deref());
    if let Ok(backend) = context.backends.select(server.spec.backend.as_deref(), recorded) {
        access.logins = backend.logins();
        let listed = &server.spec.extensions;
        access.allowed_extensions =
            (backend.lists_extensions() && !listed.is_empty()).then(|| listed.clone());
    }
    let usable = |access| {
        let usable = ServerOfDatabase::not_usable(ServerSeen::Usable, "", Some(&server));
        ServerOfDatabase { access: Some(access), ..usable }
    };
    if let Some(memory) = remembered(&access).filter(|memory| memory.login != Remembered::Unknown)
        && takes_connections(&access.endpoint).await
    {
        return Ok((usable(access), Some(Source::Memory(Box::new(memory)))));
    }
    match access.open().await {
        Ok(session) => Ok((usable(access), Some(Source::Session(Box::new(session))))),
        Err(error) => {
            let what = match error.kind() {
                SqlErrorKind::PasswordRefused => "its administrator password is being changed",
                SqlErrorKind::NotReady => "it is not ready to serve",
                _ => "it cannot be reached",
            };
            let message = format!("the PostgreSQLServer {name}: {what}: {error}");
            let mut waiting = ServerOfDatabase::waiting(message, Some(&server));
            waiting.passing = error.kind() == SqlErrorKind::PasswordRefused;
            Ok((waiting, None))
        }
    }
}

/// Whether the original wrote the Secret for the server that we have seen; while nothing may be written, no mark says so.
/// A database that named its server's Secret has written its own credentials into it: those are no administrator's.
fn is_left_for(server: &PostgreSQLServer, secret: &Secret) -> bool {
    let pinned = server.status.as_ref().and_then(|status| status.server.as_ref());
    let address = pinned.and_then(|pinned| pinned.host.clone().zip(pinned.port.map(|port| port.to_string())));
    is_unmarked_and_complete(secret)
        && field(secret, "dbname").as_deref() == Some("postgres")
        && address.is_some_and(|address| field(secret, "host").zip(field(secret, "port")) == Some(address))
}

/// Why the server does not get on.
fn stalled(server: &PostgreSQLServer) -> Option<Reason> {
    let conditions = server.status.as_ref().map_or(&[][..], |status| &status.conditions);
    let stalled = conditions.iter().find(|condition| {
        condition.type_ == ConditionType::Stalled && condition.status == ConditionStatus::True
    });
    stalled.map(|condition| condition.reason)
}

fn access_in(secret: &Secret) -> Option<Access> {
    let sslmode = field(secret, "sslmode")?;
    let tls = match (field(secret, "ca.crt"), sslmode.as_str()) {
        (Some(ca_pem), _) => TlsMode::Verify { ca_pem },
        (None, "disable") => TlsMode::Disable,
        (None, _) => TlsMode::Require,
    };
    let endpoint = Endpoint { host: field(secret, "host")?, port: field(secret, "port")?.parse().ok()?, tls };
    Some(Access {
        endpoint,
        username: field(secret, "username")?,
        logins: Logins::default(),
        password: password_in(secret)?,
        dbname: field(secret, "dbname")?,
        sslmode,
        allowed_extensions: None,
    })
}
