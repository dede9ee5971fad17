//! Clusters on the simulated Aurora, with the operator as its own process: a hundred of them at rest, and one through its
//! life.

use std::time::{Duration, Instant};

use clouds::rds::Quotas;
use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use integration_tests::world::{World, says, server_condition};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::awsrds::cloud::{
    self, Cloud, SERVERS, allowed, called, count, is_read, left_by_the_original, shown,
};

/// Seconds between two looks; the least that the configuration takes.
const RESYNC: u64 = 10;
/// How many of them are watched.
const ROUNDS: u64 = 2;

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
    let world = world(&cloud, json!({"resync_seconds": RESYNC, "login_seconds": 600})).await;
    let story = world.story("idle").await;
    story.try_apply(server("first", json!({}))).await.unwrap();
    story.server_ready("first").await;
    let login = story.credentials("first-login").await;
    world.operator.sigterm().await.unwrap();

    // One PostgreSQL stands behind all of them. The original tagged clusters, and no members.
    let first = format!("{}-first", story.namespace);
    for number in 1..SERVERS {
        let name = format!("s{number}");
        let tag = |tag: &str| format!("hybridcloud-postgresql-operator:{tag}");
        let tags = [(tag("namespace"), story.namespace.clone()), (tag("name"), name.clone())];
        cloud.0.twin_cluster(&first, &format!("{}-{name}", story.namespace), tags.into());
        left_by_the_original(&story, "awsaurora", server(&name, json!({})), &login).await;
    }
    let begin = cloud.0.log().len();
    world.operator.start_again().await.unwrap();
    for number in 1..SERVERS {
        let taken = story.server_ready(&format!("s{number}")).await;
        assert_eq!(taken.status.unwrap().adopted_generation, taken.metadata.generation);
    }
    let after_takeover = cloud.calls_since(begin);
    assert!(after_takeover.iter().all(is_read), "taking over writes nothing: {after_takeover:?}");

    // Every object has been settled once before the rounds are counted.
    tokio::time::sleep(Duration::from_secs(2 * RESYNC)).await;
    let (begin, since) = (cloud.0.log().len(), Instant::now());
    tokio::time::sleep(Duration::from_secs(ROUNDS * RESYNC)).await;
    let calls = cloud.calls_since(begin);
    let rounds = since.elapsed().as_secs().div_ceil(RESYNC) + 1;
    println!("{SERVERS} clusters, {rounds} rounds: {} calls", calls.len());
    assert!(!calls.is_empty(), "they are looked at");
    assert!(calls.iter().all(is_read), "at rest nothing is written: {calls:?}");
    let (direct, listings): (Vec<_>, Vec<_>) = calls.iter().partition(|call| !call.id.is_empty());
    assert!(direct.is_empty(), "what is as it was needs no look of its own: {direct:?}");
    // A page of clusters, and one of their members.
    let pages = 2 * SERVERS.div_ceil(100) as u64;
    assert!(listings.len() as u64 <= rounds * pages, "{} listings in {rounds} rounds", listings.len());
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
    let before = cloud.0.cluster(&identifier).unwrap().resource_id;
    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLServer>("main").await;
    let mark = "hybridcloud-postgresql-operator:retained";
    assert!(cloud.0.cluster(&identifier).unwrap().tags.contains_key(mark));
    story.try_apply(server("main", json!({}))).await.unwrap();
    story.server_ready("main").await;
    let again = cloud.0.cluster(&identifier).unwrap();
    assert_eq!((again.resource_id, again.tags.contains_key(mark)), (before, false));

    // Protected it stays with its member, and the object with it; then it goes, and its snapshot is there.
    let protect = |on: bool| {
        cloud.0.drift_cluster(&identifier, |cluster| {
            cluster.set_field("DeletionProtection", if on { "true" } else { "false" });
        });
    };
    protect(true);
    let uid = story.server("main").await.uid().unwrap();
    story.delete::<PostgreSQLServer>("main").await;
    story
        .server_where("main", "is protected", |server| {
            let stalled = server_condition(server, ConditionType::Stalled);
            says(stalled, ConditionStatus::True, Reason::Protected, "switch deletion protection off")
        })
        .await;
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

    let (allowed, called) = (allowed("ForRds"), called(&cloud));
    let (outside, unused): (Vec<_>, Vec<_>) =
        (called.difference(&allowed).collect(), allowed.difference(&called).collect());
    assert!(outside.is_empty(), "the policy lacks {outside:?}");
    // No call of its own: AWS asks for it where a final snapshot is taken.
    assert_eq!(unused, ["rds:CreateDBClusterSnapshot"], "the policy allows what is never called");
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
