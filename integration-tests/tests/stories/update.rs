//! A spec is edited, and the server or the database follows; what cannot follow is said, and nothing is broken.
//!
//! The objects are looked at by themselves every ten minutes only: all of this follows from the edits.

use std::collections::BTreeSet;
use std::time::Duration;

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::world::{
    APP, SharedWorld, Story, TEAM, TEAM_AND_APP, answer, database_condition, says, server_condition,
};
use serde_json::{Value, json};

static WORLD: SharedWorld = SharedWorld::new();

async fn story(name: &str) -> Story<'static> {
    WORLD.get().await.story(name).await
}

async fn edit_server(story: &Story<'_>, spec: Value) {
    story.patch::<PostgreSQLServer>(TEAM, json!({ "spec": spec })).await;
}

async fn edit_database(story: &Story<'_>, spec: Value) {
    story.patch::<PostgreSQLDatabase>(APP, json!({ "spec": spec })).await;
}

/// What an administrator sees who logs in now.
async fn shown(story: &Story<'_>, parameter: &str) -> String {
    let login = story.team_login().await.connect().await.unwrap();
    answer(&login, &format!("SELECT setting FROM pg_settings WHERE name = '{parameter}'")).await.unwrap()
}

async fn shows(story: &Story<'_>, parameter: &str, value: &str) {
    let what = format!("{parameter} is {value}");
    story.eventually(&what, async || (shown(story, parameter).await == value).then_some(())).await;
}

/// A condition `Synced` that names what is not as asked.
async fn server_is_not_as_asked(story: &Story<'_>, words: &str) -> PostgreSQLServer {
    let what = format!("says NotApplied and {words}");
    story
        .server_where(TEAM, &what, |server| {
            let synced = server_condition(server, ConditionType::Synced);
            let observed = server.status.as_ref().and_then(|status| status.observed_generation);
            observed == server.metadata.generation
                && says(synced, ConditionStatus::False, Reason::NotApplied, words)
        })
        .await
}

#[tokio::test]
async fn a_parameter_is_set_changed_and_removed_without_a_restart() {
    let story = story("reload").await.with_team().await;
    let started = story.started_at().await;
    assert_eq!(shown(&story, "work_mem").await, "4096");

    edit_server(&story, json!({"serverParameters": {"work_mem": "8MB", "log_lock_waits": true}})).await;
    story.server_ready(TEAM).await;
    shows(&story, "work_mem", "8192").await;
    shows(&story, "log_lock_waits", "on").await;

    edit_server(&story, json!({"serverParameters": {"work_mem": "16MB"}})).await;
    story.server_ready(TEAM).await;
    shows(&story, "work_mem", "16384").await;

    edit_server(&story, json!({"serverParameters": null})).await;
    story.server_ready(TEAM).await;
    shows(&story, "work_mem", "4096").await;
    shows(&story, "log_lock_waits", "off").await;
    assert_eq!(story.started_at().await, started, "nothing of this needs a restart");
}

#[tokio::test]
async fn parameters_that_need_it_restart_the_server_once() {
    let story = story("restart").await.with_team().await;
    let server = story.local_server(TEAM);
    let before = server.postmaster().unwrap();
    let watch = tokio::spawn(async move {
        let mut seen = BTreeSet::new();
        while !seen.contains(&0) {
            seen.extend(server.postmaster());
            tokio::time::sleep(Duration::from_millis(3)).await;
            if server.folder().join("pgdata/enough").exists() {
                seen.insert(0);
            }
        }
        seen
    });
    edit_server(
        &story,
        json!({"serverParameters": {"max_connections": 50, "max_wal_senders": 3, "work_mem": "8MB"}}),
    )
    .await;
    story.server_ready(TEAM).await;
    for (parameter, value) in [("max_connections", "50"), ("max_wal_senders", "3"), ("work_mem", "8192")] {
        assert_eq!(shown(&story, parameter).await, value, "{parameter}");
    }
    let pending =
        story.ask("postgres", "SELECT count(*) FROM pg_settings WHERE pending_restart").await.unwrap();
    assert_eq!(pending, "0");
    let after = story.local_server(TEAM).postmaster().unwrap();
    std::fs::write(story.local_server(TEAM).folder().join("pgdata/enough"), "").unwrap();
    assert_eq!(watch.await.unwrap(), BTreeSet::from([0, before, after]), "one restart, not more");
    story.app_login().await.connect().await.unwrap();
}

#[tokio::test]
async fn a_value_that_postgresql_refuses_is_named_and_changes_nothing() {
    let story = story("refused").await.with_team().await;
    let started = story.started_at().await;
    edit_server(&story, json!({"serverParameters": {"work_mem": "a lot"}})).await;
    server_is_not_as_asked(&story, "work_mem").await;
    assert_eq!(story.started_at().await, started);
    assert_eq!(shown(&story, "work_mem").await, "4096");

    edit_server(&story, json!({"serverParameters": {"work_mem": "8MB"}})).await;
    let server = story.server_ready(TEAM).await;
    assert_eq!(server.status.unwrap().differences, Vec::<String>::new());
    shows(&story, "work_mem", "8192").await;
}

#[tokio::test]
async fn an_extension_that_is_added_to_the_spec_is_created() {
    let story = story("extension").await.with_team().await;
    edit_database(&story, json!({"database": {"extensions": ["hstore", "uuid-ossp"]}})).await;
    story.database_ready(APP).await;
    let login = story.app_login().await.connect().await.unwrap();
    assert_eq!(answer(&login, "SELECT 'a=>1'::hstore -> 'a'").await.unwrap(), "1");
    assert_eq!(answer(&login, "SELECT uuid_generate_v4() IS NOT NULL").await.unwrap(), "true");
}

#[tokio::test]
async fn an_unknown_extension_is_named_and_does_not_keep_the_credentials_back() {
    let story = story("unknown-extension").await;
    story.apply(TEAM_AND_APP).await;
    edit_database(&story, json!({"database": {"extensions": ["frobnicate", "hstore"]}})).await;

    let login = story.app_login().await.connect().await.unwrap();
    assert_eq!(answer(&login, "SELECT 'a=>1'::hstore -> 'a'").await.unwrap(), "1", "the other one is there");
    let database = story
        .database_where(APP, "is ready and says what it lacks", |database| {
            let ready = database_condition(database, ConditionType::Ready);
            let synced = database_condition(database, ConditionType::Synced);
            ready.is_some_and(|ready| ready.status == ConditionStatus::True)
                && says(synced, ConditionStatus::False, Reason::NotApplied, "frobnicate")
        })
        .await;
    assert!(database.status.unwrap().differences[0].contains("frobnicate"));

    edit_database(&story, json!({"database": {"extensions": ["citext", "hstore"]}})).await;
    let database = story
        .database_where(APP, "is in sync again", |database| {
            let synced = database_condition(database, ConditionType::Synced);
            says(synced, ConditionStatus::True, Reason::InSync, "")
        })
        .await;
    assert_eq!(database.status.unwrap().differences, Vec::<String>::new());
    assert_eq!(answer(&login, "SELECT 'A'::citext = 'a'").await.unwrap(), "true");
}

#[tokio::test]
async fn more_storage_is_noted_and_less_is_no_difference_but_told() {
    let story = story("storage").await.with_team().await;
    let started = story.started_at().await;
    edit_server(&story, json!({"size": {"storageGB": 3}})).await;
    let server = story.server_ready(TEAM).await;
    assert_eq!(server.status.unwrap().server.unwrap().storage_gb, Some(3));

    edit_server(&story, json!({"size": {"storageGB": 2}})).await;
    let server = story.server_ready(TEAM).await;
    let synced = server_condition(&server, ConditionType::Synced);
    let stays = "storage: 3 GB, and 2 GB asked for; it stays as it is, since storage never shrinks";
    assert!(says(synced, ConditionStatus::True, Reason::InSync, stays), "{synced:?}");
    assert_eq!(server.status.unwrap().server.unwrap().storage_gb, Some(3));
    assert_eq!(story.started_at().await, started);

    // Whoever asks for what is there is told nothing of it.
    edit_server(&story, json!({"size": {"storageGB": 3}})).await;
    let server = story.server_ready(TEAM).await;
    let synced = server_condition(&server, ConditionType::Synced).unwrap();
    assert!(synced.reason == Reason::InSync && !synced.message.contains("storage"), "{synced:?}");
}

#[tokio::test]
async fn another_version_is_not_applied_and_everything_else_goes_on() {
    let story = story("version").await.with_team().await;
    let started = story.started_at().await;
    edit_server(&story, json!({"version": "12", "serverParameters": {"work_mem": "8MB"}})).await;
    let server = server_is_not_as_asked(&story, "version: ").await;
    assert!(server.status.unwrap().differences[0].contains("asked for 12"));
    shows(&story, "work_mem", "8192").await;
    assert_eq!(story.started_at().await, started);
    story.app_login().await.connect().await.unwrap();

    edit_server(&story, json!({"version": null})).await;
    let server = story.server_ready(TEAM).await;
    assert_eq!(server.status.unwrap().differences, Vec::<String>::new());
}

#[tokio::test]
async fn a_database_stays_with_its_server() {
    let story = story("server-ref").await.with_team().await;
    let object = json!({
        "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
        "kind": "PostgreSQLDatabase",
        "metadata": {"name": APP},
        "spec": {"serverRef": {"name": "elsewhere"}, "credentialsSecret": "app-login"},
    });
    let refusal = story.try_apply(object).await.unwrap_err();
    let kube::Error::Api(status) = refusal else { panic!("{refusal}") };
    assert_eq!(status.code, 422);
    assert!(status.message.contains("serverRef"), "{}", status.message);
    story.app_login().await.connect().await.unwrap();
}
