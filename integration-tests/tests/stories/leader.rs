//! Two replicas: one leads, and whatever happens to it, the other goes on, and nothing is done twice.

mod creation;
mod ledger;
mod lost;
mod wire;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use hcpg::api::{Phase, PostgreSQLDatabase, PostgreSQLServer};
use integration_tests::control_plane::AuditEvent;
use integration_tests::operator::{Account, OPERATOR_NAMESPACE, Operator, OperatorOptions, SERVICE_ACCOUNT};
use integration_tests::world::{APP, Story, TEAM, TEAM_AND_APP, World, database_object, secret_of};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

use ledger::{Ledger, TEAM_THAT_LOGS, with_team_that_logs};

/// Seconds. The one that leads acts for two thirds of them after a renewal.
const LEASE: u64 = 8;
const LEASE_NAME: &str = "hybrid-cloud-postgresql-operator";

const FIRST: Account = Account { namespace: OPERATOR_NAMESPACE, name: SERVICE_ACCOUNT, serves: &[] };
/// Of the same Deployment in truth; another account here, so that the audit log tells them apart.
const SECOND: Account = Account { namespace: OPERATOR_NAMESPACE, name: "hcpg-second", serves: &[] };

/// Both replicas serve all tests, which take turns.
static REPLICAS: OnceCell<(World, Operator)> = OnceCell::const_new();
static TURN: Mutex<()> = Mutex::const_new(());

fn options(more: &Value) -> OperatorOptions {
    let mut config = json!({
        "leader_election": {"lease_seconds": LEASE},
        "reconcile": {"label_reset_interval_seconds": 0},
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    OperatorOptions { config, ..OperatorOptions::default() }
}

/// A replica and the account that it writes as.
#[derive(Clone, Copy)]
struct Replica<'a> {
    operator: &'a Operator,
    account: Account<'static>,
}

struct Replicas {
    world: &'static World,
    leader: Replica<'static>,
    standby: Replica<'static>,
}

/// Both run, and one leads.
async fn replicas() -> Replicas {
    let (world, second) = REPLICAS
        .get_or_init(async || {
            let world = World::start_with(options(&json!({}))).await;
            let shared = world.operator.shared().unwrap();
            let second = world.operator_as(SECOND, options(&shared)).await;
            (world, second)
        })
        .await;
    let first = Replica { operator: &world.operator, account: FIRST };
    let second = Replica { operator: second, account: SECOND };
    for replica in [first, second] {
        // One that a failed test has left standing.
        replica.operator.sigcont();
        if !replica.operator.is_running() {
            replica.operator.start_again().await.unwrap();
        }
    }
    let since = Instant::now();
    loop {
        // One that begins anew does not answer for a moment.
        match (first.operator.leads().await, second.operator.leads().await) {
            (Ok(true), Ok(false)) => return Replicas { world, leader: first, standby: second },
            (Ok(false), Ok(true)) => return Replicas { world, leader: second, standby: first },
            leads => assert!(since.elapsed() < Duration::from_secs(30), "{leads:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

impl Replicas {
    /// How long it took until the one that stood by leads.
    async fn taken_over(&self, since: Instant) -> Duration {
        while !self.standby.operator.leads().await.unwrap() {
            assert!(since.elapsed() < Duration::from_secs(40), "{}", self.standby.operator.log_tail(20));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        since.elapsed()
    }

    /// How many Secrets both have made in a namespace.
    async fn secrets_made(&self, namespace: &str) -> usize {
        let mut both = self.world.writes_of(&FIRST).await;
        both.extend(self.world.writes_of(&SECOND).await);
        let made = |write: &&AuditEvent| {
            let object = write.object_ref.as_ref();
            write.verb == "create"
                && write.code() == Some(201)
                && object.is_some_and(|it| it.resource == "secrets" && it.namespace == namespace)
        };
        both.iter().filter(made).count()
    }
}

#[tokio::test]
async fn killed_while_it_creates() {
    let _turn = TURN.lock().await;
    let both = replicas().await;
    let story = both.world.story("leader-create").await;
    let before = both.secrets_made(OPERATOR_NAMESPACE).await;
    story.apply(TEAM_THAT_LOGS).await;
    story.server_where(TEAM, "is begun", |server| phase(server) == Some(Phase::Provisioning)).await;
    story.eventually("the server is being made", async || unfinished_folders(&story).pop()).await;
    both.leader.operator.sigkill();
    let took = both.taken_over(Instant::now()).await;
    println!("taken over after {:.1} s", took.as_secs_f32());
    settled(&story).await;
    exactly_one_of_each(&story).await;
    // One password was drawn for each, and each Secret was made once.
    assert_eq!(both.secrets_made(OPERATOR_NAMESPACE).await - before, 2);
    assert_eq!(both.secrets_made(&story.namespace).await, 2);
    assert_eq!(Ledger::of(&story), Ledger::once(&[], &[], 0));
    story.delete::<PostgreSQLServer>(TEAM).await;
}

#[tokio::test]
async fn killed_while_it_resets_a_password() {
    let _turn = TURN.lock().await;
    let both = replicas().await;
    let story = with_team_that_logs(both.world.story("leader-reset").await).await;
    let (login, app, postmaster) =
        (story.team_login().await, story.app_login().await, story.local_server(TEAM).postmaster());
    let before = both.secrets_made(OPERATOR_NAMESPACE).await;
    story.patch::<PostgreSQLServer>(TEAM, reset()).await;
    story.eventually("a reset is under way", async || pending(&story).await.pop()).await;
    both.leader.operator.sigkill();
    both.taken_over(Instant::now()).await;
    settled(&story).await;
    let after = story.team_login().await;
    assert_ne!(after.password, login.password);
    assert!(login.is_refused().await.unwrap());
    assert_eq!(story.app_login().await, app);
    assert_eq!(story.local_server(TEAM).postmaster(), postmaster);
    exactly_one_of_each(&story).await;
    assert_eq!(both.secrets_made(OPERATOR_NAMESPACE).await - before, 1, "one password for one reset");
    assert_eq!(Ledger::of(&story), Ledger::once(&[], &[], 1));
    story.delete::<PostgreSQLServer>(TEAM).await;
}

#[tokio::test]
async fn killed_while_it_works_on_databases() {
    let _turn = TURN.lock().await;
    let both = replicas().await;
    let story = with_team_that_logs(both.world.story("leader-databases").await).await;
    let login = story.app_login().await;
    let more: Vec<String> = (0..5).map(|number| format!("more{number}")).collect();
    story.patch::<PostgreSQLDatabase>(APP, reset()).await;
    for name in &more {
        story.try_apply(database_object(name, TEAM, &secret_of(name))).await.unwrap();
    }
    story.eventually("passes are under way", async || pending(&story).await.pop()).await;
    both.leader.operator.sigkill();
    both.taken_over(Instant::now()).await;
    for name in &more {
        story.database_ready(name).await;
    }
    let changed = async || (story.app_login().await.password != login.password).then_some(());
    story.eventually("the password is another one", changed).await;
    settled(&story).await;
    exactly_one_of_each(&story).await;
    assert!(login.is_refused().await.unwrap());
    assert_eq!(Ledger::of(&story).with_creations_taken_up(&more), Ledger::once(&more, &[(APP, 1)], 0));
    story.delete::<PostgreSQLServer>(TEAM).await;
}

#[tokio::test]
async fn a_leader_that_stood_still_does_nothing_more() {
    let _turn = TURN.lock().await;
    let both = replicas().await;
    let story = with_team_that_logs(both.world.story("leader-still").await).await;
    // Many passes at once, so that it is stopped in the middle of some.
    let more: Vec<String> = (0..5).map(|number| format!("more{number}")).collect();
    for name in &more {
        story.try_apply(database_object(name, TEAM, &secret_of(name))).await.unwrap();
    }
    story.patch::<PostgreSQLServer>(TEAM, reset()).await;
    story.eventually("passes are under way", async || pending(&story).await.pop()).await;
    let written_by_new = both.world.writes_of(&both.standby.account).await.len();
    both.leader.operator.sigstop();
    both.taken_over(Instant::now()).await;
    for name in &more {
        story.database_ready(name).await;
    }
    settled(&story).await;
    let (login, app) = (story.team_login().await, story.app_login().await);

    // A second reset, so that what the old one still has in mind is not the password any more.
    story.patch::<PostgreSQLServer>(TEAM, reset()).await;
    let changed = async || (story.team_login().await.password != login.password).then_some(());
    story.eventually("the password is another one", changed).await;
    settled(&story).await;
    let login = story.team_login().await;

    let (pid, logged) = (both.leader.operator.pid(), both.leader.operator.log().len());
    both.leader.operator.sigcont();
    stands_by(&story, both.leader.operator, logged).await;
    assert!(both.leader.operator.is_running() && both.leader.operator.pid() == pid);
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(both.leader.operator.get(path).await.unwrap().status, 200, "{path}");
    }
    assert!(!both.leader.operator.leads().await.unwrap());
    tokio::time::sleep(Duration::from_secs(2)).await;

    let first_of_new = &both.world.writes_of(&both.standby.account).await[written_by_new];
    let late: Vec<_> = both
        .world
        .writes_of(&both.leader.account)
        .await
        .into_iter()
        .filter(|write| write.request_received_timestamp > first_of_new.request_received_timestamp)
        // It may have stood still in the middle of renewing, which is then refused.
        .filter(|write| !(is_lease(write) && write.response_status.as_ref().is_some_and(|it| it.code == 409)))
        .collect();
    assert!(late.is_empty(), "{late:#?}");
    assert_eq!(story.team_login().await, login);
    assert_eq!(story.app_login().await, app);
    exactly_one_of_each(&story).await;
    assert_eq!(Ledger::of(&story).with_creations_taken_up(&more), Ledger::once(&more, &[], 2), "two resets");
    for name in &more {
        story.credentials(&secret_of(name)).await.connect().await.unwrap();
    }
    story.delete::<PostgreSQLServer>(TEAM).await;
}

#[tokio::test]
async fn one_that_is_told_to_stop_hands_over_at_once() {
    let _turn = TURN.lock().await;
    let both = replicas().await;
    let holder = |lease: &Lease| lease.spec.as_ref().and_then(|spec| spec.holder_identity.clone());
    let leases: Api<Lease> = Api::namespaced(both.world.client().await, OPERATOR_NAMESPACE);
    assert_eq!(holder(&leases.get(LEASE_NAME).await.unwrap()), Some(both.leader.operator.name()));
    assert_eq!(both.standby.operator.get("/readyz").await.unwrap().status, 200);
    let story = both.world.story("leader-term").await;
    let before = both.secrets_made(OPERATOR_NAMESPACE).await;
    story.apply(TEAM_AND_APP).await;
    story.server_where(TEAM, "is begun", |server| phase(server) == Some(Phase::Provisioning)).await;
    let status = both.leader.operator.sigterm().await.unwrap().unwrap();
    let ended = Instant::now();
    assert_eq!(status.code(), Some(0), "{}", both.leader.operator.log_tail(20));
    let took = both.taken_over(ended).await;
    println!("handed over after {:.2} s", took.as_secs_f32());
    assert!(took < Duration::from_millis(LEASE * 1000 / 2), "{took:?}: the lease was not given back");
    assert_eq!(holder(&leases.get(LEASE_NAME).await.unwrap()), Some(both.standby.operator.name()));
    settled(&story).await;
    exactly_one_of_each(&story).await;
    assert_eq!(both.secrets_made(OPERATOR_NAMESPACE).await - before, 2);
    story.delete::<PostgreSQLServer>(TEAM).await;
}

/// Waits until one that led has noticed that it does so no longer, and stands by; from `logged` on in its log.
async fn stands_by(story: &Story<'_>, operator: &Operator, logged: usize) {
    let noticed = async || {
        let log = operator.log().split_off(logged);
        let stands_by = log.rsplit("no longer leading").next().unwrap_or_default().contains("standing by");
        (log.contains("no longer leading") && stands_by).then_some(())
    };
    story.eventually("the old one notices and stands by", noticed).await;
}

fn reset() -> Value {
    json!({"metadata": {"labels": {"operator/action": "reset-password"}}})
}

fn phase(server: &PostgreSQLServer) -> Option<Phase> {
    server.status.as_ref()?.phase
}

/// Waits until both objects are ready and nobody has anything left to do.
async fn settled(story: &Story<'_>) {
    let asked = async || {
        let (server, database) = (story.server(TEAM).await, story.database(APP).await);
        (server.labels().is_empty() && database.labels().is_empty()).then_some(())
    };
    story.eventually("no request is left", asked).await;
    story.eventually("no password is pending", async || pending(story).await.is_empty().then_some(())).await;
    story.team_ready().await;
}

/// The pending passwords, of whatever object.
async fn pending(story: &Story<'_>) -> Vec<String> {
    let secrets: Api<Secret> = Api::namespaced(story.client.clone(), OPERATOR_NAMESPACE);
    let found = secrets.list(&ListParams::default()).await.unwrap();
    found.iter().map(ResourceExt::name_any).filter(|name| name.starts_with("hcpg-pending-")).collect()
}

/// One folder, one postmaster, and the published passwords log in.
async fn exactly_one_of_each(story: &Story<'_>) {
    let server = story.local_server(TEAM);
    let mine = |path: &PathBuf| {
        let record = std::fs::read_to_string(path.join("server.json")).unwrap_or_default();
        record.contains(&format!("\"{}\"", story.namespace))
    };
    let folders: Vec<PathBuf> = folders(story).into_iter().filter(mine).collect();
    assert_eq!(folders, [server.folder()]);
    assert_eq!(unfinished_folders(story), Vec::<PathBuf>::new());
    assert_eq!(postmasters(&server.folder().join("pgdata").display().to_string()), 1);
    story.team_login().await.connect().await.unwrap();
    story.app_login().await.connect().await.unwrap();
    let query = format!("SELECT count(*) FROM pg_database WHERE datname = '{APP}'");
    assert_eq!(story.ask("postgres", &query).await.as_deref(), Some("1"));
}

fn folders(story: &Story<'_>) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(story.world.operator.data_dir()).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

/// Where servers are being built, or were on their way out.
fn unfinished_folders(story: &Story<'_>) -> Vec<PathBuf> {
    let is_hidden = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
    folders(story).into_iter().filter(is_hidden).collect()
}

/// How many servers run on that data. A child of one bears its command line until it has set its own title.
fn postmasters(data: &str) -> usize {
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let parent = |process: &PathBuf| {
        let status = read(process.join("status"));
        status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap_or_default().trim().to_owned()
    };
    let found: Vec<(String, String)> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|process| {
            let line = read(process.join("cmdline"));
            let arguments: Vec<&str> = line.split('\0').collect();
            arguments[0].ends_with("/postgres") && arguments.contains(&data)
        })
        .map(|process| (process.file_name().unwrap().to_string_lossy().into_owned(), parent(&process)))
        .collect();
    found.iter().filter(|(_, parent)| !found.iter().any(|(pid, _)| pid == parent)).count()
}

fn is_lease(write: &AuditEvent) -> bool {
    write.object_ref.as_ref().is_some_and(|object| object.resource == "leases")
}
