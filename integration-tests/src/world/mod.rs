//! A cluster with the operator in it, and the words in which user stories are told.
//!
//! ```ignore
//! static WORLD: SharedWorld = SharedWorld::new();
//!
//! #[tokio::test]
//! async fn a_database_can_be_used() {
//!     let story = WORLD.get().await.story("create").await;
//!     story.apply_example("simple.yaml").await;
//!     story.database_ready("demoservice").await;
//!     let login = story.credentials("demoservice-postgres-credentials").await.connect().await.unwrap();
//!     assert_eq!(login.query_one("SELECT 1", &[]).await.unwrap().get::<_, i32>(0), 1);
//! }
//! ```
//!
//! This is for tests: what goes wrong panics, with all there is to know about it.

mod census;
mod local_server;
mod login;
mod original;
mod passwords;
mod plain;
mod story;
mod team;
mod wait;

use std::path::PathBuf;
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};

use kube::Client;
use tokio::process::Command;
use tokio::sync::OnceCell;

pub use census::postmasters;
pub use local_server::LocalServer;
pub use login::{Credentials, LoginError, trusting};
pub use original::{BackendTraces, Before, original};
pub use passwords::{Holder, Passwords};
pub use plain::{database_object, secret_of, server_object};
pub use story::Story;
pub use team::{APP, APP_LOGIN, TEAM, TEAM_AND_APP, TEAM_LOGIN, answer, says};
pub use wait::{database_condition, is_ready, pause_after, server_condition};

use crate::control_plane::{
    AuditEvent, AuditLog, Binary, Cluster, ControlPlane, Options, create_namespace, kubeconfig, locate,
};
use crate::operator::{
    Account, OPERATOR_NAMESPACE, OPERATOR_USER, Operator, OperatorOptions, SERVICE_ACCOUNT, install,
    install_account,
};

/// A control plane of its own with the operator running in it, as itself. Both are gone with it, however that happens.
pub struct World {
    /// The operator; first, so that it ends before the API server.
    pub operator: Operator,
    plane: Cluster,
    admin_kubeconfig: PathBuf,
    kubectl: PathBuf,
}

impl World {
    /// With the operator as it is by default.
    pub async fn start() -> Self {
        Self::start_with(OperatorOptions::default()).await
    }

    /// With the operator as asked for.
    pub async fn start_with(options: OperatorOptions) -> Self {
        let plane = done(ControlPlane::start(Options::throw_away()).await);
        let admin_kubeconfig = plane.kubeconfig_path();
        let plane = Cluster::Ours(plane);
        let [kubectl] = done(locate([Binary::Kubectl]).await);
        let client = done(plane.client().await);
        done(install(&client).await);
        let login = plane.kubeconfig_for_service_account(OPERATOR_NAMESPACE, SERVICE_ACCOUNT).await;
        let operator = done(Operator::start(&done(login), options).await);
        Self { operator, plane, admin_kubeconfig, kubectl }
    }

    /// A client with all rights. Each test makes its own: a client ends with the runtime it was made in.
    pub async fn client(&self) -> Client {
        done(kubeconfig::client(self.plane.kubeconfig()).await)
    }

    /// A new story, in a new namespace whose name begins with `name`.
    pub async fn story(&self, name: &str) -> Story<'_> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let namespace = format!("{name}-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let client = self.client().await;
        done(create_namespace(&client, &namespace).await);
        Story::new(self, client, namespace)
    }

    /// A story in a namespace of that very name.
    pub async fn story_in(&self, namespace: &str) -> Story<'_> {
        let client = self.client().await;
        done(create_namespace(&client, namespace).await);
        Story::new(self, client, namespace.to_owned())
    }

    /// Another operator, with an account of its own, so that the audit log tells them apart.
    pub async fn operator_as(&self, account: Account<'_>, mut options: OperatorOptions) -> Operator {
        done(install_account(&self.client().await, account).await);
        let login = self.plane.kubeconfig_for_service_account(account.namespace, account.name).await;
        options.environment.push(("KUBERNETES_NAMESPACE".to_owned(), account.namespace.to_owned()));
        done(Operator::start(&done(login), options).await)
    }

    /// All that a ServiceAccount has written, or tried to write, up to now.
    pub async fn writes_of(&self, account: &Account<'_>) -> Vec<AuditEvent> {
        let user = format!("system:serviceaccount:{}:{}", account.namespace, account.name);
        let mut events = done(self.audit_log().settled(&self.client().await).await);
        events.retain(|event| {
            event.user.username == user && event.is_write() && event.stage == "ResponseComplete"
        });
        events
    }

    /// The API server's port on loopback.
    pub fn api_server_port(&self) -> u16 {
        let cluster = self.plane.kubeconfig().clusters.first().and_then(|one| one.cluster.clone());
        let server = cluster.and_then(|cluster| cluster.server).unwrap_or_default();
        done(server.rsplit(':').next().unwrap_or_default().parse::<u16>())
    }

    /// A story that goes on in a namespace that is there already.
    pub async fn story_again_in(&self, namespace: &str) -> Story<'_> {
        Story::new(self, self.client().await, namespace.to_owned())
    }

    /// Runs a script as the admin would, with the real kubectl; returns what it printed. A failure panics.
    pub async fn shell(&self, script: &str) -> String {
        let folder = self.kubectl.parent().unwrap_or(&self.kubectl);
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("bash");
        command
            .args(["-euo", "pipefail", "-c", script])
            .env("PATH", path)
            .env("KUBECONFIG", &self.admin_kubeconfig);
        let output = done(command.output().await);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{script}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs the real kubectl as the admin; returns what it printed. A refusal panics.
    pub async fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.try_kubectl(arguments).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "kubectl {}: {}", arguments.join(" "), text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs the real kubectl as the admin.
    pub async fn try_kubectl(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.kubectl);
        command.args(arguments).env("KUBECONFIG", &self.admin_kubeconfig);
        done(command.output().await)
    }

    /// The API server's audit log, of everybody.
    pub fn audit_log(&self) -> AuditLog {
        done(self.plane.audit_log())
    }

    /// All that the operator has asked the API server for up to now.
    pub async fn operator_events(&self) -> Vec<AuditEvent> {
        let mut events = done(self.audit_log().settled(&self.client().await).await);
        events.retain(|event| event.user.username == OPERATOR_USER);
        events
    }

    /// All that the operator has written, or tried to write, up to now; that it still leads is not counted.
    pub async fn operator_writes(&self) -> Vec<AuditEvent> {
        let mut events = self.operator_events().await;
        events.retain(|event| event.is_write() && event.stage == "ResponseComplete");
        events.retain(|event| event.object_ref.as_ref().is_none_or(|object| object.resource != "leases"));
        events
    }
}

/// A world that the tests of one file share; the first one that asks starts it.
///
/// A `static` is never dropped: the guards of control plane and operator clean up when the process ends.
pub struct SharedWorld {
    cell: OnceCell<World>,
    options: fn() -> OperatorOptions,
}

impl SharedWorld {
    /// With the operator as it is by default.
    pub const fn new() -> Self {
        Self::with(OperatorOptions::default)
    }

    /// With the operator as asked for.
    pub const fn with(options: fn() -> OperatorOptions) -> Self {
        Self { cell: OnceCell::const_new(), options }
    }

    /// The world.
    pub async fn get(&self) -> &World {
        self.cell.get_or_init(|| World::start_with((self.options)())).await
    }
}

impl Default for SharedWorld {
    fn default() -> Self {
        Self::new()
    }
}

/// The result, or the end of the test.
#[track_caller]
fn done<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
