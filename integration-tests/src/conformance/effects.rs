//! Every effect of the operator, on a backend or on the API server, as a point at which it may be killed.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures::FutureExt;
use http::{Method, Request};
use kube::client::Body;
use serde_json::Value;
use tokio::sync::mpsc;
use tower::{Layer, Service};

use crate::operator::OPERATOR_NAMESPACE;

/// On which side of an effect the operator is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// It was about to begin.
    Before,
    /// It is done, and the operator never heard of it.
    After,
}

/// One point in an object's life: the nth effect of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    /// The effect.
    pub effect: String,
    /// Which one of its kind, from one.
    pub occurrence: usize,
    /// On which side of it.
    pub moment: Moment,
}

impl Point {
    /// A kill meant for another server may have come in the middle of the one that was meant.
    fn is_met_by(&self, other: &Self) -> bool {
        self.effect == other.effect && self.moment == other.moment && other.occurrence >= self.occurrence
    }
}

/// The effects of the operator, by namespace of the object, and the points at which it is to be killed.
#[derive(Clone)]
pub struct Effects {
    inner: Arc<Mutex<Inner>>,
    killer: mpsc::UnboundedSender<()>,
}

#[derive(Default)]
struct Inner {
    seen: HashMap<String, Vec<String>>,
    plans: HashMap<String, Point>,
    /// Namespaces by the uid of the object, for Secrets in the operator's namespace.
    owners: HashMap<String, String>,
}

impl Effects {
    /// With nobody to be killed; the receiver hears of every kill, and carries it out.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<()>) {
        let (killer, killed) = mpsc::unbounded_channel();
        (Self { inner: Arc::default(), killer }, killed)
    }

    /// The effects for objects of that namespace since it was last forgotten.
    pub fn seen(&self, namespace: &str) -> Vec<String> {
        self.lock().seen.get(namespace).cloned().unwrap_or_default()
    }

    /// Begins to count anew.
    pub fn forget(&self, namespace: &str) {
        self.lock().seen.remove(namespace);
    }

    /// The operator is killed at that point, once.
    pub fn kill_at(&self, namespace: &str, point: Point) {
        self.lock().plans.insert(namespace.to_owned(), point);
    }

    /// The point that was not come to yet.
    pub fn planned(&self, namespace: &str) -> Option<Point> {
        self.lock().plans.get(namespace).cloned()
    }

    pub(super) async fn around<T>(
        &self,
        namespace: &str,
        effect: String,
        call: impl Future<Output = T>,
    ) -> T {
        let occurrence = self.count(namespace, &effect);
        let point = |moment| Point { effect: effect.clone(), occurrence, moment };
        self.pass(namespace, &point(Moment::Before)).await;
        let middle = Middle { effects: self, namespace, after: point(Moment::After) };
        let answer = call.await;
        self.pass(namespace, &middle.after).await;
        answer
    }

    fn count(&self, namespace: &str, effect: &str) -> usize {
        let mut inner = self.lock();
        let seen = inner.seen.entry(namespace.to_owned()).or_default();
        seen.push(effect.to_owned());
        seen.iter().filter(|one| *one == effect).count()
    }

    async fn pass(&self, namespace: &str, point: &Point) {
        let dies = {
            let mut inner = self.lock();
            let dies = inner.plans.get(namespace).is_some_and(|plan| plan.is_met_by(point));
            if dies {
                inner.plans.remove(namespace);
            }
            dies
        };
        if dies && self.killer.send(()).is_ok() {
            // The killer drops this future.
            std::future::pending::<()>().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Namespace of the object and name of the effect; none for reads, and for events, which decide nothing.
    fn effect_of(&self, request: &Request<Body>) -> Option<(String, String)> {
        if *request.method() == Method::GET || request.uri().path().starts_with("/apis/events.k8s.io/") {
            return None;
        }
        let parts: Vec<&str> = request.uri().path().split('/').filter(|part| !part.is_empty()).collect();
        let begin = parts.iter().position(|part| *part == "namespaces")?;
        let (namespace, resource, name) = match parts.get(begin + 1..)? {
            [namespace, resource] => (*namespace, *resource, ""),
            [namespace, resource, name] => (*namespace, *resource, *name),
            [namespace, _, name, "status"] => (*namespace, "status", *name),
            _ => return None,
        };
        let body = body_of(request);
        let mut effect = format!("{} {resource}", request.method());
        if resource == "status" {
            let phase = body.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default();
            effect = format!("{effect} {phase}");
        }
        if namespace != OPERATOR_NAMESPACE {
            return Some((namespace.to_owned(), effect));
        }
        let mut inner = self.lock();
        let label = |name: &str| {
            let path = format!("/metadata/labels/hybridcloud.maibornwolff.de~1owner-{name}");
            body.pointer(&path).and_then(Value::as_str).map(str::to_owned)
        };
        if let (Some(uid), Some(owner)) = (label("uid"), label("namespace")) {
            inner.owners.insert(uid, owner);
        }
        let uid = label("uid").unwrap_or_else(|| name.trim_start_matches("hcpg-pending-").to_owned());
        let owner = inner.owners.get(&uid).cloned().unwrap_or_else(|| namespace.to_owned());
        Some((owner, format!("{effect} (pending)")))
    }
}

/// The body as JSON; null if it has none.
fn body_of(request: &Request<Body>) -> Value {
    let bytes = request.body().try_clone().and_then(|body| body.collect_bytes().now_or_never());
    bytes.and_then(Result::ok).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null)
}

/// An effect under way. When a kill that was meant for another server comes in the middle of it, nobody hears of it
/// either; it may never be repeated, so the point counts as come to.
struct Middle<'a> {
    effects: &'a Effects,
    namespace: &'a str,
    after: Point,
}

impl Drop for Middle<'_> {
    fn drop(&mut self) {
        let mut inner = self.effects.lock();
        if inner.plans.get(self.namespace).is_some_and(|plan| plan.is_met_by(&self.after)) {
            inner.plans.remove(self.namespace);
        }
    }
}

/// Leads every write of a client through the [`Effects`].
#[derive(Clone)]
pub struct EffectsLayer(pub Effects);

impl<S> Layer<S> for EffectsLayer {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched { inner, effects: self.0.clone() }
    }
}

/// A client's way to the API server, watched.
pub struct Watched<S> {
    inner: S,
    effects: Effects,
}

impl<S> Service<Request<Body>> for Watched<S>
where
    S: Service<Request<Body>>,
    S::Future: Send + 'static,
    S::Response: Send,
    S::Error: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let effect = self.effects.effect_of(&request);
        // Nothing is sent before the future is polled.
        let answer = self.inner.call(request);
        let effects = self.effects.clone();
        Box::pin(async move {
            match effect {
                Some((namespace, effect)) => effects.around(&namespace, effect, answer).await,
                None => answer.await,
            }
        })
    }
}
