//! What the original made is gone, or cannot be found: it is never made anew unasked.

use std::collections::BTreeMap;
use std::time::Duration;

use hcpg::api::names::ORIGINAL_FINALIZER;
use hcpg::api::{PostgreSQLServer, Reason};
use integration_tests::world::{APP, Before, Story, TEAM, TEAM_LOGIN, World, original};
use kube::ResourceExt;
use kube::api::DeleteParams;
use serde_json::json;
use tokio::sync::OnceCell;

/// How long is watched that something does not happen.
const A_WHILE: Duration = Duration::from_secs(3);

struct Left {
    world: World,
    teams: BTreeMap<String, (String, Before)>,
}

static LEFT: OnceCell<Left> = OnceCell::const_new();

async fn left(name: &str) -> (Story<'static>, &'static Before) {
    let left = LEFT
        .get_or_init(|| async {
            let world = World::start().await;
            let names = ["finished", "working", "unknown", "unknown-gone", "elsewhere", "database"];
            let teams = world.left_by_the_original(&names, prepare).await;
            for name in ["finished", "working", "unknown-gone"] {
                let story = world.story_again_in(&teams[name].0).await;
                let server = story.local_server(TEAM);
                server.kill();
                std::fs::remove_dir_all(server.folder()).unwrap();
            }
            world.operator.start_again().await.unwrap();
            Left { world, teams }
        })
        .await;
    let (namespace, before) = &left.teams[name];
    (left.world.story_again_in(namespace).await, before)
}

async fn prepare(name: &str, story: &Story<'_>, _: &mut Before) {
    let mut server = original("stored-server.yaml", &[]);
    match name {
        // It was about to handle the object again; that there is a Secret says that there was a server.
        "working" => server["status"]["deployment"] = json!({"status": "working"}),
        "unknown" | "unknown-gone" => {
            server["spec"]["backend"] = json!("mainframe");
            server["status"]["backend"] = json!("mainframe");
            server["status"]["deployment"] = json!({"status": "working"});
        }
        "elsewhere" => server["status"]["backend"] = json!("azurepostgresflexible"),
        "database" => story.by_hand("postgres", "DROP DATABASE app").await,
        _ => {}
    }
    story.store::<PostgreSQLServer>(server).await;
    if name == "unknown-gone" {
        story.secrets().delete(TEAM_LOGIN, &DeleteParams::default()).await.unwrap();
    }
}

async fn stays_lost(story: &Story<'_>) {
    story.server_stalled(TEAM, Reason::ServerLost).await;
    story.all_the_time("nothing is made", A_WHILE, async || !story.has_local_server(TEAM)).await;
}

#[tokio::test]
async fn a_server_that_was_finished_is_lost_and_comes_anew_when_asked_for() {
    let (story, _) = left("finished").await;
    stays_lost(&story).await;
    let server = story.server(TEAM).await;
    assert_eq!(server.finalizers(), [ORIGINAL_FINALIZER]);

    // The old password is of no use any more; what stands in the way is the user's to remove.
    story.secrets().delete(TEAM_LOGIN, &DeleteParams::default()).await.unwrap();
    let recreate = json!({"metadata": {"annotations": {"operator/action": "recreate"}}});
    story.patch::<PostgreSQLServer>(TEAM, recreate).await;
    let server = story.server_ready(TEAM).await;
    assert_eq!(server.status.unwrap().adopted_generation, None);
    story.team_login().await.connect().await.unwrap();
}

#[tokio::test]
async fn a_server_whose_secret_is_there_is_lost() {
    let (story, _) = left("working").await;
    stays_lost(&story).await;
    assert!(story.secret(TEAM_LOGIN).await.is_some());
}

#[tokio::test]
async fn a_backend_that_nobody_knows_means_the_default_one() {
    let (story, before) = left("unknown").await;
    let server = story.server_ready(TEAM).await;
    assert_eq!(server.status.unwrap().backend.as_deref(), Some("local"));
    story.was_only_read(before).await;
}

#[tokio::test]
async fn a_server_in_a_backend_that_nobody_knows_is_lost_where_the_default_one_has_none() {
    let (story, _) = left("unknown-gone").await;
    stays_lost(&story).await;
}

#[tokio::test]
async fn a_server_in_a_backend_that_is_not_in_this_version_is_not_touched_and_its_deletion_waits() {
    let (story, before) = left("elsewhere").await;
    let condition = story.server_stalled(TEAM, Reason::BackendNotAvailable).await;
    assert!(condition.message.contains("azurepostgresflexible"), "{}", condition.message);
    story.delete::<PostgreSQLServer>(TEAM).await;
    story
        .all_the_time("it waits", A_WHILE, async || {
            story.server(TEAM).await.finalizers() == [ORIGINAL_FINALIZER]
        })
        .await;
    assert_eq!(story.backend_traces().await, before.backend);
    assert!(story.secret(TEAM_LOGIN).await.unwrap().metadata.labels.is_none());
}

#[tokio::test]
async fn a_database_that_was_finished_is_lost() {
    let (story, before) = left("database").await;
    story.server_ready(TEAM).await;
    story.database_stalled(APP, Reason::DatabaseLost).await;
    story.was_only_read(before).await;
}
