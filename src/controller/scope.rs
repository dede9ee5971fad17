//! The objects of one namespace, or of all: both controllers over their watches.
//!
//! Objects refer to each other within a namespace only, so that namespaces need not know of one another.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use kube::api::Api;
use kube::core::NamespaceResourceScope;
use kube::runtime::controller::Config as ControllerConfig;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{Controller, Predicate, WatchStreamExt, predicates, watcher};
use kube::{Client, Resource, ResourceExt};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::context::Context;
use super::database::Databases;
use super::driver;
use super::run::{STUCK, TICK, stopped};
use super::server::Servers;
use super::subject::Subject;
use super::wake;
use crate::api::{PostgreSQLDatabase, PostgreSQLServer};
use crate::ops::{Heartbeat, Pulse};

/// What both controllers have seen.
#[derive(Clone)]
pub struct Stores {
    /// Every server object, as last seen.
    pub servers: Store<PostgreSQLServer>,
    /// Every database object, as last seen.
    pub databases: Store<PostgreSQLDatabase>,
}

/// One namespace, or all of them.
pub struct Scope {
    namespace: Option<String>,
    stores: Stores,
    server_writer: Writer<PostgreSQLServer>,
    database_writer: Writer<PostgreSQLDatabase>,
}

impl Scope {
    /// A scope for each of the namespaces; without any, one for all.
    pub fn of(namespaces: &[String]) -> Vec<Self> {
        if namespaces.is_empty() {
            return vec![Self::new(None)];
        }
        namespaces.iter().map(|namespace| Self::new(Some(namespace.clone()))).collect()
    }

    fn new(namespace: Option<String>) -> Self {
        let (servers, server_writer) = reflector::store();
        let (databases, database_writer) = reflector::store();
        Self { namespace, stores: Stores { servers, databases }, server_writer, database_writer }
    }

    /// What it will have seen.
    pub fn stores(&self) -> Stores {
        self.stores.clone()
    }

    /// Runs both controllers until `stop` turns true; passes that are under way are finished.
    pub async fn run(
        self,
        context: Arc<Context>,
        watches: Client,
        limits: ControllerConfig,
        heartbeat: Heartbeat,
        stop: watch::Receiver<bool>,
    ) {
        let namespace = self.namespace.as_deref();
        let Stores { servers, databases } = self.stores;
        let (all_databases, all_servers) = (databases.clone(), servers.clone());
        let server_changes = changes::<Servers>(api(&watches, namespace), self.server_writer);
        let server_loop = Controller::for_stream(server_changes, servers.clone())
            .with_config(limits.clone())
            .watches(
                api::<PostgreSQLDatabase>(&watches, namespace),
                watcher::Config::default(),
                move |database| deleting_server_of(&all_servers, &database),
            )
            .graceful_shutdown_on(stopped(stop.clone()))
            .run(driver::reconcile::<Servers>, |_, error, _| match *error {}, context.clone());
        let database_changes = changes::<Databases>(api(&watches, namespace), self.database_writer);
        let database_loop = Controller::for_stream(database_changes, databases.clone())
            .with_config(limits)
            .watches_stream(
                wake::changes_of_interest(
                    watcher(api::<PostgreSQLServer>(&watches, namespace), watcher::Config::default())
                        .default_backoff(),
                ),
                move |server| databases_of(&all_databases, &server),
            )
            .graceful_shutdown_on(stopped(stop.clone()))
            .run(driver::reconcile::<Databases>, |_, error, _| match *error {}, context.clone());
        let pulse = |kind: &str| heartbeat.watch(&task(kind, namespace), STUCK);
        tokio::join!(
            alive(server_loop, pulse("servers"), stopped_before_begin(servers, stop.clone())),
            alive(database_loop, pulse("databases"), stopped_before_begin(databases, stop)),
        );
    }
}

fn task(kind: &str, namespace: Option<&str>) -> String {
    namespace.map_or_else(|| kind.to_owned(), |namespace| format!("{kind} in {namespace}"))
}

/// Objects of a kind in one namespace, or in all.
pub fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    namespace.map_or_else(|| Api::all(client.clone()), |namespace| Api::namespaced(client.clone(), namespace))
}

/// The objects that changed in a way that matters: spec, labels, annotations, finalizers; not status, which is ours.
fn changes<S: Subject>(
    api: Api<S::Object>,
    writer: Writer<S::Object>,
) -> impl Stream<Item = Result<S::Object, watcher::Error>> + use<S> {
    let relevant = predicates::generation
        .combine(predicates::labels)
        .combine(predicates::annotations)
        .combine(predicates::finalizers);
    watcher(api, watcher::Config::default())
        .default_backoff()
        .reflect(writer)
        .applied_objects()
        .predicate_filter(relevant, Default::default())
}

fn databases_of(
    databases: &Store<PostgreSQLDatabase>,
    server: &PostgreSQLServer,
) -> Vec<ObjectRef<PostgreSQLDatabase>> {
    databases
        .state()
        .iter()
        .filter(|database| database.namespace() == server.namespace())
        .filter(|database| database.spec.server_ref.name == server.name_any())
        .map(|database| ObjectRef::from_obj(database.as_ref()))
        .collect()
}

/// A server that is being deleted waits for its databases; others do not care.
fn deleting_server_of(
    servers: &Store<PostgreSQLServer>,
    database: &PostgreSQLDatabase,
) -> Option<ObjectRef<PostgreSQLServer>> {
    let server = ObjectRef::new(&database.spec.server_ref.name).within(&database.namespace()?);
    servers.get(&server).filter(|server| server.meta().deletion_timestamp.is_some()).map(|_| server)
}

/// Completes when the stop comes before the first list has arrived. A controller waits for that list even when it shall
/// stop, and it never comes where the API server does not answer.
async fn stopped_before_begin<K>(store: Store<K>, stop: watch::Receiver<bool>)
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    tokio::select! {
        biased;
        _ = store.wait_until_ready() => std::future::pending().await,
        () = stopped(stop) => {}
    }
}

/// Drives a controller until it ends by itself or `end` comes; ticks as long as it gets its turns.
async fn alive<T>(controller: impl Stream<Item = T>, pulse: Pulse, end: impl Future<Output = ()>) {
    let mut controller = std::pin::pin!(controller);
    let mut end = std::pin::pin!(end);
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            next = controller.next() => if next.is_none() { break },
            () = &mut end => break,
            _ = ticks.tick() => pulse.tick(),
        }
    }
    pulse.finish();
}
