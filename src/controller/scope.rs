//! The objects of one namespace, or of all: both controllers over their watches.
//!
//! Objects refer to each other within a namespace only, so that namespaces need not know of one another.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use kube::api::Api;
use kube::core::NamespaceResourceScope;
use kube::runtime::Controller;
use kube::runtime::controller::Config as ControllerConfig;
use kube::runtime::reflector::Store;
use kube::{Client, Resource};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::database::Databases;
use super::driver;
use super::force::InForce;
use super::run::{STUCK, TICK, stopped};
use super::server::Servers;
use super::watches::{Stores, Watches, watches};
use crate::ops::{Heartbeat, Pulse};

/// One namespace, or all of them.
pub struct Scope {
    namespace: Option<String>,
    watches: Watches,
}

impl Scope {
    /// A scope for each of the namespaces; without any, one for all. Nothing is watched before it runs.
    pub fn of(namespaces: &[String], client: &Client) -> Vec<Self> {
        if namespaces.is_empty() {
            return vec![Self::new(None, client)];
        }
        namespaces.iter().map(|namespace| Self::new(Some(namespace.clone()), client)).collect()
    }

    fn new(namespace: Option<String>, client: &Client) -> Self {
        let watches = watches(api(client, namespace.as_deref()), api(client, namespace.as_deref()));
        Self { namespace, watches }
    }

    /// What it will have seen.
    pub fn stores(&self) -> Stores {
        self.watches.stores.clone()
    }

    /// Runs both controllers until `stop` turns true; passes that are under way are finished.
    pub async fn run(
        self,
        force: Arc<InForce>,
        limits: ControllerConfig,
        heartbeat: Heartbeat,
        stop: watch::Receiver<bool>,
    ) {
        let Watches { stores, server_changes, database_changes, server_wakes, database_wakes } = self.watches;
        let Stores { servers, databases } = stores;
        let server_loop = Controller::for_stream(server_changes, servers.clone())
            .with_config(limits.clone())
            .reconcile_on(server_wakes)
            .reconcile_on(force.afresh(servers.clone()))
            .graceful_shutdown_on(stopped(stop.clone()))
            .run(
                |object, force: Arc<InForce>| driver::reconcile::<Servers>(object, force.now()),
                |_, error, _| match *error {},
                force.clone(),
            );
        let database_loop = Controller::for_stream(database_changes, databases.clone())
            .with_config(limits)
            .reconcile_on(database_wakes)
            .reconcile_on(force.afresh(databases.clone()))
            .graceful_shutdown_on(stopped(stop.clone()))
            .run(
                |object, force: Arc<InForce>| driver::reconcile::<Databases>(object, force.now()),
                |_, error, _| match *error {},
                force,
            );
        let pulse = |kind: &str| heartbeat.watch(&task(kind, self.namespace.as_deref()), STUCK);
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
