//! What came to nothing is not begun again by an operator that did not begin it.

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use integration_tests::world::{Story, says, server_condition};
use serde_json::json;

use super::cloud::{Cloud, count, server, shown};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_a_restart_nor_an_upgrade_that_came_to_nothing_is_repeated_by_an_operator_that_was_restarted()
{
    let cloud = Cloud::start().await;
    let world = cloud.world(json!({"resync_seconds": 10})).await;
    let story = world.story("begun").await;
    let identifier = format!("{}-main", story.namespace);
    story.try_apply(server("main", json!({"spec": {"version": "16"}}))).await.unwrap();
    story.server_ready("main").await;
    let parameters = json!({"spec": {"serverParameters": {"max_connections": 80}}});
    story.patch::<PostgreSQLServer>("main", parameters).await;
    story
        .eventually("it is in force", async || {
            (shown(&story, "SHOW max_connections").await == "80").then_some(())
        })
        .await;
    story.server_ready("main").await;
    assert_eq!(count(&cloud, "RebootDBInstance"), 1);

    // AWS asks for one more, though nothing was changed: the second operator knows of the first one's.
    world.operator.sigkill();
    cloud.0.drift(&identifier, |instance| "pending-reboot".clone_into(&mut instance.group.status));
    world.operator.start_again().await.unwrap();
    refuses(&story, "AWS still asks for a restart after one").await;
    assert_eq!(count(&cloud, "RebootDBInstance"), 1);
    cloud.0.drift(&identifier, |instance| "in-sync".clone_into(&mut instance.group.status));
    story.patch::<PostgreSQLServer>("main", json!({"metadata": {"annotations": {"look": "again"}}})).await;
    story.server_where("main", "is in sync", in_sync).await;

    // What stops AWS's own check before an upgrade.
    let client = story.credentials("main-login").await.connect().await.unwrap();
    client.batch_execute("CREATE TYPE colour AS ENUM ('red')").await.unwrap();
    drop(client);
    let upgrades = || {
        let calls = cloud.0.log().into_iter();
        calls
            .filter(|call| call.action == "ModifyDBInstance" && call.fields.contains_key("EngineVersion"))
            .count()
    };
    story.patch::<PostgreSQLServer>("main", json!({"spec": {"version": "17"}})).await;
    refuses(&story, "AWS has not carried out the upgrade that it accepted").await;
    assert!(cloud.0.instance(&identifier).unwrap().upgrade_failure.is_some());
    assert_eq!(upgrades(), 1);
    world.operator.restart().await.unwrap();
    let before = cloud.0.log().len();
    story
        .eventually("it is looked at", async || {
            cloud.calls_since(before).iter().any(|call| call.id == identifier).then_some(())
        })
        .await;
    refuses(&story, "AWS has not carried out the upgrade that it accepted").await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(upgrades(), 1);

    // Whoever asks for another version meanwhile gets another attempt.
    let client = story.credentials("main-login").await.connect().await.unwrap();
    client.batch_execute("DROP TYPE colour").await.unwrap();
    drop(client);
    story.patch::<PostgreSQLServer>("main", json!({"spec": {"version": "16"}})).await;
    story.server_where("main", "is in sync", in_sync).await;
    story.patch::<PostgreSQLServer>("main", json!({"spec": {"version": "17"}})).await;
    story
        .eventually("it is upgraded", async || {
            shown(&story, "SHOW server_version").await.starts_with("17").then_some(())
        })
        .await;
    story.server_ready("main").await;
    assert_eq!(upgrades(), 2);
}

fn in_sync(server: &PostgreSQLServer) -> bool {
    let synced = server_condition(server, ConditionType::Synced);
    let seen = server.status.as_ref().and_then(|status| status.observed_generation);
    says(synced, ConditionStatus::True, Reason::InSync, "") && seen == server.metadata.generation
}

async fn refuses(story: &Story<'_>, words: &str) {
    let what = format!("says: {words}");
    story
        .server_where("main", &what, |server| {
            let synced = server_condition(server, ConditionType::Synced);
            says(synced, ConditionStatus::False, Reason::NotApplied, words)
        })
        .await;
}
