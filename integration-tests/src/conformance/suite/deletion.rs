//! How servers go.

use hcpg::api::PostgreSQLServer;
use kube::ResourceExt;
use serde_json::json;

use crate::conformance::Case;
use crate::conformance::case::SERVER;
use crate::conformance::faults::Operation;

/// Server, Secret and finalizer.
pub async fn a_deleted_server_leaves_nothing(case: Case) {
    case.created(json!({})).await;
    case.is_well().await;
    case.deleted().await;
    assert_eq!(case.effects(Operation::Delete), 1, "{}", case.told());
}

/// The pending password goes too.
pub async fn a_server_deleted_while_it_is_made_leaves_nothing(case: Case) {
    case.create(json!({})).await;
    case.until("it is being made", async || (case.effects(Operation::Create) > 0).then_some(())).await;
    case.deleted().await;
}

/// Its data is as it was, and so is the only way to it.
pub async fn a_retained_server_stays_with_its_secret(case: Case) {
    let server = case.created(json!({"deletionPolicy": "Retain"})).await;
    let uid = server.uid().unwrap_or_default();
    case.delete::<PostgreSQLServer>(SERVER).await;
    case.gone::<PostgreSQLServer>(SERVER).await;
    drop(case.login().await);
    assert_eq!(case.bench.subject.servers(&case.namespace).await.len(), 1, "the server stays");
    assert!(case.pending(&uid).await.is_none(), "nothing is pending");
    assert_eq!(case.effects(Operation::Delete), 0, "{}", case.told());
}
