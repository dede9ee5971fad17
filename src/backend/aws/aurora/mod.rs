//! The backend `awsaurora`: one cluster of Amazon Aurora per server, with a member that writes and, where the spec asks
//! for high availability, one that stands by.

mod change;
mod cluster;
mod configure;
mod delete;
mod health;
mod members;
mod observe;
mod requests;
mod rules;
#[cfg(test)]
mod tests;
mod unsupported;

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_rds::types::DbCluster;

use super::super::cloud::Listing;
use super::super::{
    BackendError, DesiredServer, Difference, Notes, Owner, Read, Rejection, Removal, ServerBackend,
    ServerFacts, ServerIdentity, ServerObservation,
};
use super::base::{Base, SETTLING};
use super::engine::Engine;
use super::rds::RdsBackend;
use super::trust::AwsConfigError;
use super::{parameters, versions, window, wishes};
use crate::api::{DeletionPolicy, WeeklyWindow};
use crate::config::AuroraConfig;
use crate::secrets::Password;

/// Amazon Aurora.
#[derive(Debug)]
pub struct AuroraBackend {
    config: AuroraConfig,
    base: Base,
    clusters: Listing<DbCluster>,
}

impl AuroraBackend {
    /// Nothing is asked of the service yet. `beside`: the other backend on AWS, with which it shares the budget of calls
    /// where both are configured to make them in the same way.
    ///
    /// # Errors
    /// When the configuration names a file that cannot be used.
    pub fn new(config: AuroraConfig, beside: Option<&RdsBackend>) -> Result<Self, AwsConfigError> {
        let base = Base::new(Engine::Aurora, &config.aws, beside.map(|beside| &beside.base))?;
        Ok(Self { config, base, clusters: Listing::new() })
    }
}

#[async_trait]
impl ServerBackend for AuroraBackend {
    fn name(&self) -> &'static str {
        "awsaurora"
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
        self.base.identity(owner, cluster::LONGEST)
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
        if facts.settings.get(rules::WRITER).is_some_and(|state| state == "incompatible-parameters") {
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
        self.create_cluster(identity, desired, password).await
    }

    async fn update(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        self.update_cluster(identity, desired, differences).await
    }

    async fn configure(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let seen = self.ours(identity, desired.owner).await?;
        self.configure_cluster(&seen, desired, differences).await
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
        let seen = self.ours(identity, owner).await?;
        self.base.mark(&identity.name, seen.cluster.db_cluster_arn(), left).await
    }

    async fn delete(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        self.delete_cluster(identity, owner, uid, removal).await
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
