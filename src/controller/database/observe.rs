//! Reading everything a decision about a database needs.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use super::classify::presence;
use super::server::{self, ServerOfDatabase, Source};
use crate::api::{DatabaseSettings, PostgreSQLDatabase};
use crate::backend::Owner;
use crate::controller::context::Context;
use crate::controller::credentials::CredentialsSeen;
use crate::controller::failure::Failure;
use crate::controller::requests::{Requests, ResetDue};
use crate::controller::surroundings;
use crate::controller::takeover::{self, Recorded};
use crate::controller::whereabouts::Whereabouts;
use crate::postgres::{
    self, DatabaseNames, DatabaseSpec, DatabaseState, Existence, Session, TlsMode, database_name_for,
    taken_over_name_for,
};
use crate::secrets::{ConnectionFacts, SecretOwner};

/// What was seen of a database and its surroundings.
pub struct DatabaseSeen {
    /// The object.
    pub owner: Owner,
    /// The server.
    pub server: ServerOfDatabase,
    /// The names in PostgreSQL, pinned or made; or why there are none.
    pub names: Result<DatabaseNames, String>,
    /// What PostgreSQL answered; none while the server is not usable.
    pub state: Option<Result<DatabaseState, String>>,
    /// The session in which that was asked, for what follows from it.
    pub session: Option<Box<Session>>,
    /// The passwords.
    pub credentials: CredentialsSeen,
    /// What is asked for besides the spec.
    pub requests: Requests,
    /// Whether a password reset is due.
    pub reset_due: ResetDue,
    /// Why configuring was refused lately, if it was.
    pub refused: Option<String>,
    /// Nobody wants writes.
    pub paused: bool,
    /// The whole operator reads only.
    pub observes_only: bool,
    /// The object is being deleted.
    pub deleting: bool,
    /// Something says that the database existed.
    pub evidence: bool,
    /// The object has been Ready before.
    pub was_ready: bool,
    /// The namespace is being deleted.
    pub terminating: bool,
    /// The settings in the spec.
    pub settings: DatabaseSettings,
    /// What an unmarked role and database may be taken for: the published credentials log in to them.
    pub adopts_unmarked: bool,
    /// The generation of the spec.
    pub generation: i64,
    /// The generation in which the database was taken over, if it was.
    pub adopted: Option<i64>,
    /// What PostgreSQL holds was not asked, but is remembered.
    pub remembered: bool,
    /// The backend leaves databases where they are when their objects go.
    pub retain: bool,
}

impl DatabaseSeen {
    /// Whether differences wait, because the database was taken over and nobody has asked for a change since.
    pub fn holds_back(&self) -> bool {
        takeover::waits(self.adopted, self.generation)
    }

    /// What PostgreSQL shall hold.
    pub fn spec<'a>(&'a self, names: &'a DatabaseNames) -> DatabaseSpec<'a> {
        DatabaseSpec {
            names,
            owner_uid: &self.owner.uid,
            charset: self.settings.charset.as_deref(),
            collation: self.settings.collation.as_deref(),
            extensions: &self.settings.extensions,
            allowed: self.server.access.as_ref().and_then(|access| access.allowed_extensions.as_deref()),
        }
    }
}

pub(super) async fn observe(
    context: &Context,
    object: &PostgreSQLDatabase,
    written: Option<Box<Secret>>,
) -> Result<DatabaseSeen, Failure> {
    let status = object.status.clone().unwrap_or_default();
    let pinned = status.database.clone().unwrap_or_default();
    let uid = object.uid().unwrap_or_default();
    let namespace = object.namespace().unwrap_or_default();
    let owner = Owner { namespace: namespace.clone(), name: object.name_any(), uid: uid.clone() };
    let deleting = object.metadata.deletion_timestamp.is_some();
    let settings = object.spec.database.clone().unwrap_or_default();

    let remembered =
        |access: &server::Access| context.settled.find(&uid, context.settled.wishes(object, access.parts()));
    let (mut server, source) = server::look(context, object, remembered).await?;
    let administrator = server.access.as_ref().map(|access| access.logins.role(&access.username).to_owned());
    let names = match (pinned.name.clone(), pinned.owner.clone()) {
        (Some(database), Some(role)) => Ok(DatabaseNames { database, role }),
        _ => {
            let administrators: Vec<&str> = administrator.as_deref().into_iter().collect();
            let name = match takeover::keeps_original_name(object, || context.all_databases()) {
                true => taken_over_name_for(&owner.name, &administrators),
                false => database_name_for(&owner.name, &administrators),
            };
            name.map(DatabaseNames::of).map_err(|error| error.to_string())
        }
    };
    // Ours is pinned before the first effect, and the original recorded the backend before its own: with neither,
    // nothing was ever begun.
    let never_begun = pinned.name.is_none() && status.backend.is_none();
    if deleting && never_begun {
        server.seen = crate::fsm::database::ServerSeen::Gone;
    }

    let mut session = None;
    let (state, memory) = match (source, &names) {
        (Some(Source::Session(opened)), Ok(names)) => {
            let allowed = server.access.as_ref().and_then(|access| access.allowed_extensions.as_deref());
            let state = ask(&opened, names, &uid, &settings, allowed).await;
            session = state.is_ok().then_some(opened);
            (Some(state), None)
        }
        (Some(Source::Memory(memory)), Ok(_)) => (memory.database.clone().map(Ok), Some(memory)),
        _ => (None, None),
    };
    let facts = server.access.as_ref().zip(names.as_ref().ok()).map(|(access, names)| ConnectionFacts {
        username: access.logins.of(&names.role, &access.endpoint.host),
        dbname: names.database.clone(),
        host: access.endpoint.host.clone(),
        port: access.endpoint.port,
        sslmode: access.sslmode.clone(),
        provider: server.backend.clone().unwrap_or_default(),
        ca_pem: match &access.endpoint.tls {
            TlsMode::Verify { ca_pem } => Some(ca_pem.clone()),
            TlsMode::Disable | TlsMode::Require => None,
        },
    });
    // A login as a role that is not there, or not ours to be, tells nothing.
    let role_exists =
        matches!(&state, Some(Ok(state)) if matches!(state.role, Existence::Ours | Existence::Unmarked));
    let endpoint = server.access.as_ref().filter(|_| role_exists).map(|access| access.endpoint.clone());
    let secret_owner =
        SecretOwner { kind: "PostgreSQLDatabase", namespace, name: owner.name.clone(), uid: uid.clone() };
    let whereabouts = Whereabouts {
        // Nothing is stored before the names are pinned.
        nothing_pending: never_begun && !deleting && (state.is_none() || is_absent(&state)),
        written,
        secret_name: &object.spec.credentials_secret,
        former_name: status.binding.as_ref().map(|binding| binding.name.as_str()),
        temporary: takeover::temporary_secret("pgdb", object, status.first_ready_at.is_some(), || {
            context.all_databases()
        }),
        // Its `sslmode` is the one in the server's Secret already.
        taken_over: false,
        last_address: None,
        facts,
        endpoint,
        remembered: memory.as_ref().map(|memory| memory.login),
    };
    let credentials = CredentialsSeen::observe(context, secret_owner, whereabouts).await?;

    let requests = Requests::of(object);
    let reset_due = surroundings::reset_due(context, &requests, &credentials, Timestamp::now());
    let absent = is_absent(&state);
    let generation = object.metadata.generation.unwrap_or_default();
    let left = Recorded {
        pinned: pinned.name.is_some(),
        adopted: status.adopted_generation,
        backend: status.backend.as_deref(),
        deployment: status.deployment.as_ref(),
    };
    let backend = server.backend.as_deref().or(status.backend.as_deref());
    let retain = context.backends.select(None, backend).is_ok_and(|backend| backend.leaves_databases());
    let mut seen = DatabaseSeen {
        session,
        evidence: pinned.server_uid.is_some() || left.existed(credentials.is_left_by_original()),
        adopts_unmarked: credentials.is_any_accepted(),
        generation,
        adopted: None,
        was_ready: status.first_ready_at.is_some(),
        terminating: surroundings::terminating(
            context,
            &owner.namespace,
            absent,
            deleting,
            never_begun,
            &credentials,
            reset_due,
        )
        .await?,
        refused: context.refusals.find(&uid, "ConfigureDatabase", generation),
        paused: requests.paused || context.observes_only(),
        observes_only: context.observes_only(),
        owner,
        server,
        names,
        state,
        credentials,
        requests,
        reset_due,
        deleting,
        settings,
        remembered: memory.is_some(),
        retain,
    };
    seen.adopted = left.adopted(presence(&seen).is_there(), generation, &seen.requests);
    Ok(seen)
}

fn is_absent(state: &Option<Result<DatabaseState, String>>) -> bool {
    matches!(state, Some(Ok(state)) if state.database == Existence::Absent || state.role == Existence::Absent)
}

async fn ask(
    session: &Session,
    names: &DatabaseNames,
    uid: &str,
    settings: &DatabaseSettings,
    allowed: Option<&[String]>,
) -> Result<DatabaseState, String> {
    let spec = DatabaseSpec {
        names,
        owner_uid: uid,
        charset: settings.charset.as_deref(),
        collation: settings.collation.as_deref(),
        extensions: &settings.extensions,
        allowed,
    };
    postgres::observe(session, &spec).await.map_err(|error| error.to_string())
}
