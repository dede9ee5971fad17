//! A backend whose servers are entries in a table, each with an administrator of its own in one PostgreSQL.
//!
//! What a service in the cloud would take its time for is a configurable wait here. What the operator does is real: it
//! logs in over TLS, as a role and with a password that only this server has.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hcpg::backend::{
    BackendError, DesiredServer, Difference, Health, Owner, PresentServer, Read, Rejection, Removal,
    ServerBackend, ServerFacts, ServerIdentity, ServerObservation,
};
use hcpg::postgres::{Endpoint, TlsMode};
use hcpg::secrets::Password;
use postgres_protocol::escape::{escape_identifier, escape_literal};
use serde::{Deserialize, Serialize};
use tokio_postgres::Client;

use super::Failure;
use super::host::Host;

/// How to set it up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Memory {
    /// The PostgreSQL behind all servers.
    pub host: Host,
    /// How long the creation of a server takes.
    pub create_seconds: u64,
    /// Where the servers are written down when the operator stops, and read when it starts.
    pub file: PathBuf,
}

/// The backend.
pub(super) struct MemoryBackend {
    settings: Memory,
    servers: Arc<Mutex<HashMap<String, Server>>>,
    postgres: Arc<Client>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Server {
    namespace: String,
    name: String,
    uid: String,
    ready: bool,
}

impl Server {
    fn belongs_to(&self, owner: &Owner) -> bool {
        self.namespace == owner.namespace && self.name == owner.name && self.uid == owner.uid
    }
}

impl MemoryBackend {
    /// With the servers that were there when an earlier one stopped.
    pub async fn start(settings: Memory) -> Result<Self, Failure> {
        let postgres = Arc::new(settings.host.connect().await?);
        let servers = match std::fs::read(&settings.file) {
            Ok(written) => serde_json::from_slice(&written)?,
            Err(_) => HashMap::new(),
        };
        Ok(Self { settings, servers: Arc::new(Mutex::new(servers)), postgres })
    }

    /// Writes the servers down for the next one.
    pub fn save(&self) -> Result<(), Failure> {
        Ok(std::fs::write(&self.settings.file, serde_json::to_vec(&*lock(&self.servers))?)?)
    }

    fn endpoint(&self) -> Endpoint {
        let Host { address, port, ca_pem, .. } = &self.settings.host;
        Endpoint { host: address.clone(), port: *port, tls: TlsMode::Verify { ca_pem: ca_pem.clone() } }
    }
}

fn lock(servers: &Mutex<HashMap<String, Server>>) -> MutexGuard<'_, HashMap<String, Server>> {
    servers.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(error: tokio_postgres::Error) -> BackendError {
    BackendError::transient(error.to_string())
}

#[async_trait]
impl ServerBackend for MemoryBackend {
    fn name(&self) -> &'static str {
        // The configuration knows no other one of this version.
        "local"
    }

    fn admin_username(&self) -> String {
        self.settings.host.username.clone()
    }

    fn identity(&self, owner: &Owner) -> Result<ServerIdentity, Rejection> {
        let name = format!("{}-{}", owner.namespace, owner.name);
        Ok(ServerIdentity { name, account: None, region: None, group: None })
    }

    fn validate(&self, _: &DesiredServer<'_>) -> Result<(), Vec<Rejection>> {
        Ok(())
    }

    async fn observe(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        _: Read,
    ) -> Result<ServerObservation, BackendError> {
        let Some(server) = lock(&self.servers).get(&identity.name).cloned() else {
            return Ok(ServerObservation::Absent);
        };
        if !server.belongs_to(owner) {
            let message = format!("{} belongs to {}/{}", identity.name, server.namespace, server.name);
            return Ok(ServerObservation::NotOurs { message });
        }
        let mut facts = ServerFacts { admin_username: identity.name.clone(), ..ServerFacts::default() };
        if server.ready {
            facts.endpoint = Some(self.endpoint());
            facts.admin_database.clone_from(&self.settings.host.database);
            facts.sslmode = "require".to_owned();
            facts.version = Some("15".to_owned());
        }
        Ok(ServerObservation::Present(Box::new(PresentServer {
            uid: Some(format!("memory-{}", server.uid)),
            health: match server.ready {
                true => Health::Usable,
                false => Health::Unusable { message: "it is being created".to_owned() },
            },
            accepts_writes: server.ready,
            operation: (!server.ready).then(|| "create".to_owned()),
            protected: None,
            left: false,
            facts,
        })))
    }

    fn differences(&self, _: &DesiredServer<'_>, _: &ServerFacts) -> Vec<Difference> {
        Vec::new()
    }

    async fn create(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        let Owner { namespace, name, uid } = desired.owner.clone();
        let server = Server { namespace, name, uid, ready: false };
        if lock(&self.servers).insert(identity.name.clone(), server).is_some() {
            return Ok(());
        }
        let sql = format!(
            "CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}",
            escape_identifier(&identity.name),
            escape_literal(password.expose())
        );
        let (servers, postgres, identity) =
            (self.servers.clone(), self.postgres.clone(), identity.name.clone());
        let takes = Duration::from_secs(self.settings.create_seconds);
        tokio::spawn(async move {
            tokio::time::sleep(takes).await;
            match postgres.batch_execute(&sql).await {
                Ok(()) => drop(lock(&servers).entry(identity).and_modify(|server| server.ready = true)),
                Err(error) => tracing::error!(%error, identity, "no role for the server"),
            }
        });
        Ok(())
    }

    async fn update(
        &self,
        _: &ServerIdentity,
        _: &DesiredServer<'_>,
        _: &[Difference],
    ) -> Result<(), BackendError> {
        Ok(())
    }

    async fn configure(
        &self,
        _: &ServerIdentity,
        _: &DesiredServer<'_>,
        _: &[Difference],
    ) -> Result<(), BackendError> {
        Ok(())
    }

    async fn set_admin_password(
        &self,
        identity: &ServerIdentity,
        _: &Owner,
        password: &Password,
    ) -> Result<(), BackendError> {
        let (role, password) = (escape_identifier(&identity.name), escape_literal(password.expose()));
        self.postgres.batch_execute(&format!("ALTER ROLE {role} PASSWORD {password}")).await.map_err(failed)
    }

    async fn delete(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        _: Option<&str>,
        _: Removal,
    ) -> Result<(), BackendError> {
        let ours = lock(&self.servers).get(&identity.name).is_some_and(|server| server.belongs_to(owner));
        if ours {
            let drop = format!("DROP ROLE {}", escape_identifier(&identity.name));
            self.postgres.batch_execute(&drop).await.map_err(failed)?;
            lock(&self.servers).remove(&identity.name);
        }
        Ok(())
    }
}
