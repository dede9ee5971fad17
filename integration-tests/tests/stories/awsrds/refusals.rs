//! Ends that AWS refuses: each is told with its remedy, and comes when the remedy was taken.

use clouds::rds::Quotas;
use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer};
use integration_tests::world::{Story, server_condition};
use kube::ResourceExt;
use serde_json::json;

use super::cloud::{Cloud, count, server};
use super::ends::is_protected;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_end_is_refused_keeps_its_object_which_says_what_to_do_and_goes_when_that_was_done() {
    let cloud = Cloud::start().await;
    let world = cloud.world(json!({"resync_seconds": 10})).await;
    let story = world.story("ends").await;
    let names = ["failed", "full", "quota", "given-up", "guarded"];
    for name in names {
        story.try_apply(server(name, json!({}))).await.unwrap();
    }
    let mut snapshots = Vec::new();
    for name in names {
        let uid = story.server_ready(name).await.uid().unwrap();
        snapshots.push(format!("{}-final-{uid}", id(&story, name)));
    }
    let taken = |number: usize| cloud.0.snapshot(&snapshots[number]).is_some();
    let gone = |name: &str| cloud.0.instance(&id(&story, name)).is_none();

    // AWS takes no snapshot of a server that has failed: somebody has to give its data up.
    cloud.0.drift(&id(&story, "failed"), |instance| instance.status = "failed".to_owned());
    story.delete::<PostgreSQLServer>("failed").await;
    is_stuck(&story, "failed", "set deletionPolicy to Delete, which gives up its data, or to Retain").await;
    assert!(!gone("failed") && story.secret("failed-login").await.is_some());
    story.patch::<PostgreSQLServer>("failed", json!({"spec": {"deletionPolicy": "Delete"}})).await;
    story.gone::<PostgreSQLServer>("failed").await;
    assert!(gone("failed") && !taken(0));

    // Of one whose storage is full it does.
    cloud.0.drift(&id(&story, "full"), |instance| instance.status = "storage-full".to_owned());
    story.delete::<PostgreSQLServer>("full").await;
    story.gone::<PostgreSQLServer>("full").await;
    assert!(gone("full") && taken(1));

    // One more snapshot than the account may have: the end comes by itself when there is room, or without one.
    cloud.0.set_quotas(Quotas { snapshots: 1, ..Quotas::default() });
    for name in ["quota", "given-up"] {
        story.delete::<PostgreSQLServer>(name).await;
        is_stuck(&story, name, "a quota of the AWS account is used up: raise it, or delete something").await;
        assert!(!gone(name) && story.secret(&format!("{name}-login")).await.is_some());
    }
    story.patch::<PostgreSQLServer>("given-up", json!({"spec": {"deletionPolicy": "Delete"}})).await;
    story.gone::<PostgreSQLServer>("given-up").await;
    assert!(gone("given-up") && !taken(3));
    assert!(!gone("quota"), "there is still no room");
    cloud.0.set_quotas(Quotas { snapshots: 2, ..Quotas::default() });
    story.gone::<PostgreSQLServer>("quota").await;
    assert!(gone("quota") && taken(2));

    // Protected: nothing is tried until somebody lifts it, which nobody tells of.
    let protect = |on: &'static str| {
        cloud.0.drift(&id(&story, "guarded"), |it| it.set_field("DeletionProtection", on));
    };
    protect("true");
    let before = count(&cloud, "DeleteDBInstance");
    story.patch::<PostgreSQLServer>("guarded", json!({"spec": {"deletionPolicy": "Delete"}})).await;
    story.delete::<PostgreSQLServer>("guarded").await;
    is_protected(&story, "guarded").await;
    assert_eq!(count(&cloud, "DeleteDBInstance"), before);
    protect("false");
    story.gone::<PostgreSQLServer>("guarded").await;
    assert!(gone("guarded") && !taken(4));
    for name in names {
        assert!(story.secret(&format!("{name}-login")).await.is_none(), "{name}");
    }
}

fn id(story: &Story<'_>, name: &str) -> String {
    format!("{}-{name}", story.namespace)
}

async fn is_stuck(story: &Story<'_>, name: &str, remedy: &str) {
    let what = format!("tells to {remedy}");
    story
        .server_where(name, &what, |server| {
            let stalled = server_condition(server, ConditionType::Stalled);
            stalled.is_some_and(|one| one.status == ConditionStatus::True && one.message.contains(remedy))
        })
        .await;
}
