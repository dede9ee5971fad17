//! Changes that users ask for, and changes that nobody asked for.

use serde_json::json;

use crate::conformance::case::SERVER;
use crate::conformance::faults::Operation;
use crate::conformance::{Case, Drift};

/// One after the other, each by the one call that is meant for it.
pub async fn every_update_comes_into_force(case: Case) {
    let first = case.created(json!({})).await;
    for update in case.bench.subject.updates() {
        let before = case.effects(update.by);
        case.change(json!({"spec": update.spec})).await;
        case.ready().await;
        case.shown(&update.shown).await;
        case.is_well().await;
        let steps = case.bench.subject.steps(&update);
        assert_eq!(case.effects(update.by), before + steps, "{}: {}", update.name, case.told());
    }
    let uid = |server: hcpg::api::PostgreSQLServer| server.status.and_then(|status| status.server?.uid);
    assert_eq!(uid(first), uid(case.server().await), "the same server all the time");
    assert_eq!(case.effects(Operation::Create), 1);
}

/// Noticed by itself, and the password is what it was.
pub async fn drift_is_put_right(case: Case, drift: Drift) {
    case.created(json!({"size": drift.spec["size"], "serverParameters": drift.spec["serverParameters"]}))
        .await;
    case.shown(&drift.shown).await;
    let (published, before) = (case.credentials().await, case.effects(drift.by));
    case.bench.subject.drift(&drift, &case.namespace, SERVER).await;
    case.until("it is put right", async || (case.effects(drift.by) > before).then_some(())).await;
    case.shown(&drift.shown).await;
    case.is_well().await;
    assert_eq!(case.credentials().await, published, "{}: the Secret is what it was", drift.name);
}

/// What applications read works again, without a new password.
pub async fn a_password_changed_by_hand_is_put_back(case: Case) {
    case.created(json!({})).await;
    let published = case.credentials().await;
    let changed = case.login().await.batch_execute("ALTER ROLE CURRENT_USER PASSWORD 'by hand'").await;
    assert!(changed.is_ok(), "{changed:?}");
    case.until("the published password works again", async || {
        published.is_refused().await.is_ok_and(|refused| !refused).then_some(())
    })
    .await;
    case.is_well().await;
    assert_eq!(case.credentials().await, published);
    assert_eq!(case.effects(Operation::SetAdminPassword), 1, "{}", case.told());
}
