//! Clusters on the simulated Aurora, with the operator as its own process: a hundred of them at rest, and one through its
//! life.

use clouds::rds::{Quotas, Simulator};
use hcpg::api::{ConditionType, PostgreSQLServer};
use integration_tests::world::{World, server_condition};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::awsrds::cloud::{self, Cloud, count, shown};
use crate::awsrds::idle::Idle;
use crate::awsrds::{ends, idle};

async fn world(cloud: &Cloud, reconcile: Value) -> World {
    let scaling = json!({"min_capacity": 0.5, "max_capacity": 2});
    let classes = json!({
        "small": {"instance_type": "db.t4g.medium"},
        "serverless": {"instance_type": "db.serverless", "scaling_configuration": scaling},
    });
    cloud.world_of("awsaurora", classes, reconcile).await
}

/// A server, whose storage has no size, and more.
fn server(name: &str, more: Value) -> Value {
    let mut object = cloud::server(name, json!({"spec": {"size": null}}));
    json_patch::merge(&mut object, &more);
    object
}

/// The members of a cluster.
fn members(cloud: &Cloud, cluster: &str) -> Vec<String> {
    let all = cloud.0.instances().into_iter();
    all.filter(|it| it.cluster.as_deref() == Some(cluster)).map(|it| it.id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_clusters_of_the_original_are_taken_over_without_a_write_and_cost_two_reads_for_all_in_each_round()
 {
    let cloud = Cloud::start().await;
    let world = world(&cloud, idle::reconcile()).await;
    // The original tagged clusters, and no members. A page of clusters is read, and one of their members.
    let (backend, twin) = ("awsaurora", Simulator::twin_cluster);
    idle::is_quiet(&cloud, &world, Idle { backend, server, twin, rounds: 2, listings: 2 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_lives_goes_with_a_snapshot_and_stays_if_told_so_with_the_documented_rights() {
    let cloud = Cloud::start().await;
    let world = world(&cloud, json!({"poll_seconds": 1, "resync_seconds": 10})).await;
    let story = world.story("life").await;
    let identifier = format!("{}-main", story.namespace);
    let (primary, replica) = (format!("{identifier}-primary"), format!("{identifier}-replica"));
    let change = async |spec: Value| {
        story.patch::<PostgreSQLServer>("main", json!({"spec": spec})).await;
        story.server_ready("main").await;
    };

    let parameters = json!({"spec": {"version": "16", "serverParameters": {"max_connections": 70}}});
    story.try_apply(server("main", parameters)).await.unwrap();
    story.server_ready("main").await;
    assert_eq!(members(&cloud, &identifier), [primary.as_str()]);
    assert_eq!(shown(&story, "SHOW max_connections").await, "70", "from the beginning, without a restart");
    assert_eq!(count(&cloud, "RebootDBInstance"), 0);

    // A reader comes; the Secret leads to whoever writes.
    change(json!({"highavailability": {"enabled": true}})).await;
    assert_eq!(members(&cloud, &identifier), [primary.as_str(), replica.as_str()]);
    let login = story.credentials("main-login").await;

    // A static parameter restarts both, once; and back to the default.
    change(json!({"serverParameters": {"max_connections": 80}})).await;
    story
        .eventually("it is in force", async || {
            (shown(&story, "SHOW max_connections").await == "80").then_some(())
        })
        .await;
    story.server_ready("main").await;
    assert_eq!(count(&cloud, "RebootDBInstance"), 2, "one restart for each member");
    change(json!({"serverParameters": {"max_connections": null}})).await;

    // Serverless: the cluster is told how far to scale, then its members change one after the other.
    change(json!({"size": {"class": "serverless"}})).await;
    for member in [&primary, &replica] {
        story
            .eventually("it is serverless", async || {
                cloud.0.instance(member).filter(|it| it.class == "db.serverless").map(drop)
            })
            .await;
    }
    story.server_ready("main").await;
    let scaling = cloud.0.cluster(&identifier).unwrap().scaling.unwrap();
    assert_eq!((scaling.min, scaling.max), (0.5, 2.0));

    // The next major version, when the spec asks for it.
    change(json!({"version": "17"})).await;
    story
        .eventually("it is the next version", async || {
            (cloud.0.cluster(&identifier).unwrap().version.starts_with("17.")).then_some(())
        })
        .await;
    story.server_ready("main").await;
    change(json!({"highavailability": {"enabled": false}})).await;
    story
        .eventually("the reader is gone", async || {
            (members(&cloud, &identifier) == [primary.as_str()]).then_some(())
        })
        .await;
    story.server_ready("main").await;
    assert_eq!(story.credentials("main-login").await, login, "the same Secret all the time");

    // It stays without its object, marked, and is the same one for the next.
    change(json!({"deletionPolicy": "Retain"})).await;
    let told = || cloud.0.cluster(&identifier).map(|found| (found.resource_id, found.tags)).unwrap();
    ends::leaves_its_server(&story, server("main", json!({})), told).await;

    // Protected it stays with its member, and the object with it; then it goes, and its snapshot is there.
    let protect = |on: bool| {
        cloud.0.drift_cluster(&identifier, |cluster| {
            cluster.set_field("DeletionProtection", if on { "true" } else { "false" });
        });
    };
    protect(true);
    let uid = story.server("main").await.uid().unwrap();
    story.delete::<PostgreSQLServer>("main").await;
    ends::is_protected(&story, "main").await;
    assert_eq!(members(&cloud, &identifier), [primary.as_str()], "its member is there");

    // A quota that refuses the snapshot leaves the cluster and its data; the rest comes when there is room.
    cloud.0.set_quotas(Quotas { snapshots: 0, ..Quotas::default() });
    protect(false);
    story
        .server_where("main", "tells of the quota", |server| {
            let stalled = server_condition(server, ConditionType::Stalled);
            stalled.is_some_and(|one| one.message.contains("a quota of the AWS account is used up"))
        })
        .await;
    story
        .eventually("its member is gone", async || members(&cloud, &identifier).is_empty().then_some(()))
        .await;
    assert!(cloud.0.cluster(&identifier).is_some(), "it is there, and so is its data");
    cloud.0.set_quotas(Quotas::default());
    story.gone::<PostgreSQLServer>("main").await;
    assert!(cloud.0.cluster(&identifier).is_none() && members(&cloud, &identifier).is_empty());
    assert!(cloud.0.snapshot(&format!("{identifier}-final-{uid}")).is_some());
    assert!(story.secret("main-login").await.is_none());

    ends::needed_the_documented_rights(&cloud, "ForRds", "rds:CreateDBClusterSnapshot");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_of_somebody_else_that_has_the_members_name_is_told_and_stays_his() {
    let cloud = Cloud::start().await;
    let world = world(&cloud, json!({"poll_seconds": 1})).await;
    let story = world.story("taken").await;
    story.try_apply(server("other", json!({}))).await.unwrap();
    story.server_ready("other").await;
    let (other, main) = (format!("{}-other", story.namespace), format!("{}-main", story.namespace));
    // A member of another cluster, under the name that the next one's member would get.
    let name = format!("{main}-primary");
    cloud.0.twin(&format!("{other}-primary"), &name, [].into());
    story.try_apply(server("main", json!({}))).await.unwrap();
    story
        .server_where("main", "tells who has the name", |server| {
            let told = server.status.as_ref().map(|status| format!("{:?}", status.conditions));
            told.is_some_and(|told| told.contains("another instance has that name"))
        })
        .await;
    assert_eq!(cloud.0.instance(&name).unwrap().cluster.as_deref(), Some(other.as_str()));
    // Once it is out of the way, the member is made.
    cloud.0.vanish(&name);
    story.patch::<PostgreSQLServer>("main", json!({"metadata": {"annotations": {"look": "again"}}})).await;
    story.server_ready("main").await;
    assert_eq!(cloud.0.instance(&name).unwrap().cluster.as_deref(), Some(main.as_str()));
}
