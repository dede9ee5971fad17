//! Counts the calls to a backend, bounds their time and lets them through as long as this process may act, so that no
//! backend has to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::api::{DeletionPolicy, WeeklyWindow};
use crate::backend::{
    BackendError, DesiredServer, Difference, Logins, Owner, Read, Rejection, Removal, ServerBackend,
    ServerFacts, ServerIdentity, ServerObservation,
};
use crate::failpoints;
use crate::fence;
use crate::ops::Metrics;
use crate::secrets::Password;

/// A backend whose calls are counted, and given up after a while.
///
/// A call that never ends would hold its object for ever: no pass over an object begins while another is under way.
pub struct Metered {
    inner: Arc<dyn ServerBackend>,
    metrics: Arc<Metrics>,
    limit: Duration,
}

impl Metered {
    /// Counts the calls to `inner` in `metrics`, each of which may take as long as `limit`.
    pub fn new(inner: Arc<dyn ServerBackend>, metrics: Arc<Metrics>, limit: Duration) -> Self {
        Self { inner, metrics, limit }
    }

    async fn counted<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, BackendError>> + Send,
    ) -> Result<T, BackendError> {
        let unanswered = |_| {
            let seconds = self.limit.as_secs();
            BackendError::transient(format!("the backend gave no answer to {operation} within {seconds} s"))
        };
        let answer =
            tokio::time::timeout(self.limit, fence::within(call)).await.map_err(unanswered).flatten();
        let outcome = answer.as_ref().map_or_else(BackendError::label, |_| "ok");
        self.metrics.backend_request(self.inner.name(), operation, outcome);
        if operation != "observe" {
            failpoints::done(&format!("backend {operation}"));
        }
        answer
    }
}

#[async_trait]
impl ServerBackend for Metered {
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

    fn default_deletion(&self, of_original: bool) -> DeletionPolicy {
        self.inner.default_deletion(of_original)
    }

    fn marks_retained(&self) -> bool {
        self.inner.marks_retained()
    }

    fn concludes(&self) -> bool {
        self.inner.concludes()
    }

    fn leaves_deleted(&self) -> bool {
        self.inner.leaves_deleted()
    }

    fn leaves_databases(&self) -> bool {
        self.inner.leaves_databases()
    }

    fn lists_extensions(&self) -> bool {
        self.inner.lists_extensions()
    }

    fn firewall_rules(&self, desired: &DesiredServer<'_>) -> BTreeSet<String> {
        self.inner.firewall_rules(desired)
    }

    fn first_poll(&self) -> Option<Duration> {
        self.inner.first_poll()
    }

    fn default_window(&self, facts: &ServerFacts) -> WeeklyWindow {
        self.inner.default_window(facts)
    }

    fn unsupported(&self, desired: &DesiredServer<'_>) -> Vec<Rejection> {
        self.inner.unsupported(desired)
    }

    fn identity(&self, owner: &Owner) -> Result<ServerIdentity, Rejection> {
        self.inner.identity(owner)
    }

    fn validate(&self, desired: &DesiredServer<'_>) -> Result<(), Vec<Rejection>> {
        self.inner.validate(desired)
    }

    async fn observe(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
    ) -> Result<ServerObservation, BackendError> {
        self.counted("observe", self.inner.observe(identity, owner, read)).await
    }

    fn differences(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference> {
        self.inner.differences(desired, facts)
    }

    async fn create(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        self.counted("create", self.inner.create(identity, desired, password)).await
    }

    async fn update(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        self.counted("update", self.inner.update(identity, desired, differences)).await
    }

    async fn configure(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        self.counted("configure", self.inner.configure(identity, desired, differences)).await
    }

    async fn set_admin_password(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        password: &Password,
    ) -> Result<(), BackendError> {
        self.counted("set_admin_password", self.inner.set_admin_password(identity, owner, password)).await
    }

    async fn mark(&self, identity: &ServerIdentity, owner: &Owner, left: bool) -> Result<(), BackendError> {
        self.counted("mark", self.inner.mark(identity, owner, left)).await
    }

    async fn delete(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        self.counted("delete", self.inner.delete(identity, owner, uid, removal)).await
    }

    async fn conclude(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        removal: Removal,
        last_seen: Option<&str>,
    ) -> Result<(), BackendError> {
        self.counted("conclude", self.inner.conclude(identity, owner, removal, last_seen)).await
    }
}
