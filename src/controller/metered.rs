//! Counts the calls to a backend, bounds their time and lets them through as long as this process may act, so that no
//! backend has to.

use std::sync::Arc;
use std::time::Duration;

use crate::backend::{Around, BackendError, Call, Hook, Operation, ServerBackend, ServerObservation};
use crate::failpoints;
use crate::fence;
use crate::ops::Metrics;

/// Calls are counted, and given up after a while.
///
/// A call that never ends would hold its object for ever: no pass over an object begins while another is under way.
pub struct Metered {
    backend: &'static str,
    metrics: Arc<Metrics>,
    limit: Duration,
}

impl Metered {
    /// Counts the calls to `inner` in `metrics`, each of which may take as long as `limit`.
    pub fn around(inner: Arc<dyn ServerBackend>, metrics: Arc<Metrics>, limit: Duration) -> Around<Self> {
        let hook = Self { backend: inner.name(), metrics, limit };
        Around::new(inner, hook)
    }

    async fn counted<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, BackendError>> + Send,
    ) -> Result<T, BackendError> {
        let name: &'static str = operation.into();
        let unanswered = |_| {
            let seconds = self.limit.as_secs();
            BackendError::transient(format!("the backend gave no answer to {name} within {seconds} s"))
        };
        let answer =
            tokio::time::timeout(self.limit, fence::within(call)).await.map_err(unanswered).flatten();
        let outcome = answer.as_ref().map_or_else(BackendError::label, |_| "ok");
        self.metrics.backend_request(self.backend, name, outcome);
        if operation.is_write() {
            failpoints::done(&format!("backend {name}"));
        }
        answer
    }
}

impl Hook for Metered {
    async fn observe(
        &self,
        call: Call<'_>,
        look: impl Future<Output = Result<ServerObservation, BackendError>> + Send,
    ) -> Result<ServerObservation, BackendError> {
        self.counted(call.operation, look).await
    }

    async fn write(
        &self,
        call: Call<'_>,
        change: impl Future<Output = Result<(), BackendError>> + Send,
    ) -> Result<(), BackendError> {
        self.counted(call.operation, change).await
    }
}
