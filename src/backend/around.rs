//! A backend with something around its calls: the one place that hands every method on.
//!
//! A new method of [`ServerBackend`] goes here too, whether it has a default or not: the lint on the implementation
//! below fails the build of `make lint` otherwise. Pure questions are handed on as they are; what reads or changes a
//! server goes through the [`Hook`], with an [`Operation`] of its own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use strum::{EnumIter, IntoStaticStr};

use super::{
    BackendError, DesiredServer, Difference, Logins, Notes, Owner, Read, Rejection, Removal, ServerBackend,
    ServerFacts, ServerIdentity, ServerObservation,
};
use crate::api::{DeletionPolicy, WeeklyWindow};
use crate::secrets::Password;

/// A call of [`ServerBackend`] that leaves the operator's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Operation {
    /// `observe`.
    Observe,
    /// `create`.
    Create,
    /// `update`.
    Update,
    /// `configure`.
    Configure,
    /// `set_admin_password`.
    SetAdminPassword,
    /// `mark`.
    Mark,
    /// `delete`.
    Delete,
    /// `conclude`.
    Conclude,
}

impl Operation {
    /// Whether it changes something.
    pub fn is_write(self) -> bool {
        self != Self::Observe
    }
}

/// What is asked for, and about which server.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Which call.
    pub operation: Operation,
    /// Where the server lives.
    pub identity: &'a ServerIdentity,
    /// Whose it is.
    pub owner: &'a Owner,
    /// The password that is set by [`Operation::SetAdminPassword`].
    pub password: Option<&'a Password>,
}

/// What happens around a call. Nothing of the call has happened before its future is polled.
pub trait Hook: Send + Sync {
    /// Around a look at a server.
    fn observe(
        &self,
        call: Call<'_>,
        look: impl Future<Output = Result<ServerObservation, BackendError>> + Send,
    ) -> impl Future<Output = Result<ServerObservation, BackendError>> + Send;

    /// Around a change.
    fn write(
        &self,
        call: Call<'_>,
        change: impl Future<Output = Result<(), BackendError>> + Send,
    ) -> impl Future<Output = Result<(), BackendError>> + Send;
}

/// A backend, and what happens around its calls.
pub struct Around<H> {
    inner: Arc<dyn ServerBackend>,
    hook: H,
}

impl<H: Hook> Around<H> {
    /// `inner`, with `hook` around what reads or changes a server.
    pub fn new(inner: Arc<dyn ServerBackend>, hook: H) -> Self {
        Self { inner, hook }
    }
}

// A default in place of the backend's own answer would be believed.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<H: Hook> ServerBackend for Around<H> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn admin_username(&self) -> String {
        self.inner.admin_username()
    }

    fn logins(&self) -> Logins {
        self.inner.logins()
    }

    fn creates(&self) -> Result<(), Rejection> {
        self.inner.creates()
    }

    fn settling_time(&self) -> Duration {
        self.inner.settling_time()
    }

    fn first_poll(&self) -> Option<Duration> {
        self.inner.first_poll()
    }

    fn default_deletion(&self, of_original: bool) -> DeletionPolicy {
        self.inner.default_deletion(of_original)
    }

    fn leaves_deleted(&self) -> bool {
        self.inner.leaves_deleted()
    }

    fn leaves_databases(&self) -> bool {
        self.inner.leaves_databases()
    }

    fn marks_retained(&self) -> bool {
        self.inner.marks_retained()
    }

    fn concludes(&self) -> bool {
        self.inner.concludes()
    }

    fn lists_extensions(&self) -> bool {
        self.inner.lists_extensions()
    }

    fn firewall_rules(&self, desired: &DesiredServer<'_>) -> BTreeSet<String> {
        self.inner.firewall_rules(desired)
    }

    fn default_window(&self, facts: &ServerFacts) -> WeeklyWindow {
        self.inner.default_window(facts)
    }

    fn unsupported(&self, desired: &DesiredServer<'_>) -> Vec<Rejection> {
        self.inner.unsupported(desired)
    }

    async fn begin(&self) {
        self.inner.begin().await;
    }

    async fn at_rest(&self) {
        self.inner.at_rest().await;
    }

    fn notes(&self, identity: &ServerIdentity) -> Notes {
        self.inner.notes(identity)
    }

    fn recall(&self, identity: &ServerIdentity, kept: &Notes) {
        self.inner.recall(identity, kept);
    }

    fn identity(&self, owner: &Owner) -> Result<ServerIdentity, Rejection> {
        self.inner.identity(owner)
    }

    fn validate(&self, desired: &DesiredServer<'_>) -> Result<(), Vec<Rejection>> {
        self.inner.validate(desired)
    }

    fn differences(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference> {
        self.inner.differences(desired, facts)
    }

    async fn observe(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
    ) -> Result<ServerObservation, BackendError> {
        let call = Call { operation: Operation::Observe, identity, owner, password: None };
        self.hook.observe(call, self.inner.observe(identity, owner, read)).await
    }

    async fn create(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        let call = Call { operation: Operation::Create, identity, owner: desired.owner, password: None };
        self.hook.write(call, self.inner.create(identity, desired, password)).await
    }

    async fn update(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let call = Call { operation: Operation::Update, identity, owner: desired.owner, password: None };
        self.hook.write(call, self.inner.update(identity, desired, differences)).await
    }

    async fn configure(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let call = Call { operation: Operation::Configure, identity, owner: desired.owner, password: None };
        self.hook.write(call, self.inner.configure(identity, desired, differences)).await
    }

    async fn set_admin_password(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        password: &Password,
    ) -> Result<(), BackendError> {
        let call = Call { operation: Operation::SetAdminPassword, identity, owner, password: Some(password) };
        self.hook.write(call, self.inner.set_admin_password(identity, owner, password)).await
    }

    async fn mark(&self, identity: &ServerIdentity, owner: &Owner, left: bool) -> Result<(), BackendError> {
        let call = Call { operation: Operation::Mark, identity, owner, password: None };
        self.hook.write(call, self.inner.mark(identity, owner, left)).await
    }

    async fn delete(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        let call = Call { operation: Operation::Delete, identity, owner, password: None };
        self.hook.write(call, self.inner.delete(identity, owner, uid, removal)).await
    }

    async fn conclude(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        removal: Removal,
        last_seen: Option<&str>,
    ) -> Result<(), BackendError> {
        let call = Call { operation: Operation::Conclude, identity, owner, password: None };
        self.hook.write(call, self.inner.conclude(identity, owner, removal, last_seen)).await
    }
}
