//! Servers that fail and vanish.

use std::time::Duration;

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use serde_json::json;

use crate::conformance::Case;
use crate::conformance::case::{SERVER, ask};
use crate::conformance::faults::Operation;
use crate::world::server_condition;

fn is_lost(server: &PostgreSQLServer) -> bool {
    let holds = |type_, status| {
        server_condition(server, type_)
            .is_some_and(|it| it.status == status && it.reason == Reason::ServerLost)
    };
    holds(ConditionType::Stalled, ConditionStatus::True)
        && holds(ConditionType::Ready, ConditionStatus::False)
}

/// What was accepted and came to nothing is cleared away and asked for again. The subject was told to fail before.
pub async fn a_failed_creation_is_tried_again(case: Case) {
    case.created(json!({})).await;
    assert!(case.bench.subject.has_failed_creation(), "a creation has failed");
    case.is_well().await;
    let by = case.bench.subject.mends_creation_by();
    let least = if by == Operation::Create { 2 } else { 1 };
    assert!(case.effects(by) >= least, "{}", case.told());
    case.deleted().await;
}

/// An empty server never takes the place of a lost one, unless the user says so.
pub async fn a_vanished_server_is_not_replaced_unasked(case: Case) {
    let first = case.created(json!({})).await;
    let client = case.login().await;
    assert_eq!(ask(&client, "CREATE TABLE it (x int); SELECT 1").await.as_deref(), Some("1"));
    drop(client);
    case.bench.subject.vanish(&case.namespace, SERVER).await;
    case.server_where("is lost", is_lost).await;
    let looks = case.calls().len();
    case.until("it is looked at twice more", async || (case.calls().len() >= looks + 2).then_some(())).await;
    assert!(is_lost(&case.server().await), "it is still lost");
    assert_eq!(case.effects(Operation::Create), 1, "{}", case.told());
    assert!(case.bench.subject.servers(&case.namespace).await.is_empty(), "nothing took its place");

    case.change(json!({"metadata": {"annotations": {"operator/action": "recreate"}}})).await;
    case.server_where("is another one", |server| {
        let uid = |server: &PostgreSQLServer| server.status.as_ref()?.server.as_ref()?.uid.clone();
        uid(server).is_some_and(|now| Some(now) != uid(&first))
    })
    .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    case.is_well().await;
    let client = case.login().await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(ask(&client, tables).await.as_deref(), Some("0"), "it is empty");
    assert_eq!(case.effects(Operation::Create), 2, "{}", case.told());
}
