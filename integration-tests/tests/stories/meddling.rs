//! People and tools meddle: a finalizer is taken off, a database is given away.

use hcpg::api::names::FINALIZER;
use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer};
use integration_tests::world::{SharedWorld, database_condition};
use kube::ResourceExt;
use serde_json::json;

static WORLD: SharedWorld = SharedWorld::new();

#[tokio::test]
async fn what_others_take_away_is_noticed() {
    let story = WORLD.get().await.story("meddling").await;
    story.apply_example("simple.yaml").await;
    story.server_ready("demoteam").await;
    story.database_ready("demoservice").await;

    // As `kubectl replace` does with a manifest from Git.
    let none = json!({"metadata": {"finalizers": null}});
    story.patch::<PostgreSQLServer>("demoteam", none.clone()).await;
    story.patch::<PostgreSQLDatabase>("demoservice", none).await;
    let is_held = |finalizers: &[String]| finalizers == [FINALIZER];
    story.server_where("demoteam", "is held again", |server| is_held(server.finalizers())).await;
    story.database_where("demoservice", "is held again", |database| is_held(database.finalizers())).await;

    // Nobody but a superuser can give the database back, and its application is locked out: Ready would be a lie.
    let superuser = story.local_server("demoteam").superuser("postgres").await.unwrap();
    superuser.batch_execute("ALTER DATABASE demoservice OWNER TO hcpg_superuser").await.unwrap();
    let touch = json!({"metadata": {"annotations": {"story/touch": "1"}}});
    story.patch::<PostgreSQLDatabase>("demoservice", touch).await;
    story
        .database_where("demoservice", "is not ready, and says why", |database| {
            let ready = database_condition(database, ConditionType::Ready).unwrap();
            ready.status == ConditionStatus::False && ready.message.contains("permission denied")
        })
        .await;
    superuser.batch_execute("ALTER DATABASE demoservice OWNER TO demoservice").await.unwrap();
    drop(superuser);
    let touch = json!({"metadata": {"annotations": {"story/touch": "2"}}});
    story.patch::<PostgreSQLDatabase>("demoservice", touch).await;
    story.database_ready("demoservice").await;

    // The deletion takes everything along.
    story.delete::<PostgreSQLDatabase>("demoservice").await;
    story.gone::<PostgreSQLDatabase>("demoservice").await;
    story.delete::<PostgreSQLServer>("demoteam").await;
    story.gone::<PostgreSQLServer>("demoteam").await;
    assert!(!story.has_local_server("demoteam"));
}
