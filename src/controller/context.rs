//! What every pass needs: clients, configuration, memory between passes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kube::{Client, ResourceExt};

use super::attempts::Attempts;
use super::awaited::Awaited;
use super::backoff::{self, Backoffs};
use super::events::Recorder;
use super::namespaces::Namespaces;
use super::refusals::Refusals;
use super::settled::Settled;
use super::turns::Turns;
use super::versions::Versions;
use super::watches::Stores;
use crate::api::{PostgreSQLDatabase, PostgreSQLServer};
use crate::backend::Backends;
use crate::config::{Config, Mode};
use crate::ops::Metrics;
use crate::secrets::{PasswordRules, SecretStore};

/// What one pass works with, from its beginning to its end. Shared by all passes that begin while a configuration is in
/// force; the next one gets a context of its own ([`Context::under`]).
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
    pub recorder: Arc<Recorder>,
    /// Reads and writes Secrets.
    pub secrets: SecretStore,
    /// Failures in a row.
    pub backoffs: Backoffs,
    /// Looks in a row that found something else still in the way.
    pub waits: Backoffs,
    /// Looks in a row that found that somebody has to do something.
    pub pauses: Backoffs,
    /// Changes that were refused lately.
    pub refusals: Refusals,
    /// Plans that failed the last time.
    pub attempts: Arc<Attempts>,
    /// Passwords that were set and are not in force yet.
    pub awaited: Arc<Awaited>,
    /// Each server's turn for statements that must not run beside each other, such as `CREATE DATABASE`.
    pub turns: Turns,
    /// Objects that were found settled lately.
    pub settled: Settled,
    /// The version in which each object was last left.
    pub versions: Versions,
    /// Namespaces that were there a moment ago.
    pub namespaces: Namespaces,
    stores: Vec<Stores>,
}

/// First pauses before looking again; they are lengthened to the configured `poll_seconds` where that is more, so that
/// what ends soon is seen soon.
const FIRST_FAILURE: Duration = Duration::from_secs(1);
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// What changed under our hands, or goes on without what was refused, is looked at again this soon.
pub const SOON: Duration = Duration::from_millis(100);

/// After a plan was carried out, its effects are looked at this soon: what a backend has accepted is told at once, and
/// hardly anything is finished earlier, so that a look before would be one too many.
const AFTER_EFFECTS: Duration = Duration::from_millis(200);

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
        stores: Vec<Stores>,
    ) -> Self {
        let slowly = slowly(&config);
        Self {
            secrets: SecretStore::new(client.clone(), operator_namespace),
            backoffs: Backoffs::new(FIRST_FAILURE, longest_failure(&config)),
            refusals: Refusals::new(slowly),
            waits: Backoffs::new(FIRST_WAIT, LONGEST_WAIT),
            pauses: Backoffs::new(FIRST_WAIT, slowly),
            attempts: Arc::default(),
            awaited: Arc::default(),
            turns: Turns::default(),
            versions: Versions::default(),
            namespaces: Namespaces::default(),
            settled: Settled::new(Duration::from_secs(config.reconcile.login_seconds)),
            client,
            config,
            backends,
            metrics,
            recorder: Arc::new(recorder),
            stores,
        }
    }

    /// The same under another configuration. What stands for work under way, and what services asked for, is shared,
    /// since passes of the configuration before may still run. What was found under that one is forgotten.
    pub fn under(&self, config: Arc<Config>, backends: Backends) -> Self {
        let slowly = slowly(&config);
        Self {
            secrets: self.secrets.clone(),
            backoffs: self.backoffs.with_longest(longest_failure(&config)),
            refusals: Refusals::new(slowly),
            waits: Backoffs::new(FIRST_WAIT, LONGEST_WAIT),
            pauses: Backoffs::new(FIRST_WAIT, slowly),
            attempts: self.attempts.clone(),
            awaited: self.awaited.clone(),
            turns: self.turns.clone(),
            // Passes of the configuration before may still write: each object is read once more.
            versions: self.versions.doubted(),
            namespaces: Namespaces::default(),
            settled: Settled::new(Duration::from_secs(config.reconcile.login_seconds)),
            client: self.client.clone(),
            config,
            backends,
            metrics: self.metrics.clone(),
            recorder: self.recorder.clone(),
            stores: self.stores.clone(),
        }
    }

    /// Every server object that is served, as last seen.
    pub fn all_servers(&self) -> Vec<Arc<PostgreSQLServer>> {
        self.stores.iter().flat_map(|stores| stores.servers.state()).collect()
    }

    /// Every database object that is served, as last seen.
    pub fn all_databases(&self) -> Vec<Arc<PostgreSQLDatabase>> {
        self.stores.iter().flat_map(|stores| stores.databases.state()).collect()
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

    /// Pause before looking again at something that is on its way: longer with each look that finds the same.
    pub fn wait(&self, uid: &str, what: &'static str, generation: Option<i64>) -> Duration {
        self.poll().max(self.waits.next_about(uid, what, generation))
    }

    /// The same for what a backend works on, which may say how soon looking pays.
    pub fn wait_for_backend(
        &self,
        uid: &str,
        what: &'static str,
        generation: Option<i64>,
        first: Option<Duration>,
    ) -> Duration {
        let poll = self.poll();
        first.map_or(poll, |first| poll.min(first)).max(self.waits.next_about(uid, what, generation))
    }

    /// Pause before coming again for a turn that is taken: it comes back within moments, unless something is slow.
    pub fn wait_for_turn(&self, uid: &str) -> Duration {
        self.waits.next_about(uid, "turn", None).min(self.poll())
    }

    /// Pause before looking whether somebody has done something: a short one at first, since people who mend something
    /// look at what becomes of it.
    pub fn pause(&self, uid: &str, what: &'static str, generation: Option<i64>) -> Duration {
        self.poll().max(self.pauses.next_about(uid, what, generation)).min(self.slowly())
    }

    /// Shortest pause before looking again at something that is on its way.
    fn poll(&self) -> Duration {
        backoff::jittered(Duration::from_secs(self.config.reconcile.poll_seconds))
    }

    /// Forgets how long `uid` has been waiting for what.
    pub fn begin_anew(&self, uid: &str) {
        self.waits.forget(uid);
        self.pauses.forget(uid);
    }

    /// Pause after a plan that was carried out, and was carried out `times` before.
    pub fn soon(&self, times: u32) -> Duration {
        backoff::after_success(AFTER_EFFECTS, times, LONGEST_WAIT)
    }

    /// Nothing is left to do for `uid`.
    pub fn settled(&self, uid: &str) {
        self.begin_anew(uid);
        self.attempts.settled(uid);
        self.awaited.forget(uid);
    }

    /// Forgets everything about `uid`, which is gone.
    pub fn forget(&self, uid: &str) {
        self.begin_anew(uid);
        self.refusals.forget(uid);
        self.attempts.forget(uid);
        self.awaited.forget(uid);
        self.settled.forget(uid);
        self.versions.forget(uid);
    }

    /// Forgets everything about objects that are gone: the last pass over an object does not know that it is.
    pub fn forget_gone(&self) {
        let servers = self.all_servers().into_iter().filter_map(|server| server.uid());
        let databases = self.all_databases().into_iter().filter_map(|database| database.uid());
        let uids: HashSet<String> = servers.chain(databases).collect();
        for waits in [&self.backoffs, &self.waits, &self.pauses] {
            waits.keep(&uids);
        }
        self.refusals.keep(&uids);
        self.attempts.keep(&uids);
        self.awaited.keep(&uids);
        self.settled.keep(&uids);
        self.versions.keep(&uids);
    }

    /// Pause before looking again at something that is settled.
    pub fn resync(&self) -> Duration {
        Duration::from_secs(self.config.reconcile.resync_seconds)
    }

    /// Pause before trying again what was refused.
    pub fn slowly(&self) -> Duration {
        slowly(&self.config)
    }

    /// How long work may go on, or something may stay unknown, before the object is called stalled.
    pub fn deadline(&self) -> jiff::SignedDuration {
        let seconds = i64::try_from(self.config.reconcile.progress_deadline_seconds).unwrap_or(i64::MAX);
        jiff::SignedDuration::from_secs(seconds)
    }
}

fn slowly(config: &Config) -> Duration {
    SLOWLY.min(Duration::from_secs(config.reconcile.resync_seconds))
}

fn longest_failure(config: &Config) -> Duration {
    Duration::from_secs(config.reconcile.backoff_max_seconds)
}
