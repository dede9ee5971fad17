//! The backends `awsrds` and `awsaurora`: what both do in the same way, whatever their servers are.

use std::time::Duration;

use async_trait::async_trait;

use super::super::{
    BackendError, DesiredServer, Difference, Notes, Owner, PARAMETER, Read, Rejection, Removal,
    ServerBackend, ServerFacts, ServerIdentity, ServerObservation,
};
use super::base::SETTLING;
use super::servers::Servers;
use super::{configure, deletion, look, parameters, versions, window, wishes};
use crate::api::{DeletionPolicy, WeeklyWindow};
use crate::secrets::Password;

#[async_trait]
impl<S: Servers> ServerBackend for S {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn admin_username(&self) -> String {
        self.base().aws.admin_username.clone()
    }

    fn settling_time(&self) -> Duration {
        SETTLING
    }

    fn default_deletion(&self, of_original: bool) -> DeletionPolicy {
        self.base().default_deletion(of_original)
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
        self.base().memory.notes(&identity.name)
    }

    fn recall(&self, identity: &ServerIdentity, kept: &Notes) {
        self.base().memory.of(&identity.name, |known| known.recall(&identity.name, &kept.attempts));
    }

    fn identity(&self, owner: &Owner) -> Result<ServerIdentity, Rejection> {
        self.base().identity(owner, S::LONGEST)
    }

    fn validate(&self, desired: &DesiredServer<'_>) -> Result<(), Vec<Rejection>> {
        self.check(desired.spec)
    }

    fn unsupported(&self, desired: &DesiredServer<'_>) -> Vec<Rejection> {
        self.left_out(desired.spec)
    }

    async fn observe(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
    ) -> Result<ServerObservation, BackendError> {
        look::at(self, identity, owner, read).await
    }

    fn differences(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference> {
        let mut differences = self.compared(desired, facts);
        versions::judge(&self.base().memory, facts, &mut differences);
        let mut of_parameters = parameters::differences(desired, facts);
        of_parameters.extend(self.base().due_restart(desired, facts));
        if facts.settings.get(S::STARTING).is_some_and(|state| state == "incompatible-parameters") {
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
        self.make(identity, desired, password).await
    }

    async fn update(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let server = look::ours(self, identity, desired.owner).await?;
        // Tags that are only for people come along whenever something is written anyway.
        self.base().complete_tags(&server, desired.owner).await?;
        // Of a server that does not start with its parameters.
        if differences.iter().any(|difference| difference.field.starts_with(PARAMETER)) {
            configure::set(self, &server, desired.owner, differences).await?;
        }
        self.change(&server, desired, differences).await
    }

    async fn configure(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let server = look::ours(self, identity, desired.owner).await?;
        configure::set(self, &server, desired.owner, differences).await
    }

    async fn set_admin_password(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        password: &Password,
    ) -> Result<(), BackendError> {
        look::ours(self, identity, owner).await?;
        self.set_password(&identity.name, password).await
    }

    async fn mark(&self, identity: &ServerIdentity, owner: &Owner, left: bool) -> Result<(), BackendError> {
        let server = look::ours(self, identity, owner).await?;
        self.base().mark(&server, left).await
    }

    async fn delete(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        deletion::begin(self, identity, owner, uid, removal).await
    }

    async fn conclude(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        removal: Removal,
        last_seen: Option<&str>,
    ) -> Result<(), BackendError> {
        self.base().conclude_deletion(&identity.name, owner, removal, last_seen).await
    }
}
