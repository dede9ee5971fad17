//! Events, with repetitions counted on one of them.
//!
//! The runtime's recorder would do the same, but it looks through everything it remembers before each event, and it
//! remembers whole events: with many objects the creation of each would cost more than that of the one before.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event as Written;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Client;
use kube::api::{Api, ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::events::{Event, EventType, Reporter};
use serde_json::json;

/// After this long without a repetition the next one is an event of its own.
const REPEATS_WITHIN: Duration = Duration::from_secs(360);

/// Writes events.
pub struct Recorder {
    client: Client,
    reporter: Reporter,
    recent: Mutex<HashMap<u64, Recent>>,
}

/// An event that may be repeated.
struct Recent {
    name: String,
    count: i32,
    last: Instant,
}

impl Recorder {
    /// Events in the name of `reporter`.
    pub fn new(client: Client, reporter: Reporter) -> Self {
        Self { client, reporter, recent: Mutex::default() }
    }

    /// Writes the event, or counts it on the one it repeats: same object, type, reason and action.
    ///
    /// # Errors
    /// When the API server refused or did not answer.
    pub async fn publish(&self, event: &Event, about: &ObjectReference) -> Result<(), kube::Error> {
        let now = Timestamp::now();
        let key = key(event, about);
        let api: Api<Written> =
            Api::namespaced(self.client.clone(), about.namespace.as_deref().unwrap_or("default"));
        if let Some((name, count)) = self.repeated(key) {
            let series = json!({"series": {"count": count, "lastObservedTime": MicroTime(now)}});
            match api.patch(&name, &PatchParams::default(), &Patch::Merge(&series)).await {
                // The API server keeps events for a while only.
                Err(kube::Error::Api(answer)) if answer.code == 404 => {}
                answer => return answer.map(|_| self.remember(key, name, count)),
            }
        }
        let new = self.new_event(event, about, now);
        let name = new.metadata.name.clone().unwrap_or_default();
        api.create(&PostParams::default(), &new).await.map(|_| self.remember(key, name, 1))
    }

    /// Forgets what is not repeated any more.
    pub fn forget_old(&self) {
        let mut recent = self.lock();
        recent.retain(|_, event| event.last.elapsed() < REPEATS_WITHIN);
        if recent.capacity() > 4 * recent.len().max(64) {
            recent.shrink_to_fit();
        }
    }

    /// The event that one with this key repeats, and how often it has happened with this time.
    fn repeated(&self, key: u64) -> Option<(String, i32)> {
        let recent = self.lock();
        let event = recent.get(&key).filter(|event| event.last.elapsed() < REPEATS_WITHIN)?;
        Some((event.name.clone(), event.count.saturating_add(1)))
    }

    fn remember(&self, key: u64, name: String, count: i32) {
        self.lock().insert(key, Recent { name, count, last: Instant::now() });
    }

    fn new_event(&self, event: &Event, about: &ObjectReference, now: Timestamp) -> Written {
        let controller = self.reporter.controller.clone();
        let object = about.name.as_deref().unwrap_or(&controller);
        Written {
            action: Some(event.action.clone()),
            reason: Some(event.reason.clone()),
            note: event.note.clone(),
            type_: Some(type_of(event).to_owned()),
            event_time: Some(MicroTime(now)),
            regarding: Some(about.clone()),
            related: event.secondary.clone(),
            reporting_instance: Some(self.reporter.instance.clone().unwrap_or_else(|| controller.clone())),
            metadata: ObjectMeta {
                name: Some(format!("{object}.{:x}", now.as_nanosecond())),
                namespace: about.namespace.clone(),
                ..ObjectMeta::default()
            },
            reporting_controller: Some(controller),
            ..Written::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Recent>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn type_of(event: &Event) -> &'static str {
    match event.type_ {
        EventType::Normal => "Normal",
        EventType::Warning => "Warning",
    }
}

fn key(event: &Event, about: &ObjectReference) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&about.uid, type_of(event), &event.reason, &event.action).hash(&mut hasher);
    hasher.finish()
}
