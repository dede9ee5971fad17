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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use http::{Method, Request, Response};
    use kube::client::Body;
    use tower::service_fn;

    use super::super::news;
    use super::super::subject::Note;
    use super::*;
    use crate::api::Reason;

    /// A recorder before an API server that takes everything, and the methods of the requests so far.
    fn recorder() -> (Recorder, Arc<Mutex<Vec<Method>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let service = service_fn(move |request: Request<Body>| {
            log.lock().unwrap().push(request.method().clone());
            let event = json!({"metadata": {"name": "any"}, "eventTime": null});
            async move {
                Ok::<_, std::convert::Infallible>(Response::new(Body::from(event.to_string().into_bytes())))
            }
        });
        let reporter = Reporter { controller: "test".to_owned(), instance: None };
        (Recorder::new(Client::new(service, "default"), reporter), asked)
    }

    fn failed(message: &str, generation: i64) -> Event {
        let note = Note { reason: Reason::Transient, message: message.to_owned(), warning: true };
        Event {
            type_: EventType::Warning,
            reason: note.reason.as_str().to_owned(),
            action: news::action(&note, Some(generation)),
            note: Some(note.message),
            secondary: None,
        }
    }

    #[tokio::test]
    async fn a_failure_that_repeats_with_another_id_is_counted_on_the_first() {
        let (recorder, asked) = recorder();
        let about = |uid: &str| ObjectReference { uid: Some(uid.to_owned()), ..ObjectReference::default() };
        for round in 0..4 {
            let message = format!("Azure answered 503 after {round}.5 s, tracking id 0d8e4f6f2a1{round}");
            recorder.publish(&failed(&message, 1), &about("one")).await.unwrap();
        }
        let (new, again) = (Method::POST, Method::PATCH);
        let told = |asked: &Mutex<Vec<Method>>| std::mem::take(&mut *asked.lock().unwrap());
        assert_eq!(told(&asked), [new.clone(), again.clone(), again.clone(), again]);
        // Another object, another sentence, another spec.
        for (message, generation, uid) in [
            ("Azure answered 503 after 1.5 s, tracking id 0d8e4f6f2a11", 1, "other"),
            ("Azure gave no answer", 1, "one"),
            ("Azure answered 503 after 1.5 s, tracking id 0d8e4f6f2a11", 2, "one"),
        ] {
            recorder.publish(&failed(message, generation), &about(uid)).await.unwrap();
            assert_eq!(told(&asked), std::slice::from_ref(&new), "{message}");
        }
    }
}
