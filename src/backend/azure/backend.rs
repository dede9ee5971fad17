//! The backends of both services: what they do alike. What each does in its own way is its [`Offering`].

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use super::super::{
    BackendError, DesiredServer, Difference, Logins, Notes, Owner, Read, Rejection, Removal, ServerBackend,
    ServerFacts, ServerIdentity, ServerObservation, Urgency,
};
use super::firewall::Policy;
use super::model::{Configuration, OwnProperties, Server, ServerWrite};
use super::service::{SETTLING, Service, is_at_rest, refused};
use super::{identity, parameters, requests};
use crate::api::{DeletionPolicy, WeeklyWindow};
use crate::secrets::Password;

/// What one of the services does in its own way.
#[async_trait]
pub(super) trait Offering: fmt::Debug + Send + Sync + 'static {
    /// The backend's name.
    const NAME: &'static str;
    /// How the names of logins are spelled.
    const LOGINS: Logins;
    /// What only its servers are like.
    type Own: OwnProperties + 'static;
    /// What only its servers are asked to be like.
    type OwnWrite: Clone + Default + PartialEq + Serialize + Send + Sync;

    /// What the administrator says about rules of the firewall.
    fn policy(&self) -> Policy<'_>;

    /// As [`ServerBackend::creates`].
    fn creates(&self) -> Result<(), Rejection> {
        Ok(())
    }

    /// As [`ServerBackend::default_window`]: Azure's own choice is not told.
    fn default_window(&self, _facts: &ServerFacts) -> WeeklyWindow {
        WeeklyWindow::DEFAULT
    }

    /// As [`ServerBackend::concludes`].
    fn concludes(&self) -> bool {
        false
    }

    /// As [`ServerBackend::validate`].
    fn validate(&self, desired: &DesiredServer<'_>) -> Result<(), Vec<Rejection>>;

    /// As [`ServerBackend::unsupported`].
    fn unsupported(&self, desired: &DesiredServer<'_>) -> Vec<Rejection>;

    /// Adds to the facts what only its servers are like.
    fn note(&self, identity: &ServerIdentity, server: &Server<Self::Own>, facts: &mut ServerFacts);

    /// The parameters that are looked at.
    async fn parameters(
        &self,
        service: &Service<Self::Own>,
        identity: &ServerIdentity,
        urgency: Urgency,
    ) -> Result<Vec<Configuration>, BackendError>;

    /// As [`ServerBackend::differences`].
    fn differences(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference>;

    /// What a new server is, besides what servers of both services are.
    fn new_server(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
    ) -> Result<ServerWrite<Self::OwnWrite>, Vec<Rejection>>;

    /// The change of a server itself that carries out the differences; none when nothing is left.
    fn change(
        &self,
        desired: &DesiredServer<'_>,
        server: &Server<Self::Own>,
        differences: &[Difference],
    ) -> Option<ServerWrite<Self::OwnWrite>>;

    /// As [`ServerBackend::configure`], with a `server` that is at rest.
    async fn configure(
        &self,
        service: &Service<Self::Own>,
        identity: &ServerIdentity,
        server: &Server<Self::Own>,
        differences: &[Difference],
    ) -> Result<(), BackendError>;

    /// As [`ServerBackend::conclude`].
    async fn conclude(
        &self,
        _service: &Service<Self::Own>,
        _identity: &ServerIdentity,
    ) -> Result<(), BackendError> {
        Ok(())
    }
}

/// Servers of one of the services.
#[derive(Debug)]
#[expect(private_bounds, reason = "there are two offerings, and nobody else is to add one")]
pub struct AzureBackend<O: Offering> {
    pub(super) offering: O,
    pub(super) service: Service<O::Own>,
}

#[async_trait]
impl<O: Offering> ServerBackend for AzureBackend<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn admin_username(&self) -> String {
        self.service.azure.admin_username.clone()
    }

    fn logins(&self) -> Logins {
        O::LOGINS
    }

    fn creates(&self) -> Result<(), Rejection> {
        self.offering.creates()
    }

    fn settling_time(&self) -> Duration {
        SETTLING
    }

    fn default_deletion(&self, of_original: bool) -> DeletionPolicy {
        self.service.default_deletion(of_original)
    }

    fn leaves_deleted(&self) -> bool {
        self.service.azure.server_delete_fake
    }

    fn leaves_databases(&self) -> bool {
        self.service.azure.database_delete_fake
    }

    fn concludes(&self) -> bool {
        self.offering.concludes()
    }

    fn firewall_rules(&self, desired: &DesiredServer<'_>) -> BTreeSet<String> {
        self.offering.policy().asked(desired.spec).into_keys().collect()
    }

    fn default_window(&self, facts: &ServerFacts) -> WeeklyWindow {
        self.offering.default_window(facts)
    }

    fn notes(&self, identity: &ServerIdentity) -> Notes {
        self.service.notes(identity)
    }

    fn recall(&self, identity: &ServerIdentity, kept: &Notes) {
        self.service.recall(identity, kept);
    }

    fn identity(&self, owner: &Owner) -> Result<ServerIdentity, Rejection> {
        identity::of(&self.service.azure, owner)
    }

    fn validate(&self, desired: &DesiredServer<'_>) -> Result<(), Vec<Rejection>> {
        self.offering.validate(desired)
    }

    fn unsupported(&self, desired: &DesiredServer<'_>) -> Vec<Rejection> {
        self.offering.unsupported(desired)
    }

    async fn observe(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
    ) -> Result<ServerObservation, BackendError> {
        let note = |server: &_, facts: &mut _| self.offering.note(identity, server, facts);
        let (mut seen, urgency) = self.service.look(identity, owner, read, note).await?;
        if let ServerObservation::Present(present) = &mut seen
            && is_at_rest(present)
        {
            let settings = &mut present.facts.settings;
            self.service.look_at_rules(identity, settings, urgency).await?;
            let all = self.offering.parameters(&self.service, identity, urgency).await?;
            parameters::note(settings, &all);
            self.service.look_at_locks(identity, present, urgency).await?;
        }
        Ok(seen)
    }

    fn differences(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference> {
        self.offering.differences(desired, facts)
    }

    async fn create(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        let body = || {
            self.creates().map_err(|rejection| refused(vec![rejection]))?;
            let own = self.offering.new_server(identity, desired).map_err(refused)?;
            Ok(requests::create(own, identity, desired, &self.service.azure, password))
        };
        self.service.create(identity, desired, password, body).await
    }

    async fn update(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let server = self.service.at_rest(identity, desired.owner).await?;
        let body = self.offering.change(desired, &server, differences);
        self.service.update(identity, differences, body).await
    }

    async fn configure(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let server = self.service.at_rest(identity, desired.owner).await?;
        self.offering.configure(&self.service, identity, &server, differences).await
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

    async fn conclude(
        &self,
        identity: &ServerIdentity,
        _: &Owner,
        _: Removal,
        _: Option<&str>,
    ) -> Result<(), BackendError> {
        self.offering.conclude(&self.service, identity).await
    }
}
