//! Objects are deleted whose other half is missing, stays, or never was.

use std::time::Duration;

use hcpg::api::names::FINALIZER;
use hcpg::api::{ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{SharedWorld, Story, database_condition, secret_of, server_object};
use kube::ResourceExt;
use kube::api::DeleteParams;
use serde_json::json;

/// What nobody announces is found by looking again, here every ten seconds.
static WORLD: SharedWorld = SharedWorld::with(|| OperatorOptions {
    config: json!({"reconcile": {"resync_seconds": 10}}),
    ..OperatorOptions::default()
});

/// Somebody with access to the host takes the server away.
fn vanish(story: &Story<'_>, server: &str) {
    let local = story.local_server(server);
    local.kill();
    std::fs::remove_dir_all(local.folder()).unwrap();
}

#[tokio::test]
async fn objects_of_a_lost_server_can_go() {
    let story = WORLD.get().await.story("lost").await;
    story.plain_server("main").await;
    story.plain_database("app", "main").await;
    story.plain_database("later", "main").await;
    let server = story.server_ready("main").await;
    story.database_ready("app").await;
    story.database_ready("later").await;
    vanish(&story, "main");
    story.server_stalled("main", Reason::ServerLost).await;

    story.delete::<PostgreSQLDatabase>("app").await;
    story.gone::<PostgreSQLDatabase>("app").await;
    let note = story.event("app", Reason::LeftBehind).await;
    assert!(note.contains("the database app and its role were not dropped"), "{note}");
    assert!(story.secret(&secret_of("app")).await.is_none());

    story.delete::<PostgreSQLServer>("main").await;
    story.delete::<PostgreSQLDatabase>("later").await;
    story.gone::<PostgreSQLDatabase>("later").await;
    story.gone::<PostgreSQLServer>("main").await;
    assert!(story.secret(&secret_of("main")).await.is_none());
    assert!(!story.has_pending_password(&server.uid().unwrap()).await);
    assert!(!story.has_local_server("main"), "an empty server took the place of the lost one");
}

#[tokio::test]
async fn a_server_whose_folder_vanished_a_moment_ago_can_go() {
    let story = WORLD.get().await.story("vanished").await;
    story.plain_server("main").await;
    story.server_ready("main").await;
    vanish(&story, "main");
    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLServer>("main").await;
    assert!(story.secret(&secret_of("main")).await.is_none());
    assert!(!story.has_local_server("main"));
}

#[tokio::test]
async fn a_database_that_never_was_goes_at_once() {
    let story = WORLD.get().await.story("never").await;
    story.plain_database("app", "missing").await;
    let waits = |database: &PostgreSQLDatabase| {
        let condition = database_condition(database, ConditionType::Synced);
        condition.is_some_and(|condition| condition.message.contains("missing"))
    };
    let database = story.database_where("app", "says what it waits for", waits).await;
    // No effect, no finalizer: nobody has to wait for the operator.
    assert_eq!(database.finalizers(), &[] as &[String]);
    story.delete::<PostgreSQLDatabase>("app").await;
    assert!(story.databases().get_opt("app").await.unwrap().is_none(), "it did not go at once");
}

#[tokio::test]
async fn what_was_refused_goes_at_once() {
    let story = WORLD.get().await.story("refused").await;
    let mut elsewhere = server_object("elsewhere", "elsewhere-credentials");
    elsewhere["spec"]["backend"] = json!("mars");
    let mut never = server_object("never", "never-credentials");
    never["spec"]["version"] = json!("3");
    for object in [elsewhere, never] {
        story.try_apply(object).await.unwrap();
    }
    for (name, reason) in [("elsewhere", Reason::BackendNotAvailable), ("never", Reason::InvalidSpec)] {
        story.server_stalled(name, reason).await;
        assert_eq!(story.server(name).await.finalizers(), &[] as &[String]);
        story.delete::<PostgreSQLServer>(name).await;
        assert!(story.servers().get_opt(name).await.unwrap().is_none(), "{name} did not go at once");
    }
}

#[tokio::test]
async fn a_retained_server_runs_on_and_is_taken_over_by_its_successor() {
    let story = WORLD.get().await.story("retain").await;
    let mut object = server_object("main", &secret_of("main"));
    object["spec"]["deletionPolicy"] = json!("Retain");
    story.try_apply(object.clone()).await.unwrap();
    let first = story.server_ready("main").await;
    let credentials = story.credentials(&secret_of("main")).await;
    let client = credentials.connect().await.unwrap();
    client.batch_execute("CREATE TABLE precious AS SELECT 42 AS x").await.unwrap();
    let postmaster = story.local_server("main").postmaster();

    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLServer>("main").await;
    let note = story.event("main", Reason::Retained).await;
    assert!(note.contains("was left as it is"), "{note}");
    assert_eq!(story.credentials(&secret_of("main")).await, credentials);
    assert!(!story.has_pending_password(&first.uid().unwrap()).await);
    client.query_one("SELECT x FROM precious", &[]).await.unwrap();

    story.try_apply(object).await.unwrap();
    let second = story.server_ready("main").await;
    assert_ne!(first.uid(), second.uid());
    assert_eq!(story.credentials(&secret_of("main")).await, credentials);
    assert_eq!(story.local_server("main").postmaster(), postmaster, "it was restarted");
    client.query_one("SELECT x FROM precious", &[]).await.unwrap();
    assert!(!story.has_pending_password(&second.uid().unwrap()).await);
    // It can be used for everything, as if it had never been away.
    story.plain_database("app", "main").await;
    story.database_ready("app").await;
    story.delete::<PostgreSQLDatabase>("app").await;
    story.gone::<PostgreSQLDatabase>("app").await;

    story.patch::<PostgreSQLServer>("main", json!({"spec": {"deletionPolicy": "Delete"}})).await;
    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLServer>("main").await;
    assert!(!story.has_local_server("main"));
    assert!(story.secret(&secret_of("main")).await.is_none());
}

#[tokio::test]
async fn what_a_retained_server_left_is_not_overwritten_when_it_is_gone_after_all() {
    let story = WORLD.get().await.story("retain-lost").await;
    let mut object = server_object("main", &secret_of("main"));
    object["spec"]["deletionPolicy"] = json!("Retain");
    story.try_apply(object.clone()).await.unwrap();
    story.server_ready("main").await;
    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLServer>("main").await;
    vanish(&story, "main");

    // The Secret may hold the only password of a server that somebody moved away.
    let secret = story.secret(&secret_of("main")).await;
    story.try_apply(object).await.unwrap();
    let condition = story.server_stalled("main", Reason::SecretConflict).await;
    assert!(condition.message.contains("an earlier PostgreSQLServer main"), "{}", condition.message);
    assert_eq!(story.secret(&secret_of("main")).await, secret);
    assert!(!story.has_local_server("main"));

    story.secrets().delete(&secret_of("main"), &DeleteParams::default()).await.unwrap();
    story.server_ready("main").await;
}

#[tokio::test]
async fn finalizers_of_others_stay() {
    const THEIRS: &str = "example.com/backup";
    let story = WORLD.get().await.story("finalizers").await;
    let mut object = server_object("main", &secret_of("main"));
    object["metadata"]["finalizers"] = json!([THEIRS]);
    story.try_apply(object).await.unwrap();
    let server = story.server_ready("main").await;
    assert_eq!(server.finalizers(), [THEIRS, FINALIZER]);

    story.delete::<PostgreSQLServer>("main").await;
    let released = |server: &PostgreSQLServer| server.finalizers() == [THEIRS];
    let released = story.server_where("main", "is released by the operator", released).await;
    assert!(!story.has_local_server("main"));
    assert!(story.secret(&secret_of("main")).await.is_none());
    // The rest is none of the operator's business, and it does not begin again.
    story
        .all_the_time("nobody touches it", Duration::from_secs(3), async || {
            let now = story.server("main").await;
            now.resource_version() == released.resource_version() && !story.has_local_server("main")
        })
        .await;
    story.patch::<PostgreSQLServer>("main", json!({"metadata": {"finalizers": null}})).await;
    story.gone::<PostgreSQLServer>("main").await;
}
