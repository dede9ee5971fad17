//! Faults of calls, and what happens without one: storage, quotas, roles, accounts, the control interface.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::time::{Duration, Instant};

use clouds::faults::{Chance, Fault, Kind};
use clouds::rds::{Place, Quotas, Simulator};
use support::{
    ID, SHOP, Signer, available_shop, call, call_as, done, host, instance_until, login, refused, send, shop,
    text, until, wait,
};

fn arm(simulator: &Simulator, action: &str, kind: Kind) {
    simulator.faults().add(Fault { action: Some(action.into()), id: None, kind, times: 1 });
}

#[tokio::test]
async fn half_an_answer_and_a_slow_answer_come_of_a_call_that_was_executed() {
    let simulator = Simulator::start().await.unwrap();
    arm(&simulator, "CreateDBInstance", Kind::Truncated);
    assert_eq!(call(&simulator, "CreateDBInstance", &SHOP).await, None, "the answer has no end");
    assert!(simulator.instance("team-shop").is_some());
    arm(&simulator, "DescribeDBInstances", Kind::SlowDrip(Duration::from_millis(600)));
    let begin = Instant::now();
    assert!(done(&simulator, "DescribeDBInstances", &ID).await.ends_with("</DescribeDBInstancesResponse>"));
    assert!(begin.elapsed() >= Duration::from_millis(600), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_change_is_seen_only_after_a_few_reads() {
    let simulator = Simulator::start().await.unwrap();
    arm(&simulator, "CreateDBInstance", Kind::Eventual(2));
    done(&simulator, "CreateDBInstance", &SHOP).await;
    for _ in 0..2 {
        assert_eq!(refused(&simulator, "DescribeDBInstances", &ID).await, "DBInstanceNotFound");
    }
    assert_eq!(refused(&simulator, "CreateDBInstance", &SHOP).await, "DBInstanceAlreadyExists");
    done(&simulator, "DescribeDBInstances", &ID).await;
    until(&simulator, "available").await;
    arm(&simulator, "ModifyDBInstance", Kind::Eventual(1));
    let change = [ID[0], ("DBInstanceClass", "db.t3.large"), ("ApplyImmediately", "true")];
    done(&simulator, "ModifyDBInstance", &change).await;
    let stale = done(&simulator, "DescribeDBInstances", &ID).await;
    assert!(stale.contains("<DBInstanceStatus>available<") && !stale.contains("db.t3.large"), "{stale}");
    assert!(done(&simulator, "DescribeDBInstances", &ID).await.contains("db.t3.large"));
}

#[tokio::test]
async fn faults_by_chance_are_the_same_for_the_same_seed() {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let simulator = Simulator::start().await.unwrap();
        let kinds = vec![Kind::Error(400, "Throttling".into()), Kind::Reset, Kind::ExpiredToken];
        simulator.faults().by_chance(Chance { seed: 3, per_mille: 500, kinds });
        for _ in 0..30 {
            call(&simulator, "DescribeDBInstances", &[]).await;
        }
        seen.push(simulator.log().into_iter().map(|call| call.status).collect::<Vec<_>>());
    }
    assert_eq!(seen[0], seen[1]);
    for status in [0, 200, 400, 403] {
        assert!(seen[0].contains(&status), "{status}: {:?}", seen[0]);
    }
}

#[tokio::test]
async fn storage_grows_on_its_own_up_to_its_limit_and_then_is_full() {
    let simulator = Simulator::start().await.unwrap();
    available_shop(&simulator, &[("MaxAllocatedStorage", "35")]).await;
    let size = || simulator.instance("team-shop").map(|it| it.storage.size).unwrap_or_default();
    simulator.drift("team-shop", |it| it.used = 19);
    wait("30 GiB", || size() == 30, || size().to_string()).await;
    until(&simulator, "available").await;
    simulator.drift("team-shop", |it| it.used = 30);
    wait("35 GiB, its limit", || size() == 35, || size().to_string()).await;
    until(&simulator, "available").await;
    let host = host(&simulator).await;
    login(&simulator, &host, "first-password").await.unwrap();
    simulator.drift("team-shop", |it| it.used = 35);
    until(&simulator, "storage-full").await;
    let gone = std::net::SocketAddr::new(host.parse().unwrap(), 5432);
    wait("nothing answers", || std::net::TcpStream::connect(gone).is_err(), String::new).await;
    let grow = [ID[0], ("AllocatedStorage", "60"), ("ApplyImmediately", "true")];
    done(&simulator, "ModifyDBInstance", &grow).await;
    until(&simulator, "available").await;
    login(&simulator, &host, "first-password").await.unwrap();
}

#[tokio::test]
async fn quotas_are_held() {
    let simulator = Simulator::start().await.unwrap();
    simulator.set_quotas(Quotas { instances: 1, snapshots: 0, groups: 0, clusters: 0 });
    available_shop(&simulator, &[("CopyTagsToSnapshot", "true")]).await;
    let second = shop(&[("DBInstanceIdentifier", "second")]);
    assert_eq!(refused(&simulator, "CreateDBInstance", &second).await, "InstanceQuotaExceeded");
    let last = [ID[0], ("FinalDBSnapshotIdentifier", "last")];
    assert_eq!(refused(&simulator, "DeleteDBInstance", &last).await, "SnapshotQuotaExceeded");
    let group =
        [("DBParameterGroupName", "own"), ("DBParameterGroupFamily", "postgres15"), ("Description", "d")];
    assert_eq!(refused(&simulator, "CreateDBParameterGroup", &group).await, "DBParameterGroupQuotaExceeded");
    assert_eq!(simulator.instance("team-shop").unwrap().status, "available");
    simulator.set_quotas(Quotas::default());
    done(&simulator, "DeleteDBInstance", &last).await;
    let ready = || simulator.snapshot("last").is_some_and(|it| it.status == "available");
    wait("the snapshot is there", ready, String::new).await;
    assert!(simulator.instance("team-shop").is_none());
    assert_eq!(simulator.snapshot("last").unwrap().tags["team"], "a");
}

#[tokio::test]
async fn another_instance_under_the_same_name_has_another_id() {
    let simulator = Simulator::start().await.unwrap();
    available_shop(&simulator, &[]).await;
    let before = simulator.instance("team-shop").unwrap().resource_id;
    simulator.replace("team-shop");
    assert_ne!(simulator.instance("team-shop").unwrap().resource_id, before);
    simulator.vanish("team-shop");
    assert_eq!(refused(&simulator, "DescribeDBInstances", &ID).await, "DBInstanceNotFound");
}

#[tokio::test]
async fn accounts_and_regions_do_not_see_each_other() {
    let simulator = Simulator::start().await.unwrap();
    simulator.add_access_key("OTHER", "210987654321");
    let rds = "2014-10-31";
    done(&simulator, "CreateDBInstance", &SHOP).await;
    let arn = text(&done(&simulator, "DescribeDBInstances", &ID).await, "DBInstanceArn").unwrap();
    assert_eq!(arn, "arn:aws:rds:eu-central-1:123456789012:db:team-shop");
    for (key, region) in [("AKID", "us-east-1"), ("OTHER", "eu-central-1")] {
        let signer = Signer { key, region, token: None };
        let (status, _) = call_as(&simulator, &signer, rds, "DescribeDBInstances", &ID).await.unwrap();
        assert_eq!(status, 404, "{key} {region}");
        let tags = [("ResourceName", arn.as_str())];
        let (status, _) = call_as(&simulator, &signer, rds, "ListTagsForResource", &tags).await.unwrap();
        assert_eq!(status, 404, "{key} {region}");
    }
    let other = Place { account: "210987654321".into(), region: "eu-central-1".into() };
    assert!(simulator.instance_at(&other, "team-shop").is_none());
    assert_eq!(send(&simulator, "POST / HTTP/1.1", "", "Action=DescribeDBInstances").await.unwrap().0, 403);
}

#[tokio::test]
async fn a_role_is_of_its_account_and_its_session_expires() {
    let simulator = Simulator::start().await.unwrap();
    let role = [
        ("RoleArn", "arn:aws:iam::210987654321:role/operator"),
        ("RoleSessionName", "test"),
        ("DurationSeconds", "900"),
        ("WebIdentityToken", "eyJ-secret"),
    ];
    // Signed by nobody: the token is what counts.
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", "2011-06-15")
        .extend_pairs(role)
        .finish();
    let (status, body) = send(&simulator, "POST / HTTP/1.1", "", &body).await.unwrap();
    assert_eq!(status, 200, "{body}");
    let (key, token) = (text(&body, "AccessKeyId").unwrap(), text(&body, "SessionToken").unwrap());
    let session = Signer { key: &key, region: "eu-central-1", token: Some(&token) };
    let who = call_as(&simulator, &session, "2011-06-15", "GetCallerIdentity", &[]).await.unwrap().1;
    assert!(who.contains("<Account>210987654321<"), "{who}");
    let list =
        async || call_as(&simulator, &session, "2014-10-31", "DescribeDBInstances", &[]).await.unwrap();
    assert_eq!(list().await.0, 200);
    let thief = Signer { key: "AKID", region: "eu-central-1", token: Some(&token) };
    assert_eq!(call_as(&simulator, &thief, "2014-10-31", "DescribeDBInstances", &[]).await.unwrap().0, 403);
    simulator.clock().turn(Duration::from_secs(901));
    let (status, body) = list().await;
    assert!(status == 403 && body.contains("<Code>ExpiredToken<"), "{body}");
    assert!(!serde_json::to_string(&simulator.log()).unwrap().contains("eyJ-secret"));
}

#[tokio::test]
async fn the_control_interface_does_what_tests_in_rust_do() {
    let simulator = Simulator::start().await.unwrap();
    let order = async |line: &str, body: &str| {
        let (status, body) = send(&simulator, &format!("{line} HTTP/1.1"), "", body).await.unwrap();
        assert_eq!(status, 200, "{line}: {body}");
        body
    };
    order(
        "POST /_sim/faults",
        r#"{"action":"CreateDBInstance","kind":{"error":{"status":400,"code":"Throttling"}}}"#,
    )
    .await;
    assert_eq!(refused(&simulator, "CreateDBInstance", &SHOP).await, "Throttling");
    order("POST /_sim/fail-creations", r#"{"times":1}"#).await;
    done(&simulator, "CreateDBInstance", &SHOP).await;
    instance_until(&simulator, "team-shop", "failed").await;
    let found =
        order("POST /_sim/drift", r#"{"id":"team-shop","status":"available","storage":77,"protected":true}"#)
            .await;
    assert_eq!(found, r#"{"found":true}"#);
    let seen = simulator.instance("team-shop").unwrap();
    assert!(seen.storage.size == 77 && seen.protected() && seen.status == "available");
    let before = simulator.clock().now();
    order("POST /_sim/clock", r#"{"turn_seconds":3600,"hold":true}"#).await;
    assert!(simulator.clock().now().duration_since(before).as_secs() >= 3600);
    order("POST /_sim/vanish", r#"{"id":"team-shop"}"#).await;
    assert!(simulator.instance("team-shop").is_none());
    let log = order("GET /_sim/log", "").await;
    assert!(log.contains("CreateDBInstance") && !log.contains("first-password"), "{log}");
    assert_eq!(
        send(&simulator, "POST /_sim/drift HTTP/1.1", "", r#"{"id":"x","speed":1}"#).await.unwrap().0,
        400
    );
    assert_eq!(send(&simulator, "POST /_sim/unknown HTTP/1.1", "", "{}").await.unwrap().0, 404);
}
