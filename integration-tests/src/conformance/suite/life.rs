//! From creation to a settled server.

use std::time::Duration;

use hcpg::api::PostgreSQLServer;
use hcpg::secrets::{ORIGINAL_KEYS, field};
use jiff::Timestamp;
use kube::api::{Api, ListParams};
use serde_json::json;

use crate::conformance::Case;
use crate::conformance::case::{SECRET, ask};
use crate::conformance::faults::{Fault, Operation};

/// Nothing but the Secret is needed, and nothing was done twice.
pub async fn a_new_server_is_used_with_the_secret_alone(case: Case) {
    case.created(json!({})).await;
    case.is_well().await;
    let Some(secret) = case.secret(SECRET).await else { panic!("there is a Secret") };
    for key in ORIGINAL_KEYS {
        assert!(field(&secret, key).is_some_and(|value| !value.is_empty()), "{key} is filled");
    }
    let client = case.login().await;
    assert_eq!(ask(&client, "CREATE TABLE it (x int); SELECT 1").await.as_deref(), Some("1"));
    assert_eq!(case.effects(Operation::Create), 1, "one creation: {}", case.told());
    assert_eq!(case.effects(Operation::SetAdminPassword), 0, "the first password is the only one");
    let server = case.server().await;
    let Some(pinned) = server.status.and_then(|status| status.server) else { panic!("nothing is pinned") };
    assert!(pinned.uid.is_some() && pinned.host.is_some() && pinned.port.is_some(), "{pinned:?}");
}

/// Neither to the backend nor to the API server, however often it is looked at.
pub async fn a_pass_with_nothing_to_do_writes_nothing(case: Case) {
    case.created(json!({})).await;
    case.is_well().await;
    let (since, before) = (Timestamp::now(), case.calls().len());
    case.change(json!({"metadata": {"annotations": {"somebody": "else"}}})).await;
    // One look because of the annotation, and at least one by itself.
    case.until("two more looks", async || (case.calls().len() >= before + 2).then_some(())).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let writes: Vec<_> =
        case.calls().into_iter().skip(before).filter(|call| call.operation.is_write()).collect();
    assert!(writes.is_empty(), "{writes:?}");
    let written = case.bench.writes_since(since).await;
    let ours: Vec<_> = written.iter().filter(|event| event.request_uri.contains(&case.namespace)).collect();
    assert!(ours.is_empty(), "{ours:?}");
}

/// The new one works, the old one does not, and the request is gone.
pub async fn a_reset_replaces_the_password(case: Case) {
    case.created(json!({})).await;
    case.is_well().await;
    case.reset().await;
    case.is_well().await;
    assert_eq!(case.effects(Operation::SetAdminPassword), 1, "{}", case.told());
    case.reset().await;
    case.is_well().await;
}

/// A service may say yes to a password long before it is in force: it is looked at, and not told again.
pub async fn a_password_that_comes_late_is_set_once(case: Case) {
    case.created(json!({})).await;
    let late = Fault::Late { looks: 4 };
    case.bench.faults.next(&case.namespace, Operation::SetAdminPassword, 1, late);
    case.reset().await;
    case.is_well().await;
    let calls = case.calls();
    let set: Vec<_> = calls.iter().filter(|call| call.operation == Operation::SetAdminPassword).collect();
    assert!(matches!(set[..], [one] if one.fault == Some(late) && one.executed), "{}", case.told());
}

/// All that was settled before stays as it is, in the backend and on the API server.
pub async fn a_restart_writes_nothing(case: Case) {
    let all: Api<PostgreSQLServer> = Api::all(case.bench.admin.clone());
    let Ok(settled) = all.list(&ListParams::default()).await else { panic!("servers can be listed") };
    let namespaces: Vec<String> =
        settled.into_iter().filter_map(|server| server.metadata.namespace).collect();
    assert!(!namespaces.is_empty(), "there is something to look at");
    let faults = &case.bench.faults;
    let before: Vec<usize> = namespaces.iter().map(|namespace| faults.calls(namespace).len()).collect();
    let since = Timestamp::now();
    case.bench.restart().await;
    case.until("each was looked at again", async || {
        let looked =
            namespaces.iter().zip(&before).all(|(namespace, before)| faults.calls(namespace).len() > *before);
        looked.then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    for (namespace, before) in namespaces.iter().zip(before) {
        let calls = faults.calls(namespace);
        assert!(!calls.iter().skip(before).any(|call| call.operation.is_write()), "{namespace}: {calls:?}");
    }
    let written = case.bench.writes_since(since).await;
    assert!(written.is_empty(), "{written:?}");
}
