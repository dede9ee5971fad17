//! What differs at take-over is told, and applied with the next change of the spec or when somebody asks for it.

use std::collections::BTreeMap;

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::world::{
    APP, Before, Story, TEAM, World, database_condition, original, says, server_condition,
};
use kube::ResourceExt;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

struct Left {
    world: World,
    teams: BTreeMap<String, (String, Before)>,
}

static LEFT: OnceCell<Left> = OnceCell::const_new();

/// The original's objects, of which the server's spec asks for another `work_mem` and the database's for an extension:
/// somebody changed them while no operator was there.
async fn left(name: &str) -> (Story<'static>, &'static Before) {
    let left = LEFT
        .get_or_init(|| async {
            let world = World::start().await;
            let teams = world
                .left_by_the_original(&["spec-changed", "apply-now"], async |_, story, _| {
                    let mut server = original("stored-server.yaml", &[]);
                    server["spec"]["serverParameters"]["work_mem"] = json!("16MB");
                    story.store::<PostgreSQLServer>(server).await;
                    let mut database = original("stored-database.yaml", &[]);
                    database["spec"]["database"] = json!({"extensions": ["hstore"]});
                    story.store::<PostgreSQLDatabase>(database).await;
                })
                .await;
            world.operator.start_again().await.unwrap();
            Left { world, teams }
        })
        .await;
    let (namespace, before) = &left.teams[name];
    (left.world.story_again_in(namespace).await, before)
}

/// Both are ready, both say what differs, and nothing has been written.
async fn waits(story: &Story<'_>, before: &Before) {
    let server = story.server_ready(TEAM).await;
    let database = story.database_ready(APP).await;
    let synced = server_condition(&server, ConditionType::Synced);
    let difference = "parameter.work_mem: not set, asked for 16MB";
    assert!(says(synced, ConditionStatus::False, Reason::TakenOver, difference), "{synced:?}");
    assert_eq!(server.status.unwrap().differences, [difference]);
    let synced = database_condition(&database, ConditionType::Synced);
    assert!(says(synced, ConditionStatus::False, Reason::TakenOver, "hstore"), "{synced:?}");

    // Looking again, with everything known, changes nothing.
    let touch = json!({"metadata": {"annotations": {"story/touch": "1"}}});
    story.patch::<PostgreSQLServer>(TEAM, touch.clone()).await;
    story.patch::<PostgreSQLDatabase>(APP, touch).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    story.was_only_read(before).await;
}

async fn applied(story: &Story<'_>) {
    let server = story.server_where(TEAM, "is in sync", |server| {
        let synced = server_condition(server, ConditionType::Synced);
        says(synced, ConditionStatus::True, Reason::InSync, "")
    });
    assert_eq!(server.await.status.unwrap().differences, Vec::<String>::new());
    story
        .database_where(APP, "is in sync", |database| {
            let synced = database_condition(database, ConditionType::Synced);
            says(synced, ConditionStatus::True, Reason::InSync, "")
        })
        .await;
    assert_eq!(
        story.ask(APP, "SELECT extname FROM pg_extension WHERE extname = 'hstore'").await.as_deref(),
        Some("hstore")
    );
    let owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'app'";
    assert_eq!(story.ask("postgres", owner).await.as_deref(), Some("app"));
    story.app_login().await.connect().await.unwrap();
}

async fn setting(story: &Story<'_>, name: &str) -> Option<String> {
    story.ask("postgres", &format!("SELECT current_setting('{name}')")).await
}

#[tokio::test]
async fn the_next_change_of_the_spec_brings_everything() {
    let (story, before) = left("spec-changed").await;
    waits(&story, before).await;

    let change = json!({"spec": {"serverParameters": {"maintenance_work_mem": "32MB"}}});
    story.patch::<PostgreSQLServer>(TEAM, change).await;
    let change = json!({"spec": {"database": {"extensions": ["hstore", "citext"]}}});
    story.patch::<PostgreSQLDatabase>(APP, change).await;
    applied(&story).await;
    assert_eq!(setting(&story, "work_mem").await.as_deref(), Some("16MB"));
    assert_eq!(setting(&story, "maintenance_work_mem").await.as_deref(), Some("32MB"));
    assert_eq!(story.team_login().await.password, before.team.password);
    assert_eq!(story.app_login().await.password, before.app.password);
}

#[tokio::test]
async fn apply_now_brings_everything_and_is_removed() {
    let (story, before) = left("apply-now").await;
    waits(&story, before).await;

    let asked = |place: &str| -> Value { json!({"metadata": {place: {"operator/action": "apply-now"}}}) };
    story.patch::<PostgreSQLServer>(TEAM, asked("labels")).await;
    story.patch::<PostgreSQLDatabase>(APP, asked("annotations")).await;
    applied(&story).await;
    assert_eq!(setting(&story, "work_mem").await.as_deref(), Some("16MB"));
    let server = story
        .server_where(TEAM, "bears no request", |server| !server.labels().contains_key("operator/action"))
        .await;
    story
        .database_where(APP, "bears no request", |one| !one.annotations().contains_key("operator/action"))
        .await;
    assert_eq!(server.status.unwrap().adopted_generation, None);
    assert_eq!(story.app_login().await.password, before.app.password);

    // From now on drift is mended as everywhere.
    story.by_hand("postgres", "GRANT CONNECT ON DATABASE app TO PUBLIC").await;
    let touch = json!({"metadata": {"annotations": {"story/touch": "2"}}});
    story.patch::<PostgreSQLDatabase>(APP, touch).await;
    story
        .eventually("the database is closed again", async || {
            let open = "SELECT has_database_privilege('public', 'app', 'CONNECT')";
            (story.ask("postgres", open).await.as_deref() == Some("false")).then_some(())
        })
        .await;
}
