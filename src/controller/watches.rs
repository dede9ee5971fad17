//! One watch per kind. What happens to an object of one kind also wakes those of the other kind that wait for it.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use kube::api::Api;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher::Event;
use kube::runtime::{Predicate, WatchStreamExt, predicates, watcher};
use kube::{Resource, ResourceExt};

use super::database::Databases;
use super::finalizer;
use super::server::Servers;
use super::subject::Subject;
use super::wake::News;
use crate::api::names::FINALIZER;
use crate::api::{DatabaseStatus, Phase, PostgreSQLDatabase, PostgreSQLServer, ServerStatus};

/// Where `kubectl apply` notes the whole object once more.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Wakes objects of a kind.
pub type Wakes<K> = UnboundedReceiver<ObjectRef<K>>;

/// What both controllers have seen.
#[derive(Clone)]
pub struct Stores {
    /// Every server object, as far as it is kept.
    pub servers: Store<PostgreSQLServer>,
    /// Every database object, as far as it is kept.
    pub databases: Store<PostgreSQLDatabase>,
}

/// Objects that changed in a way that matters.
pub type Changes<K> = BoxStream<'static, Result<K, watcher::Error>>;

/// What the controllers run on.
pub struct Watches {
    /// What they have seen.
    pub stores: Stores,
    /// Servers that changed in a way that matters.
    pub server_changes: Changes<PostgreSQLServer>,
    /// Databases that changed in a way that matters.
    pub database_changes: Changes<PostgreSQLDatabase>,
    /// Servers that a database may have kept waiting.
    pub server_wakes: Wakes<PostgreSQLServer>,
    /// Databases whose server changed in a way that matters to them.
    pub database_wakes: Wakes<PostgreSQLDatabase>,
}

/// Begins to watch both kinds once the streams are polled.
pub fn watches(servers: Api<PostgreSQLServer>, databases: Api<PostgreSQLDatabase>) -> Watches {
    let (known_servers, server_writer) = reflector::store();
    let (known_databases, database_writer) = reflector::store();
    let (wake_server, server_wakes) = unbounded();
    let (wake_database, database_wakes) = unbounded();
    let by_server = Arc::new(ByServer::default());
    let stores = Stores { servers: known_servers, databases: known_databases };

    let index = by_server.clone();
    let mut news = News::default();
    // Before the status is left out of what is kept: a database looks at more of it.
    let server_events =
        watcher(servers, watcher::Config::default()).default_backoff().inspect_ok(move |event| {
            if let Some(server) = news.of(event) {
                index.databases_of(server).for_each(|database| wake(&wake_database, database));
            }
        });
    let server_changes = changes::<Servers>(server_events.modify(keep_of_server).reflect(server_writer));
    let (all_servers, all_databases) = (stores.servers.clone(), stores.databases.clone());
    let database_events = watcher(databases, watcher::Config::default())
        .default_backoff()
        .modify(keep_of_database)
        .reflect(database_writer)
        .inspect_ok(move |event| {
            by_server.note(event, &all_databases);
            if let Event::Apply(database) | Event::InitApply(database) | Event::Delete(database) = event
                && let Some(server) = deleting_server_of(&all_servers, database)
            {
                wake(&wake_server, server);
            }
        });
    let database_changes = changes::<Databases>(database_events);
    Watches { stores, server_changes, database_changes, server_wakes, database_wakes }
}

/// The objects that changed in a way that matters: spec, labels, annotations, finalizers; not status, which is ours.
fn changes<S: Subject>(
    events: impl Stream<Item = Result<Event<S::Object>, watcher::Error>> + Send + 'static,
) -> Changes<S::Object> {
    let relevant = predicates::generation
        .combine(predicates::labels)
        .combine(predicates::annotations)
        .combine(finalizers::<S>);
    events.applied_objects().predicate_filter(relevant, Default::default()).boxed()
}

/// The finalizers of others, and whether ours is missing where it should be: that we put it there is no news.
fn finalizers<S: Subject>(object: &S::Object) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let others = object.finalizers().iter().filter(|name| *name != FINALIZER);
    others.for_each(|name| name.hash(&mut hasher));
    (S::phase(object) != Phase::Pending && !finalizer::is_held(object)).hash(&mut hasher);
    Some(hasher.finish())
}

/// Decisions are made on the live object; of what is kept only identity, deletion, phase and backend are looked at.
fn keep_of_server(server: &mut PostgreSQLServer) {
    keep_of_metadata(server);
    let status = server.status.take();
    server.status = status.map(|ServerStatus { phase, backend, .. }| ServerStatus {
        phase,
        backend,
        ..ServerStatus::default()
    });
}

fn keep_of_database(database: &mut PostgreSQLDatabase) {
    keep_of_metadata(database);
    let status = database.status.take();
    database.status = status.map(|DatabaseStatus { phase, backend, .. }| DatabaseStatus {
        phase,
        backend,
        ..DatabaseStatus::default()
    });
}

fn keep_of_metadata<K: Resource>(object: &mut K) {
    object.meta_mut().managed_fields = None;
    object.annotations_mut().remove(LAST_APPLIED);
}

fn wake<K: Resource<DynamicType = ()>>(sender: &UnboundedSender<ObjectRef<K>>, object: ObjectRef<K>) {
    // An error means that the other controller has stopped.
    let _ = sender.unbounded_send(object);
}

/// A server that is being deleted waits for its databases; others do not care.
fn deleting_server_of(
    servers: &Store<PostgreSQLServer>,
    database: &PostgreSQLDatabase,
) -> Option<ObjectRef<PostgreSQLServer>> {
    let server = ObjectRef::new(&database.spec.server_ref.name).within(&database.namespace()?);
    servers.get(&server).filter(|server| server.meta().deletion_timestamp.is_some()).map(|_| server)
}

/// The databases of each server, so that nobody looks through all of them whenever a server changes.
#[derive(Default)]
struct ByServer(Mutex<HashMap<ServerKey, BTreeSet<String>>>);

/// Namespace and name.
type ServerKey = (String, String);

impl ByServer {
    fn note(&self, event: &Event<PostgreSQLDatabase>, store: &Store<PostgreSQLDatabase>) {
        match event {
            Event::Apply(database) | Event::InitApply(database) => {
                self.lock().entry(server_of(database)).or_default().insert(database.name_any());
            }
            Event::Delete(database) => {
                let mut all = self.lock();
                let key = server_of(database);
                if let Some(names) = all.get_mut(&key) {
                    names.remove(&database.name_any());
                    if names.is_empty() {
                        all.remove(&key);
                    }
                }
            }
            Event::Init => {}
            // Those that went while nobody watched.
            Event::InitDone => self.lock().retain(|(namespace, _), names| {
                names.retain(|name| store.get(&ObjectRef::new(name).within(namespace)).is_some());
                !names.is_empty()
            }),
        }
    }

    fn databases_of(
        &self,
        server: &PostgreSQLServer,
    ) -> impl Iterator<Item = ObjectRef<PostgreSQLDatabase>> + use<> {
        let key = (server.namespace().unwrap_or_default(), server.name_any());
        let names = self.lock().get(&key).cloned().unwrap_or_default();
        names.into_iter().map(move |name| ObjectRef::new(&name).within(&key.0))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ServerKey, BTreeSet<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn server_of(database: &PostgreSQLDatabase) -> ServerKey {
    (database.namespace().unwrap_or_default(), database.spec.server_ref.name.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn database(name: &str, server: &str) -> PostgreSQLDatabase {
        serde_json::from_value(json!({
            "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
            "kind": "PostgreSQLDatabase",
            "metadata": {"name": name, "namespace": "team"},
            "spec": {"serverRef": {"name": server}, "credentialsSecret": "any"},
        }))
        .unwrap()
    }

    fn server(name: &str) -> PostgreSQLServer {
        serde_json::from_value(json!({
            "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
            "kind": "PostgreSQLServer",
            "metadata": {
                "name": name,
                "namespace": "team",
                "managedFields": [{"manager": "any"}],
                "annotations": {LAST_APPLIED: "{}", "mine": "stays"},
            },
            "spec": {"credentialsSecret": "any"},
            "status": {"phase": "Ready", "backend": "local", "differences": ["many words"]},
        }))
        .unwrap()
    }

    #[test]
    fn a_server_wakes_its_own_databases_and_no_others() {
        let (store, mut writer) = reflector::store();
        let index = ByServer::default();
        let woken = |name: &str| index.databases_of(&server(name)).map(|one| one.name).collect::<Vec<_>>();
        let mut see = |event: Event<PostgreSQLDatabase>| {
            writer.apply_watcher_event(&event);
            index.note(&event, &store);
        };
        see(Event::Apply(database("one", "a")));
        see(Event::Apply(database("two", "a")));
        see(Event::Apply(database("three", "b")));
        assert_eq!(woken("a"), ["one", "two"]);
        see(Event::Delete(database("one", "a")));
        assert_eq!((woken("a"), woken("b")), (vec!["two".to_owned()], vec!["three".to_owned()]));
        // The watch broke, and a database went meanwhile.
        see(Event::Init);
        see(Event::InitApply(database("three", "b")));
        assert_eq!(woken("a"), ["two"], "as long as nobody knows better");
        see(Event::InitDone);
        assert_eq!((woken("a"), woken("b")), (Vec::new(), vec!["three".to_owned()]));
    }

    #[test]
    fn only_what_is_looked_at_is_kept() {
        let mut kept = server("any");
        keep_of_server(&mut kept);
        assert!(kept.metadata.managed_fields.is_none());
        assert_eq!(kept.annotations().keys().collect::<Vec<_>>(), ["mine"]);
        let status = kept.status.unwrap();
        assert_eq!(status.backend.as_deref(), Some("local"));
        assert!(status.phase.is_some() && status.differences.is_empty());
    }
}
