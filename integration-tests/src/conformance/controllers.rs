//! The operator's controllers in this process: started, stopped, and killed in the middle of anything.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hcpg::backend::ServerBackend;
use hcpg::config::Config;
use hcpg::controller::{self, Clients, Settings};
use hcpg::ops::{Heartbeat, Metrics, Readiness};
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::api_faults::{ApiFaults, ApiFaultsLayer};
use super::done;
use super::effects::{Effects, EffectsLayer};
use super::watch_faults::{WatchFaults, WatchFaultsLayer};
use crate::operator::OPERATOR_NAMESPACE;

/// The controllers, and what they are started with.
pub(super) struct Controllers {
    kubeconfig: Kubeconfig,
    config: Arc<Config>,
    backend: Arc<dyn ServerBackend>,
    effects: Effects,
    api_faults: ApiFaults,
    watch_faults: WatchFaults,
    running: Mutex<Option<Running>>,
}

struct Running {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Controllers {
    pub fn new(
        kubeconfig: Kubeconfig,
        config: Arc<Config>,
        backend: Arc<dyn ServerBackend>,
        effects: Effects,
        api_faults: ApiFaults,
        watch_faults: WatchFaults,
    ) -> Self {
        let running = Mutex::default();
        Self { kubeconfig, config, backend, effects, api_faults, watch_faults, running }
    }

    /// Starts them, with nothing in memory from before.
    pub async fn start(&self) {
        self.backend.begin().await;
        let options = KubeConfigOptions::default();
        let login = done(kube::Config::from_custom_kubeconfig(self.kubeconfig.clone(), &options).await);
        let watches = WatchFaultsLayer(self.watch_faults.clone());
        let (effects, faults) = (EffectsLayer(self.effects.clone()), ApiFaultsLayer(self.api_faults.clone()));
        let client = done(ClientBuilder::try_from(login))
            .with_layer(&watches)
            .with_layer(&faults)
            .with_layer(&effects)
            .build();
        let settings = Settings {
            clients: Clients { requests: client.clone(), watches: client },
            config: self.config.clone(),
            file: None,
            backends: vec![self.backend.clone()],
            metrics: Arc::new(done(Metrics::new())),
            operator_namespace: OPERATOR_NAMESPACE.to_owned(),
            watch_namespaces: Vec::new(),
            instance: None,
            heartbeat: Heartbeat::default(),
            readiness: Readiness::default(),
        };
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(controller::run(settings, stopped));
        *self.running() = Some(Running { task, stop });
    }

    /// Lets passes under way come to their end.
    pub async fn stop(&self) {
        let running = self.running().take();
        if let Some(Running { task, stop }) = running {
            // An error means that they have ended already.
            let _ = stop.send(true);
            done(task.await);
        }
    }

    /// Drops everything at once, wherever it waits.
    pub async fn kill(&self) {
        let running = self.running().take();
        if let Some(Running { task, stop }) = running {
            task.abort();
            // The error says that it was aborted.
            let _ = task.await;
            drop(stop);
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
