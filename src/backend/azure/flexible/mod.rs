//! The backend `azurepostgresflexible`: one flexible server of Azure Database for PostgreSQL per server.

mod change;
mod model;
mod requests;
mod rules;
#[cfg(test)]
mod tests;
mod validate;

use async_trait::async_trait;

use super::super::{
    BackendError, DesiredServer, Difference, Logins, Rejection, ServerFacts, ServerIdentity, Urgency,
};
use super::backend::{AzureBackend, Offering};
use super::firewall::Policy;
use super::model::Configuration;
use super::{AzureConfigError, Variables};
use crate::api::WeeklyWindow;
use crate::config::AzureFlexibleConfig;

/// The service, with what is known of its servers.
type Service = super::service::Service<model::Properties>;

/// Flexible servers.
pub type FlexibleBackend = AzureBackend<Flexible>;

impl FlexibleBackend {
    /// Nothing is asked of Azure yet.
    ///
    /// # Errors
    /// When a key of the configuration cannot be used.
    pub fn new(config: AzureFlexibleConfig, variables: &Variables) -> Result<Self, AzureConfigError> {
        let service = Service::new(&config.azure, "flexibleServers", model::API_VERSION, variables)?;
        Ok(Self { offering: Flexible { config }, service })
    }
}

/// What flexible servers have of their own.
#[derive(Debug)]
pub struct Flexible {
    config: AzureFlexibleConfig,
}

/// What the administrator says about rules of the firewall.
fn policy(config: &AzureFlexibleConfig) -> Policy<'_> {
    Policy::new(&config.network, &config.parameters)
}

#[async_trait]
impl Offering for Flexible {
    const NAME: &'static str = "azurepostgresflexible";
    const LOGINS: Logins = Logins::AsRole;
    type Own = model::Properties;
    type OwnWrite = model::PropertiesWrite;

    fn policy(&self) -> Policy<'_> {
        policy(&self.config)
    }

    fn default_window(&self, facts: &ServerFacts) -> WeeklyWindow {
        rules::found_window(facts).unwrap_or(WeeklyWindow::DEFAULT)
    }

    fn validate(&self, desired: &DesiredServer<'_>) -> Result<(), Vec<Rejection>> {
        validate::validate(&self.config, desired.spec)
    }

    fn unsupported(&self, desired: &DesiredServer<'_>) -> Vec<Rejection> {
        validate::unsupported(&self.config, desired)
    }

    fn note(&self, _: &ServerIdentity, server: &model::Server, facts: &mut ServerFacts) {
        rules::note(&mut facts.settings, server);
        facts.version = rules::full_version(server);
    }

    async fn parameters(
        &self,
        service: &Service,
        identity: &ServerIdentity,
        urgency: Urgency,
    ) -> Result<Vec<Configuration>, BackendError> {
        let path = format!("{}/configurations", service.path(identity));
        service.list("reading the parameters", &path, urgency).await
    }

    fn differences(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference> {
        rules::differences(desired, &self.config, facts)
    }

    fn new_server(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
    ) -> Result<model::ServerWrite, Vec<Rejection>> {
        requests::create(identity, desired, &self.config)
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
        _: &model::Server,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        change::configure(service, identity, differences).await
    }
}
