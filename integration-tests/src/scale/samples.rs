//! How long each pass took, to the microsecond; the product's own histogram is too coarse for percentiles.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The durations of passes since they were last taken.
#[derive(Clone, Default)]
pub(super) struct Samples(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    micros: Vec<u32>,
    objects: HashSet<u64>,
}

/// What is told of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Passes {
    /// How many there were.
    pub count: usize,
    /// How many objects had at least one.
    pub objects: usize,
    /// Half took no longer than this, in milliseconds.
    pub p50: f64,
    /// All but one in a hundred took no longer than this, in milliseconds.
    pub p99: f64,
    /// Transitions to `Ready` since the start.
    pub ready: f64,
}

impl Samples {
    /// How many there were so far. Costs the process that is measured next to nothing: it is asked again and again.
    pub fn peek(&self) -> Passes {
        let inner = self.lock();
        Passes { count: inner.micros.len(), objects: inner.objects.len(), ..Passes::default() }
    }

    /// All there is, and begins anew.
    pub fn take(&self) -> Passes {
        let Inner { mut micros, objects } = std::mem::take(&mut *self.lock());
        micros.sort_unstable();
        let at = |share: usize| micros.get(micros.len().saturating_sub(1) * share / 100).copied();
        let millis = |share| f64::from(at(share).unwrap_or_default()) / 1000.0;
        Passes { count: micros.len(), objects: objects.len(), p50: millis(50), p99: millis(99), ready: 0.0 }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pass that has begun.
struct Begun {
    at: Instant,
    object: u64,
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Samples {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().name() != "reconcile" {
            return;
        }
        let mut object = ObjectHash::default();
        attributes.record(&mut object);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Begun { at: Instant::now(), object: object.0.finish() });
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let extensions = span.extensions();
        let Some(begun) = extensions.get::<Begun>() else { return };
        let mut inner = self.lock();
        inner.micros.push(u32::try_from(begun.at.elapsed().as_micros()).unwrap_or(u32::MAX));
        inner.objects.insert(begun.object);
    }
}

/// Kind, namespace and name in one number.
#[derive(Default)]
struct ObjectHash(DefaultHasher);

impl Visit for ObjectHash {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() != "phase" {
            value.hash(&mut self.0);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() != "phase" {
            format!("{value:?}").hash(&mut self.0);
        }
    }
}
