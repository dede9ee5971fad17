//! The backend `awsrds`: one instance of Amazon RDS per server.

mod attempts;
mod change;
mod configure;
mod delete;
mod groups;
mod observe;
mod parameters;
mod requests;
mod rules;
#[cfg(test)]
mod tests;
mod unsupported;
mod versions;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_rds::types::DbInstance;

use super::super::cloud::Listing;
use super::super::{
    BackendError, DesiredServer, Difference, Notes, Owner, Read, Rejection, Removal, ServerBackend,
    ServerFacts, ServerIdentity, ServerObservation,
};
use super::client::Service;
use super::trust::{self, AwsConfigError};
use super::{identity, window};
use crate::api::{DeletionPolicy, WeeklyWindow};
use crate::config::RdsConfig;
use crate::secrets::Password;

/// How long the service may not show an instance after it has accepted its creation. A second request for it is
/// harmless, since its name tells it from others.
const SETTLING: Duration = Duration::from_secs(5);

/// Amazon RDS.
#[derive(Debug)]
pub struct RdsBackend {
    config: RdsConfig,
    service: Service,
    listing: Listing<DbInstance>,
    groups: groups::Groups,
    memory: Mutex<HashMap<String, Remembered>>,
}

/// What this process knows of an instance that the service does not tell.
#[derive(Debug, Default)]
struct Remembered {
    /// When this process last changed it.
    written: Option<Instant>,
    /// Its deletion was asked for and not refused, with a final snapshot or without one.
    goes_with_snapshot: Option<bool>,
    /// The parameters that it was last restarted for.
    restarted_for: Option<String>,
    /// The upgrade that the service has accepted: from which version, and what was asked for.
    upgrade: Option<(String, String)>,
    /// It was said what was kept of these two.
    recalled: bool,
}

impl RdsBackend {
    /// Nothing is asked of the service yet.
    ///
    /// # Errors
    /// When the configuration names a file that cannot be used.
    pub fn new(config: RdsConfig) -> Result<Self, AwsConfigError> {
        let trusted = trust::read(config.aws.extra_ca_file.as_deref())?;
        let service = Service::new(&config.aws, trusted);
        let (listing, groups, memory) = (Listing::new(), groups::Groups::default(), Mutex::default());
        Ok(Self { config, service, listing, groups, memory })
    }

    /// The identifier that the administrator has given to the object's server.
    fn overridden(&self, owner: &Owner) -> Option<&str> {
        let all = &self.config.aws.name_overrides;
        let found = all.iter().find(|one| one.namespace == owner.namespace && one.name == owner.name);
        found.map(|found| found.aws_identifier.as_str())
    }

    fn memory(&self) -> MutexGuard<'_, HashMap<String, Remembered>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self, name: &str) -> Option<Instant> {
        self.memory().get(name)?.written
    }

    /// What was listed before no longer counts for this instance: called when a change was answered, and when it was not.
    fn note_write(&self, name: &str) {
        self.memory().entry(name.to_owned()).or_default().written = Some(Instant::now());
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
        let aws = &self.config.aws;
        let kept = aws.taken_over_deletion_policy.filter(|_| of_original);
        kept.unwrap_or(aws.deletion_policy)
    }

    fn marks_retained(&self) -> bool {
        true
    }

    fn concludes(&self) -> bool {
        true
    }

    fn default_window(&self, facts: &ServerFacts) -> WeeklyWindow {
        let found = facts.settings.get(rules::WINDOW).and_then(|found| window::read(found));
        found.unwrap_or(WeeklyWindow::DEFAULT)
    }

    fn notes(&self, identity: &ServerIdentity) -> Notes {
        let attempts = self.memory().get(&identity.name).map(Remembered::attempts);
        Notes { operation: None, attempts: attempts.unwrap_or_default() }
    }

    fn recall(&self, identity: &ServerIdentity, kept: &Notes) {
        self.memory().entry(identity.name.clone()).or_default().recall(&kept.attempts);
    }

    fn identity(&self, owner: &Owner) -> Result<ServerIdentity, Rejection> {
        let name = match self.overridden(owner) {
            Some(name) => name.to_lowercase(),
            None => identity::from_pattern(&self.config.aws.name_pattern, owner, identity::LONGEST)?,
        };
        let region = Some(self.config.aws.region.clone());
        Ok(ServerIdentity { name, account: None, region, group: None })
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
        self.judge_upgrade(&mut differences, facts);
        let mut of_parameters = parameters::differences(desired, facts);
        of_parameters.extend(self.restart(desired, facts));
        if facts.settings.get(rules::STATE).is_some_and(|state| state == "incompatible-parameters") {
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
