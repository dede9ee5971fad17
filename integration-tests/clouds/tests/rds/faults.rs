//! Faults of calls, and the control interface.

use std::time::{Duration, Instant};

use clouds::faults::{Chance, Fault, Kind};
use clouds::rds::Simulator;

use crate::support::{ID, SHOP, call, done, instance_until, refused, send, until};

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
