//! The backend `awsaurora`: one cluster of Amazon Aurora per server, with a member that writes and, where the spec asks
//! for high availability, one that stands by.

mod change;
mod cluster;
mod delete;
mod health;
mod members;
mod observe;
mod requests;
mod rules;
#[cfg(test)]
mod tests;
mod unsupported;

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use aws_sdk_rds::types::DbCluster;

use super::super::cloud::Listing;
use super::super::{
    BackendError, DesiredServer, Difference, Owner, Rejection, Removal, ServerFacts, ServerIdentity, Urgency,
};
use super::base::Base;
use super::engine::Engine;
use super::parameters;
use super::rds::RdsBackend;
use super::servers::Servers;
use super::trust::AwsConfigError;
use crate::api::PostgreSQLServerSpec;
use crate::config::AuroraConfig;
use crate::secrets::Password;
use cluster::Seen;

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
impl Servers for AuroraBackend {
    type Server = Seen;

    const NAME: &'static str = "awsaurora";
    const LONGEST: usize = cluster::LONGEST;
    const STARTING: &'static str = rules::WRITER;

    fn base(&self) -> &Base {
        &self.base
    }

    fn check(&self, spec: &PostgreSQLServerSpec) -> Result<(), Vec<Rejection>> {
        rules::validate(spec, &self.config)
    }

    fn left_out(&self, spec: &PostgreSQLServerSpec) -> Vec<Rejection> {
        unsupported::of(spec, &self.config)
    }

    fn facts(&self, seen: &Seen) -> ServerFacts {
        self.facts_of(seen)
    }

    fn compared(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference> {
        rules::differences(desired, &self.config, facts)
    }

    async fn listed(&self, name: &str, since: Instant) -> Result<Option<Arc<Seen>>, BackendError> {
        self.listed_cluster(name, since).await
    }

    async fn read(&self, name: &str, urgency: Urgency) -> Result<Option<Seen>, BackendError> {
        self.read_cluster(name, urgency).await
    }

    async fn make(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        self.make_cluster(identity, desired, password).await
    }

    /// One thing at a time, since the service takes no second change while it works on one: what is left is a difference
    /// the next time.
    async fn change(
        &self,
        seen: &Seen,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let is_asked = |field: &str| differences.iter().any(|difference| difference.field == field);
        if is_asked(rules::MEMBERS) {
            return self.complete_members(seen, desired).await;
        }
        if self.change_cluster(seen, desired, differences).await?
            || self.change_member(seen, differences).await?
            || self.change_standby(seen, desired, differences).await?
            || !is_asked(parameters::RESTART)
        {
            return Ok(());
        }
        self.restart_member(seen).await
    }

    async fn set_group(&self, name: &str, group: String) -> Result<(), BackendError> {
        self.modify(name, requests::change_of(name).db_cluster_parameter_group_name(group), None).await
    }

    async fn set_password(&self, name: &str, password: &Password) -> Result<(), BackendError> {
        let request = requests::change_of(name).master_user_password(password.expose());
        self.modify(name, request, Some(password.expose())).await
    }

    async fn remove(&self, seen: &Seen, owner: &Owner, removal: Removal) -> Result<(), BackendError> {
        self.remove_cluster(seen, owner, removal).await
    }
}
