//! Told to stop, the operator ends in time, also when what it has called never answers.

use std::path::Path;
use std::time::{Duration, Instant};

use integration_tests::operator::OPERATOR_NAMESPACE;
use integration_tests::world::{APP, APP_LOGIN, Story, TEAM, TEAM_LOGIN, World, secret_of};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What passes under way are granted, and what a pod is granted.
const GRANTED: Duration = Duration::from_secs(25);
const STOPS_WITHIN: Duration = Duration::from_secs(30);

/// Whose role is being made by a statement that does not end.
const STUCK: &str = "stuck";
/// The server whose creation does not end.
const SLOW: &str = "slow";

/// A process that stands still; it does not outlive the test.
struct Held(Pid);

impl Held {
    fn hold(pid: i32) -> Self {
        kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
        Self(Pid::from_raw(pid))
    }

    fn let_go(&self) {
        // An error means that it has ended.
        let _ = kill(self.0, Signal::SIGCONT);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.let_go();
    }
}

#[tokio::test]
async fn calls_that_never_end_are_left_behind_in_time() {
    let world = World::start().await;
    let (story, other) =
        (world.story("stopping").await.with_team().await, world.story("stopping-slow").await);
    let login = story.app_login().await;
    // A server whose `initdb` stands still.
    other.plain_server(SLOW).await;
    let initdb = Held::hold(initdb_below(&world.operator.data_dir()).await);
    // A statement that waits for somebody else's transaction, in a session that does not even notice that time passes.
    let blocker = story.local_server(TEAM).superuser("postgres").await.unwrap();
    blocker.batch_execute("BEGIN; CREATE ROLE stuck").await.unwrap();
    story.plain_database(STUCK, TEAM).await;
    let session = Held::hold(waiting_session(&story).await);

    let logged = world.operator.log().len();
    let since = Instant::now();
    let status = world.operator.sigterm().await.unwrap().expect("it was running");
    let took = since.elapsed();
    println!("stopped after {:.1} s", took.as_secs_f32());
    let log = world.operator.log().split_off(logged);
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(took < STOPS_WITHIN, "{took:?}");
    assert!(took > GRANTED - Duration::from_secs(1), "{took:?}: it had work under way\n{log}");
    assert!(log.contains("stopping: what is under way is finished first"), "{log}");
    assert!(log.contains("stopped with work under way; it is taken up again at the next start"), "{log}");
    // What was sent may still have its effect: nobody else begins before the lease has run out.
    let leases: Api<Lease> = Api::namespaced(story.client.clone(), OPERATOR_NAMESPACE);
    let lease = leases.get("hybrid-cloud-postgresql-operator").await.unwrap().spec.unwrap();
    assert_eq!(lease.holder_identity, Some(world.operator.name()));
    assert!(!log.contains("given back"), "{log}");

    blocker.batch_execute("ROLLBACK").await.unwrap();
    session.let_go();
    // `initdb` stands still when the next one comes.
    world.operator.start_again().await.unwrap();
    story.database_ready(STUCK).await;
    other.server_ready(SLOW).await;
    story.team_ready().await;
    assert_eq!(story.app_login().await, login);
    let secrets = [TEAM_LOGIN, APP_LOGIN, &secret_of(STUCK)];
    story
        .eventually("no password is pending", async || {
            story.pending_passwords().await.is_empty().then_some(())
        })
        .await;
    story.exactly_one_of_each(TEAM, &[APP, STUCK], &secrets).await;
    other.credentials(&secret_of(SLOW)).await.connect().await.unwrap();
    drop(initdb);
}

/// The `initdb` that works below a folder, as soon as there is one.
async fn initdb_below(folder: &Path) -> i32 {
    let folder = folder.to_string_lossy().into_owned();
    let is_one = |line: &str| {
        line.split('\0').next().is_some_and(|program| program.ends_with("/initdb")) && line.contains(&folder)
    };
    let since = Instant::now();
    loop {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let found = processes
            .filter(|process| {
                std::fs::read_to_string(process.path().join("cmdline")).is_ok_and(|line| is_one(&line))
            })
            .find_map(|process| process.file_name().to_string_lossy().parse().ok());
        if let Some(found) = found {
            return found;
        }
        assert!(since.elapsed() < Duration::from_secs(30), "no initdb was started");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The session that makes a role and waits.
async fn waiting_session(story: &Story<'_>) -> i32 {
    let query =
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'CREATE ROLE%'";
    let found = async || story.ask("postgres", query).await?.parse().ok();
    story.eventually("a session waits for a role", found).await
}
