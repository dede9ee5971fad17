//! `operator/paused`: nothing is written, whatever is asked for; afterwards everything is made good.

use std::time::Duration;

use hcpg::api::names::{ACTION, PAUSED};
use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use hcpg::secrets::pending_name;
use integration_tests::control_plane::AuditEvent;
use integration_tests::operator::OPERATOR_NAMESPACE;
use integration_tests::world::{
    APP, SharedWorld, Story, TEAM, answer, database_condition, says, server_condition,
};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::Api;
use serde_json::json;

static WORLD: SharedWorld = SharedWorld::new();

/// What the operator wrote for a story: status and events tell, and are no writes in this sense.
async fn writes(story: &Story<'_>) -> Vec<AuditEvent> {
    let mut writes = story.world.operator_writes().await;
    writes.retain(|event| {
        event.object_ref.as_ref().is_some_and(|object| {
            object.namespace == story.namespace
                && object.subresource != "status"
                && object.resource != "events"
        })
    });
    writes
}

async fn is_paused(story: &Story<'_>) {
    story
        .server_where(TEAM, "is paused", |server| {
            let paused = server_condition(server, ConditionType::Paused);
            let observed = server.status.as_ref().and_then(|status| status.observed_generation);
            observed == server.metadata.generation
                && says(paused, ConditionStatus::True, Reason::PausedByUser, PAUSED)
        })
        .await;
    story
        .database_where(APP, "is paused", |database| {
            let paused = database_condition(database, ConditionType::Paused);
            let observed = database.status.as_ref().and_then(|status| status.observed_generation);
            observed == database.metadata.generation
                && says(paused, ConditionStatus::True, Reason::PausedByUser, PAUSED)
        })
        .await;
}

#[tokio::test]
async fn nothing_is_written_for_paused_objects_and_everything_afterwards() {
    let story = WORLD.get().await.story("paused").await.with_team().await;
    let (team, app) = (story.team_login().await, story.app_login().await);
    let pause = json!({"metadata": {"annotations": {PAUSED: "true"}}});
    story.patch::<PostgreSQLServer>(TEAM, pause.clone()).await;
    story.patch::<PostgreSQLDatabase>(APP, pause).await;
    is_paused(&story).await;
    let server = story.server(TEAM).await;
    let synced = server_condition(&server, ConditionType::Synced);
    assert!(says(synced, ConditionStatus::True, Reason::InSync, ""), "nothing differs yet: {synced:?}");
    let before = writes(&story).await.len();

    let reset = json!({"labels": {ACTION: "reset-password"}});
    let spec = json!({"serverParameters": {"work_mem": "8MB"}});
    story.patch::<PostgreSQLServer>(TEAM, json!({"metadata": reset, "spec": spec})).await;
    let spec = json!({"database": {"extensions": ["hstore"]}});
    story.patch::<PostgreSQLDatabase>(APP, json!({"metadata": reset, "spec": spec})).await;
    is_paused(&story).await;
    let unchanged = async || story.team_login().await == team && story.app_login().await == app;
    story.all_the_time("the passwords stay", Duration::from_secs(4), unchanged).await;

    let written: Vec<String> =
        writes(&story).await.into_iter().skip(before).map(|event| event.request_uri).collect();
    assert_eq!(written, Vec::<String>::new());
    let pending: Api<Secret> = Api::namespaced(story.client.clone(), OPERATOR_NAMESPACE);
    let (server, database) = (story.server(TEAM).await, story.database(APP).await);
    for uid in [server.uid().unwrap(), database.uid().unwrap()] {
        assert!(pending.get_opt(&pending_name(&uid)).await.unwrap().is_none());
    }
    let extension = "SELECT extname FROM pg_extension WHERE extname = 'hstore'";
    assert_eq!(story.ask(APP, extension).await, None);
    let parameter = "SELECT setting FROM pg_settings WHERE name = 'work_mem'";
    assert_eq!(story.ask(APP, parameter).await.unwrap(), "4096");
    for (name, synced, ready) in [
        (
            TEAM,
            server_condition(&server, ConditionType::Synced),
            server_condition(&server, ConditionType::Ready),
        ),
        (
            APP,
            database_condition(&database, ConditionType::Synced),
            database_condition(&database, ConditionType::Ready),
        ),
    ] {
        assert!(says(synced, ConditionStatus::False, Reason::PausedByUser, ""), "{name}: {synced:?}");
        assert_eq!(ready.map(|ready| ready.status), Some(ConditionStatus::True), "{name}");
    }

    let resume = json!({"metadata": {"annotations": {PAUSED: null}}});
    story.patch::<PostgreSQLServer>(TEAM, resume.clone()).await;
    story.patch::<PostgreSQLDatabase>(APP, resume).await;
    story
        .database_where(APP, "has what was asked for", |database| !database.labels().contains_key(ACTION))
        .await;
    story.server_where(TEAM, "has what was asked for", |server| !server.labels().contains_key(ACTION)).await;
    story.team_ready().await;
    assert!(database_condition(&story.database(APP).await, ConditionType::Paused).is_none());
    assert!(team.is_refused().await.unwrap());
    assert!(app.is_refused().await.unwrap());
    story.team_login().await.connect().await.unwrap();
    let login = story.app_login().await.connect().await.unwrap();
    assert_eq!(answer(&login, "SELECT 'a=>1'::hstore -> 'a'").await.unwrap(), "1");
    assert_eq!(story.ask(APP, parameter).await.unwrap(), "8192");
}
