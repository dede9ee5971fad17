//! A backend whose calls can be made to fail, and are written down.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hcpg::api::{DeletionPolicy, WeeklyWindow};
use hcpg::backend::{
    BackendError, DesiredServer, Difference, Logins, Owner, Read, Rejection, Removal, ServerBackend,
    ServerFacts, ServerIdentity, ServerObservation,
};
use hcpg::secrets::Password;

use super::effects::Effects;
use super::faults::{Answer, Fault, Faults, Operation};

/// Any backend, with faults between it and the operator.
pub struct FaultyBackend {
    inner: Arc<dyn ServerBackend>,
    faults: Faults,
    effects: Effects,
    observed: Mutex<HashMap<ServerIdentity, ServerObservation>>,
}

impl FaultyBackend {
    /// `inner`, with the faults that `faults` says; writing calls are points at which `effects` may end the operator.
    pub fn new(inner: Arc<dyn ServerBackend>, faults: Faults, effects: Effects) -> Self {
        Self { inner, faults, effects, observed: Mutex::default() }
    }

    async fn call<T: Send>(
        &self,
        owner: &Owner,
        operation: Operation,
        stale: Option<T>,
        call: impl Future<Output = Result<T, BackendError>> + Send,
    ) -> Result<T, BackendError> {
        let namespace = owner.namespace.as_str();
        let (ticket, fault) = self.faults.begin(namespace, operation);
        let execute = async {
            let answer = call.await;
            if answer.is_ok() {
                self.faults.executed(namespace, ticket);
            }
            answer
        };
        let faulty = self.suffer(operation, fault, stale, execute);
        let answer = if operation.is_write() {
            self.effects.around(namespace, format!("backend {operation:?}"), faulty).await
        } else {
            faulty.await
        };
        let told = answer.as_ref().map_or_else(|error| Answer::Failed(error.label()), |_| Answer::Ok);
        self.faults.answered(namespace, ticket, told);
        answer
    }

    async fn suffer<T>(
        &self,
        operation: Operation,
        fault: Option<Fault>,
        stale: Option<T>,
        execute: impl Future<Output = Result<T, BackendError>>,
    ) -> Result<T, BackendError> {
        let reset = || BackendError::transient(format!("{operation:?}: the connection was reset"));
        match fault {
            None => execute.await,
            Some(Fault::Throttled { retry_after }) => Err(BackendError::Transient {
                message: format!("{operation:?}: too many requests"),
                retry_after: Some(retry_after),
            }),
            Some(Fault::ServerError) => {
                Err(BackendError::transient(format!("{operation:?}: the service answered 500")))
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::ConnectionReset) => Err(reset()),
            Some(Fault::LostAnswer) => match execute.await {
                Ok(_) => Err(reset()),
                refused => refused,
            },
            Some(Fault::HangAfter) => {
                let _ = execute.await;
                std::future::pending().await
            }
            Some(Fault::Stale) => match stale {
                Some(stale) => Ok(stale),
                None => execute.await,
            },
            Some(Fault::Delay(wait)) => {
                tokio::time::sleep(wait).await;
                execute.await
            }
            Some(Fault::Rejected) => {
                Err(BackendError::rejected(format!("{operation:?}: the quota is exhausted")))
            }
        }
    }

    fn last_observed(&self, identity: &ServerIdentity) -> Option<ServerObservation> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner).get(identity).cloned()
    }
}

#[async_trait]
impl ServerBackend for FaultyBackend {
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

    async fn begin(&self) {
        self.inner.begin().await;
    }

    async fn at_rest(&self) {
        self.inner.at_rest().await;
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
        let stale = self.last_observed(identity);
        let call = async {
            let observed = self.inner.observe(identity, owner, read).await?;
            let mut last = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
            last.insert(identity.clone(), observed.clone());
            Ok(observed)
        };
        self.call(owner, Operation::Observe, stale, call).await
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
        let call = self.inner.create(identity, desired, password);
        self.call(desired.owner, Operation::Create, None, call).await
    }

    async fn update(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let call = self.inner.update(identity, desired, differences);
        self.call(desired.owner, Operation::Update, None, call).await
    }

    async fn configure(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let call = self.inner.configure(identity, desired, differences);
        self.call(desired.owner, Operation::Configure, None, call).await
    }

    async fn set_admin_password(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        password: &Password,
    ) -> Result<(), BackendError> {
        let call = self.inner.set_admin_password(identity, owner, password);
        self.call(owner, Operation::SetAdminPassword, None, call).await
    }

    async fn mark(&self, identity: &ServerIdentity, owner: &Owner, left: bool) -> Result<(), BackendError> {
        self.call(owner, Operation::Mark, None, self.inner.mark(identity, owner, left)).await
    }

    async fn delete(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        let call = self.inner.delete(identity, owner, uid, removal);
        self.call(owner, Operation::Delete, None, call).await
    }

    async fn conclude(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        removal: Removal,
        last_seen: Option<&str>,
    ) -> Result<(), BackendError> {
        let call = self.inner.conclude(identity, owner, removal, last_seen);
        self.call(owner, Operation::Conclude, None, call).await
    }
}
