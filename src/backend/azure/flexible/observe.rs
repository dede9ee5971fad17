//! Looking at a server.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::super::super::cloud::{Whose, whose};
use super::super::super::{
    BackendError, Health, Owner, PresentServer, Read, ServerFacts, ServerIdentity, ServerObservation, Urgency,
};
use super::super::arm::{Call, PROTECTED};
use super::super::identity::{self, escaped};
use super::super::memory::{Course, Task};
use super::super::states::{self, State};
use super::model::{Configuration, FirewallRule, Lock, Server};
use super::{CREATION, DELETION, FlexibleBackend, LOCKS_VERSION, SERVER, firewall, parameters, rules};
use crate::postgres::{Endpoint, TlsMode};

impl FlexibleBackend {
    pub(super) async fn look(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
    ) -> Result<ServerObservation, BackendError> {
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
        let Some(server) = found else { return Ok(absent(course)) };
        if let Some(message) = self.whose(&server, owner) {
            return Ok(ServerObservation::NotOurs { message });
        }
        let mut present = self.judge(&server);
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
        if present.accepts_writes && present.health == Health::Usable {
            self.look_inside(identity, &mut present, urgency).await?;
        }
        Ok(ServerObservation::Present(Box::new(present)))
    }

    /// The server, by a read of its own; none if the service says that there is none.
    pub(super) async fn server(&self, identity: &ServerIdentity) -> Result<Option<Server>, BackendError> {
        self.read(identity, Urgency::User).await
    }

    async fn read(
        &self,
        identity: &ServerIdentity,
        urgency: Urgency,
    ) -> Result<Option<Server>, BackendError> {
        self.get("reading the server", &self.path(identity), urgency).await
    }

    /// The server, if it is there and ours.
    pub(super) async fn ours(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
    ) -> Result<Server, BackendError> {
        let gone = || BackendError::Gone { message: format!("there is no server {}", identity.name) };
        let server = self.server(identity).await?.ok_or_else(gone)?;
        match self.whose(&server, owner) {
            None => Ok(server),
            Some(message) => Err(BackendError::Conflict { message }),
        }
    }

    /// The server, if it is ours and takes changes: asked before each write, since the service refuses those that come
    /// while it works on another one.
    pub(super) async fn at_rest(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
    ) -> Result<Server, BackendError> {
        let server = self.ours(identity, owner).await?;
        let busy = |what: &str| BackendError::Busy {
            message: format!("the server {} is busy: {what}", identity.name),
        };
        if let Some((task, Course::Running)) = self.memory.course(&self.arm, &identity.name).await? {
            return Err(busy(&task.name));
        }
        match server.properties.state.as_deref() {
            Some(state) if !state.eq_ignore_ascii_case(states::READY) => Err(busy(state)),
            _ => Ok(server),
        }
    }

    async fn listed(
        &self,
        identity: &ServerIdentity,
        at_most: Duration,
    ) -> Result<Option<Arc<Server>>, BackendError> {
        let azure = &self.config.azure;
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
        let path = format!(
            "{}/providers/Microsoft.DBforPostgreSQL/flexibleServers",
            identity::group(azure, identity)
        );
        let take = async || {
            let servers: Vec<Server> = self.list("listing the servers", &path, Urgency::Resync).await?;
            let named =
                servers.into_iter().filter_map(|server| Some((server.name.clone()?.to_lowercase(), server)));
            Ok(named.collect::<HashMap<_, _>>())
        };
        self.listing.find(&identity.name.to_lowercase(), since, take).await
    }

    /// Whose a server is, if not the object's.
    pub(super) fn whose(&self, server: &Server, owner: &Owner) -> Option<String> {
        let name = server.name.as_deref().unwrap_or("of that name");
        match whose(server.tags.as_ref().unwrap_or(&Default::default()), owner) {
            Whose::Ours => None,
            // The administrator says that this one is the object's.
            Whose::Untagged if identity::overridden(&self.config.azure, owner).is_some() => None,
            Whose::Untagged => Some(format!(
                "the server {name} on Azure has no tags that say whose it is; use another name, or let the \
                 administrator name it in name_overrides"
            )),
            Whose::Another(whose) => {
                Some(format!("the server {name} on Azure belongs to the PostgreSQLServer {whose}"))
            }
        }
    }

    fn judge(&self, server: &Server) -> PresentServer {
        let state = server.properties.state.as_deref().unwrap_or("unknown");
        let State { health, accepts_writes, operation } = states::meaning(state);
        PresentServer {
            uid: uid(server),
            health,
            accepts_writes,
            operation,
            protected: None,
            left: rules::is_marked(server),
            facts: self.facts(server),
        }
    }

    fn facts(&self, server: &Server) -> ServerFacts {
        let properties = &server.properties;
        let settings = rules::found(server);
        let host = properties.fully_qualified_domain_name.clone().filter(|host| !host.is_empty());
        let is_public = settings.get(rules::NETWORK).is_some_and(|network| network == rules::PUBLIC);
        let tls = match self.authorities.ca_pem(is_public) {
            Some(ca_pem) => TlsMode::Verify { ca_pem },
            None => TlsMode::Require,
        };
        let login = properties.administrator_login.clone();
        let version = properties.version.as_ref().map(|major| match properties.minor_version.as_deref() {
            Some(minor) if !minor.is_empty() && !minor.contains('.') => format!("{major}.{minor}"),
            Some(minor) if minor.contains('.') => minor.to_owned(),
            _ => major.clone(),
        });
        ServerFacts {
            account: None,
            endpoint: host.map(|host| Endpoint { host, port: 5432, tls }),
            admin_username: login.unwrap_or_else(|| self.config.azure.admin_username.clone()),
            admin_database: "postgres".to_owned(),
            sslmode: "require".to_owned(),
            version,
            size: server.sku.as_ref().map(|sku| sku.name.clone()),
            storage_gb: properties
                .storage
                .as_ref()
                .and_then(|storage| storage.storage_size_gb)
                .map(u64::from),
            storage_used_gb: None,
            settings,
        }
    }

    /// What is read only of a server that is at rest.
    async fn look_inside(
        &self,
        identity: &ServerIdentity,
        present: &mut PresentServer,
        urgency: Urgency,
    ) -> Result<(), BackendError> {
        let path = self.path(identity);
        let settings = &mut present.facts.settings;
        if settings.get(rules::NETWORK).is_some_and(|network| network == rules::PUBLIC) {
            let path = format!("{path}/firewallRules");
            let all: Vec<FirewallRule> = self.list("reading the firewall rules", &path, urgency).await?;
            firewall::note(settings, &all);
        }
        let configurations = format!("{path}/configurations");
        let all: Vec<Configuration> = self.list("reading the parameters", &configurations, urgency).await?;
        parameters::note(settings, &all);
        // Reading locks takes a right that an operator which sets none need not have.
        if self.config.azure.lock_from_deletion {
            let locks = format!("{path}/providers/Microsoft.Authorization/locks");
            let name = "reading the locks";
            let call = Call { name, path: &locks, version: LOCKS_VERSION, urgency };
            let all: Vec<Lock> = self.arm.list(call).await?;
            let locked = all.iter().any(|lock| lock.properties.level != "NotSpecified");
            settings.insert(rules::LOCK.to_owned(), if locked { "set" } else { "not set" }.to_owned());
            present.protected = locked.then(|| PROTECTED.to_owned());
        }
        Ok(())
    }

    pub(super) fn path(&self, identity: &ServerIdentity) -> String {
        let group = identity::group(&self.config.azure, identity);
        format!("{group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/{}", escaped(&identity.name))
    }

    async fn get<T: DeserializeOwned>(
        &self,
        name: &str,
        path: &str,
        urgency: Urgency,
    ) -> Result<Option<T>, BackendError> {
        self.arm.get(Call { name, path, version: self.version(), urgency }).await
    }

    async fn list<T: DeserializeOwned>(
        &self,
        name: &str,
        path: &str,
        urgency: Urgency,
    ) -> Result<Vec<T>, BackendError> {
        self.arm.list(Call { name, path, version: self.version(), urgency }).await
    }
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

/// Two servers that stand under one name one after the other are told apart by when they were made.
pub(super) fn uid(server: &Server) -> Option<String> {
    let made = server.system_data.as_ref().and_then(|data| data.created_at.clone());
    let path = server.id.as_ref().map(|id| id.to_lowercase());
    made.or(path)
}
