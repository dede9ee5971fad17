//! Servers on the simulated RDS, with the operator as its own process: a hundred of them at rest, one through its life, and
//! what else becomes of them.

mod begun;
pub mod cloud;
mod refusals;

use std::time::{Duration, Instant};

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use integration_tests::world::{says, server_condition};
use kube::ResourceExt;
use serde_json::json;

use cloud::{Cloud, SERVERS, allowed, called, count, is_read, left_by_the_original, server, shown};

/// Seconds between two looks; the least that the configuration takes.
const RESYNC: u64 = 10;
/// How many of them are watched.
const ROUNDS: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_servers_are_taken_over_without_a_write_and_cost_one_read_for_all_in_each_round() {
    let cloud = Cloud::start().await;
    let world = cloud.world(json!({"resync_seconds": RESYNC, "login_seconds": 600})).await;
    let story = world.story("idle").await;
    story.try_apply(server("first", json!({}))).await.unwrap();
    story.server_ready("first").await;
    let login = story.credentials("first-login").await;
    world.operator.sigterm().await.unwrap();

    // One PostgreSQL stands behind all of them, under a hundred names.
    let first = format!("{}-first", story.namespace);
    for number in 1..SERVERS {
        let name = format!("s{number}");
        let tag = |tag: &str| format!("hybridcloud-postgresql-operator:{tag}");
        let tags = [(tag("namespace"), story.namespace.clone()), (tag("name"), name.clone())];
        cloud.0.twin(&first, &format!("{}-{name}", story.namespace), tags.into());
        left_by_the_original(&story, "awsrds", server(&name, json!({})), &login).await;
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
    println!("{SERVERS} servers, {rounds} rounds: {} calls", calls.len());
    assert!(!calls.is_empty(), "they are looked at");
    assert!(calls.iter().all(is_read), "at rest nothing is written: {calls:?}");
    let (direct, listings): (Vec<_>, Vec<_>) = calls.iter().partition(|call| !call.id.is_empty());
    assert!(direct.is_empty(), "what is as it was needs no look of its own: {direct:?}");
    let pages = SERVERS.div_ceil(100) as u64;
    assert!(listings.len() as u64 <= rounds * pages, "{} listings in {rounds} rounds", listings.len());
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
    let before = cloud.0.instance(&identifier).unwrap().resource_id;
    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLServer>("main").await;
    let mark = "hybridcloud-postgresql-operator:retained";
    assert!(cloud.0.instance(&identifier).unwrap().tags.contains_key(mark));
    story.try_apply(server("main", json!({}))).await.unwrap();
    story.server_ready("main").await;
    let again = cloud.0.instance(&identifier).unwrap();
    assert_eq!((again.resource_id, again.tags.contains_key(mark)), (before, false));

    // Protected it stays, and the object with it; then it goes, and its snapshot is there.
    cloud.0.drift(&identifier, |instance| instance.set_field("DeletionProtection", "true"));
    let uid = story.server("main").await.uid().unwrap();
    story.delete::<PostgreSQLServer>("main").await;
    story
        .server_where("main", "is protected", |server| {
            let ready = server_condition(server, ConditionType::Stalled);
            says(ready, ConditionStatus::True, Reason::Protected, "switch deletion protection off")
        })
        .await;
    cloud.0.drift(&identifier, |instance| instance.set_field("DeletionProtection", "false"));
    story.gone::<PostgreSQLServer>("main").await;
    assert!(cloud.0.instance(&identifier).is_none());
    assert!(cloud.0.snapshot(&format!("{identifier}-final-{uid}")).is_some());
    assert!(story.secret("main-login").await.is_none());

    let (allowed, called) = (allowed("ForAurora"), called(&cloud));
    let (outside, unused): (Vec<_>, Vec<_>) =
        (called.difference(&allowed).collect(), allowed.difference(&called).collect());
    assert!(outside.is_empty(), "the policy lacks {outside:?}");
    // No call of its own: AWS asks for it where a final snapshot is taken.
    assert_eq!(unused, ["rds:CreateDBSnapshot"], "the policy allows what is never called");
}
