//! Servers on the simulated RDS, with the operator as its own process: a hundred of them at rest, one through its life, and
//! what else becomes of them.

mod begun;
pub mod cloud;
pub mod ends;
pub mod idle;
mod refusals;

use clouds::rds::Simulator;
use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use integration_tests::world::{says, server_condition};
use kube::ResourceExt;
use serde_json::json;

use cloud::{Cloud, count, server, shown};
use idle::Idle;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_servers_are_taken_over_without_a_write_and_cost_one_read_for_all_in_each_round() {
    let cloud = Cloud::start().await;
    let world = cloud.world(idle::reconcile()).await;
    let (backend, twin) = ("awsrds", Simulator::twin);
    idle::is_quiet(&cloud, &world, Idle { backend, server, twin, rounds: 4, listings: 1 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_lives_goes_with_a_snapshot_and_stays_if_told_so_with_the_documented_rights() {
    let cloud = Cloud::start().await;
    let world = cloud.world(json!({})).await;
    let story = world.story("life").await;
    let identifier = format!("{}-main", story.namespace);

    let parameters = json!({"spec": {"version": "17", "serverParameters": {"max_connections": 70}}});
    story.try_apply(server("main", parameters)).await.unwrap();
    story.server_ready("main").await;
    assert_eq!(shown(&story, "SHOW max_connections").await, "70", "from the beginning, without a restart");
    assert_eq!(count(&cloud, "RebootDBInstance"), 0);

    // A static parameter, one that there is not, and back to the default.
    story
        .patch::<PostgreSQLServer>("main", json!({"spec": {"serverParameters": {"max_connections": 80}}}))
        .await;
    story
        .eventually("it is in force", async || {
            (shown(&story, "SHOW max_connections").await == "80").then_some(())
        })
        .await;
    story.server_ready("main").await;
    assert_eq!(count(&cloud, "RebootDBInstance"), 1, "one restart");
    story.patch::<PostgreSQLServer>("main", json!({"spec": {"serverParameters": {"work_men": 1}}})).await;
    story
        .server_where("main", "tells what is meant", |server| {
            let synced = server_condition(server, ConditionType::Synced);
            says(synced, ConditionStatus::False, Reason::NotApplied, "did you mean work_mem?")
        })
        .await;
    let back = json!({"spec": {"serverParameters": {"work_men": null, "max_connections": null}}});
    story.patch::<PostgreSQLServer>("main", back).await;
    story
        .eventually("it is the default again", async || {
            (shown(&story, "SHOW max_connections").await != "80").then_some(())
        })
        .await;
    story.server_ready("main").await;

    // More storage, of which the service gives a tenth more at least.
    story.patch::<PostgreSQLServer>("main", json!({"spec": {"size": {"storageGB": 21}}})).await;
    story
        .server_where("main", "has more storage", |server| {
            let pinned = server.status.as_ref().and_then(|status| status.server.as_ref());
            pinned.and_then(|pinned| pinned.storage_gb) == Some(22)
        })
        .await;
    story.server_ready("main").await;

    // It stays without its object, marked, and is the same one for the next.
    story.patch::<PostgreSQLServer>("main", json!({"spec": {"deletionPolicy": "Retain"}})).await;
    story.server_ready("main").await;
    let told = || cloud.0.instance(&identifier).map(|found| (found.resource_id, found.tags)).unwrap();
    ends::leaves_its_server(&story, server("main", json!({})), told).await;

    // Protected it stays, and the object with it; then it goes, and its snapshot is there.
    cloud.0.drift(&identifier, |instance| instance.set_field("DeletionProtection", "true"));
    let uid = story.server("main").await.uid().unwrap();
    story.delete::<PostgreSQLServer>("main").await;
    ends::is_protected(&story, "main").await;
    cloud.0.drift(&identifier, |instance| instance.set_field("DeletionProtection", "false"));
    story.gone::<PostgreSQLServer>("main").await;
    assert!(cloud.0.instance(&identifier).is_none());
    assert!(cloud.0.snapshot(&format!("{identifier}-final-{uid}")).is_some());
    assert!(story.secret("main-login").await.is_none());

    ends::needed_the_documented_rights(&cloud, "ForAurora", "rds:CreateDBSnapshot");
}
