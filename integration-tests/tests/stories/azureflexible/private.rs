//! Servers in a virtual network, and servers with a standby.

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use integration_tests::azure::Cloud;
use integration_tests::world::{says, server_condition};
use serde_json::{Value, json};

use super::objects::{BACKEND, server};

const ZONE: &str = "servers.private.postgres.database.azure.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_lives_in_a_virtual_network_with_the_zone_as_a_name_or_a_section() {
    let cloud = Cloud::start().await;
    let more = json!({
        "network": {"public_access": false},
        "virtual_network": "company",
        "subnet": "databases",
        "dns_zone": ZONE,
    });
    let world = cloud.world(&[(BACKEND, &more)], json!({})).await;
    let story = world.story("private").await;
    let rule = json!([{"name": "office", "startIp": "192.0.2.1", "endIp": "192.0.2.9"}]);
    story.try_apply(server("main", json!({"spec": {"network": {"firewallRules": rule}}}))).await.unwrap();
    story.server_ready("main").await;
    story
        .server_where("main", "says that rules have no effect", |server| {
            let limited = server_condition(server, ConditionType::Limited);
            says(limited, ConditionStatus::True, Reason::NotSupported, "network.firewallRules")
        })
        .await;
    let found = cloud.azure().server(&format!("{}-main", story.namespace)).unwrap();
    assert!(!found.public && found.rules.is_empty());
    assert_is(
        found.subnet,
        "/resourceGroups/databases/providers/Microsoft.Network/virtualNetworks/company/subnets/databases",
    );
    assert_is(
        found.dns_zone,
        &format!("/resourceGroups/databases/providers/Microsoft.Network/privateDnsZones/{ZONE}"),
    );
    assert_eq!(cloud.count("PUT flexibleServers/firewallRules"), 0);

    // The zone may be in another group; servers that are there stay as they are.
    let mut other = more;
    other["dns_zone"] = json!({"name": ZONE, "resource_group": "network"});
    let begin = cloud.azure().log().len();
    world.operator.reconfigure(&cloud.config(&[(BACKEND, &other)], json!({}))).unwrap();
    world.operator.restart().await.unwrap();
    story.try_apply(server("second", json!({}))).await.unwrap();
    story.server_ready("second").await;
    let found = cloud.azure().server(&format!("{}-second", story.namespace)).unwrap();
    assert_is(
        found.dns_zone,
        &format!("/resourceGroups/network/providers/Microsoft.Network/privateDnsZones/{ZONE}"),
    );
    story.server_ready("main").await;
    let first = format!("{}-main", story.namespace);
    let writes: Vec<_> =
        cloud.calls_since(begin).into_iter().filter(|call| call.is_write() && call.id == first).collect();
    assert!(writes.is_empty(), "{writes:?}");
    cloud.judge(env!("CARGO_TARGET_TMPDIR"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_comes_and_goes_and_does_not_move() {
    let cloud = Cloud::start().await;
    let world = cloud.world(&[(BACKEND, &json!({"standby_availability_zone": "3"}))], json!({})).await;
    let story = world.story("standby").await;
    let name = format!("{}-main", story.namespace);
    let standby = || {
        let standby = cloud.azure().server(&name)?.high_availability;
        Some((standby.mode, standby.standby_zone))
    };
    let enabled = |on: bool| json!({"spec": {"highavailability": {"enabled": on}}});
    let elsewhere = Some(("ZoneRedundant".to_owned(), Some("3".to_owned())));
    let none = Some(("Disabled".to_owned(), None));

    story
        .try_apply(server("main", merged(enabled(true), json!({"spec": {"size": {"cpu": 2}}}))))
        .await
        .unwrap();
    story.server_ready("main").await;
    assert_eq!(standby(), elsewhere, "from the beginning");
    story.patch::<PostgreSQLServer>("main", enabled(false)).await;
    story.eventually("the standby is gone", async || (standby() == none).then_some(())).await;
    story.server_ready("main").await;
    story.patch::<PostgreSQLServer>("main", enabled(true)).await;
    story.eventually("there is one again", async || (standby() == elsewhere).then_some(())).await;
    story.server_ready("main").await;

    // The administrator wants them elsewhere: of the one that is there this is told.
    let begin = cloud.azure().log().len();
    let same_zone = json!({"high_availability_mode": "SameZone"});
    world.operator.reconfigure(&cloud.config(&[(BACKEND, &same_zone)], json!({}))).unwrap();
    world.operator.restart().await.unwrap();
    story
        .server_where("main", "says that its standby stays", |server| {
            let synced = server_condition(server, ConditionType::Synced);
            says(synced, ConditionStatus::False, Reason::NotApplied, "a standby does not move")
        })
        .await;
    assert!(cloud.calls_since(begin).iter().all(|call| !call.is_write()));
    assert_eq!(standby(), elsewhere);
    story.patch::<PostgreSQLServer>("main", enabled(false)).await;
    story.eventually("the standby is gone", async || (standby() == none).then_some(())).await;
    story.patch::<PostgreSQLServer>("main", enabled(true)).await;
    let same = Some(("SameZone".to_owned(), Some("1".to_owned())));
    story.eventually("it is where it shall be", async || (standby() == same).then_some(())).await;
    story.server_ready("main").await;
    cloud.judge(env!("CARGO_TARGET_TMPDIR"));
}

fn merged(mut object: Value, more: Value) -> Value {
    json_patch::merge(&mut object, &more);
    object
}

#[track_caller]
fn assert_is(id: Option<String>, end: &str) {
    assert!(id.as_deref().is_some_and(|id| id.ends_with(end)), "{id:?}, expected …{end}");
}
