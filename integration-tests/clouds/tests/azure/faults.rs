//! What goes wrong with a simulated Azure: on the wire, in the background, behind everybody's back.

use std::time::{Duration, Instant};

use crate::client::{Client, PASSWORD, server};
use clouds::azure::Simulator;
use clouds::faults::{Fault, Kind};
use serde_json::json;

const SHOP: &str = "flexibleServers/shop";

fn fault(simulator: &Simulator, action: &str, kind: Kind) {
    let (action, id) = (Some(action.to_owned()), Some("shop".to_owned()));
    simulator.faults().add(Fault { action, id, kind, times: 1 });
}

#[tokio::test]
async fn faults_hit_the_calls_they_are_meant_for() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    let put = async || client.try_call("PUT", SHOP, Some(server())).await;
    fault(&simulator, "PUT flexibleServers", Kind::Reset);
    assert!(put().await.is_none() && simulator.server("shop").is_none(), "reset: not executed");
    fault(&simulator, "PUT flexibleServers", Kind::Error(429, "TooManyRequests".into()));
    let throttled = put().await.unwrap();
    assert_eq!((throttled.status, throttled.code()), (429, "TooManyRequests"));
    assert!(throttled.header("retry-after").is_some());
    fault(&simulator, "PUT flexibleServers", Kind::ExpiredToken);
    assert_eq!(put().await.unwrap().code(), "ExpiredAuthenticationToken");
    assert!(simulator.server("shop").is_none());

    fault(&simulator, "PUT flexibleServers", Kind::Lost);
    assert!(put().await.is_none() && simulator.server("shop").is_some(), "lost: executed");
    fault(&simulator, "GET flexibleServers", Kind::Truncated);
    assert!(client.try_call("GET", SHOP, None).await.is_none());
    fault(&simulator, "GET flexibleServers", Kind::SlowDrip(Duration::from_millis(300)));
    let begin = Instant::now();
    assert_eq!(client.get(SHOP).await.body["name"], "shop");
    assert!(begin.elapsed() >= Duration::from_millis(300));
    let log = simulator.log();
    assert_eq!(log.iter().filter(|call| call.faulty).count(), 6);
    assert!(log.iter().filter(|call| call.is_write()).all(|call| call.action == "PUT flexibleServers"));
}

#[tokio::test]
async fn reads_that_lag_behind_see_the_state_before_the_change() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    fault(&simulator, "PUT flexibleServers", Kind::Eventual(1));
    let accepted = client.call("PUT", SHOP, Some(server())).await;
    assert_eq!(client.get(SHOP).await.status, 404);
    assert_eq!(client.get(SHOP).await.status, 200);
    client.polled(&accepted).await;
    fault(&simulator, "PATCH flexibleServers", Kind::Eventual(2));
    client.done("PATCH", SHOP, Some(json!({"tags": {"team": "b"}}))).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(client.get(SHOP).await.body["tags"]["team"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["a", "a", "b"]);
}

#[tokio::test]
async fn a_failing_creation_is_accepted_first_and_leaves_nothing() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    simulator.fail_creations(1);
    let status = client.done("PUT", SHOP, Some(server())).await;
    assert_eq!(
        (&status["status"], &status["error"]["code"]),
        (&json!("Failed"), &json!("InternalServerError"))
    );
    assert_eq!(client.get(SHOP).await.status, 404);

    client.created("shop").await;
    simulator.fail_operations(1);
    let body = json!({"properties": {"administratorLoginPassword": "Second-password-2"}});
    assert_eq!(client.done("PATCH", SHOP, Some(body)).await["status"], "Failed");
    assert_eq!(client.get(SHOP).await.body["properties"]["state"], "Ready");
    client.login("shop", "app_admin", PASSWORD, "postgres").await.expect("the old password is in force");
}

#[tokio::test]
async fn servers_drift_vanish_crash_and_are_replaced() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    client.created("shop").await;
    simulator.drift("shop", |server| server.retention = 21);
    assert_eq!(client.get(SHOP).await.body["properties"]["backup"]["backupRetentionDays"], 21);

    simulator.crash("shop");
    let deadline = Instant::now() + Duration::from_secs(20);
    while client.login("shop", "app_admin", PASSWORD, "postgres").await.is_ok() {
        assert!(Instant::now() < deadline);
    }
    client.done("POST", &format!("{SHOP}/restart"), None).await;
    let session = client.login("shop", "app_admin", PASSWORD, "postgres").await.unwrap();
    session.batch_execute("CREATE DATABASE mine").await.unwrap();

    let created = client.get(SHOP).await.body["systemData"]["createdAt"].clone();
    simulator.replace("shop", "Another-password-3").await.unwrap();
    assert_ne!(client.get(SHOP).await.body["systemData"]["createdAt"], created);
    assert!(client.login("shop", "app_admin", PASSWORD, "postgres").await.is_err());
    client.login("shop", "app_admin", "Another-password-3", "postgres").await.unwrap();
    assert!(client.login("shop", "app_admin", "Another-password-3", "mine").await.is_err(), "an empty one");

    simulator.vanish("shop");
    assert_eq!(client.get(SHOP).await.code(), "ResourceNotFound");
    simulator.remove_group(clouds::azure::GROUP);
    assert_eq!(client.get(SHOP).await.code(), "ResourceGroupNotFound");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    simulator.set_page(2);
    for name in ["one", "two", "three"] {
        assert_eq!(client.call("PUT", &format!("flexibleServers/{name}"), Some(server())).await.status, 202);
    }
    let first = client.get("flexibleServers").await.body;
    let next = first["nextLink"].as_str().unwrap().strip_prefix(simulator.endpoint()).unwrap();
    let second = client.get(next).await.body;
    assert!(second["nextLink"].is_null());
    let names = |page: &serde_json::Value| -> Vec<String> {
        page["value"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!([names(&first), names(&second)].concat(), ["one", "three", "two"]);
}

#[tokio::test]
async fn calls_are_counted_when_a_test_wants_that() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    simulator.clock().hold();
    simulator.limit_calls();
    let read = async || client.get("flexibleServers").await;
    let first = read().await;
    assert_eq!(first.header("x-ms-ratelimit-remaining-subscription-reads"), Some("249"));
    let mut refused = read().await;
    for _ in 0..260 {
        if refused.status == 429 {
            break;
        }
        refused = read().await;
    }
    assert_eq!((refused.status, refused.code()), (429, "SubscriptionRequestsThrottled"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(client.call("DELETE", SHOP, None).await.status, 204, "deletions are counted apart");
    simulator.clock().turn(Duration::from_secs(1));
    assert_eq!(read().await.status, 200);
}

#[tokio::test]
async fn a_held_clock_holds_operations() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    simulator.clock().hold();
    let accepted = client.call("PUT", SHOP, Some(server())).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(client.get(SHOP).await.body["properties"]["state"], "Provisioning");
    simulator.clock().turn(Duration::from_secs(60));
    assert_eq!(client.polled(&accepted).await["status"], "Succeeded");
}

#[rstest::rstest]
#[case::no_sku(&["sku"], json!(null), "InvalidParameterValue")]
#[case::an_odd_size(&["properties", "storage", "storageSizeGB"], json!(33), "InvalidParameterValue")]
#[case::a_weak_password(&["properties", "administratorLoginPassword"], json!("weak"), "PasswordNotComplex")]
#[case::a_reserved_login(&["properties", "administratorLogin"], json!("azure_pg_admin"), "InvalidAdministratorLogin")]
#[case::a_read_only_member(&["properties", "state"], json!("Ready"), "InvalidRequestContent")]
#[case::an_unknown_region(&["location"], json!("atlantis"), "LocationNotAvailableForResourceType")]
#[case::short_retention(&["properties", "backup"], json!({"backupRetentionDays": 1}), "InvalidParameterValue")]
#[case::a_replica(&["properties", "createMode"], json!("Replica"), "NotSimulated")]
#[tokio::test]
async fn what_the_service_refuses_is_refused(
    #[case] at: &[&str],
    #[case] value: serde_json::Value,
    #[case] code: &str,
) {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    let mut body = server();
    let place = at.iter().fold(&mut body, |body, name| &mut body[*name]);
    *place = value;
    let refused = client.call("PUT", SHOP, Some(body)).await;
    assert_eq!((refused.status, refused.code()), (400, code), "{}", refused.body);
    assert!(simulator.server("shop").is_none());
    let version = format!("{}?api-version=1999-01-01", Simulator::server_id("shop"));
    assert_eq!(client.get(&version).await.code(), "NoRegisteredProviderFound");
}
