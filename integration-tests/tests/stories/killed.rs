//! The operator is killed at random moments, again and again: in the end everything is there exactly once, or gone.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hcpg::api::{Phase, PostgreSQLDatabase, PostgreSQLServer};
use integration_tests::operator::{Operator, OperatorOptions};
use integration_tests::world::{SharedWorld, Story, postmasters};
use kube::ResourceExt;
use serde_json::json;
use tokio::sync::Mutex;

/// Without a pause between two resets that a label asks for.
static WORLD: SharedWorld = SharedWorld::with(|| OperatorOptions {
    config: json!({"reconcile": {"label_reset_interval_seconds": 0}}),
    ..OperatorOptions::default()
});
/// There is one operator to be killed, so the stories take turns.
static TURN: Mutex<()> = Mutex::const_new(());

const SERVER: &str = "demoteam";
const DATABASE: &str = "demoservice";
const SERVER_SECRET: &str = "demoteam-postgres-credentials";
const DATABASE_SECRET: &str = "demoservice-postgres-credentials";

/// Longer than the operator grants its passes, shorter than what a pod is granted.
const STOPS_WITHIN: Duration = Duration::from_secs(30);

#[tokio::test]
async fn killed_while_it_creates() {
    let _turn = TURN.lock().await;
    let mut dice = Dice::new();
    let story = WORLD.get().await.story("killed-create").await;
    story.apply_example("simple.yaml").await;
    for _ in 0..8 {
        kill_after(&story.world.operator, dice.up_to(1500)).await;
    }
    settled(&story).await;
    exactly_one_of_each(&story, &[DATABASE]).await;

    // A database is made within a fraction of a second; each gets its kill.
    let more = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
    for name in more {
        story.apply(&database(name)).await;
        kill_after(&story.world.operator, dice.up_to(700)).await;
    }
    for name in more {
        story.database_ready(name).await;
        let login = story.credentials(&format!("{name}-credentials")).await.connect().await.unwrap();
        login.batch_execute("CREATE TABLE mine ()").await.unwrap();
    }
    settled(&story).await;
    exactly_one_of_each(&story, &[&[DATABASE], &more[..]].concat()).await;
    story.delete::<PostgreSQLServer>(SERVER).await;
}

#[tokio::test]
async fn told_to_stop_while_it_creates() {
    let _turn = TURN.lock().await;
    let mut dice = Dice::new();
    let story = WORLD.get().await.story("stopped").await;
    story.apply_example("simple.yaml").await;
    story.server_where(SERVER, "is begun", |server| phase(server) == Some(Phase::Provisioning)).await;
    tokio::time::sleep(dice.up_to(1000)).await;
    stop_and_start(&story.world.operator).await;
    settled(&story).await;
    exactly_one_of_each(&story, &[DATABASE]).await;
}

#[tokio::test]
async fn killed_while_it_resets_passwords() {
    let _turn = TURN.lock().await;
    let mut dice = Dice::new();
    let world = WORLD.get().await;
    let story = world.story("killed-reset").await;
    story.apply_example("simple.yaml").await;
    settled(&story).await;
    let postmaster = story.local_server(SERVER).postmaster();
    // An application that was connected before any of this.
    let application = story.credentials(DATABASE_SECRET).await.connect().await.unwrap();

    for round in 0..16 {
        let before = (story.credentials(SERVER_SECRET).await, story.credentials(DATABASE_SECRET).await);
        let of_server = round % 2 == 0;
        ask_for_reset(&story, of_server).await;
        kill_after(&world.operator, dice.up_to(1500)).await;
        settled(&story).await;
        let after = (story.credentials(SERVER_SECRET).await, story.credentials(DATABASE_SECRET).await);
        // What was asked for was done, once, and nothing else.
        let (old, new) = if of_server { (&before.0, &after.0) } else { (&before.1, &after.1) };
        assert_ne!(old.password, new.password, "round {round}");
        assert!(old.is_refused().await.unwrap(), "round {round}");
        if of_server {
            assert_eq!(before.1, after.1, "round {round}");
        } else {
            assert_eq!(before.0, after.0, "round {round}");
        }
        assert_eq!(application.query_one("SELECT 1", &[]).await.unwrap().get::<_, i32>(0), 1);
    }
    exactly_one_of_each(&story, &[DATABASE]).await;

    // Told to stop in the middle of one, it ends well, and the next one takes it up.
    ask_for_reset(&story, true).await;
    ask_for_reset(&story, false).await;
    story.eventually("a reset is under way", async || story.pending_passwords().await.pop()).await;
    stop_and_start(&world.operator).await;
    settled(&story).await;
    exactly_one_of_each(&story, &[DATABASE]).await;
    assert_eq!(application.query_one("SELECT 1", &[]).await.unwrap().get::<_, i32>(0), 1);
    assert_eq!(story.local_server(SERVER).postmaster(), postmaster);

    // With everything ready, a restart changes nothing.
    let before = world.operator_writes().await.len();
    world.operator.restart().await.unwrap();
    for kind in ["server", "database"] {
        let line = format!("hcpg_reconcile_duration_seconds_count{{kind=\"{kind}\",outcome=\"settled\"}}");
        story
            .eventually(&format!("every {kind} was looked at"), async || {
                world.operator.metrics().await.unwrap().contains(&line).then_some(())
            })
            .await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let writes: Vec<String> =
        world.operator_writes().await.drain(before..).map(|it| it.request_uri).collect();
    assert!(writes.is_empty(), "{writes:?}");
}

#[tokio::test]
async fn killed_while_it_deletes() {
    let _turn = TURN.lock().await;
    let mut dice = Dice::new();
    let world = WORLD.get().await;
    let story = world.story("killed-delete").await;
    story.apply_example("simple.yaml").await;
    let more = ["one", "two", "three", "four", "five", "six"];
    for name in more {
        story.apply(&database(name)).await;
    }
    settled(&story).await;
    for name in more {
        story.database_ready(name).await;
    }
    let server = story.local_server(SERVER);

    for name in more {
        story.delete::<PostgreSQLDatabase>(name).await;
        kill_after(&world.operator, dice.up_to(700)).await;
    }
    for name in more {
        story.gone::<PostgreSQLDatabase>(name).await;
    }
    exactly_one_of_each(&story, &[DATABASE]).await;

    story.delete::<PostgreSQLDatabase>(DATABASE).await;
    story.delete::<PostgreSQLServer>(SERVER).await;
    for _ in 0..4 {
        kill_after(&world.operator, dice.up_to(700)).await;
    }
    story.gone::<PostgreSQLDatabase>(DATABASE).await;
    story.gone::<PostgreSQLServer>(SERVER).await;
    assert_eq!(postmasters(server.folder()), 0);
    story.nothing_is_left(SERVER).await;
}

/// Random moments that can be had again: a failed run prints the number to set as `HCPG_SEED`.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let given = std::env::var("HCPG_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let seed = given.unwrap_or_else(|| u64::try_from(now).unwrap());
        println!("HCPG_SEED={seed}");
        Self(seed)
    }

    /// SplitMix64.
    fn up_to(&mut self, milliseconds: u64) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Duration::from_millis((z ^ (z >> 31)) % milliseconds)
    }
}

fn database(name: &str) -> String {
    format!(
        "apiVersion: hybridcloud.maibornwolff.de/v1alpha1\nkind: PostgreSQLDatabase\nmetadata:\n  name: {name}\n\
         spec:\n  serverRef:\n    name: {SERVER}\n  credentialsSecret: {name}-credentials\n"
    )
}

async fn kill_after(operator: &Operator, moment: Duration) {
    tokio::time::sleep(moment).await;
    operator.sigkill();
    operator.start_again().await.unwrap();
}

async fn stop_and_start(operator: &Operator) {
    let since = Instant::now();
    let status = operator.sigterm().await.unwrap().expect("it was running");
    assert_eq!(status.code(), Some(0), "{}", operator.log_tail(20));
    assert!(since.elapsed() < STOPS_WITHIN, "{:?}", since.elapsed());
    println!("stopped after {:.1} s", since.elapsed().as_secs_f32());
    assert!(!operator.log_tail(20).contains("work under way; it is taken up"), "{}", operator.log_tail(20));
    operator.start_again().await.unwrap();
}

async fn ask_for_reset(story: &Story<'_>, of_server: bool) {
    let label = json!({"metadata": {"labels": {"operator/action": "reset-password"}}});
    if of_server {
        story.patch::<PostgreSQLServer>(SERVER, label).await;
    } else {
        story.patch::<PostgreSQLDatabase>(DATABASE, label).await;
    }
}

/// Waits until both objects are ready and nobody has anything left to do.
async fn settled(story: &Story<'_>) {
    story
        .eventually("no request is left", async || {
            let (server, database) = (story.server(SERVER).await, story.database(DATABASE).await);
            (server.labels().is_empty() && database.labels().is_empty()).then_some(())
        })
        .await;
    story
        .eventually("no password is pending", async || {
            story.pending_passwords().await.is_empty().then_some(())
        })
        .await;
    story.server_ready(SERVER).await;
    story.database_ready(DATABASE).await;
}

fn phase(server: &PostgreSQLServer) -> Option<Phase> {
    server.status.as_ref()?.phase
}

/// One folder, one postmaster, one role and one database for each, and the published passwords log in.
async fn exactly_one_of_each(story: &Story<'_>, databases: &[&str]) {
    story.exactly_one_of_each(SERVER, databases, &[SERVER_SECRET, DATABASE_SECRET]).await;
}
