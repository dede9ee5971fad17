//! The backend `awsrds`: one instance of Amazon RDS per server.

mod change;
mod delete;
mod instance;
mod requests;
mod rules;
#[cfg(test)]
mod tests;
mod unsupported;

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use aws_sdk_rds::types::DbInstance;

use super::super::{
    BackendError, DesiredServer, Difference, Owner, Rejection, Removal, ServerFacts, ServerIdentity, Urgency,
};
use super::base::Base;
use super::engine::Engine;
use super::servers::Servers;
use super::trust::AwsConfigError;
use super::{identity, wishes};
use crate::api::PostgreSQLServerSpec;
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
impl Servers for RdsBackend {
    type Server = DbInstance;

    const NAME: &'static str = "awsrds";
    const LONGEST: usize = identity::LONGEST;
    const STARTING: &'static str = wishes::STATE;

    fn base(&self) -> &Base {
        &self.base
    }

    fn check(&self, spec: &PostgreSQLServerSpec) -> Result<(), Vec<Rejection>> {
        rules::validate(spec, &self.config)
    }

    fn left_out(&self, spec: &PostgreSQLServerSpec) -> Vec<Rejection> {
        unsupported::of(spec, &self.config)
    }

    fn facts(&self, instance: &DbInstance) -> ServerFacts {
        self.facts_of(instance)
    }

    fn compared(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference> {
        rules::differences(desired, &self.config, facts)
    }

    async fn listed(&self, name: &str, since: Instant) -> Result<Option<Arc<DbInstance>>, BackendError> {
        self.base.service.listed_instance(name, since).await
    }

    async fn read(&self, name: &str, urgency: Urgency) -> Result<Option<DbInstance>, BackendError> {
        self.base.service.instance(name, urgency).await
    }

    async fn make(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        self.make_instance(identity, desired, password).await
    }

    async fn change(
        &self,
        instance: &DbInstance,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        self.change_instance(instance, desired, differences).await
    }

    async fn set_group(&self, name: &str, group: String) -> Result<(), BackendError> {
        self.modify(name, requests::change_of(name).db_parameter_group_name(group), None).await
    }

    async fn set_password(&self, name: &str, password: &Password) -> Result<(), BackendError> {
        let request = requests::change_of(name).master_user_password(password.expose());
        self.modify(name, request, Some(password.expose())).await
    }

    async fn remove(
        &self,
        instance: &DbInstance,
        owner: &Owner,
        removal: Removal,
    ) -> Result<(), BackendError> {
        self.remove_instance(instance, owner, removal).await
    }
}
