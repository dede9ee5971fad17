//! A backend whose calls can be made to fail, and are written down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hcpg::backend::{
    Around, BackendError, Call, Hook, Owner, ServerBackend, ServerIdentity, ServerObservation,
};
use hcpg::secrets::Password;

use super::effects::Effects;
use super::faults::{Answer, Fault, Faults, Operation, Ticket};

/// Faults between a backend and the operator.
pub struct Faulty {
    inner: Arc<dyn ServerBackend>,
    faults: Faults,
    effects: Effects,
    observed: Mutex<HashMap<ServerIdentity, ServerObservation>>,
    late: Mutex<HashMap<ServerIdentity, Late>>,
}

/// A password that a service has accepted and not put in force yet.
#[derive(Clone)]
struct Late {
    owner: Owner,
    password: Password,
    ticket: Ticket,
    /// How many more looks it takes.
    looks: u32,
}

impl Faulty {
    /// `inner`, with the faults that `faults` says; writing calls are points at which `effects` may end the operator.
    pub fn around(inner: Arc<dyn ServerBackend>, faults: Faults, effects: Effects) -> Around<Self> {
        let (observed, late) = (Mutex::default(), Mutex::default());
        Around::new(inner.clone(), Self { inner, faults, effects, observed, late })
    }

    async fn call<T: Send>(
        &self,
        call: Call<'_>,
        stale: Option<T>,
        late: impl FnOnce(Ticket, u32) -> Option<T>,
        execute: impl Future<Output = Result<T, BackendError>> + Send,
    ) -> Result<T, BackendError> {
        let (namespace, operation) = (call.owner.namespace.as_str(), call.operation);
        let (ticket, fault) = self.faults.begin(namespace, operation);
        let late = match fault {
            Some(Fault::Late { looks }) => late(ticket, looks),
            _ => None,
        };
        let execute = async {
            let answer = execute.await;
            if answer.is_ok() {
                self.faults.executed(namespace, ticket);
            }
            answer
        };
        let faulty =
            suffer(operation, fault, stale.filter(|_| fault == Some(Fault::Stale)).or(late), execute);
        let answer = if operation.is_write() {
            self.effects.around(namespace, format!("backend {operation:?}"), faulty).await
        } else {
            faulty.await
        };
        let told = answer.as_ref().map_or_else(|error| Answer::Failed(error.label()), |_| Answer::Ok);
        self.faults.answered(namespace, ticket, told);
        answer
    }

    /// Puts a password in force that has been looked for often enough.
    async fn catch_up(&self, identity: &ServerIdentity) -> Result<(), BackendError> {
        let due = {
            let mut all = lock(&self.late);
            let Some(late) = all.get_mut(identity) else { return Ok(()) };
            late.looks = late.looks.saturating_sub(1);
            if late.looks > 0 { None } else { all.remove(identity) }
        };
        let Some(Late { owner, password, ticket, .. }) = due else { return Ok(()) };
        self.inner.set_admin_password(identity, &owner, &password).await?;
        self.faults.executed(&owner.namespace, ticket);
        Ok(())
    }
}

/// What the operator is told; `instead`: an answer without the call.
async fn suffer<T>(
    operation: Operation,
    fault: Option<Fault>,
    instead: Option<T>,
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
        Some(Fault::Stale | Fault::Late { .. }) => match instead {
            Some(answer) => Ok(answer),
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

impl Hook for Faulty {
    async fn observe(
        &self,
        call: Call<'_>,
        look: impl Future<Output = Result<ServerObservation, BackendError>> + Send,
    ) -> Result<ServerObservation, BackendError> {
        let stale = lock(&self.observed).get(call.identity).cloned();
        let look = async {
            self.catch_up(call.identity).await?;
            let observed = look.await?;
            lock(&self.observed).insert(call.identity.clone(), observed.clone());
            Ok(observed)
        };
        self.call(call, stale, |_, _| None, look).await
    }

    async fn write(
        &self,
        call: Call<'_>,
        change: impl Future<Output = Result<(), BackendError>> + Send,
    ) -> Result<(), BackendError> {
        let late = |ticket, looks| {
            let (owner, password) = (call.owner.clone(), call.password?.clone());
            lock(&self.late).insert(call.identity.clone(), Late { owner, password, ticket, looks });
            Some(())
        };
        self.call(call, None, late, change).await
    }
}

fn lock<K, V>(map: &Mutex<HashMap<K, V>>) -> MutexGuard<'_, HashMap<K, V>> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}
