//! The original was stopped in the middle of something: its passwords on their way are taken on.

use std::collections::BTreeMap;

use hcpg::api::{PostgreSQLDatabase, Reason};
use integration_tests::operator::OPERATOR_NAMESPACE;
use integration_tests::world::{APP, APP_LOGIN, Before, Story, TEAM, TEAM_LOGIN, World, original};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams};
use serde_json::json;
use tokio::sync::OnceCell;

/// What the original drew.
const DRAWN: &str = "Drawn-by-the-0riginal";

struct Left {
    world: World,
    teams: BTreeMap<String, (String, Before)>,
}

static LEFT: OnceCell<Left> = OnceCell::const_new();

async fn left(name: &str) -> (Story<'static>, &'static Before) {
    let left = LEFT
        .get_or_init(|| async {
            let world = World::start().await;
            let teams =
                world.left_by_the_original(&["in-force", "on-its-way", "no-secret", "shared"], prepare).await;
            world.operator.start_again().await.unwrap();
            Left { world, teams }
        })
        .await;
    let (namespace, before) = &left.teams[name];
    (left.world.story_again_in(namespace).await, before)
}

async fn prepare(name: &str, story: &Story<'_>, before: &mut Before) {
    let remove = async |secret: &str| {
        story.secrets().delete(secret, &DeleteParams::default()).await.unwrap();
    };
    remove(TEAM_LOGIN).await;
    match name {
        "in-force" => {
            remove(APP_LOGIN).await;
            for (prefix, object, role) in [("pg", TEAM, before.team.username.as_str()), ("pgdb", APP, "app")]
            {
                story.store_temporary(prefix, object, DRAWN).await;
                story.by_hand("postgres", &format!("ALTER ROLE \"{role}\" PASSWORD '{DRAWN}'")).await;
            }
        }
        "on-its-way" => story.store_temporary("pg", TEAM, DRAWN).await,
        "shared" => {
            story.store_temporary("pg", TEAM, DRAWN).await;
            // Another object whose password would stand in the same place.
            let (start, end) = story.namespace.rsplit_once('-').unwrap();
            let mut other = original("stored-server.yaml", &[]);
            other["metadata"]["name"] = json!(format!("{end}-{TEAM}"));
            other["metadata"]["namespace"] = json!(start);
            integration_tests::control_plane::create_namespace(&story.client, start).await.unwrap();
            let elsewhere = story.world.story_again_in(start).await;
            elsewhere.try_apply(json!({
                "apiVersion": other["apiVersion"], "kind": other["kind"], "spec": other["spec"],
                "metadata": {"name": other["metadata"]["name"], "annotations": {"operator/paused": "true"}},
            })).await.unwrap();
        }
        _ => {}
    }
}

async fn temporary(story: &Story<'_>, prefix: &str, object: &str) -> Option<Secret> {
    let secrets: Api<Secret> = Api::namespaced(story.client.clone(), OPERATOR_NAMESPACE);
    secrets.get_opt(&format!("{prefix}-{}-{object}-tmp", story.namespace)).await.unwrap()
}

#[tokio::test]
async fn a_password_in_force_is_published_and_not_set_again() {
    let (story, before) = left("in-force").await;
    story.team_ready().await;
    assert_eq!(story.team_login().await.password, DRAWN);
    assert_eq!(story.app_login().await.password, DRAWN);
    story.was_only_read(before).await;
    for (prefix, object) in [("pg", TEAM), ("pgdb", APP)] {
        assert!(temporary(&story, prefix, object).await.is_some(), "it is only read");
    }
    let uid = story.server(TEAM).await.metadata.uid.unwrap();
    assert!(!story.has_pending_password(&uid).await);
}

#[tokio::test]
async fn a_password_on_its_way_gets_there() {
    let (story, before) = left("on-its-way").await;
    story.team_ready().await;
    assert_eq!(story.team_login().await.password, DRAWN);
    story.team_login().await.connect().await.unwrap();
    assert_eq!(story.app_login().await.password, before.app.password);
}

#[tokio::test]
async fn a_server_without_a_secret_gets_a_new_password() {
    let (story, before) = left("no-secret").await;
    story.team_ready().await;
    let login = story.team_login().await;
    assert_ne!(login.password, before.team.password);
    login.connect().await.unwrap();
    assert_eq!(story.app_login().await.password, before.app.password);
}

#[tokio::test]
async fn a_password_that_may_be_another_objects_is_not_taken() {
    let (story, before) = left("shared").await;
    story.team_ready().await;
    let login = story.team_login().await;
    assert_ne!(login.password, DRAWN);
    assert_ne!(login.password, before.team.password);
    login.connect().await.unwrap();
}

#[tokio::test]
async fn a_role_that_nothing_logs_in_to_is_left_alone() {
    // Its own world: the database's Secret is gone, and nothing says that the role is this object's.
    let world = World::start().await;
    let teams = world
        .left_by_the_original(&["nobodys"], async |_, story, _| {
            story.secrets().delete(APP_LOGIN, &DeleteParams::default()).await.unwrap();
        })
        .await;
    world.operator.start_again().await.unwrap();
    let (namespace, before) = &teams["nobodys"];
    let story = world.story_again_in(namespace).await;
    story.server_ready(TEAM).await;
    story.database_stalled(APP, Reason::NameConflict).await;
    story.was_only_read(before).await;

    // The remedy: its credentials, as they were.
    story.store_secret(APP_LOGIN, &before.app).await;
    let touch = json!({"metadata": {"annotations": {"story/touch": "1"}}});
    story.patch::<PostgreSQLDatabase>(APP, touch).await;
    story.database_ready(APP).await;
    story.was_only_read(before).await;
}
