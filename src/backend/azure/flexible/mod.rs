//! The backend `azurepostgresflexible`: one flexible server of Azure Database for PostgreSQL per server.

mod change;
mod extensions;
mod firewall;
mod model;
mod observe;
mod parameters;
mod requests;
mod rules;
#[cfg(test)]
mod tests;
mod validate;

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;

use super::super::cloud::Listing;
use super::super::{
    BackendError, DesiredServer, Difference, Notes, Owner, Read, Rejection, Removal, ServerBackend,
    ServerFacts, ServerIdentity, ServerObservation,
};
use super::arm::Arm;
use super::authorities::Authorities;
use super::memory::Memory;
use super::{AzureConfigError, Variables, connect, identity};
use crate::api::{DeletionPolicy, WeeklyWindow};
use crate::config::AzureFlexibleConfig;
use crate::secrets::Password;

/// How long the service may not show a server after it has accepted its creation. What this process has begun it knows
/// of anyway, and a second request meets the first one by its name.
const SETTLING: Duration = Duration::from_secs(10);
/// The original's version of the locks' API has the same fields.
const LOCKS_VERSION: &str = "2020-05-01";
/// What a change is about.
const SERVER: &str = "server";
const PASSWORD: &str = "password";
const DELETION: &str = "deletion";
/// What is going on when a server is made.
const CREATION: &str = "creating the server";
const NO_SNAPSHOT: &str = "on Azure, backups of a server go with it; use Delete or Retain";

/// Flexible servers.
#[derive(Debug)]
pub struct FlexibleBackend {
    config: AzureFlexibleConfig,
    arm: Arm,
    authorities: Authorities,
    listing: Listing<model::Server>,
    memory: Memory,
}

impl FlexibleBackend {
    /// Nothing is asked of Azure yet.
    ///
    /// # Errors
    /// When a key of the configuration cannot be used.
    pub fn new(config: AzureFlexibleConfig, variables: &Variables) -> Result<Self, AzureConfigError> {
        let (arm, authorities) = connect(&config.azure, variables)?;
        Ok(Self { config, arm, authorities, listing: Listing::new(), memory: Memory::default() })
    }

    fn version(&self) -> &str {
        self.config.azure.api_version.as_deref().unwrap_or(model::API_VERSION)
    }
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
        let azure = &self.config.azure;
        azure.taken_over_deletion_policy.filter(|_| of_original).unwrap_or(azure.deletion_policy)
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
        firewall::asked(&self.config, desired.spec).into_keys().collect()
    }

    fn notes(&self, identity: &ServerIdentity) -> Notes {
        self.memory.notes(&identity.name)
    }

    fn recall(&self, identity: &ServerIdentity, kept: &Notes) {
        self.memory.recall(&self.arm, &identity.name, kept);
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
        self.create_server(identity, desired, password).await
    }

    async fn update(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        self.update_server(identity, desired, differences).await
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
        self.change_password(identity, owner, password).await
    }

    async fn mark(&self, identity: &ServerIdentity, owner: &Owner, left: bool) -> Result<(), BackendError> {
        self.mark_server(identity, owner, left).await
    }

    async fn delete(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        self.delete_server(identity, owner, uid, removal).await
    }
}
