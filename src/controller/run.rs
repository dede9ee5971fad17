//! Wiring: controllers over watches, until told to stop.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use kube::api::ListParams;
use kube::runtime::controller::Config as ControllerConfig;
use kube::runtime::events::Reporter;
use tokio::sync::watch;
use tracing::{info, warn};

use super::clients::Clients;
use super::context::Context;
use super::events::Recorder;
use super::force::InForce;
use super::reload::{Place, Reload, selectable};
use super::scope::{Scope, api};
use crate::api::names::FIELD_MANAGER;
use crate::api::{Phase, PostgreSQLDatabase, PostgreSQLServer};
use crate::backend::ServerBackend;
use crate::config::{Config, FileWatch, known_backend};
use crate::ops::{Heartbeat, Metrics, Readiness};

/// How often idle loops show that they are alive, and gauges are set.
pub(super) const TICK: Duration = Duration::from_secs(5);
/// A loop that did not tick for this long is stuck.
pub(super) const STUCK: Duration = Duration::from_secs(60);
/// Pause before asking again for kinds the API server does not know.
const KINDS_RETRY: Duration = Duration::from_secs(2);

/// What the controllers run with.
pub struct Settings {
    /// The API server.
    pub clients: Clients,
    /// The configuration to begin with.
    pub config: Arc<Config>,
    /// Where it came from, if changes there shall be put in force.
    pub file: Option<FileWatch>,
    /// The backends that are set up to begin with.
    pub backends: Vec<Arc<dyn ServerBackend>>,
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    /// Where pending passwords stand.
    pub operator_namespace: String,
    /// Whose objects are served; none: those of all namespaces.
    pub watch_namespaces: Vec<String>,
    /// This instance, for events.
    pub instance: Option<String>,
    /// Shows that the loops are alive.
    pub heartbeat: Heartbeat,
    /// Shows that the loops have begun.
    pub readiness: Readiness,
}

/// Runs the controllers until `stop` turns true; passes that are under way are finished.
pub async fn run(settings: Settings, stop: watch::Receiver<bool>) {
    let Clients { requests: client, watches } = settings.clients;
    let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: settings.instance.clone() };
    let scopes = Scope::of(&settings.watch_namespaces, &watches);
    let force = Arc::new(InForce::new(Context::new(
        client.clone(),
        settings.config.clone(),
        selectable(&settings.config, &settings.backends, &settings.metrics),
        settings.metrics.clone(),
        Recorder::new(client, reporter),
        &settings.operator_namespace,
        scopes.iter().map(Scope::stores).collect(),
    )));
    let place = Place { namespace: settings.operator_namespace, pod: settings.instance };
    let mut reload =
        settings.file.map(|file| Reload::new(file, force.clone(), settings.backends.clone(), place));
    if let Some(reload) = &mut reload {
        reload.catch_up().await;
    }
    let concurrency = settings.config.reconcile.concurrency;
    let limits = ControllerConfig::default().concurrency(share(concurrency, scopes.len()));

    settings.readiness.set_ready();
    info!("the controllers run");
    let gauges = tokio::spawn(keep_gauges(force.clone(), stopped(stop.clone())));
    let heartbeat = &settings.heartbeat;
    let all = scopes
        .into_iter()
        .map(|scope| scope.run(force.clone(), limits.clone(), heartbeat.clone(), stop.clone()));
    let reloads =
        futures::future::OptionFuture::from(reload.map(|reload| reload.keep(stopped(stop.clone()))));
    futures::join!(futures::future::join_all(all), reloads);
    gauges.abort();
    info!("the controllers have stopped");
}

/// What each of the namespaces may do at the same time; never nothing.
fn share(concurrency: u16, scopes: usize) -> u16 {
    (concurrency / u16::try_from(scopes).unwrap_or(u16::MAX).max(1)).max(1)
}

/// Waits until the API server serves both kinds in these namespaces (none: in all); without them watches would only
/// fail. Meanwhile `readiness` says so.
pub async fn wait_for_kinds(client: &Client, namespaces: &[String], readiness: &Readiness) {
    let scopes: Vec<Option<&str>> =
        if namespaces.is_empty() { vec![None] } else { namespaces.iter().map(|one| Some(&**one)).collect() };
    for namespace in scopes {
        while let Err(error) = serves_kinds(client, namespace).await {
            let reason = format!("the API server does not serve both kinds yet: {error}");
            warn!("{reason}");
            readiness.set_not_ready(reason);
            tokio::time::sleep(KINDS_RETRY).await;
        }
    }
}

async fn serves_kinds(client: &Client, namespace: Option<&str>) -> Result<(), kube::Error> {
    let one = ListParams::default().limit(1);
    api::<PostgreSQLServer>(client, namespace).list_metadata(&one).await?;
    api::<PostgreSQLDatabase>(client, namespace).list_metadata(&one).await.map(drop)
}

/// Completes when the stop comes.
pub(super) async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that nobody can say stop any more, which is as good as being told.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn keep_gauges(force: Arc<InForce>, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = ticks.tick() => {
                let context = force.now();
                set_gauges(&context);
                context.recorder.forget_old();
                context.forget_gone();
            }
        }
    }
}

fn set_gauges(context: &Context) {
    let backend = |name: Option<&str>| name.map_or("none", |name| known_backend(name).unwrap_or("other"));
    let label = |phase: Option<Phase>| phase.unwrap_or_default().as_str();
    let servers = context.all_servers().into_iter().map(|server| {
        let status = server.status.as_ref();
        let phase = status.and_then(|status| status.phase);
        ["server", label(phase), backend(status.and_then(|status| status.backend.as_deref()))]
    });
    let databases = context.all_databases().into_iter().map(|database| {
        let status = database.status.as_ref();
        let phase = status.and_then(|status| status.phase);
        ["database", label(phase), backend(status.and_then(|status| status.backend.as_deref()))]
    });
    context.metrics.set_objects(servers.chain(databases));
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn namespaces_share_what_may_be_done_at_the_same_time() {
        assert_eq!((share(8, 1), share(8, 3), share(2, 5)), (8, 2, 1));
    }
}
