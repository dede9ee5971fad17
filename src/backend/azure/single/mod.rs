//! The backend `azurepostgres`: one single server of Azure Database for PostgreSQL per server. Microsoft retired the
//! service on 2025-03-28
//! (<https://learn.microsoft.com/azure/postgresql/migrate/whats-happening-to-postgresql-single-server>): what is there is
//! looked after, and nothing new is made unless the administrator says so.

mod change;
mod endpoint;
mod model;
mod observe;
mod requests;
mod rules;
#[cfg(test)]
mod tests;
mod validate;

use std::collections::{BTreeSet, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::super::{
    BackendError, DesiredServer, Difference, Logins, Notes, Owner, Read, Rejection, Removal, ServerBackend,
    ServerFacts, ServerIdentity, ServerObservation,
};
use super::firewall::Policy;
use super::service::{SETTLING, Service, refused};
use super::{AzureConfigError, Variables, identity};
use crate::api::DeletionPolicy;
use crate::config::AzureSingleConfig;
use crate::secrets::Password;

/// When we have asked for the server: the service does not say when it was made, and two servers may stand under one
/// name one after the other.
const CREATED: &str = "hybridcloud-postgresql-operator:created";
/// `yes`: a parameter that we have set waits for a restart. The service does not say that, either.
const RESTART_DUE: &str = "hybridcloud-postgresql-operator:restart-due";
const RETIRED: &str = "Microsoft has retired single servers, and the operator makes no new ones; ask for the backend \
                       azurepostgresflexible, or let the administrator set allow_retired_service where Azure still makes \
                       them";

/// Single servers.
#[derive(Debug)]
pub struct SingleBackend {
    config: AzureSingleConfig,
    service: Service<model::Server>,
    /// Servers that were restarted, and are still marked as waiting for it.
    restarted: Mutex<HashSet<String>>,
}

impl SingleBackend {
    /// Nothing is asked of Azure yet.
    ///
    /// # Errors
    /// When a key of the configuration cannot be used.
    pub fn new(config: AzureSingleConfig, variables: &Variables) -> Result<Self, AzureConfigError> {
        let service = Service::new(&config.azure, "servers", model::API_VERSION, variables)?;
        Ok(Self { config, service, restarted: Mutex::default() })
    }
}

/// What the administrator says about rules of the firewall.
fn policy(config: &AzureSingleConfig) -> Policy<'_> {
    Policy::new(&config.network.azure, &config.parameters.azure)
}

/// Whether servers can be reached from outside of their network, as far as the administrator says it; as by the
/// original, not where they have a private endpoint.
fn public_access(config: &AzureSingleConfig) -> Option<bool> {
    let network = &config.network;
    network.azure.public_access.or_else(|| network.create_private_endpoint.then_some(false))
}

#[async_trait]
impl ServerBackend for SingleBackend {
    fn name(&self) -> &'static str {
        "azurepostgres"
    }

    fn admin_username(&self) -> String {
        self.config.azure.admin_username.clone()
    }

    /// Single servers are behind a gate that wants to know whose login it is
    /// (<https://learn.microsoft.com/previous-versions/azure/postgresql/single-server/how-to-create-users>).
    fn logins(&self) -> Logins {
        Logins::AtHost
    }

    fn creates(&self) -> Result<(), Rejection> {
        match self.config.allow_retired_service {
            true => Ok(()),
            false => Err(Rejection { field: "backend".to_owned(), message: RETIRED.to_owned() }),
        }
    }

    fn settling_time(&self) -> Duration {
        SETTLING
    }

    fn default_deletion(&self, of_original: bool) -> DeletionPolicy {
        self.service.default_deletion(of_original)
    }

    fn leaves_deleted(&self) -> bool {
        self.config.azure.server_delete_fake
    }

    fn leaves_databases(&self) -> bool {
        self.config.azure.database_delete_fake
    }

    /// A private endpoint that the original made goes with its server.
    fn concludes(&self) -> bool {
        self.config.network.create_private_endpoint
    }

    fn firewall_rules(&self, desired: &DesiredServer<'_>) -> BTreeSet<String> {
        policy(&self.config).asked(desired.spec).into_keys().collect()
    }

    fn notes(&self, identity: &ServerIdentity) -> Notes {
        self.service.notes(identity)
    }

    fn recall(&self, identity: &ServerIdentity, kept: &Notes) {
        self.service.recall(identity, kept);
    }

    fn identity(&self, owner: &Owner) -> Result<ServerIdentity, Rejection> {
        identity::of(&self.config.azure, owner)
    }

    fn validate(&self, desired: &DesiredServer<'_>) -> Result<(), Vec<Rejection>> {
        validate::validate(&self.config, desired.spec)
    }

    fn unsupported(&self, desired: &DesiredServer<'_>) -> Vec<Rejection> {
        validate::unsupported(&self.config, desired.spec)
    }

    async fn observe(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
    ) -> Result<ServerObservation, BackendError> {
        self.look(identity, owner, read).await
    }

    fn differences(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference> {
        rules::differences(desired, &self.config, facts)
    }

    async fn create(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        let body = || {
            self.creates().map_err(|rejection| refused(vec![rejection]))?;
            let now = Timestamp::now();
            requests::create(identity, desired, &self.config, password, now).map_err(refused)
        };
        self.service.create(identity, desired, password, body).await
    }

    async fn update(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let server = self.service.at_rest(identity, desired.owner).await?;
        let body = requests::change(desired, &self.config, &server, differences);
        self.service.update(identity, differences, body).await
    }

    async fn configure(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        self.configure_server(identity, desired, differences).await
    }

    async fn set_admin_password(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        password: &Password,
    ) -> Result<(), BackendError> {
        self.service.change_password(identity, owner, password).await
    }

    async fn mark(&self, identity: &ServerIdentity, owner: &Owner, left: bool) -> Result<(), BackendError> {
        self.service.mark(identity, owner, left).await
    }

    async fn delete(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        self.service.delete(identity, owner, uid, removal).await
    }

    async fn conclude(
        &self,
        identity: &ServerIdentity,
        _: &Owner,
        _: Removal,
        _: Option<&str>,
    ) -> Result<(), BackendError> {
        self.remove_endpoint(identity).await
    }
}
