//! Looking at a server.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::super::cloud::{Whose, whose};
use super::super::super::{
    BackendError, Health, Owner, PresentServer, Read, ServerFacts, ServerIdentity, ServerObservation,
    Settings, Urgency,
};
use super::super::arm::{Call, PROTECTED};
use super::super::memory::{Course, Task};
use super::super::model::{FirewallRule, Lock, OwnProperties, Server};
use super::super::states::{self, State};
use super::super::{fields, firewall, identity, rules};
use super::{CREATION, DELETION, LOCKS_VERSION, SERVER, Service};
use crate::postgres::{Endpoint, TlsMode};

impl<P: OwnProperties> Service<P> {
    /// The server as a whole, without what is read only of one that [is at rest](is_at_rest); `note` adds what only its
    /// service's servers are like. And whether somebody waits for more.
    pub(in super::super) async fn look(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
        note: impl Fn(&Server<P>, &mut ServerFacts) + Send + Sync,
    ) -> Result<(ServerObservation, Urgency), BackendError> {
        let course = self.memory.course(&self.arm, &identity.name).await?;
        let (listed, urgency) = match read {
            Read::Shared { at_most } if course.is_none() => {
                (self.listed(identity, at_most).await?, Urgency::Resync)
            }
            Read::Shared { .. } => (None, Urgency::Resync),
            Read::Direct(urgency) => (None, urgency),
        };
        let found = match listed {
            Some(server) => Some(server),
            // A listing confirms presence only.
            None => self.read(identity, urgency).await?.map(Arc::new),
        };
        let Some(server) = found else { return Ok((absent(course), urgency)) };
        if let Some(message) = self.whose(server.as_ref(), owner) {
            return Ok((ServerObservation::NotOurs { message }, urgency));
        }
        let mut facts = self.facts(&server);
        note(&server, &mut facts);
        let mut present = judge(server.as_ref(), facts);
        match course {
            Some((task, Course::Running)) => {
                present.accepts_writes = false;
                if task.about == SERVER || task.about == DELETION {
                    present.health = Health::Unusable { message: format!("Azure is {}", task.name) };
                }
                present.operation = Some(task.name);
            }
            Some((task, Course::Failed(error))) if task.name == CREATION => {
                present.health = Health::Failed { message: error.to_string(), was_available: false };
            }
            // Told to whoever begins it anew.
            Some((_, Course::Failed(_))) | None => {}
        }
        Ok((ServerObservation::Present(Box::new(present)), urgency))
    }

    /// What servers of both services are like.
    fn facts(&self, server: &Server<P>) -> ServerFacts {
        let properties = &server.properties;
        let host = properties.fully_qualified_domain_name.clone().filter(|host| !host.is_empty());
        let tls = match self.authorities.ca_pem(properties.own.is_named_in_certificate()) {
            Some(ca_pem) => TlsMode::Verify { ca_pem },
            None => TlsMode::Require,
        };
        let login = properties.administrator_login.as_ref().unwrap_or(&self.azure.admin_username);
        ServerFacts {
            account: None,
            endpoint: host.map(|host| Endpoint { host, port: 5432, tls }),
            admin_username: login.clone(),
            admin_database: "postgres".to_owned(),
            sslmode: "require".to_owned(),
            version: properties.version.clone(),
            size: server.sku.as_ref().map(|sku| sku.name.clone()),
            storage_gb: properties.own.disk().gb.map(u64::from),
            storage_used_gb: None,
            settings: rules::found(server),
        }
    }

    /// Puts the rules of the firewall among the facts of a server that has one.
    pub(in super::super) async fn look_at_rules(
        &self,
        identity: &ServerIdentity,
        settings: &mut Settings,
        urgency: Urgency,
    ) -> Result<(), BackendError> {
        if settings.get(fields::NETWORK).is_some_and(|network| network == fields::PUBLIC) {
            let path = format!("{}/firewallRules", self.path(identity));
            let all: Vec<FirewallRule> = self.list("reading the firewall rules", &path, urgency).await?;
            firewall::note(settings, &all);
        }
        Ok(())
    }

    /// Says whether the server is locked, where the administrator wants locks: reading them takes a right that an
    /// operator which sets none need not have.
    pub(in super::super) async fn look_at_locks(
        &self,
        identity: &ServerIdentity,
        present: &mut PresentServer,
        urgency: Urgency,
    ) -> Result<(), BackendError> {
        if self.azure.lock_from_deletion {
            let locks = format!("{}/providers/Microsoft.Authorization/locks", self.path(identity));
            let name = "reading the locks";
            let call = Call { name, path: &locks, version: LOCKS_VERSION, urgency };
            let all: Vec<Lock> = self.arm.list(call).await?;
            let locked = all.iter().any(|lock| lock.properties.level != "NotSpecified");
            let told = if locked { "set" } else { "not set" };
            present.facts.settings.insert(fields::LOCK.to_owned(), told.to_owned());
            present.protected = locked.then(|| PROTECTED.to_owned());
        }
        Ok(())
    }

    /// The server, by a read of its own; none if the service says that there is none.
    pub(in super::super) async fn server(
        &self,
        identity: &ServerIdentity,
    ) -> Result<Option<Server<P>>, BackendError> {
        self.read(identity, Urgency::User).await
    }

    async fn read(
        &self,
        identity: &ServerIdentity,
        urgency: Urgency,
    ) -> Result<Option<Server<P>>, BackendError> {
        self.get("reading the server", &self.path(identity), urgency).await
    }

    /// The server, if it is there and ours.
    pub(in super::super) async fn ours(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
    ) -> Result<Server<P>, BackendError> {
        let gone = || BackendError::Gone { message: format!("there is no server {}", identity.name) };
        let server = self.server(identity).await?.ok_or_else(gone)?;
        match self.whose(&server, owner) {
            None => Ok(server),
            Some(message) => Err(BackendError::Conflict { message }),
        }
    }

    /// The server, if it is ours and takes changes: asked before each write, since the service refuses those that come
    /// while it works on another one.
    pub(in super::super) async fn at_rest(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
    ) -> Result<Server<P>, BackendError> {
        let server = self.ours(identity, owner).await?;
        let busy = |what: &str| BackendError::Busy {
            message: format!("the server {} is busy: {what}", identity.name),
        };
        if let Some((task, Course::Running)) = self.memory.course(&self.arm, &identity.name).await? {
            return Err(busy(&task.name));
        }
        match server.state() {
            Some(state) if !state.eq_ignore_ascii_case(states::READY) => Err(busy(state)),
            _ => Ok(server),
        }
    }

    async fn listed(
        &self,
        identity: &ServerIdentity,
        at_most: Duration,
    ) -> Result<Option<Arc<Server<P>>>, BackendError> {
        let azure = &self.azure;
        let here = identity
            .group
            .as_deref()
            .is_none_or(|group| group.eq_ignore_ascii_case(&azure.resource_group))
            && identity.account.as_deref().is_none_or(|id| id.eq_ignore_ascii_case(&azure.subscription_id));
        if !here {
            return Ok(None);
        }
        let now = Instant::now();
        let youngest = now.checked_sub(at_most).unwrap_or(now);
        let since = self.memory.written(&identity.name).map_or(youngest, |written| written.max(youngest));
        let path = self.servers(identity);
        let take = async || {
            let servers: Vec<Server<P>> = self.list("listing the servers", &path, Urgency::Resync).await?;
            let named = servers
                .into_iter()
                .filter_map(|server| Some((server.name.as_deref()?.to_lowercase(), server)));
            Ok(named.collect::<HashMap<_, _>>())
        };
        self.listing.find(&identity.name.to_lowercase(), since, take).await
    }

    /// Whose a server is, if not the object's.
    pub(super) fn whose(&self, server: &Server<P>, owner: &Owner) -> Option<String> {
        let name = server.name.as_deref().unwrap_or("of that name");
        match whose(server.tags.as_ref().unwrap_or(&Default::default()), owner) {
            Whose::Ours => None,
            // The administrator says that this one is the object's.
            Whose::Untagged if identity::overridden(&self.azure, owner).is_some() => None,
            Whose::Untagged => Some(format!(
                "the server {name} on Azure has no tags that say whose it is; use another name, or let the \
                 administrator name it in name_overrides"
            )),
            Whose::Another(whose) => {
                Some(format!("the server {name} on Azure belongs to the PostgreSQLServer {whose}"))
            }
        }
    }
}

/// Whether nothing is going on with the server: then it is looked at in full.
pub(in super::super) fn is_at_rest(present: &PresentServer) -> bool {
    present.accepts_writes && present.health == Health::Usable
}

fn judge<P: OwnProperties>(server: &Server<P>, facts: ServerFacts) -> PresentServer {
    let State { health, accepts_writes, operation } = states::meaning(server.state().unwrap_or("unknown"));
    let (uid, left) = (server.uid(), fields::is_marked(server.tags.as_ref()));
    PresentServer { uid, health, accepts_writes, operation, protected: None, left, facts }
}

/// The service does not show a server. One that it is still making, or has failed to make, is there all the same.
fn absent(course: Option<(Task, Course)>) -> ServerObservation {
    let (health, operation) = match course {
        Some((task, Course::Running)) if task.name == CREATION => {
            (Health::Unusable { message: format!("Azure is {}", task.name) }, Some(task.name))
        }
        Some((task, Course::Failed(error))) if task.name == CREATION => {
            (Health::Failed { message: error.to_string(), was_available: false }, None)
        }
        _ => return ServerObservation::Absent,
    };
    let accepts_writes = operation.is_none();
    let facts = ServerFacts::default();
    let (uid, protected, left) = (None, None, false);
    let present = PresentServer { uid, health, accepts_writes, operation, protected, left, facts };
    ServerObservation::Present(Box::new(present))
}
