//! `operator/paused`: nothing is written, whatever is asked for; afterwards everything is made good.

use std::time::Duration;

use hcpg::api::names::{ACTION, PAUSED};
use hcpg::api::{ConditionStatus, ConditionType, Phase, PostgreSQLDatabase, PostgreSQLServer, Reason};
use hcpg::secrets::pending_name;
use integration_tests::control_plane::AuditEvent;
use integration_tests::operator::OPERATOR_NAMESPACE;
use integration_tests::world::{
    APP, APP_LOGIN, SharedWorld, Story, TEAM, TEAM_LOGIN, answer, database_condition, database_object, says,
    server_condition, server_object,
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

/// Objects that were paused before the operator saw them, and what the status says: `Paused`, not ready, what would be
/// done.
#[tokio::test]
async fn nothing_is_begun_for_objects_that_are_born_paused() {
    let story = WORLD.get().await.story("paused-new").await;
    let before = writes(&story).await.len();
    let paused = json!({"metadata": {"annotations": {PAUSED: "true"}}});
    for mut object in [server_object(TEAM, TEAM_LOGIN), database_object(APP, TEAM, APP_LOGIN)] {
        json_patch::merge(&mut object, &paused);
        story.try_apply(object).await.unwrap();
    }
    is_paused(&story).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    is_paused(&story).await;
    let (server, database) = (story.server(TEAM).await, story.database(APP).await);
    for (ready, differences, words) in [
        (
            server_condition(&server, ConditionType::Ready),
            &server.status.as_ref().unwrap().differences,
            "not done while nothing is written: the server",
        ),
        (
            database_condition(&database, ConditionType::Ready),
            &database.status.as_ref().unwrap().differences,
            "not done while nothing is written: the PostgreSQLServer team ",
        ),
    ] {
        assert_eq!(ready.map(|ready| ready.status), Some(ConditionStatus::False), "{ready:?}");
        assert!(differences.iter().any(|one| one.starts_with(words)), "{differences:?}");
    }
    let written: Vec<String> =
        writes(&story).await.into_iter().skip(before).map(|event| event.request_uri).collect();
    assert_eq!(written, Vec::<String>::new(), "no finalizer, no Secret");
    assert_eq!(server.finalizers(), [] as [String; 0]);
    assert!(!story.has_local_server(TEAM));
    for uid in [server.uid().unwrap(), database.uid().unwrap()] {
        assert!(!story.has_pending_password(&uid).await);
    }

    let resume = json!({"metadata": {"annotations": {PAUSED: null}}});
    story.patch::<PostgreSQLServer>(TEAM, resume.clone()).await;
    story.server_ready(TEAM).await;
    assert!(story.secret(APP_LOGIN).await.is_none(), "the database is still paused");
    story.patch::<PostgreSQLDatabase>(APP, resume).await;
    story.team_ready().await;
    story.app_login().await.connect().await.unwrap();
}

#[tokio::test]
async fn paused_objects_that_are_deleted_stay_until_the_pause_goes() {
    let story = WORLD.get().await.story("paused-gone").await.with_team().await;
    let (team, app) = (story.team_login().await, story.app_login().await);
    let pause = json!({"metadata": {"annotations": {PAUSED: "true"}}});
    story.patch::<PostgreSQLServer>(TEAM, pause.clone()).await;
    story.patch::<PostgreSQLDatabase>(APP, pause).await;
    is_paused(&story).await;
    let before = writes(&story).await.len();
    story.delete::<PostgreSQLDatabase>(APP).await;
    story.delete::<PostgreSQLServer>(TEAM).await;
    story
        .server_where(TEAM, "says that it is not deleted", |server| {
            let status = server.status.as_ref().unwrap();
            let synced = server_condition(server, ConditionType::Synced);
            status.phase == Some(Phase::Deleting)
                && says(synced, ConditionStatus::False, Reason::PausedByUser, PAUSED)
                && status.differences.iter().any(|one| one.starts_with("not done while nothing is written"))
        })
        .await;
    story
        .database_where(APP, "says that it is not deleted", |database| {
            let status = database.status.as_ref().unwrap();
            let synced = database_condition(database, ConditionType::Synced);
            status.phase == Some(Phase::Deleting)
                && says(synced, ConditionStatus::False, Reason::PausedByUser, PAUSED)
                && status.differences.iter().any(|one| one.contains("is being let go"))
        })
        .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    is_paused(&story).await;
    let written: Vec<String> =
        writes(&story).await.into_iter().skip(before).map(|event| event.request_uri).collect();
    assert_eq!(written, Vec::<String>::new());
    assert_eq!((story.team_login().await, story.app_login().await), (team, app.clone()));
    app.connect().await.unwrap();

    let resume = json!({"metadata": {"annotations": {PAUSED: null}}});
    story.patch::<PostgreSQLDatabase>(APP, resume.clone()).await;
    story.gone::<PostgreSQLDatabase>(APP).await;
    assert!(story.has_local_server(TEAM), "the server is still paused");
    story.patch::<PostgreSQLServer>(TEAM, resume).await;
    story.gone::<PostgreSQLServer>(TEAM).await;
    assert!(!story.has_local_server(TEAM));
    assert!(story.secret(TEAM_LOGIN).await.is_none() && story.secret(APP_LOGIN).await.is_none());
}
