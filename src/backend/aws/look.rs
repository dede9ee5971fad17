//! Looking at a server, and what it is taken for.

use super::super::{
    BackendError, Owner, PresentServer, Read, ServerFacts, ServerIdentity, ServerObservation, Urgency,
};
use super::error::PROTECTED;
use super::servers::{Servers, Shown};
use super::{parameters, tags};

/// Looks as freshly as `read` says.
pub(super) async fn at<S: Servers>(
    servers: &S,
    identity: &ServerIdentity,
    owner: &Owner,
    read: Read,
) -> Result<ServerObservation, BackendError> {
    let (base, name) = (servers.base(), identity.name.as_str());
    base.must_be_here(identity)?;
    let urgency = match read {
        Read::Shared { at_most } => {
            let since = base.memory.since(name, at_most);
            if let Some(server) = servers.listed(name, since).await? {
                return judged(servers, &server, owner, false).await;
            }
            Urgency::Resync
        }
        Read::Direct(urgency) => urgency,
    };
    // A listing confirms presence only.
    match servers.read(name, urgency).await? {
        Some(server) => judged(servers, &server, owner, true).await,
        None => {
            base.must_be_its_account(identity).await?;
            Ok(ServerObservation::Absent)
        }
    }
}

/// The server, if it is there and ours; read right before something is done to it.
pub(super) async fn ours<S: Servers>(
    servers: &S,
    identity: &ServerIdentity,
    owner: &Owner,
) -> Result<S::Server, BackendError> {
    let (base, name) = (servers.base(), identity.name.as_str());
    base.must_be_here(identity)?;
    let gone = || BackendError::Gone { message: format!("there is no {} {name}", base.engine.noun()) };
    let server = servers.read(name, Urgency::User).await?.ok_or_else(gone)?;
    match base.whose(&server, owner) {
        None => Ok(server),
        Some(message) => Err(BackendError::Conflict { message }),
    }
}

async fn judged<S: Servers>(
    servers: &S,
    server: &S::Server,
    owner: &Owner,
    fresh: bool,
) -> Result<ServerObservation, BackendError> {
    if let Some(message) = servers.base().whose(server, owner) {
        return Ok(ServerObservation::NotOurs { message });
    }
    Ok(judge(server, facts(servers, server, fresh).await?))
}

/// The meaning of a server of ours.
pub(super) fn judge(server: &impl Shown, facts: ServerFacts) -> ServerObservation {
    let mut state = server.state();
    if server.has_pending_password() {
        state.waits_for("resetting-master-credentials");
    }
    if facts.settings.get(parameters::APPLIED).is_some_and(|applied| applied == "applying") {
        state.waits_for("applying parameters");
    }
    ServerObservation::Present(Box::new(PresentServer {
        uid: server.uid().map(str::to_owned),
        health: state.health,
        accepts_writes: state.accepts_writes,
        operation: state.operation,
        protected: server.is_protected().then(|| PROTECTED.to_owned()),
        left: tags::value(server.tags(), tags::RETAINED).is_some(),
        facts,
    }))
}

/// What the server is like, with its parameters where the group is its own.
pub(super) async fn facts<S: Servers>(
    servers: &S,
    server: &S::Server,
    fresh: bool,
) -> Result<ServerFacts, BackendError> {
    let mut facts = servers.facts(server);
    if let Some(group) = server.own_group() {
        let base = servers.base();
        let values = base.groups.values(&base.service, group, fresh, Urgency::Resync).await?;
        facts.settings.extend(values.iter().map(|(field, value)| (field.clone(), value.clone())));
    }
    Ok(facts)
}
