//! What is asked of both of Azure's services for PostgreSQL in the same way: servers of one kind in a subscription.

mod look;
mod write;

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::super::cloud::Listing;
use super::super::{BackendError, Notes, ServerIdentity, Urgency};
use super::arm::{Arm, Call};
use super::authorities::Authorities;
use super::identity::{self, escaped};
use super::memory::Memory;
use super::model::{OwnProperties, Server};
use super::{AzureConfigError, Variables, connect};
use crate::api::DeletionPolicy;
use crate::config::AzureConfig;

pub(super) use look::is_at_rest;
pub(super) use write::refused;

/// How long the service may not show a server after it has accepted its creation. What this process has begun it knows
/// of anyway, and a second request meets the first one by its name.
pub(super) const SETTLING: Duration = Duration::from_secs(10);
/// The original's version of the locks' API has the same fields.
const LOCKS_VERSION: &str = "2020-05-01";
/// What a change is about.
pub(super) const SERVER: &str = "server";
const PASSWORD: &str = "password";
const DELETION: &str = "deletion";
/// What is going on when a server is made.
pub(super) const CREATION: &str = "creating the server";

/// One of the services, and what is known of its servers; `P` are the properties that only they have.
#[derive(Debug)]
pub(super) struct Service<P> {
    pub(super) azure: AzureConfig,
    /// The resource type below the provider, as it stands in paths.
    kind: &'static str,
    /// Of the API.
    version: String,
    pub(super) arm: Arm,
    pub(super) authorities: Authorities,
    listing: Listing<Server<P>>,
    pub(super) memory: Memory,
}

impl<P: OwnProperties> Service<P> {
    /// Nothing is asked of Azure yet.
    ///
    /// # Errors
    /// When a key of the configuration cannot be used.
    pub(super) fn new(
        azure: &AzureConfig,
        kind: &'static str,
        version: &str,
        variables: &Variables,
    ) -> Result<Self, AzureConfigError> {
        let (arm, authorities) = connect(azure, variables)?;
        let version = azure.api_version.clone().unwrap_or_else(|| version.to_owned());
        let (listing, memory) = (Listing::new(), Memory::default());
        Ok(Self { azure: azure.clone(), kind, version, arm, authorities, listing, memory })
    }

    /// What happens to a server whose object does not say so, when the object is deleted.
    pub(super) fn default_deletion(&self, of_original: bool) -> DeletionPolicy {
        let azure = &self.azure;
        azure.taken_over_deletion_policy.filter(|_| of_original).unwrap_or(azure.deletion_policy)
    }

    /// What was begun on a server and is not over, or failed and was not told of.
    pub(super) fn notes(&self, identity: &ServerIdentity) -> Notes {
        self.memory.notes(&identity.name)
    }

    /// Goes on with what another process has begun.
    pub(super) fn recall(&self, identity: &ServerIdentity, kept: &Notes) {
        self.memory.recall(&self.arm, &identity.name, kept);
    }

    /// The path of the servers of a group.
    fn servers(&self, identity: &ServerIdentity) -> String {
        let group = identity::group(&self.azure, identity);
        format!("{group}/providers/Microsoft.DBforPostgreSQL/{}", self.kind)
    }

    /// The path of a server.
    pub(super) fn path(&self, identity: &ServerIdentity) -> String {
        format!("{}/{}", self.servers(identity), escaped(&identity.name))
    }

    /// A resource of the service; none where it says that there is none.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        name: &str,
        path: &str,
        urgency: Urgency,
    ) -> Result<Option<T>, BackendError> {
        self.arm.get(Call { name, path, version: &self.version, urgency }).await
    }

    /// All resources of a listing of the service.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        name: &str,
        path: &str,
        urgency: Urgency,
    ) -> Result<Vec<T>, BackendError> {
        self.arm.list(Call { name, path, version: &self.version, urgency }).await
    }
}
