//! A new password is asked for: by a label, by an annotation, for a point in time.

use std::time::Duration;

use hcpg::api::names::{ACTION, RESET_PASSWORD_AT};
use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{
    APP, APP_LOGIN, Credentials, SharedWorld, Story, TEAM, TEAM_LOGIN, answer, database_condition, says,
    server_condition,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

static WORLD: SharedWorld = SharedWorld::with(|| OperatorOptions {
    config: json!({"reconcile": {"label_reset_interval_seconds": 0}}),
    ..OperatorOptions::default()
});

async fn story(name: &str) -> Story<'static> {
    WORLD.get().await.story(name).await.with_team().await
}

/// Waits until the Secret holds another password; it logs in, and the one before is refused.
async fn renewed(story: &Story<'_>, secret: &str, before: &Credentials) -> Credentials {
    let after = story
        .eventually("there is another password", async || {
            let after = story.credentials(secret).await;
            (after.password != before.password).then_some(after)
        })
        .await;
    after.connect().await.unwrap();
    assert!(before.is_refused().await.unwrap(), "the old password is refused");
    assert_eq!(Credentials { password: before.password.clone(), ..after.clone() }, *before);
    after
}

async fn annotate(story: &Story<'_>, annotation: &str, value: &str) {
    story.patch::<PostgreSQLDatabase>(APP, json!({"metadata": {"annotations": {annotation: value}}})).await;
}

/// The password stays for a while.
async fn stays(story: &Story<'_>, login: &Credentials, lasting: Duration) {
    let same = async || story.app_login().await == *login;
    story.all_the_time("the password stays", lasting, same).await;
    login.connect().await.unwrap();
}

#[tokio::test]
async fn a_label_renews_the_password_of_a_database_and_is_taken_off() {
    let story = story("label").await;
    let before = story.app_login().await;
    story.patch::<PostgreSQLDatabase>(APP, json!({"metadata": {"labels": {ACTION: "reset-password"}}})).await;
    let after = renewed(&story, APP_LOGIN, &before).await;
    let done = |database: &PostgreSQLDatabase| !database.labels().contains_key(ACTION);
    story.database_where(APP, "has lost its label", done).await;
    story.database_ready(APP).await;
    stays(&story, &after, Duration::from_secs(2)).await;
}

#[tokio::test]
async fn a_label_renews_the_password_of_a_server_and_databases_stay_as_they_are() {
    let story = story("server-label").await;
    let (before, app) = (story.team_login().await, story.app_login().await);
    story.patch::<PostgreSQLServer>(TEAM, json!({"metadata": {"labels": {ACTION: "reset-password"}}})).await;
    let after = renewed(&story, TEAM_LOGIN, &before).await;
    let done = |server: &PostgreSQLServer| !server.labels().contains_key(ACTION);
    story.server_where(TEAM, "has lost its label", done).await;
    story.team_ready().await;
    assert_eq!(story.team_login().await, after, "once and not more");
    assert_eq!(story.app_login().await, app);
    app.connect().await.unwrap();
}

#[tokio::test]
async fn an_annotation_does_the_same_as_the_label() {
    let story = story("annotation").await;
    let before = story.app_login().await;
    annotate(&story, ACTION, "reset-password").await;
    let after = renewed(&story, APP_LOGIN, &before).await;
    let done = |database: &PostgreSQLDatabase| !database.annotations().contains_key(ACTION);
    story.database_where(APP, "has lost its annotation", done).await;
    story.database_ready(APP).await;
    stays(&story, &after, Duration::from_secs(2)).await;
}

#[tokio::test]
async fn a_point_in_time_renews_the_password_once_and_stays_written() {
    let story = story("time").await;
    let before = story.app_login().await;
    let now = Timestamp::now().to_string();
    annotate(&story, RESET_PASSWORD_AT, &now).await;
    let after = renewed(&story, APP_LOGIN, &before).await;
    story.database_ready(APP).await;
    // Whoever applies the same again, or touches the object, asks for nothing new.
    annotate(&story, RESET_PASSWORD_AT, &now).await;
    annotate(&story, "touched", "yes").await;
    stays(&story, &after, Duration::from_secs(4)).await;
    assert_eq!(story.database(APP).await.annotations()[RESET_PASSWORD_AT], now);
}

#[tokio::test]
async fn a_time_to_come_renews_the_password_when_it_comes() {
    let story = story("future").await;
    let before = story.app_login().await;
    let at = Timestamp::now() + SignedDuration::from_secs(5);
    annotate(&story, RESET_PASSWORD_AT, &at.to_string()).await;
    while Timestamp::now() < at - SignedDuration::from_millis(300) {
        assert_eq!(story.app_login().await, before, "not before its time");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let after = renewed(&story, APP_LOGIN, &before).await;
    assert!(Timestamp::now() > at, "not before its time");
    story.database_ready(APP).await;
    stays(&story, &after, Duration::from_secs(2)).await;
}

#[tokio::test]
async fn a_time_before_the_password_was_issued_asks_for_nothing() {
    let story = story("past").await;
    let before = story.app_login().await;
    annotate(&story, RESET_PASSWORD_AT, "2020-02-29T12:00:00Z").await;
    stays(&story, &before, Duration::from_secs(3)).await;
    let database = story.database_ready(APP).await;
    assert_eq!(database.status.unwrap().differences, Vec::<String>::new());
}

#[tokio::test]
async fn a_time_that_cannot_be_read_is_said_and_nothing_else_happens() {
    let story = story("unreadable").await;
    let before = story.app_login().await;
    annotate(&story, RESET_PASSWORD_AT, "tomorrow at noon").await;
    let database = story
        .database_where(APP, "says what it cannot read", |database| {
            database.status.as_ref().is_some_and(|status| !status.differences.is_empty())
        })
        .await;
    let synced = database_condition(&database, ConditionType::Synced);
    assert!(says(synced, ConditionStatus::False, Reason::NotApplied, "tomorrow at noon"), "{synced:?}");
    let status = database.status.unwrap();
    assert_eq!(status.differences.len(), 1);
    assert!(status.differences[0].contains(RESET_PASSWORD_AT), "{}", status.differences[0]);
    stays(&story, &before, Duration::from_secs(2)).await;
    story.database_ready(APP).await;
}

#[tokio::test]
async fn a_reset_and_an_edit_of_the_spec_in_one_request_both_happen() {
    let story = story("both").await;
    let before = story.app_login().await;
    let both = json!({
        "metadata": {"labels": {ACTION: "reset-password"}},
        "spec": {"database": {"extensions": ["hstore"]}, "credentialsSecret": "app-login-2"},
    });
    story.patch::<PostgreSQLDatabase>(APP, both).await;
    renewed(&story, "app-login-2", &before).await;
    let database = story.database_ready(APP).await;
    assert!(!database.labels().contains_key(ACTION));
    let login = story.credentials("app-login-2").await.connect().await.unwrap();
    assert_eq!(answer(&login, "SELECT 'a=>1'::hstore -> 'a'").await.unwrap(), "1");
    story
        .eventually("the old Secret is gone", async || {
            story.secrets().get_opt(APP_LOGIN).await.unwrap().is_none().then_some(())
        })
        .await;
}

#[tokio::test]
async fn changes_that_cannot_be_made_do_not_stop_a_reset_in_the_same_request() {
    let story = story("refused").await;
    let grown = json!({"spec": {"size": {"storageGB": 3}}});
    story.patch::<PostgreSQLServer>(TEAM, grown).await;
    story.server_ready(TEAM).await;
    let before = story.team_login().await;
    // Less storage, another version, and a value that PostgreSQL refuses.
    let all = json!({
        "metadata": {"labels": {ACTION: "reset-password"}},
        "spec": {"size": {"storageGB": 1}, "version": "12", "serverParameters": {"work_mem": "a lot"}},
    });
    story.patch::<PostgreSQLServer>(TEAM, all).await;
    let after = renewed(&story, TEAM_LOGIN, &before).await;
    let server = story
        .server_where(TEAM, "has lost its label and says what is not done", |server| {
            let synced = server_condition(server, ConditionType::Synced);
            let told = ["version: ", "work_mem", "storage: 3 GB, and 1 GB asked for"];
            let observed = server.status.as_ref().and_then(|status| status.observed_generation);
            !server.labels().contains_key(ACTION)
                && observed == server.metadata.generation
                && told.iter().all(|words| says(synced, ConditionStatus::False, Reason::NotApplied, words))
        })
        .await;
    assert_eq!(server.status.unwrap().server.unwrap().storage_gb, Some(3));
    story.server_ready(TEAM).await;
    assert_eq!(story.team_login().await, after, "once and not more");
    story.app_login().await.connect().await.unwrap();
}

#[tokio::test]
async fn an_unknown_action_is_answered_by_an_event_and_taken_off() {
    let story = story("unknown").await;
    let before = story.app_login().await;
    story.patch::<PostgreSQLDatabase>(APP, json!({"metadata": {"labels": {ACTION: "make-coffee"}}})).await;
    let done = |database: &PostgreSQLDatabase| !database.labels().contains_key(ACTION);
    story.database_where(APP, "has lost its label", done).await;
    story
        .eventually("there is an event", async || {
            let events: Api<Event> = story.api();
            let found = events.list(&ListParams::default()).await.unwrap();
            let tells = |event: &Event| {
                let message = event.message.as_deref().unwrap_or_default();
                event.reason.as_deref() == Some("UnknownAction") && message.contains("make-coffee")
            };
            found.iter().any(tells).then_some(())
        })
        .await;
    story.database_ready(APP).await;
    assert_eq!(story.app_login().await, before);
}

#[tokio::test]
async fn what_is_asked_for_while_postgresql_is_down_is_done_once_it_is_back() {
    let story = story("down").await;
    let (team, app) = (story.team_login().await, story.app_login().await);
    let server = story.local_server(TEAM);
    // Without this file PostgreSQL refuses to start.
    let (file, aside) =
        (server.folder().join("pgdata/PG_VERSION"), server.folder().join("pgdata/PG_VERSION.aside"));
    std::fs::rename(&file, &aside).unwrap();
    kill(Pid::from_raw(server.postmaster().unwrap()), Signal::SIGINT).unwrap();
    let reset = json!({"metadata": {"labels": {ACTION: "reset-password"}}});
    story.patch::<PostgreSQLDatabase>(APP, reset.clone()).await;
    story.patch::<PostgreSQLServer>(TEAM, reset).await;
    let unchanged = async || story.team_login().await == team && story.app_login().await == app;
    story.all_the_time("nothing is promised that is not in force", Duration::from_secs(4), unchanged).await;

    std::fs::rename(&aside, &file).unwrap();
    renewed(&story, TEAM_LOGIN, &team).await;
    renewed(&story, APP_LOGIN, &app).await;
    story.server_where(TEAM, "has lost its label", |server| !server.labels().contains_key(ACTION)).await;
    story.database_where(APP, "has lost its label", |database| !database.labels().contains_key(ACTION)).await;
    story.team_ready().await;
}
