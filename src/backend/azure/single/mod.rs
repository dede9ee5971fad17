//! The backend `azurepostgres`: one single server of Azure Database for PostgreSQL per server. Microsoft retired the
//! service on 2025-03-28
//! (<https://learn.microsoft.com/azure/postgresql/migrate/whats-happening-to-postgresql-single-server>): what is there is
//! looked after, and nothing new is made unless the administrator says so.

mod change;
mod endpoint;
mod model;
mod requests;
mod rules;
#[cfg(test)]
mod tests;
mod validate;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use super::super::{
    BackendError, DesiredServer, Difference, Logins, Rejection, ServerFacts, ServerIdentity, Urgency,
};
use super::backend::{AzureBackend, Offering};
use super::firewall::Policy;
use super::model::Configuration;
use super::{AzureConfigError, Variables, parameters};
use crate::config::AzureSingleConfig;

/// When we have asked for the server: the service does not say when it was made, and two servers may stand under one
/// name one after the other.
const CREATED: &str = "hybridcloud-postgresql-operator:created";
/// `yes`: a parameter that we have set waits for a restart. The service does not say that, either.
const RESTART_DUE: &str = "hybridcloud-postgresql-operator:restart-due";
const RETIRED: &str = "Microsoft has retired single servers, and the operator makes no new ones; ask for the backend \
                       azurepostgresflexible, or let the administrator set allow_retired_service where Azure still makes \
                       them";

/// The service, with what is known of its servers.
type Service = super::service::Service<model::Properties>;

/// Single servers.
pub type SingleBackend = AzureBackend<Single>;

impl SingleBackend {
    /// Nothing is asked of Azure yet.
    ///
    /// # Errors
    /// When a key of the configuration cannot be used.
    pub fn new(config: AzureSingleConfig, variables: &Variables) -> Result<Self, AzureConfigError> {
        let service = Service::new(&config.azure, "servers", model::API_VERSION, variables)?;
        Ok(Self { offering: Single { config, restarted: Mutex::default() }, service })
    }
}

/// What single servers have of their own.
#[derive(Debug)]
pub struct Single {
    config: AzureSingleConfig,
    /// Servers that were restarted, and are still marked as waiting for it.
    restarted: Mutex<HashSet<String>>,
}

impl Single {
    /// Whether this process has restarted the server since it was marked as waiting for it.
    fn was_restarted(&self, identity: &ServerIdentity) -> bool {
        self.restarted.lock().unwrap_or_else(PoisonError::into_inner).contains(&identity.name)
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
impl Offering for Single {
    const NAME: &'static str = "azurepostgres";
    /// Single servers are behind a gate that wants to know whose login it is
    /// (<https://learn.microsoft.com/previous-versions/azure/postgresql/single-server/how-to-create-users>).
    const LOGINS: Logins = Logins::AtHost;
    type Own = model::Properties;
    type OwnWrite = model::PropertiesWrite;

    fn policy(&self) -> Policy<'_> {
        policy(&self.config)
    }

    fn creates(&self) -> Result<(), Rejection> {
        match self.config.allow_retired_service {
            true => Ok(()),
            false => Err(Rejection { field: "backend".to_owned(), message: RETIRED.to_owned() }),
        }
    }

    /// A private endpoint that the original made goes with its server.
    fn concludes(&self) -> bool {
        self.config.network.create_private_endpoint
    }

    fn validate(&self, desired: &DesiredServer<'_>) -> Result<(), Vec<Rejection>> {
        validate::validate(&self.config, desired.spec)
    }

    fn unsupported(&self, desired: &DesiredServer<'_>) -> Vec<Rejection> {
        validate::unsupported(&self.config, desired.spec)
    }

    fn note(&self, identity: &ServerIdentity, server: &model::Server, facts: &mut ServerFacts) {
        if self.was_restarted(identity) {
            facts.settings.insert(rules::RESTARTED.to_owned(), "yes".to_owned());
        }
        // As the original published it: with the server's name, not with its host's.
        let name = server.name.as_ref().unwrap_or(&identity.name);
        facts.admin_username = format!("{}@{name}", facts.admin_username);
    }

    async fn parameters(
        &self,
        service: &Service,
        identity: &ServerIdentity,
        urgency: Urgency,
    ) -> Result<Vec<Configuration>, BackendError> {
        let path = format!("{}/configurations/{}", service.path(identity), parameters::PRELOADED);
        let found = service.get("reading the preloaded libraries", &path, urgency).await?;
        Ok(found.into_iter().collect())
    }

    fn differences(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference> {
        rules::differences(desired, &self.config, facts)
    }

    fn new_server(
        &self,
        _: &ServerIdentity,
        desired: &DesiredServer<'_>,
    ) -> Result<model::ServerWrite, Vec<Rejection>> {
        requests::create(desired, &self.config, Timestamp::now())
    }

    fn change(
        &self,
        desired: &DesiredServer<'_>,
        server: &model::Server,
        differences: &[Difference],
    ) -> Option<model::ServerWrite> {
        requests::change(desired, &self.config, server, differences)
    }

    async fn configure(
        &self,
        service: &Service,
        identity: &ServerIdentity,
        server: &model::Server,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        self.configure_server(service, identity, server, differences).await
    }

    async fn conclude(&self, service: &Service, identity: &ServerIdentity) -> Result<(), BackendError> {
        endpoint::remove(service, identity).await
    }
}
