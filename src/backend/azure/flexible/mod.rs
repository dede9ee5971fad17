//! The backend `azurepostgresflexible`: one flexible server of Azure Database for PostgreSQL per server.

mod change;
mod model;
mod observe;
mod requests;
mod rules;
#[cfg(test)]
mod tests;
mod validate;

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;

use super::super::{
    BackendError, DesiredServer, Difference, Notes, Owner, Read, Rejection, Removal, ServerBackend,
    ServerFacts, ServerIdentity, ServerObservation,
};
use super::firewall::Policy;
use super::service::{SETTLING, Service, refused};
use super::{AzureConfigError, Variables, identity};
use crate::api::{DeletionPolicy, WeeklyWindow};
use crate::config::AzureFlexibleConfig;
use crate::secrets::Password;

/// Flexible servers.
#[derive(Debug)]
pub struct FlexibleBackend {
    config: AzureFlexibleConfig,
    service: Service<model::Server>,
}

impl FlexibleBackend {
    /// Nothing is asked of Azure yet.
    ///
    /// # Errors
    /// When a key of the configuration cannot be used.
    pub fn new(config: AzureFlexibleConfig, variables: &Variables) -> Result<Self, AzureConfigError> {
        let service = Service::new(&config.azure, "flexibleServers", model::API_VERSION, variables)?;
        Ok(Self { config, service })
    }
}

/// What the administrator says about rules of the firewall.
fn policy(config: &AzureFlexibleConfig) -> Policy<'_> {
    Policy::new(&config.network, &config.parameters)
}

#[async_trait]
impl ServerBackend for FlexibleBackend {
    fn name(&self) -> &'static str {
        "azurepostgresflexible"
    }

    fn admin_username(&self) -> String {
        self.config.azure.admin_username.clone()
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

    /// Azure's own choice is not told.
    fn default_window(&self, facts: &ServerFacts) -> WeeklyWindow {
        rules::found_window(facts).unwrap_or(WeeklyWindow::DEFAULT)
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
        validate::unsupported(&self.config, desired)
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
        let body = || requests::create(identity, desired, &self.config, password).map_err(refused);
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
}
