//! What is named in the spec gets another name: the Secret, and the backend.

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{
    APP, APP_LOGIN, Credentials, SharedWorld, Story, TEAM, TEAM_AND_APP, TEAM_LOGIN, says, server_condition,
};
use serde_json::json;

static WORLD: SharedWorld = SharedWorld::new();
static DEFAULT_ONLY: SharedWorld = SharedWorld::with(|| OperatorOptions {
    config: json!({"allowed_backends": []}),
    ..OperatorOptions::default()
});

/// The credentials under either name; at every moment there are some.
async fn under_either_name(story: &Story<'_>, names: [&str; 2]) -> Credentials {
    for name in names {
        if let Some(secret) = story.secrets().get_opt(name).await.unwrap() {
            return Credentials::from_secret(&secret).unwrap();
        }
    }
    panic!("there is neither a Secret {} nor {}", names[0], names[1]);
}

/// Logs in with what stands under either name until only the new one is left; returns what stands there.
async fn log_in_until_moved(story: &Story<'_>, [old, new]: [&str; 2]) -> Credentials {
    story
        .eventually("the Secret has moved", async || {
            under_either_name(story, [old, new]).await.connect().await.unwrap();
            let moved = story.secrets().get_opt(old).await.unwrap().is_none();
            moved.then_some(())
        })
        .await;
    story.credentials(new).await
}

#[tokio::test]
async fn the_secret_of_a_database_moves_with_its_password_and_without_a_gap() {
    let story = WORLD.get().await.story("database-secret").await.with_team().await;
    let before = story.app_login().await;
    let change = json!({"spec": {"credentialsSecret": "app-login-2"}});
    story.patch::<PostgreSQLDatabase>(APP, change).await;
    assert_eq!(log_in_until_moved(&story, [APP_LOGIN, "app-login-2"]).await, before);
    let database = story.database_ready(APP).await;
    assert_eq!(database.status.unwrap().binding.unwrap().name, "app-login-2");
}

#[tokio::test]
async fn the_secret_of_a_server_moves_and_its_databases_do_not_care() {
    let story = WORLD.get().await.story("server-secret").await.with_team().await;
    let (team, app) = (story.team_login().await, story.app_login().await);
    let change = json!({"spec": {"credentialsSecret": "team-login-2"}});
    story.patch::<PostgreSQLServer>(TEAM, change).await;
    assert_eq!(log_in_until_moved(&story, [TEAM_LOGIN, "team-login-2"]).await, team);
    story.team_ready().await;
    assert_eq!(story.app_login().await, app);

    // The database finds the administrator under the new name.
    let change = json!({"spec": {"database": {"extensions": ["hstore"]}}});
    story.patch::<PostgreSQLDatabase>(APP, change).await;
    story.database_ready(APP).await;
    let found = story.ask(APP, "SELECT extname FROM pg_extension WHERE extname = 'hstore'").await;
    assert_eq!(found.as_deref(), Some("hstore"));
}

#[tokio::test]
async fn a_secret_can_be_renamed_and_named_back_at_once() {
    let story = WORLD.get().await.story("there-and-back").await.with_team().await;
    let before = story.app_login().await;
    for name in ["app-login-2", APP_LOGIN] {
        story.patch::<PostgreSQLDatabase>(APP, json!({"spec": {"credentialsSecret": name}})).await;
        under_either_name(&story, [APP_LOGIN, "app-login-2"]).await;
    }
    story.database_ready(APP).await;
    story
        .eventually("only the Secret of the spec is left", async || {
            story.secrets().get_opt("app-login-2").await.unwrap().is_none().then_some(())
        })
        .await;
    assert_eq!(story.app_login().await, before);
}

fn server_in(backend: &str) -> String {
    TEAM_AND_APP.replace("  size:\n", &format!("  backend: {backend}\n  size:\n"))
}

#[tokio::test]
async fn a_backend_that_is_not_on_offer_is_answered_with_the_list_of_those_that_are() {
    let story = WORLD.get().await.story("backend").await;
    story.apply(&server_in("mainframe")).await;
    let server = story
        .server_where(TEAM, "has no backend", |server| {
            let stalled = server_condition(server, ConditionType::Stalled);
            says(stalled, ConditionStatus::True, Reason::BackendNotAvailable, "mainframe")
        })
        .await;
    let stalled = server_condition(&server, ConditionType::Stalled).unwrap();
    assert!(stalled.message.contains("expected one of: local"), "{}", stalled.message);
    let ready = server_condition(&server, ConditionType::Ready).unwrap();
    assert_eq!(ready.status, ConditionStatus::False);
    assert!(!story.has_local_server(TEAM));

    story.patch::<PostgreSQLServer>(TEAM, json!({"spec": {"backend": "local"}})).await;
    story.team_ready().await;
    story.app_login().await.connect().await.unwrap();
}

#[tokio::test]
async fn a_server_does_not_move_to_another_backend_and_says_so() {
    let story = WORLD.get().await.story("backend-moved").await.with_team().await;
    let started = story.started_at().await;
    story.patch::<PostgreSQLServer>(TEAM, json!({"spec": {"backend": "mainframe"}})).await;
    let server = story
        .server_where(TEAM, "says that it stays where it is", |server| {
            let synced = server_condition(server, ConditionType::Synced);
            says(synced, ConditionStatus::False, Reason::NotApplied, "mainframe")
        })
        .await;
    let ready = server_condition(&server, ConditionType::Ready).unwrap();
    assert_eq!(ready.status, ConditionStatus::True);
    assert_eq!(server.status.unwrap().backend.as_deref(), Some("local"));
    assert_eq!(story.started_at().await, started);

    story.patch::<PostgreSQLServer>(TEAM, json!({"spec": {"backend": null}})).await;
    let server = story.server_ready(TEAM).await;
    assert_eq!(server.status.unwrap().differences, Vec::<String>::new());
}

#[tokio::test]
async fn where_only_the_default_backend_is_allowed_it_is_used_whatever_the_spec_says() {
    let story = DEFAULT_ONLY.get().await.story("default").await;
    story.apply(&server_in("mainframe")).await;
    story.team_ready().await;
    let server = story.server(TEAM).await;
    assert_eq!(server.status.unwrap().backend.as_deref(), Some("local"));
    story.app_login().await.connect().await.unwrap();
}
