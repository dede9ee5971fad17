//! What every pass needs: clients, configuration, memory between passes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::Client;
use kube::runtime::reflector::Store;

use super::backoff::Backoffs;
use super::events::Recorder;
use super::refusals::Refusals;
use super::settled::Settled;
use crate::api::{PostgreSQLDatabase, PostgreSQLServer};
use crate::backend::Backends;
use crate::config::{Config, Mode};
use crate::ops::Metrics;
use crate::secrets::{PasswordRules, SecretStore};

/// Shared by all passes of both kinds.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// The configuration in force.
    pub config: Arc<Config>,
    /// The backends that are set up.
    pub backends: Backends,
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    /// Writes events.
    pub recorder: Recorder,
    /// Reads and writes Secrets.
    pub secrets: SecretStore,
    /// Failures in a row.
    pub backoffs: Backoffs,
    /// Looks in a row that found something else still in the way.
    pub waits: Backoffs,
    /// Changes that were refused lately.
    pub refusals: Refusals,
    /// Objects that were found settled lately.
    pub settled: Settled,
    /// Every server object, as last seen.
    pub servers: Store<PostgreSQLServer>,
    /// Every database object, as last seen.
    pub databases: Store<PostgreSQLDatabase>,
    server_locks: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// Something that is waited for is looked at this often at least.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How long a refused request is left alone while nothing changes.
const SLOWLY: Duration = Duration::from_secs(300);

impl Context {
    /// Puts the parts together.
    pub fn new(
        client: Client,
        config: Arc<Config>,
        backends: Backends,
        metrics: Arc<Metrics>,
        recorder: Recorder,
        operator_namespace: &str,
        stores: (Store<PostgreSQLServer>, Store<PostgreSQLDatabase>),
    ) -> Self {
        Self {
            secrets: SecretStore::new(client.clone(), operator_namespace),
            backoffs: Backoffs::new(Duration::from_secs(config.reconcile.backoff_max_seconds)),
            refusals: Refusals::new(SLOWLY.min(Duration::from_secs(config.reconcile.resync_seconds))),
            waits: Backoffs::new(LONGEST_WAIT),
            settled: Settled::new(Duration::from_secs(config.reconcile.login_seconds)),
            server_locks: Mutex::default(),
            servers: stores.0,
            databases: stores.1,
            client,
            config,
            backends,
            metrics,
            recorder,
        }
    }

    /// The rules for new passwords.
    pub fn password_rules(&self) -> PasswordRules {
        PasswordRules {
            length: self.config.security.password_length,
            special_characters: self.config.security.special_characters,
        }
    }

    /// Whether the whole operator reads only.
    pub fn observes_only(&self) -> bool {
        self.config.mode == Mode::Observe
    }

    /// Pause before looking again at something that is on its way.
    pub fn poll(&self) -> Duration {
        Duration::from_secs(self.config.reconcile.poll_seconds)
    }

    /// Pause before looking again at something that is settled.
    pub fn resync(&self) -> Duration {
        Duration::from_secs(self.config.reconcile.resync_seconds)
    }

    /// Pause before trying again what was refused.
    pub fn slowly(&self) -> Duration {
        SLOWLY.min(self.resync())
    }

    /// How long work may go on, or something may stay unknown, before the object is called stalled.
    pub fn deadline(&self) -> jiff::SignedDuration {
        let seconds = i64::try_from(self.config.reconcile.progress_deadline_seconds).unwrap_or(i64::MAX);
        jiff::SignedDuration::from_secs(seconds)
    }

    /// One server's turn for statements that must not run beside each other, such as `CREATE DATABASE`.
    pub fn server_lock(&self, server_uid: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.server_locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        locks.entry(server_uid.to_owned()).or_default().clone()
    }
}
