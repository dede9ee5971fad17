//! What is one thing on RDS and another on Aurora: a server is an instance there, and a cluster with its members here.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use aws_sdk_rds::types::Tag;

use super::super::{
    BackendError, DesiredServer, Difference, Owner, Rejection, Removal, ServerFacts, ServerIdentity, Urgency,
};
use super::base::Base;
use super::parameters;
use super::states::State;
use crate::api::PostgreSQLServerSpec;
use crate::secrets::Password;

/// A server, as one look saw it. Pure.
pub(super) trait Shown: Send + Sync {
    /// Its identifier, as the service writes it.
    fn identifier(&self) -> &str;
    /// The identifier that is never used again.
    fn uid(&self) -> Option<&str>;
    /// What calls for its tags name it by.
    fn arn(&self) -> Option<&str>;
    /// Its tags.
    fn tags(&self) -> &[Tag];
    /// Why it is none of this backend's, whatever its tags say.
    fn stranger(&self) -> Option<String>;
    /// Its state, in the service's word.
    fn status(&self) -> Option<&str>;
    /// What the state means, together with those of its parts.
    fn state(&self) -> State;
    /// Whether a password was accepted that is not set yet.
    fn has_pending_password(&self) -> bool;
    /// Whether the service lets nobody delete it.
    fn is_protected(&self) -> bool;
    /// The version that it runs.
    fn version(&self) -> Option<&str>;
    /// Its parameter group.
    fn group(&self) -> Option<&str>;

    /// Its name, in lower case, as the service stores it.
    fn name(&self) -> String {
        self.identifier().to_lowercase()
    }

    /// Its parameter group, where that is its own.
    fn own_group(&self) -> Option<&str> {
        self.group().filter(|group| parameters::is_own(group, &self.name()))
    }
}

/// The servers of one kind. Whoever has them is a backend: see `backend.rs`, which has what both kinds do in the same way.
#[async_trait]
pub(super) trait Servers: Send + Sync {
    /// An instance, or a cluster with its members.
    type Server: Shown;

    /// The name of the backend.
    const NAME: &'static str;
    /// Longest identifier.
    const LONGEST: usize;
    /// Which of the facts is the state of what starts with the server's parameters, or does not.
    const STARTING: &'static str;

    /// What both kinds have.
    fn base(&self) -> &Base;

    /// Looks for what would be refused. Pure.
    ///
    /// # Errors
    /// Every rejected field.
    fn check(&self, spec: &PostgreSQLServerSpec) -> Result<(), Vec<Rejection>>;

    /// What has no effect, field by field. Pure.
    fn left_out(&self, spec: &PostgreSQLServerSpec) -> Vec<Rejection>;

    /// What the server is like, parameters apart. Pure.
    fn facts(&self, server: &Self::Server) -> ServerFacts;

    /// How it differs from the wish, parameters apart. Pure.
    fn compared(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference>;

    /// The server in listings that were begun at `since` or later, which all who ask share.
    async fn listed(&self, name: &str, since: Instant) -> Result<Option<Arc<Self::Server>>, BackendError>;

    /// The server, by a read of its own; none if the service says that there is none.
    async fn read(&self, name: &str, urgency: Urgency) -> Result<Option<Self::Server>, BackendError>;

    /// Asks for a new server; one of ours that is there already is the one.
    async fn make(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError>;

    /// Carries out what differs, parameters and tags apart.
    async fn change(
        &self,
        server: &Self::Server,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError>;

    /// Gives the server another parameter group.
    async fn set_group(&self, name: &str, group: String) -> Result<(), BackendError>;

    /// The service takes it in at once and sets it a little later; until then the server is busy.
    async fn set_password(&self, name: &str, password: &Password) -> Result<(), BackendError>;

    /// Takes away a server that is ours, and does not go yet.
    async fn remove(
        &self,
        server: &Self::Server,
        owner: &Owner,
        removal: Removal,
    ) -> Result<(), BackendError>;
}
