//! The backend `awsrds`: one instance of Amazon RDS per server.

mod change;
mod configure;
mod delete;
mod observe;
mod requests;
mod rules;
#[cfg(test)]
mod tests;
mod unsupported;

use std::time::Duration;

use async_trait::async_trait;

use super::super::{
    BackendError, DesiredServer, Difference, Notes, Owner, Read, Rejection, Removal, ServerBackend,
    ServerFacts, ServerIdentity, ServerObservation,
};
use super::base::{Base, SETTLING};
use super::engine::Engine;
use super::trust::AwsConfigError;
use super::{identity, parameters, versions, window, wishes};
use crate::api::{DeletionPolicy, WeeklyWindow};
use crate::config::RdsConfig;
use crate::secrets::Password;

/// Amazon RDS.
#[derive(Debug)]
pub struct RdsBackend {
    config: RdsConfig,
    pub(super) base: Base,
}

impl RdsBackend {
    /// Nothing is asked of the service yet.
    ///
    /// # Errors
    /// When the configuration names a file that cannot be used.
    pub fn new(config: RdsConfig) -> Result<Self, AwsConfigError> {
        let base = Base::new(Engine::Rds, &config.aws, None)?;
        Ok(Self { config, base })
    }
}

#[async_trait]
impl ServerBackend for RdsBackend {
    fn name(&self) -> &'static str {
        "awsrds"
    }

    fn admin_username(&self) -> String {
        self.config.aws.admin_username.clone()
    }

    fn settling_time(&self) -> Duration {
        SETTLING
    }

    fn default_deletion(&self, of_original: bool) -> DeletionPolicy {
        self.base.default_deletion(of_original)
    }

    fn marks_retained(&self) -> bool {
        true
    }

    fn concludes(&self) -> bool {
        true
    }

    fn default_window(&self, facts: &ServerFacts) -> WeeklyWindow {
        let found = facts.settings.get(wishes::WINDOW).and_then(|found| window::read(found));
        found.unwrap_or(WeeklyWindow::DEFAULT)
    }

    fn notes(&self, identity: &ServerIdentity) -> Notes {
        self.base.memory.notes(&identity.name)
    }

    fn recall(&self, identity: &ServerIdentity, kept: &Notes) {
        self.base.memory.of(&identity.name, |known| known.recall(&identity.name, &kept.attempts));
    }

    fn identity(&self, owner: &Owner) -> Result<ServerIdentity, Rejection> {
        self.base.identity(owner, identity::LONGEST)
    }

    fn validate(&self, desired: &DesiredServer<'_>) -> Result<(), Vec<Rejection>> {
        rules::validate(desired.spec, &self.config)
    }

    fn unsupported(&self, desired: &DesiredServer<'_>) -> Vec<Rejection> {
        unsupported::of(desired.spec, &self.config)
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
        let mut differences = rules::differences(desired, &self.config, facts);
        versions::judge(&self.base.memory, facts, &mut differences);
        let mut of_parameters = parameters::differences(desired, facts);
        of_parameters.extend(self.restart(desired, facts));
        if facts.settings.get(wishes::STATE).is_some_and(|state| state == "incompatible-parameters") {
            of_parameters.iter_mut().for_each(parameters::revive);
        }
        differences.extend(of_parameters);
        differences
    }

    async fn create(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        self.create_instance(identity, desired, password).await
    }

    async fn update(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        self.update_instance(identity, desired, differences).await
    }

    async fn configure(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        self.configure_instance(identity, desired, differences).await
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
        self.mark_instance(identity, owner, left).await
    }

    async fn delete(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        self.delete_instance(identity, owner, uid, removal).await
    }

    async fn conclude(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        removal: Removal,
        last_seen: Option<&str>,
    ) -> Result<(), BackendError> {
        self.conclude_deletion(identity, owner, removal, last_seen).await
    }
}
