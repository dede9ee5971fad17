//! Two objects are written, and an application can log in.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use integration_tests::world::SharedWorld;

static WORLD: SharedWorld = SharedWorld::new();

#[tokio::test]
async fn a_database_can_be_used() {
    let story = WORLD.get().await.story("create").await;
    story.apply_example("simple.yaml").await;
    story.server_ready("demoteam").await;
    story.database_ready("demoservice").await;
    let login = story.credentials("demoservice-postgres-credentials").await.connect().await.unwrap();
    assert_eq!(login.query_one("SELECT 1", &[]).await.unwrap().get::<_, i32>(0), 1);
}
