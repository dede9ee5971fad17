//! A control plane with the operator's controllers in this process, and a backend under test.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use futures::future::{LocalBoxFuture, join_all};
use hcpg::config::Config;
use kube::Client;
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};

use super::api_faults::ApiFaults;
use super::askers;
use super::case::Case;
use super::controllers::Controllers;
use super::done;
use super::effects::Effects;
use super::faults::Faults;
use super::faulty::Faulty;
use super::outcomes::Outcomes;
use super::subject::Subject;
use super::watch_faults::WatchFaults;
use crate::control_plane::{AuditEvent, Cluster, ControlPlane, Options, create_namespace};
use crate::operator::{OPERATOR_NAMESPACE, OPERATOR_USER, SERVICE_ACCOUNT, install};

/// Everything that a case needs, shared by those that run beside each other.
pub struct Bench {
    /// The backend's owner.
    pub subject: Arc<dyn Subject>,
    /// What calls to the backend meet.
    pub faults: Faults,
    /// What requests to the API server meet.
    pub api_faults: ApiFaults,
    /// What happens to watches.
    pub watch_faults: WatchFaults,
    /// What came of them.
    pub outcomes: Outcomes,
    /// Where the operator is killed.
    pub effects: Effects,
    /// The configuration in force.
    pub config: Arc<Config>,
    pub(super) admin: Client,
    controllers: Controllers,
    kills: Mutex<mpsc::UnboundedReceiver<()>>,
    plane: Cluster,
}

/// A case, and what it is called in reports.
pub type Named = (String, LocalBoxFuture<'static, ()>);

impl Bench {
    /// A control plane with our definitions, and the controllers with the chart's rights.
    pub async fn start(subject: Arc<dyn Subject>) -> Arc<Self> {
        // An error means that it was installed before.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        askers::listen();
        let plane = Cluster::Ours(done(ControlPlane::start(Options::throw_away()).await));
        let admin = done(plane.client().await);
        done(install(&admin).await);
        let login = plane.kubeconfig_for_service_account(OPERATOR_NAMESPACE, SERVICE_ACCOUNT).await;
        let config = Arc::new(config(subject.config()));
        let (faults, (effects, kills)) = (Faults::default(), Effects::new());
        let backend = Faulty::around(subject.backend(&config), faults.clone(), effects.clone());
        let (api_faults, watch_faults, outcomes) =
            (ApiFaults::default(), WatchFaults::default(), Outcomes::default());
        let controllers = Controllers::new(
            done(login),
            config.clone(),
            Arc::new(backend),
            effects.clone(),
            api_faults.clone(),
            watch_faults.clone(),
        );
        controllers.start().await;
        let kills = Mutex::new(kills);
        Arc::new(Self {
            subject,
            faults,
            api_faults,
            watch_faults,
            outcomes,
            effects,
            config,
            admin,
            controllers,
            kills,
            plane,
        })
    }

    /// A case in a namespace of its own.
    pub async fn case(self: &Arc<Self>, namespace: &str) -> Case {
        done(create_namespace(&self.admin, namespace).await);
        Case::new(self.clone(), namespace)
    }

    /// Ends the controllers as a signal does, and starts them again.
    pub async fn restart(&self) {
        self.controllers.stop().await;
        self.controllers.start().await;
    }

    /// Kills the controllers whenever a planned point is come to, and starts them again; never ends by itself.
    pub async fn kill_as_planned(&self) -> std::convert::Infallible {
        let mut kills = self.kills.lock().await;
        loop {
            if kills.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
            self.controllers.kill().await;
            self.controllers.start().await;
        }
    }

    /// What the operator has written to the API server since then, events apart.
    pub async fn writes_since(&self, since: jiff::Timestamp) -> Vec<AuditEvent> {
        let mut events = done(done(self.plane.audit_log()).settled(&self.admin).await);
        events.retain(|event| {
            let at = event.request_received_timestamp.parse::<jiff::Timestamp>();
            event.user.username == OPERATOR_USER
                && event.is_write()
                && at.is_ok_and(|at| at >= since)
                && event.object_ref.as_ref().is_none_or(|object| object.resource != "events")
        });
        events
    }

    /// Runs cases beside each other, tells how long each took, and fails with the names of those that failed.
    pub async fn run(&self, title: &str, cases: Vec<Named>) {
        let begin = Instant::now();
        let number = cases.len();
        let running = cases.into_iter().map(|(name, case)| async move {
            let begin = Instant::now();
            let ended = AssertUnwindSafe(case).catch_unwind().await;
            let took = begin.elapsed().as_secs_f32();
            let verdict = if ended.is_ok() { "  ok  " } else { "FAILED" };
            eprintln!("{verdict} {took:6.1} s  {name}");
            (name, ended)
        });
        let ended = join_all(running).await;
        let failed: Vec<String> =
            ended.into_iter().filter(|(_, ended)| ended.is_err()).map(|(name, _)| name).collect();
        eprintln!("{title}: {number} cases in {:.1} s", begin.elapsed().as_secs_f32());
        assert!(failed.is_empty(), "{title}: failed: {}", failed.join(", "));
    }
}

/// The subject's keys with times that make failures pass quickly.
fn config(mut keys: Value) -> Config {
    keys["reconcile"] = json!({
        "poll_seconds": 1,
        "resync_seconds": 10,
        "backoff_max_seconds": 1,
        "label_reset_interval_seconds": 0,
        "backend_timeout_seconds": 5,
        "concurrency": 64,
    });
    let yaml = done(serde_saphyr::to_string(&keys));
    done(Config::parse(&yaml, Path::new("config.yaml"), std::iter::empty())).config
}
