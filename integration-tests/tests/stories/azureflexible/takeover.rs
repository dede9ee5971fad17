//! A server and a database with all that the original operator leaves: tags, lock, firewall rules, the Sunday it made of
//! every day, finalizers, annotations, Secrets, no marks in PostgreSQL.

use std::net::Ipv4Addr;

use hcpg::api::names::ORIGINAL_FINALIZER;
use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use integration_tests::azure::Cloud;
use integration_tests::azure::left::{self, Left, OFFICE, RESYNC};
use integration_tests::world::{says, server_condition};
use kube::ResourceExt;
use serde_json::json;

use super::objects::{BACKEND, server};

/// The user's rule.
const HOME: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_the_original_leaves_on_azure_is_taken_over_without_a_write_and_its_differences_are_told() {
    let cloud = Cloud::start().await;
    let azure = cloud.azure();
    let world = cloud.world(&[(BACKEND, &left::section())], json!({"resync_seconds": RESYNC})).await;
    let story = world.story("taken").await;
    let asked = json!({
        "maintenance": {"window": {"weekday": "Wed", "starttime": "03:00"}},
        "network": {"firewallRules": [{"name": "home", "startIp": HOME, "endIp": HOME}]},
    });
    let mut left = Left::made(&story, &cloud, server("team", json!({"spec": asked}))).await;
    world.operator.sigterm().await.unwrap();
    assert_eq!(azure.locks(&left.name), ["donotdeletelock"], "the original's lock has the same name");
    left.leave(BACKEND, |server| {
        (server.window.day, server.window.hour) = (0, 3);
        // The original left it with another end, which was changed in its configuration since.
        server.rules.insert("office".to_owned(), (OFFICE[0], Ipv4Addr::new(192, 0, 2, 7)));
    })
    .await;
    world.operator.start_again().await.unwrap();

    let told = [
        "firewall.office: 192.0.2.1 to 192.0.2.7, asked for 192.0.2.1 to 192.0.2.9",
        "maintenance.window: Sun 03:00, asked for Wed 03:00",
    ];
    let taken = story
        .server_where("team", "is taken over, and what differs is told", |server| {
            let ready = server_condition(server, ConditionType::Ready);
            let synced = server_condition(server, ConditionType::Synced);
            let is_told = |told: &&str| says(synced, ConditionStatus::False, Reason::TakenOver, told);
            ready.is_some_and(|ready| ready.status == ConditionStatus::True) && told.iter().all(is_told)
        })
        .await;
    let of_database = left.is_taken_over_without_a_write().await;
    let status = taken.status.as_ref().unwrap();
    assert_eq!(status.adopted_generation, taken.metadata.generation);
    assert_eq!(status.differences, told.map(str::to_owned), "these and no other");
    assert_eq!(of_database.status.as_ref().unwrap().adopted_generation, of_database.metadata.generation);
    for finalizers in [taken.finalizers(), of_database.finalizers()] {
        assert_eq!(finalizers, [ORIGINAL_FINALIZER]);
    }

    // From here on it is like any other: whoever asks for a change gets the rest with it.
    story.patch::<PostgreSQLServer>("team", json!({"spec": {"size": {"storageGB": 64}}})).await;
    story
        .eventually("all is as asked for", async || {
            let it = azure.server(&left.name)?;
            let office = it.rules.get("office").is_some_and(|range| *range == (OFFICE[0], OFFICE[1]));
            (it.storage.size == 64 && it.window.day == 3 && office).then_some(())
        })
        .await;
    story.server_ready("team").await;
    cloud.judge(env!("CARGO_TARGET_TMPDIR"));
}
