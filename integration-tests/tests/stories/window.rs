//! Changes that interrupt connections: said before they happen, made once, and kept for the maintenance window where
//! the spec asks for that.

use std::time::Duration;

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{SharedWorld, Story, TEAM, answer, says, server_condition};
use jiff::Timestamp;
use serde_json::{Value, json};

static WORLD: SharedWorld = SharedWorld::new();
static CAREFUL: SharedWorld = SharedWorld::with(|| OperatorOptions {
    config: json!({"backends": {"local": {"fake_delete": true}}}),
    ..OperatorOptions::default()
});

async fn edit(story: &Story<'_>, spec: Value) {
    story.patch::<PostgreSQLServer>(TEAM, json!({ "spec": spec })).await;
}

async fn shown(story: &Story<'_>, parameter: &str) -> String {
    let login = story.team_login().await.connect().await.unwrap();
    answer(&login, &format!("SELECT setting FROM pg_settings WHERE name = '{parameter}'")).await.unwrap()
}

/// A window that opened `minutes` ago, as users write it.
fn window(minutes: i64) -> Value {
    let minute = Timestamp::now().as_second() / 60 - minutes;
    let (day, of_day) = (minute.div_euclid(24 * 60), minute.rem_euclid(24 * 60));
    // 1970-01-01 was a Thursday.
    let weekday = ((day + 4) % 7).to_string();
    json!({"window": {"weekday": weekday, "starttime": format!("{:02}:{:02}", of_day / 60, of_day % 60)}})
}

/// Waits until the condition `Synced` says that something waits for the window.
async fn waits(story: &Story<'_>, words: &str) -> PostgreSQLServer {
    let what = format!("says AwaitingWindow and {words}");
    story
        .server_where(TEAM, &what, |server| {
            let synced = server_condition(server, ConditionType::Synced);
            says(synced, ConditionStatus::False, Reason::AwaitingWindow, words)
        })
        .await
}

async fn tell(story: &Story<'_>, title: &str) {
    let columns = "custom-columns=PHASE:.status.phase,MANAGED:.status.managedParameters,\
                   SYNCED:.status.conditions[?(@.type==\"Synced\")].reason,\
                   MESSAGE:.status.conditions[?(@.type==\"Synced\")].message";
    let table = story.world.kubectl(&["get", "pg", TEAM, "-n", &story.namespace, "-o", columns]).await;
    println!(
        "--- {title}\n{table}max_connections {}, work_mem {}, started at {}",
        shown(story, "max_connections").await,
        shown(story, "work_mem").await,
        story.started_at().await.unwrap_or_default()
    );
}

#[tokio::test]
async fn a_restart_waits_for_the_window_and_everything_else_does_not() {
    let story = story_of("window").await;
    let started = story.started_at().await;
    // It opens in three days and a bit.
    edit(&story, json!({"changeWindow": "Maintenance", "maintenance": window(4 * 24 * 60)})).await;
    edit(&story, json!({"serverParameters": {"max_connections": 33, "work_mem": "8MB"}})).await;
    let server = waits(&story, "max_connections").await;
    let status = server.status.unwrap();
    assert!(status.differences.iter().any(|one| one.contains("apply-now")), "{:?}", status.differences);
    story
        .eventually("work_mem is set", async || (shown(&story, "work_mem").await == "8192").then_some(()))
        .await;
    tell(&story, "changeWindow: Maintenance, outside of the window").await;
    story
        .all_the_time("the server is not restarted, and ready", Duration::from_secs(4), async || {
            let server = story.server(TEAM).await;
            story.started_at().await == started
                && server_condition(&server, ConditionType::Ready)
                    .is_some_and(|ready| ready.status == ConditionStatus::True)
        })
        .await;
    assert_eq!(shown(&story, "max_connections").await, "50");

    let annotation = json!({"metadata": {"annotations": {"operator/action": "apply-now"}}});
    story.patch::<PostgreSQLServer>(TEAM, annotation).await;
    in_sync(&story).await;
    tell(&story, "after the action apply-now").await;
    assert_eq!(shown(&story, "max_connections").await, "33");
    let restarted = story.started_at().await;
    assert_ne!(restarted, started);
    story
        .server_where(TEAM, "has lost the request", |server| {
            server.metadata.annotations.as_ref().is_none_or(|all| !all.contains_key("operator/action"))
        })
        .await;

    // Taking it back is a restart, too, and made at once while the window is open.
    edit(&story, json!({"serverParameters": {"max_connections": null}})).await;
    waits(&story, "asked for its default").await;
    assert_eq!(story.started_at().await, restarted);
    edit(&story, json!({"maintenance": window(2)})).await;
    in_sync(&story).await;
    tell(&story, "taken back, inside of the window").await;
    assert_eq!(shown(&story, "max_connections").await, "50");
    let managed = story.server(TEAM).await.status.unwrap().managed_parameters;
    assert_eq!(managed, ["work_mem"]);
}

#[tokio::test]
async fn a_restart_is_said_before_it_happens() {
    let story = story_of("said").await;
    tell(&story, "changeWindow: Immediate, before").await;
    let started = story.started_at().await;
    edit(&story, json!({"serverParameters": {"max_connections": 34, "max_wal_senders": 3}})).await;
    let server = story
        .server_where(TEAM, "says that it restarts", |server| {
            let reconciling = server_condition(server, ConditionType::Reconciling);
            says(reconciling, ConditionStatus::True, Reason::Restarting, "connections are interrupted")
        })
        .await;
    println!("{:?}", server_condition(&server, ConditionType::Reconciling));
    in_sync(&story).await;
    tell(&story, "changeWindow: Immediate, after").await;
    assert_ne!(story.started_at().await, started);
}

#[tokio::test]
async fn what_the_backend_does_not_do_is_said_and_does_not_stand_in_the_way() {
    let story = story_of("limited").await;
    edit(&story, json!({"backup": {"retentionDays": 7}})).await;
    let server = story
        .server_where(TEAM, "says that there are no backups", |server| {
            let limited = server_condition(server, ConditionType::Limited);
            says(limited, ConditionStatus::True, Reason::NotSupported, "makes no backups")
        })
        .await;
    let ready = server_condition(&server, ConditionType::Ready);
    assert!(ready.is_some_and(|ready| ready.status == ConditionStatus::True), "{ready:?}");
    edit(&story, json!({"backup": null})).await;
    story
        .server_where(TEAM, "says it no more", |server| {
            server_condition(server, ConditionType::Limited).is_none()
        })
        .await;
}

#[tokio::test]
async fn with_fake_delete_a_server_is_marked_and_stays_and_a_new_object_takes_the_mark_off() {
    let story = CAREFUL.get().await.story("fake-delete").await;
    let team = "apiVersion: hybridcloud.maibornwolff.de/v1alpha1\nkind: PostgreSQLServer\nmetadata: {name: team}\n\
                spec: {credentialsSecret: team-login}\n";
    story.apply(team).await;
    story.server_ready(TEAM).await;
    let started = story.started_at().await;
    let record = story.local_server(TEAM).folder().join("server.json");
    let left = || -> Value {
        let record: Value = serde_json::from_str(&std::fs::read_to_string(&record).unwrap()).unwrap();
        record["left"].clone()
    };
    assert_eq!(left(), json!(false));
    story.delete::<PostgreSQLServer>(TEAM).await;
    story.gone::<PostgreSQLServer>(TEAM).await;
    assert_eq!(left(), json!(true));
    assert!(story.local_server(TEAM).is_alive());

    story.apply(team).await;
    story.server_ready(TEAM).await;
    story.eventually("the mark is off", async || (left() == json!(false)).then_some(())).await;
    assert_eq!(story.started_at().await, started, "it is the same server");
}

async fn story_of(name: &str) -> Story<'static> {
    WORLD.get().await.story(name).await.with_team().await
}

async fn in_sync(story: &Story<'_>) {
    story
        .server_where(TEAM, "is in sync in its present generation", |server| {
            let synced = server_condition(server, ConditionType::Synced);
            let observed = server.status.as_ref().and_then(|status| status.observed_generation);
            observed == server.metadata.generation && says(synced, ConditionStatus::True, Reason::InSync, "")
        })
        .await;
}
