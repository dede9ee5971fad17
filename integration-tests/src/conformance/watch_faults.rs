//! Watches that break off, and that are told that what they know is too old.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures::{StreamExt, stream};
use http::{Request, StatusCode};
use http_body_util::{BodyStream, StreamBody};
use kube::client::{Body, DynBody};
use tokio::sync::watch;
use tower::{BoxError, Layer, Service};

use super::api_faults::{Answer, refusal};

/// How many watches the operator holds: one per kind.
const WATCHES: usize = 2;

/// What happens to the operator's watches.
#[derive(Clone)]
pub struct WatchFaults(Arc<Inner>);

struct Inner {
    cuts: watch::Sender<usize>,
    begun: AtomicUsize,
    too_old: AtomicUsize,
}

impl Default for WatchFaults {
    fn default() -> Self {
        let inner = Inner {
            cuts: watch::Sender::new(0),
            begun: AtomicUsize::default(),
            too_old: AtomicUsize::default(),
        };
        Self(Arc::new(inner))
    }
}

impl WatchFaults {
    /// Breaks off every watch; with `too_old` the next ones are answered 410, so that everything is to be listed anew.
    /// The answer is to be given to [`Self::is_over`].
    pub fn cut(&self, too_old: bool) -> usize {
        if too_old {
            self.0.too_old.store(WATCHES, Ordering::SeqCst);
        }
        let begun = self.0.begun.load(Ordering::SeqCst);
        self.0.cuts.send_modify(|cuts| *cuts += 1);
        begun
    }

    /// Whether the watches were begun again since then, and nobody is to be told any more that he knows too little.
    pub fn is_over(&self, begun: usize) -> bool {
        self.0.too_old.load(Ordering::SeqCst) == 0 && self.0.begun.load(Ordering::SeqCst) >= begun + WATCHES
    }

    fn is_too_old(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        self.0.too_old.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
    }

    /// The answer, until the next cut.
    fn until_cut(&self, answer: Answer) -> Answer {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        let mut cuts = self.0.cuts.subscribe();
        let cut = Box::pin(async move { cuts.changed().await });
        let broken = stream::once(async { Err(BoxError::from("connection reset by peer")) });
        answer.map(|body| {
            let frames = BodyStream::new(body).take_until(cut).chain(broken);
            Box::new(StreamBody::new(Box::pin(frames))) as Box<DynBody>
        })
    }
}

/// Leads every watch of a client through the [`WatchFaults`].
#[derive(Clone)]
pub struct WatchFaultsLayer(pub WatchFaults);

impl<S> Layer<S> for WatchFaultsLayer {
    type Service = Faulty<S>;

    fn layer(&self, inner: S) -> Faulty<S> {
        Faulty { inner, faults: self.0.clone() }
    }
}

/// A client's way to the API server, with watches that break off.
pub struct Faulty<S> {
    inner: S,
    faults: WatchFaults,
}

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
        let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        let answer = self.inner.call(request);
        let faults = self.faults.clone();
        Box::pin(async move {
            match is_watch {
                false => answer.await,
                true if faults.is_too_old() => refusal(StatusCode::GONE, "Expired"),
                true => answer.await.map(|answer| faults.until_cut(answer)),
            }
        })
    }
}
