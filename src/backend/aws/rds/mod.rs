//! The backend `awsrds`: one instance of Amazon RDS per server.

mod change;
mod observe;
mod requests;
mod rules;
#[cfg(test)]
mod tests;
mod versions;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_rds::types::DbInstance;

use super::super::{
    BackendError, DesiredServer, Difference, Owner, Rejection, Removal, ServerBackend, ServerFacts,
    ServerIdentity, ServerObservation,
};
use super::client::Service;
use super::identity;
use super::listing::Listing;
use super::settings::RdsSettings;
use crate::api::DeletionPolicy;
use crate::secrets::Password;

/// How long the service may not show an instance after it has accepted its creation. A second request for it is
/// harmless, since its name tells it from others.
const SETTLING: Duration = Duration::from_secs(30);

/// Amazon RDS.
#[derive(Debug)]
pub struct RdsBackend {
    settings: RdsSettings,
    service: Service,
    listing: Listing<DbInstance>,
    /// When this process last changed an instance.
    writes: Mutex<HashMap<String, Instant>>,
}

impl RdsBackend {
    /// Nothing is asked of the service yet.
    pub fn new(settings: RdsSettings) -> Self {
        let service = Service::new(settings.account.clone());
        Self { settings, service, listing: Listing::new(), writes: Mutex::default() }
    }

    /// The identifier that the administrator has given to the object's server.
    fn overridden(&self, owner: &Owner) -> Option<&str> {
        let found = self
            .settings
            .name_overrides
            .iter()
            .find(|one| one.namespace == owner.namespace && one.name == owner.name);
        found.map(|found| found.aws_identifier.as_str())
    }

    fn written(&self, name: &str) -> Option<Instant> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    /// What was listed before no longer counts for this instance: called when a change was answered, and when it was not.
    fn note_write(&self, name: &str) {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Instant::now());
    }
}

#[async_trait]
impl ServerBackend for RdsBackend {
    fn name(&self) -> &'static str {
        "awsrds"
    }

    fn admin_username(&self) -> String {
        self.settings.admin_username.clone()
    }

    fn settling_time(&self) -> Duration {
        SETTLING
    }

    fn default_deletion(&self) -> DeletionPolicy {
        self.settings.deletion_policy
    }

    fn identity(&self, owner: &Owner) -> Result<ServerIdentity, Rejection> {
        let name = match self.overridden(owner) {
            Some(name) => name.to_lowercase(),
            None => identity::from_pattern(&self.settings.name_pattern, owner, identity::LONGEST)?,
        };
        let region = Some(self.settings.account.region.clone());
        Ok(ServerIdentity { name, account: None, region, group: None })
    }

    fn validate(&self, desired: &DesiredServer<'_>) -> Result<(), Vec<Rejection>> {
        rules::validate(desired.spec, &self.settings)
    }

    fn unsupported(&self, desired: &DesiredServer<'_>) -> Vec<Rejection> {
        let mut left_out = Vec::new();
        if !desired.spec.server_parameters.is_empty() {
            left_out.push(Rejection {
                field: "serverParameters".to_owned(),
                message: "this version sets no parameters on AWS".to_owned(),
            });
        }
        left_out
    }

    async fn observe(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        direct: bool,
    ) -> Result<ServerObservation, BackendError> {
        self.look(identity, owner, direct).await
    }

    fn differences(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference> {
        rules::differences(desired, &self.settings, facts)
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
        _identity: &ServerIdentity,
        _desired: &DesiredServer<'_>,
        _differences: &[Difference],
    ) -> Result<(), BackendError> {
        // No rule is carried out by this call.
        Ok(())
    }

    async fn set_admin_password(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        password: &Password,
    ) -> Result<(), BackendError> {
        self.change_password(identity, owner, password).await
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
}
