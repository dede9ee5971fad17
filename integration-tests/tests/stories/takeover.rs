//! What the original operator left is taken over: the same passwords, and nothing is written but status and marks.

use std::collections::BTreeMap;

use hcpg::api::names::ORIGINAL_FINALIZER;
use hcpg::api::{
    ConditionStatus, ConditionType, DeploymentStatus, PostgreSQLDatabase, PostgreSQLServer, Reason,
};
use hcpg::secrets::{ORIGINAL_KEYS, field};
use integration_tests::world::{
    APP, APP_LOGIN, Before, Story, TEAM, TEAM_LOGIN, World, database_condition, says, server_condition,
};
use kube::ResourceExt;
use serde_json::json;
use tokio::sync::OnceCell;

struct Left {
    world: World,
    teams: BTreeMap<String, (String, Before)>,
}

static LEFT: OnceCell<Left> = OnceCell::const_new();

async fn left(name: &str) -> (Story<'static>, &'static Before) {
    let left = LEFT
        .get_or_init(|| async {
            let world = World::start().await;
            let teams = world
                .left_by_the_original(&["plain", "database", "both"], async |name, story, _| {
                    if name != "plain" {
                        story.delete::<PostgreSQLDatabase>(APP).await;
                    }
                    if name == "both" {
                        story.delete::<PostgreSQLServer>(TEAM).await;
                    }
                })
                .await;
            world.operator.start_again().await.unwrap();
            Left { world, teams }
        })
        .await;
    let (namespace, before) = &left.teams[name];
    (left.world.story_again_in(namespace).await, before)
}

#[tokio::test]
async fn server_and_database_are_ready_with_the_same_passwords_and_nothing_was_written_to_the_backend() {
    let (story, before) = left("plain").await;
    let server = story.server_ready(TEAM).await;
    let database = story.database_ready(APP).await;
    story.was_only_read(before).await;

    // The audit log: status, the marks on the Secrets, events. No finalizer, no Secret more.
    let mut written: Vec<String> = story.written_since(before).await.into_iter().collect();
    written.retain(|one| one != "patch events/");
    assert_eq!(
        written,
        [
            "create events/",
            "patch postgresqldatabases/status",
            "patch postgresqlservers/status",
            "patch secrets/"
        ]
    );
    for finalizers in [server.finalizers(), database.finalizers()] {
        assert_eq!(finalizers, [ORIGINAL_FINALIZER]);
    }

    // The six values are the ones that were there; keys and marks came to them.
    for (name, login) in [(TEAM_LOGIN, &before.team), (APP_LOGIN, &before.app)] {
        let secret = story.secret(name).await.unwrap();
        let port = login.port.to_string();
        let values = [&login.username, &login.password, &login.dbname, &login.host, &port, &login.sslmode];
        for (key, value) in ORIGINAL_KEYS.into_iter().zip(values) {
            assert_eq!(field(&secret, key).as_ref(), Some(value), "{name}: {key}");
        }
        assert!(secret.metadata.labels.unwrap().contains_key("hybridcloud.maibornwolff.de/owner-uid"));
        assert!(secret.data.unwrap().contains_key("uri"), "{name}");
        story.credentials(name).await.connect().await.unwrap();
    }

    let status = server.status.clone().unwrap();
    assert_eq!(status.adopted_generation, server.metadata.generation);
    assert_eq!(status.differences, Vec::<String>::new());
    assert_eq!(status.deployment.unwrap().status, Some(DeploymentStatus::Finished));
    let synced = server_condition(&server, ConditionType::Synced);
    assert!(says(synced, ConditionStatus::True, Reason::InSync, ""), "{synced:?}");

    // The original left its databases to the administrator.
    let status = database.status.clone().unwrap();
    assert_eq!(status.adopted_generation, database.metadata.generation);
    assert_eq!(status.differences, ["the database has another owner"]);
    let synced = database_condition(&database, ConditionType::Synced);
    assert!(says(synced, ConditionStatus::False, Reason::TakenOver, "another owner"), "{synced:?}");

    // From here on it is like any other.
    let reset = json!({"metadata": {"labels": {"operator/action": "reset-password"}}});
    story.patch::<PostgreSQLDatabase>(APP, reset).await;
    story
        .eventually("there is another password", async || {
            let login = story.app_login().await;
            (login.password != before.app.password).then_some(())
        })
        .await;
    story.database_ready(APP).await;
    story.app_login().await.connect().await.unwrap();
    story.delete::<PostgreSQLDatabase>(APP).await;
    story.gone::<PostgreSQLDatabase>(APP).await;
    let left = story.ask("postgres", "SELECT rolname FROM pg_roles WHERE rolname = 'app'").await;
    assert_eq!(left, None);
    assert!(story.secret(APP_LOGIN).await.is_none());
}

#[tokio::test]
async fn a_database_that_is_being_deleted_goes_with_all_that_the_original_made() {
    let (story, _) = left("database").await;
    story.gone::<PostgreSQLDatabase>(APP).await;
    let left = "SELECT datname FROM pg_database WHERE datname = 'app'
        UNION ALL SELECT rolname FROM pg_roles WHERE rolname = 'app'";
    assert_eq!(story.ask("postgres", left).await, None);
    assert!(story.secret(APP_LOGIN).await.is_none());
    story.server_ready(TEAM).await;
}

#[tokio::test]
async fn a_server_that_is_being_deleted_goes_with_all_that_the_original_made() {
    let (story, _) = left("both").await;
    story.gone::<PostgreSQLDatabase>(APP).await;
    story.gone::<PostgreSQLServer>(TEAM).await;
    assert!(!story.has_local_server(TEAM));
    assert!(story.secret(TEAM_LOGIN).await.is_none());
}
