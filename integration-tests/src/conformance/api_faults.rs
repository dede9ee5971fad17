//! Faults between the operator and the API server: which request meets which, and whether it did.

use std::collections::{BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use kube::client::{Body, DynBody};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};
use tower::{BoxError, Layer, Service};

use super::askers::{self, Asker, DATABASES, SERVERS};
use super::case::SECRET;
use crate::operator::OPERATOR_NAMESPACE;

/// How long a request is left without an answer; the product's own patience is tested beside its client.
const SILENCE: Duration = Duration::from_millis(500);

/// What the operator asks the API server for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Target {
    /// Reads the object.
    ObjectRead,
    /// Changes the object's finalizers or labels.
    ObjectWrite,
    /// Writes the object's status.
    StatusWrite,
    /// Reads the credentials Secret.
    SecretRead,
    /// Writes or deletes the credentials Secret.
    SecretWrite,
    /// Reads the pending password.
    PendingRead,
    /// Writes or deletes the pending password.
    PendingWrite,
    /// Reads the namespace.
    NamespaceRead,
    /// Lists the databases of the namespace: those of a server that is to go.
    DatabasesRead,
    /// Reads the server of a database.
    ServerRead,
    /// Reads the credentials Secret of that server.
    ServerSecretRead,
}

impl Target {
    fn is_read(self) -> bool {
        match self {
            Self::ObjectRead
            | Self::SecretRead
            | Self::PendingRead
            | Self::NamespaceRead
            | Self::DatabasesRead
            | Self::ServerRead
            | Self::ServerSecretRead => true,
            Self::ObjectWrite | Self::StatusWrite | Self::SecretWrite | Self::PendingWrite => false,
        }
    }

    /// What is asked for in a pass over an object of that kind; none if no table has a row for it.
    fn of(request: &Request<Body>, kind: &str) -> Option<Self> {
        let reads = *request.method() == Method::GET;
        let either = |read, write| if reads { read } else { write };
        let parts: Vec<&str> = request.uri().path().split('/').filter(|part| !part.is_empty()).collect();
        let begin = parts.iter().position(|part| *part == "namespaces")?;
        let is_pending = |name: Option<&&str>| name.is_none_or(|name| name.starts_with("hcpg-pending-"));
        Some(match parts.get(begin + 1..)? {
            [_] if reads => Self::NamespaceRead,
            [_, DATABASES] if reads => Self::DatabasesRead,
            [_, own, _] if *own == kind => either(Self::ObjectRead, Self::ObjectWrite),
            [_, own, _, "status"] if *own == kind && !reads => Self::StatusWrite,
            [_, SERVERS, _] if reads => Self::ServerRead,
            [OPERATOR_NAMESPACE, "secrets", rest @ ..] if is_pending(rest.first()) => {
                either(Self::PendingRead, Self::PendingWrite)
            }
            [OPERATOR_NAMESPACE, ..] => return None,
            [_, "secrets", name] if reads && kind == DATABASES && *name == SECRET => Self::ServerSecretRead,
            [_, "secrets", ..] => either(Self::SecretRead, Self::SecretWrite),
            _ => return None,
        })
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum ApiFault {
    /// 403: a rule was taken away.
    Forbidden,
    /// 409: somebody else was faster, or said to have been.
    Conflict,
    /// 429, come back after a second.
    TooManyRequests,
    /// 500.
    ServerError,
    /// No answer; nothing was done.
    NoAnswer,
    /// It was done, and the answer was lost.
    LostAnswer,
}

impl ApiFault {
    /// Whether a request can meet it: nothing that is read is in conflict, and a read whose answer is lost is a read
    /// without an answer.
    pub fn befits(self, target: Target) -> bool {
        !target.is_read() || !matches!(self, Self::Conflict | Self::LostAnswer)
    }
}

/// Faults for the requests to come.
#[derive(Clone, Default)]
pub struct ApiFaults(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    next: HashMap<Asker, Vec<(Target, ApiFault)>>,
    chaos: HashMap<String, (StdRng, u32)>,
    /// Requests in passes that no table has a row for.
    strange: BTreeSet<String>,
}

impl ApiFaults {
    /// The next request for each target meets the fault, where it befits.
    pub fn plan(&self, asker: &Asker, fault: ApiFault) {
        let targets = Target::iter().filter(|target| fault.befits(*target));
        self.lock().next.insert(asker.clone(), targets.map(|target| (target, fault)).collect());
    }

    /// Whether no request for the target has met its fault yet.
    pub fn is_left(&self, asker: &Asker, target: Target) -> bool {
        self.lock().next.get(asker).is_some_and(|planned| planned.iter().any(|(left, _)| *left == target))
    }

    /// Requests in passes for which there is no target, so that they meet no fault.
    pub fn strange(&self) -> Vec<String> {
        self.lock().strange.iter().cloned().collect()
    }

    /// The targets that have met their fault since; the others are let off.
    pub fn met(&self, asker: &Asker, fault: ApiFault) -> Vec<Target> {
        let left = self.lock().next.remove(asker).unwrap_or_default();
        let befitting = Target::iter().filter(|target| fault.befits(*target));
        befitting.filter(|target| !left.contains(&(*target, fault))).collect()
    }

    /// From now on a request for objects of that namespace meets any fault, with this probability in percent.
    pub fn chaos(&self, namespace: &str, seed: u64, percent: u32) {
        self.lock().chaos.insert(namespace.to_owned(), (StdRng::seed_from_u64(seed), percent));
    }

    /// No request for objects of that namespace meets a fault any more.
    pub fn calm(&self, namespace: &str) {
        let mut inner = self.lock();
        inner.chaos.remove(namespace);
        inner.next.retain(|asker, _| asker.namespace != namespace);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self, request: &Request<Body>) -> Option<ApiFault> {
        let asker = askers::current()?;
        let Some(target) = Target::of(request, asker.kind) else {
            self.note(request, &asker);
            return None;
        };
        let mut inner = self.lock();
        if let Some(planned) = inner.next.get_mut(&asker) {
            let found = planned.iter().position(|(planned, _)| *planned == target)?;
            return Some(planned.remove(found).1);
        }
        let (random, percent) = inner.chaos.get_mut(&asker.namespace)?;
        if random.random_range(0..100) >= *percent {
            return None;
        }
        let befitting: Vec<ApiFault> = ApiFault::iter().filter(|fault| fault.befits(target)).collect();
        befitting.get(random.random_range(0..befitting.len())).copied()
    }

    /// Events decide nothing.
    fn note(&self, request: &Request<Body>, asker: &Asker) {
        let (method, path) = (request.method(), request.uri().path());
        if !path.starts_with("/apis/events.k8s.io/") {
            self.lock().strange.insert(format!("{method} {path} for one of the {}", asker.kind));
        }
    }
}

/// Leads every request of a client through the [`ApiFaults`].
#[derive(Clone)]
pub struct ApiFaultsLayer(pub ApiFaults);

impl<S> Layer<S> for ApiFaultsLayer {
    type Service = Faulty<S>;

    fn layer(&self, inner: S) -> Faulty<S> {
        Faulty { inner, faults: self.0.clone() }
    }
}

/// A client's way to the API server, with faults on it.
pub struct Faulty<S> {
    inner: S,
    faults: ApiFaults,
}

/// What the API server answers.
pub(super) type Answer = Response<Box<DynBody>>;

impl<S> Service<Request<Body>> for Faulty<S>
where
    S: Service<Request<Body>, Response = Answer, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(fault) = self.faults.fault(&request) else { return Box::pin(self.inner.call(request)) };
        let answer = self.inner.call(request);
        Box::pin(suffer(fault, answer))
    }
}

/// Nothing is sent before `answer` is polled.
async fn suffer(
    fault: ApiFault,
    answer: impl Future<Output = Result<Answer, BoxError>>,
) -> Result<Answer, BoxError> {
    match fault {
        ApiFault::Forbidden => refusal(StatusCode::FORBIDDEN, "Forbidden"),
        ApiFault::Conflict => refusal(StatusCode::CONFLICT, "Conflict"),
        ApiFault::TooManyRequests => refusal(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"),
        ApiFault::ServerError => refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        ApiFault::NoAnswer => {
            tokio::time::sleep(SILENCE).await;
            Err("the API server did not answer in time".into())
        }
        ApiFault::LostAnswer => {
            answer.await?;
            Err("connection reset by peer".into())
        }
    }
}

/// As the API server words it.
pub(super) fn refusal(code: StatusCode, reason: &str) -> Result<Answer, BoxError> {
    let mut body = json!({
        "apiVersion": "v1",
        "kind": "Status",
        "metadata": {},
        "status": "Failure",
        "code": code.as_u16(),
        "reason": reason,
        "message": format!("a fault on the way: {reason}"),
    });
    let mut answer = Response::builder().status(code).header("Content-Type", "application/json");
    if code == StatusCode::TOO_MANY_REQUESTS {
        body["details"] = json!({"retryAfterSeconds": 1});
        answer = answer.header("Retry-After", "1");
    }
    let body = Full::new(body.to_string().into()).map_err(|never| -> BoxError { match never {} });
    Ok(answer.body(Box::new(body) as Box<DynBody>)?)
}
