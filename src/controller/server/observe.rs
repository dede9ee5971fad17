//! Reading everything a decision about a server needs.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use super::waiting::{self, Waiting};
use crate::api::{DeletionPolicy, Phase, PostgreSQLServer};
use crate::backend::{
    BackendError, Change, DesiredServer, Difference, Health, Notes, Owner, PresentServer, Read, Rejection,
    ServerBackend, ServerIdentity, ServerObservation, Stage, Urgency,
};
use crate::controller::awaited::Standing;
use crate::controller::context::Context;
use crate::controller::credentials::CredentialsSeen;
use crate::controller::failure::Failure;
use crate::controller::requests::{Action, Requests, ResetDue};
use crate::controller::settled::Mark;
use crate::controller::surroundings;
use crate::controller::takeover::{self, Recorded};
use crate::controller::whereabouts::Whereabouts;
use crate::postgres::TlsMode;
use crate::secrets::{ConnectionFacts, SecretOwner};

/// What was seen of a server and its surroundings.
pub struct ServerSeen {
    /// The object, for the backend.
    pub owner: Owner,
    /// The backend, or why there is none.
    pub backend: Result<Arc<dyn ServerBackend>, String>,
    /// Where the server lives or would live; none when no legal name can be made.
    pub identity: Option<ServerIdentity>,
    /// What the backend answered.
    pub answer: Answer,
    /// What the backend knows that its service would not tell another process; none where there is no backend.
    pub notes: Option<Notes>,
    /// How the server differs from the spec, without what waits.
    pub differences: Vec<Difference>,
    /// What differs and waits for the maintenance window.
    pub waiting: Waiting,
    /// What the backend does not do, though the spec asks for it.
    pub unsupported: Vec<Rejection>,
    /// What the backend cannot do.
    pub rejections: Vec<Rejection>,
    /// Changes that were refused lately: action and why.
    pub refused: Vec<(&'static str, String)>,
    /// The passwords.
    pub credentials: CredentialsSeen,
    /// What the backend has said to the password that is to be in force.
    pub awaited: Standing,
    /// What is asked for besides the spec.
    pub requests: Requests,
    /// Whether a password reset is due.
    pub reset_due: ResetDue,
    /// Nobody wants writes.
    pub paused: bool,
    /// The whole operator reads only.
    pub observes_only: bool,
    /// The object is being deleted.
    pub deleting: bool,
    /// Something says that the server existed.
    pub evidence: bool,
    /// A create was asked for so recently that absence means nothing yet.
    pub settling: bool,
    /// The object has been Ready before.
    pub was_ready: bool,
    /// The namespace is being deleted.
    pub terminating: bool,
    /// Databases that refer to the server and are not being deleted.
    pub referenced_by: Vec<String>,
    /// What happens to the server when the object goes.
    pub deletion: DeletionPolicy,
    /// The backend marks servers instead of deleting them.
    pub leaves_deleted: bool,
    /// The backend marks servers that stay because their objects say so.
    pub marks_retained: bool,
    /// What the server was working on when it was last seen, if its object was being deleted then.
    pub last_seen: Option<String>,
    /// The recorded id of the server.
    pub recorded_uid: Option<String>,
    /// The generation of the spec.
    pub generation: i64,
    /// The generation in which the server was taken over, if it was.
    pub adopted: Option<i64>,
}

/// What the backend answered.
pub enum Answer {
    /// It could not be asked.
    Unreadable {
        /// Why, for people.
        message: String,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// There is no such server.
    Absent,
    /// There is one of somebody else.
    NotOurs(String),
    /// There is one of ours.
    Present(Box<PresentServer>),
}

impl ServerSeen {
    /// The server, if there is one of ours.
    pub fn present(&self) -> Option<&PresentServer> {
        match &self.answer {
            Answer::Present(server) => Some(server),
            _ => None,
        }
    }

    /// Whether differences wait, because the server was taken over and nobody has asked for a change since.
    pub fn holds_back(&self) -> bool {
        takeover::waits(self.adopted, self.generation)
    }

    /// Whether the server shall bear the mark that its object is gone.
    pub fn is_to_bear_mark(&self) -> bool {
        let stays = self.deletion == DeletionPolicy::Retain && self.marks_retained;
        self.deleting && (self.leaves_deleted || stays)
    }

    /// How long the backend asked to be left alone.
    pub fn retry_after(&self) -> Duration {
        match self.answer {
            Answer::Unreadable { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        }
    }

    /// What the backend knows by now.
    pub fn note(&mut self) {
        self.notes = notes(&self.backend, self.identity.as_ref());
    }

    /// Differences that `stage` carries out and that were not refused lately.
    pub fn due(&self, stage: Stage) -> Vec<Difference> {
        let action = match stage {
            Stage::Update => "UpdateServer",
            Stage::Configure => "ConfigureServer",
        };
        if self.refused.iter().any(|(refused, _)| *refused == action) {
            return Vec::new();
        }
        self.differences.iter().filter(|difference| difference.is_applied_by(stage)).cloned().collect()
    }
}

pub(super) async fn observe(
    context: &Context,
    object: &PostgreSQLServer,
    written: Option<Box<Secret>>,
) -> Result<ServerSeen, Failure> {
    let status = object.status.clone().unwrap_or_default();
    let pinned = status.server.clone().unwrap_or_default();
    let uid = object.uid().unwrap_or_default();
    let namespace = object.namespace().unwrap_or_default();
    let owner = Owner { namespace: namespace.clone(), name: object.name_any(), uid: uid.clone() };
    let deleting = object.metadata.deletion_timestamp.is_some();
    let desired = DesiredServer {
        owner: &owner,
        spec: &object.spec,
        managed: &status.managed_parameters,
        managed_rules: &status.managed_firewall_rules,
    };

    let (wanted_backend, recorded_backend) = (object.spec.backend.as_deref(), status.backend.as_deref());
    let selected = match pinned.name {
        Some(_) => context.backends.select(wanted_backend, recorded_backend),
        None => context.backends.select_left(wanted_backend, recorded_backend),
    };
    let mut rejections = Vec::new();
    let mut identity = None;
    if let Ok(backend) = &selected {
        match pinned.name.clone() {
            Some(name) => {
                let (account, region, group) =
                    (pinned.account.clone(), pinned.region.clone(), pinned.group.clone());
                identity = Some(ServerIdentity { name, account, region, group });
            }
            None => match backend.identity(&owner) {
                Ok(made) => identity = Some(made),
                Err(rejection) => rejections.push(rejection),
            },
        }
        rejections.extend(backend.validate(&desired).err().unwrap_or_default());
    }

    // Ours is pinned before the first effect, and the original recorded the backend before its own: with neither,
    // nothing was ever begun.
    let never_begun = pinned.name.is_none() && status.backend.is_none();
    let remembered = context.settled.find(&uid, wishes(context, object)).map(|memory| memory.login);
    let requests = Requests::of(object);
    let read = freshness(context, object, &requests, remembered.is_some());
    let answer = match (&selected, &identity) {
        _ if deleting && never_begun => Answer::Absent,
        (Ok(backend), Some(identity)) => {
            backend.recall(identity, &Notes::kept(&status));
            ask(backend.as_ref(), identity, &owner, read).await
        }
        (Err(error), _) if status.backend.is_some() => {
            Answer::Unreadable { message: error.to_string(), retry_after: None }
        }
        _ => Answer::Absent,
    };
    // Everything else is looked at along with it then: a service that does not answer is not asked a second time at once.
    let remembered = remembered.filter(|_| !matches!(answer, Answer::Unreadable { .. }));
    if let Err(error) = &selected {
        rejections.push(Rejection { field: "spec.backend".to_owned(), message: error.to_string() });
    }
    if let (Ok(backend), Answer::Absent) = (&selected, &answer) {
        rejections.extend(backend.creates().err());
    }
    let present = match &answer {
        Answer::Present(server) => Some(server.as_ref()),
        _ => None,
    };
    let facts =
        present.zip(selected.as_ref().ok()).and_then(|(server, backend)| connection(server, backend.name()));
    let endpoint = present
        .filter(|server| server.health == Health::Usable)
        .and_then(|server| server.facts.endpoint.clone());
    let secret_owner =
        SecretOwner { kind: "PostgreSQLServer", namespace, name: owner.name.clone(), uid: uid.clone() };
    let generation = object.metadata.generation.unwrap_or_default();
    let left = Recorded {
        pinned: pinned.name.is_some(),
        adopted: status.adopted_generation,
        backend: recorded_backend,
        deployment: status.deployment.as_ref(),
    };
    let adopted =
        left.adopted(present.is_some_and(|server| is_worth_keeping(object, server)), generation, &requests);
    let whereabouts = Whereabouts {
        remembered,
        // Nothing is stored before the name is pinned.
        nothing_pending: never_begun && !deleting && matches!(answer, Answer::Absent),
        written,
        secret_name: &object.spec.credentials_secret,
        former_name: status.binding.as_ref().map(|binding| binding.name.as_str()),
        temporary: takeover::temporary_secret("pg", object, status.first_ready_at.is_some(), || {
            context.all_servers()
        }),
        taken_over: adopted.is_some(),
        last_address: pinned.host.clone().zip(pinned.port),
        facts,
        endpoint,
    };
    let credentials = CredentialsSeen::observe(context, secret_owner, whereabouts).await?;

    let mut differences = match (present, &selected) {
        (Some(server), Ok(backend)) => backend.differences(&desired, &server.facts),
        _ => Vec::new(),
    };
    let moves = context.backends.asked_to_move(wanted_backend, recorded_backend);
    differences.extend(moves.map(|wanted| Difference {
        field: "backend".to_owned(),
        found: status.backend.clone(),
        wanted: Some(wanted.to_owned()),
        change: Change::Refused { message: "a server stays in its backend".to_owned() },
    }));
    let now = Timestamp::now();
    // What was taken over waits as a whole; whoever asks for it now does not mean some other day.
    let held_back = takeover::waits(adopted, generation) || requests.asks_for(Action::ApplyNow);
    let waiting = match (present, &selected) {
        (Some(server), Ok(backend)) if !held_back => {
            let (window, usable) = (backend.default_window(&server.facts), server.health == Health::Usable);
            waiting::take(&mut differences, &object.spec, window, usable, now)
        }
        _ => Waiting::default(),
    };
    let unsupported = selected.as_ref().map_or_else(|_| Vec::new(), |backend| backend.unsupported(&desired));
    let reset_due = surroundings::reset_due(context, &requests, &credentials, now);
    let awaited = credentials.refused().map(|it| context.awaited.standing(&uid, it)).unwrap_or_default();
    let absent = matches!(answer, Answer::Absent);
    let refused = ["UpdateServer", "ConfigureServer"]
        .into_iter()
        .filter_map(|action| Some((action, context.refusals.find(&uid, action, generation)?)))
        .collect();
    let settling_time = selected.as_ref().map(|backend| backend.settling_time()).unwrap_or_default();
    let attempted = status.create_attempted_at.as_ref().map(|at| at.0);
    Ok(ServerSeen {
        evidence: pinned.uid.is_some() || left.existed(credentials.is_left_by_original()),
        settling: absent
            && pinned.uid.is_none()
            && attempted.is_some_and(|at| now.duration_since(at).unsigned_abs() < settling_time),
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
        referenced_by: if deleting { surroundings::databases_of(context, &owner).await? } else { Vec::new() },
        paused: requests.paused || context.observes_only(),
        observes_only: context.observes_only(),
        deletion: object.spec.deletion_policy.unwrap_or_else(|| {
            selected.as_ref().map_or_else(
                |_| DeletionPolicy::default(),
                |backend| backend.default_deletion(takeover::is_original(object)),
            )
        }),
        leaves_deleted: selected.as_ref().is_ok_and(|backend| backend.leaves_deleted()),
        marks_retained: selected.as_ref().is_ok_and(|backend| backend.marks_retained()),
        last_seen: status
            .operation
            .filter(|_| status.phase == Some(Phase::Deleting))
            .map(|operation| operation.kind),
        recorded_uid: pinned.uid,
        generation,
        adopted,
        notes: notes(&selected, identity.as_ref()),
        backend: selected.map_err(|error| error.to_string()),
        owner,
        identity,
        answer,
        differences,
        waiting,
        unsupported,
        rejections,
        refused,
        credentials,
        awaited,
        requests,
        reset_due,
        deleting,
    })
}

fn notes<E>(backend: &Result<Arc<dyn ServerBackend>, E>, identity: Option<&ServerIdentity>) -> Option<Notes> {
    Some(backend.as_ref().ok()?.notes(identity?))
}

/// A mark of what is wished of this server.
pub(super) fn wishes(context: &Context, object: &PostgreSQLServer) -> Mark {
    let pinned = object.status.as_ref().and_then(|status| status.server.as_ref());
    context.settled.wishes(object, pinned.map(|pinned| &pinned.uid))
}

/// A failed creation of the original's is for people to look at; one that nobody finished for us is no loss.
fn is_worth_keeping(object: &PostgreSQLServer, server: &PresentServer) -> bool {
    takeover::is_original(object) || !matches!(server.health, Health::Failed { was_available: false, .. })
}

/// How fresh the answer has to be. From what is remembered nothing follows but that there is nothing to do, so that a
/// listing will do; its age adds to the time until something is noticed that nobody has told us of. Whatever else is
/// decided is decided after a look without memory, which is a direct read.
fn freshness(context: &Context, object: &PostgreSQLServer, requests: &Requests, remembered: bool) -> Read {
    if remembered {
        return Read::Shared { at_most: context.resync() };
    }
    let status = object.status.as_ref();
    let settled = status.is_some_and(|status| {
        status.phase == Some(Phase::Ready) && status.observed_generation == object.metadata.generation
    });
    let asked = object.metadata.deletion_timestamp.is_some() || !requests.actions.is_empty();
    Read::Direct(if settled && !asked { Urgency::Resync } else { Urgency::User })
}

async fn ask(backend: &dyn ServerBackend, identity: &ServerIdentity, owner: &Owner, read: Read) -> Answer {
    match backend.observe(identity, owner, read).await {
        Ok(ServerObservation::Absent) => Answer::Absent,
        Ok(ServerObservation::NotOurs { message }) => Answer::NotOurs(message),
        Ok(ServerObservation::Present(server)) => Answer::Present(server),
        Err(error @ BackendError::Conflict { .. }) => Answer::NotOurs(error.to_string()),
        Err(error) => {
            let retry_after = match &error {
                BackendError::Transient { retry_after, .. } => *retry_after,
                _ => None,
            };
            Answer::Unreadable { message: error.to_string(), retry_after }
        }
    }
}

/// What an application needs to log in as the administrator.
fn connection(server: &PresentServer, provider: &str) -> Option<ConnectionFacts> {
    let endpoint = server.facts.endpoint.as_ref()?;
    Some(ConnectionFacts {
        username: server.facts.admin_username.clone(),
        dbname: server.facts.admin_database.clone(),
        host: endpoint.host.clone(),
        port: endpoint.port,
        sslmode: server.facts.sslmode.clone(),
        provider: provider.to_owned(),
        ca_pem: match &endpoint.tls {
            TlsMode::Verify { ca_pem } => Some(ca_pem.clone()),
            TlsMode::Disable | TlsMode::Require => None,
        },
    })
}
