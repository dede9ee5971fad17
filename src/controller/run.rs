//! Wiring: two controllers over two watches, until told to stop.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use kube::api::{Api, ListParams};
use kube::runtime::Controller;
use kube::runtime::controller::Config as ControllerConfig;
use kube::runtime::events::Reporter;
use kube::runtime::reflector::Store;
use kube::{Client, Resource};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tracing::{info, warn};

use super::clients::Clients;
use super::context::Context;
use super::database::Databases;
use super::driver;
use super::events::Recorder;
use super::metered::Metered;
use super::server::Servers;
use super::watches::{Watches, watches};
use crate::api::names::FIELD_MANAGER;
use crate::api::{Phase, PostgreSQLDatabase, PostgreSQLServer};
use crate::backend::{Backends, ServerBackend};
use crate::config::{Config, known_backend};
use crate::ops::{Heartbeat, Metrics, Pulse, Readiness};

/// How often idle loops show that they are alive, and gauges are set.
const TICK: Duration = Duration::from_secs(5);
/// A loop that did not tick for this long is stuck.
const STUCK: Duration = Duration::from_secs(60);
/// Pause before asking again for kinds the API server does not know.
const KINDS_RETRY: Duration = Duration::from_secs(2);

/// What the controllers run with.
pub struct Settings {
    /// The API server.
    pub clients: Clients,
    /// The configuration.
    pub config: Arc<Config>,
    /// The backends that are set up.
    pub backends: Vec<Arc<dyn ServerBackend>>,
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    /// Where pending passwords stand.
    pub operator_namespace: String,
    /// This instance, for events.
    pub instance: Option<String>,
    /// Shows that the loops are alive.
    pub heartbeat: Heartbeat,
    /// Shows that the loops have begun.
    pub readiness: Readiness,
}

/// Runs both controllers until `stop` turns true; passes that are under way are finished.
pub async fn run(settings: Settings, mut stop: watch::Receiver<bool>) {
    let Clients { requests: client, watches: watching } = settings.clients.clone();
    tokio::select! {
        () = wait_for_kinds(&client, &settings.readiness) => {}
        _ = stop.wait_for(|stop| *stop) => return,
    }
    let Watches { servers, databases, server_changes, database_changes, server_wakes, database_wakes } =
        watches(&watching);
    let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: settings.instance.clone() };
    let limit = Duration::from_secs(settings.config.reconcile.backend_timeout_seconds);
    let metered = settings
        .backends
        .into_iter()
        .map(|backend| Metered::new(backend, settings.metrics.clone(), limit))
        .map(|backend| Arc::new(backend) as Arc<dyn ServerBackend>)
        .collect();
    let context = Arc::new(Context::new(
        client.clone(),
        settings.config.clone(),
        Backends::new(&settings.config.backend, &settings.config.allowed_backends, metered),
        settings.metrics.clone(),
        Recorder::new(client.clone(), reporter),
        &settings.operator_namespace,
        (servers.clone(), databases.clone()),
    ));
    let limits = ControllerConfig::default().concurrency(settings.config.reconcile.concurrency);

    let server_loop = Controller::for_stream(server_changes, servers.clone())
        .with_config(limits.clone())
        .reconcile_on(server_wakes)
        .graceful_shutdown_on(stopped(stop.clone()))
        .run(driver::reconcile::<Servers>, |_, error, _| match *error {}, context.clone());
    let database_loop = Controller::for_stream(database_changes, databases.clone())
        .with_config(limits)
        .reconcile_on(database_wakes)
        .graceful_shutdown_on(stopped(stop.clone()))
        .run(driver::reconcile::<Databases>, |_, error, _| match *error {}, context.clone());

    settings.readiness.set_ready();
    info!("the controllers run");
    let gauges = tokio::spawn(keep_gauges(context, stopped(stop.clone())));
    tokio::join!(
        alive(
            server_loop,
            settings.heartbeat.watch("servers", STUCK),
            stopped_before_begin(servers, stop.clone()),
        ),
        alive(
            database_loop,
            settings.heartbeat.watch("databases", STUCK),
            stopped_before_begin(databases, stop),
        ),
    );
    gauges.abort();
    info!("the controllers have stopped");
}

/// Waits until the API server knows both kinds; without them the watches would only fail.
async fn wait_for_kinds(client: &Client, readiness: &Readiness) {
    let one = ListParams::default().limit(1);
    loop {
        let servers = Api::<PostgreSQLServer>::all(client.clone()).list_metadata(&one).await.map(|_| ());
        let databases = Api::<PostgreSQLDatabase>::all(client.clone()).list_metadata(&one).await.map(|_| ());
        match servers.and(databases) {
            Ok(()) => return,
            Err(error) => {
                let reason = format!("the API server does not serve both kinds yet: {error}");
                warn!("{reason}");
                readiness.set_not_ready(reason);
                tokio::time::sleep(KINDS_RETRY).await;
            }
        }
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that nobody can say stop any more, which is as good as being told.
    let _ = stop.wait_for(|stop| *stop).await;
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

async fn keep_gauges(context: Arc<Context>, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = ticks.tick() => {
                set_gauges(&context);
                context.recorder.forget_old();
            }
        }
    }
}

fn set_gauges(context: &Context) {
    let backend = |name: Option<&str>| name.map_or("none", |name| known_backend(name).unwrap_or("other"));
    let label = |phase: Option<Phase>| phase.unwrap_or_default().as_str();
    let servers = context.servers.state();
    let databases = context.databases.state();
    let servers = servers.iter().map(|server| {
        let status = server.status.as_ref();
        let phase = status.and_then(|status| status.phase);
        ["server", label(phase), backend(status.and_then(|status| status.backend.as_deref()))]
    });
    let databases = databases.iter().map(|database| {
        let status = database.status.as_ref();
        let phase = status.and_then(|status| status.phase);
        ["database", label(phase), backend(status.and_then(|status| status.backend.as_deref()))]
    });
    context.metrics.set_objects(servers.chain(databases));
}
