//! Everything that can happen, at random.

use std::time::{Duration, Instant};

use hcpg::api::PostgreSQLDatabase;
use serde_json::json;
use strum::IntoEnumIterator;

use crate::conformance::Case;
use crate::conformance::course::published;
use crate::conformance::faults::Operation;
use crate::conformance::flow::{DATABASE, DATABASE_SECRET, Flow};
use crate::world::{Holder, Passwords};

/// In percent, of calls to the backend.
const CHAOS: u32 = 33;
/// In percent, of requests to the API server.
const API_CHAOS: u32 = 10;

/// Everything that can happen, at every call, until everything was asked for; then a calm day.
pub(super) async fn chaos(case: Case, seed: u64) {
    let begin = Instant::now();
    let (faults, api_faults) = (&case.bench.faults, &case.bench.api_faults);
    faults.chaos(&case.namespace, seed, CHAOS);
    api_faults.chaos(&case.namespace, seed, API_CHAOS);
    let mut first = Passwords::default();
    for flow in Flow::iter().filter(|flow| !flow.deletes()) {
        is_still_the_first(&case, &first, flow).await;
        flow.begin(&case).await;
        case.ready().await;
        if flow.is_of_database() {
            case.database_ready(DATABASE).await;
        }
        let now = published(&case).await;
        first = Passwords { server: first.server.or(now.server), database: first.database.or(now.database) };
    }
    let met = case.calls().iter().filter(|call| call.fault.is_some()).count();
    faults.calm(&case.namespace);
    api_faults.calm(&case.namespace);
    // A stale answer from before may still be on its way to be judged, and what follows from it has to be undone first.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = case.calls().len();
    case.change(json!({"metadata": {"annotations": {"calm": "again"}}})).await;
    case.until("it was looked at in calm", async || {
        case.calls().iter().skip(before).any(|call| call.operation == Operation::Observe).then_some(())
    })
    .await;
    case.until("nothing is pending", async || case.all_pending().await.is_empty().then_some(())).await;
    for flow in Flow::iter().filter(|flow| !flow.deletes()) {
        flow.is_done(&case).await;
    }
    published(&case).await.follow(&first, &Holder::ALL, &case.namespace).await;
    faults.chaos(&case.namespace, seed, CHAOS);
    api_faults.chaos(&case.namespace, seed, API_CHAOS);
    case.change(json!({"metadata": {"annotations": {"somebody": "else"}}})).await;
    for flow in [Flow::DeleteDatabase, Flow::DeleteServer] {
        flow.begin(&case).await;
    }
    // In this order: a server waits for databases that stay, not for one that goes.
    case.gone::<PostgreSQLDatabase>(DATABASE).await;
    case.is_gone().await;
    assert!(case.secret(DATABASE_SECRET).await.is_none(), "{}: the Secret is gone", case.namespace);
    let calls = case.calls().len();
    eprintln!(
        "          chaos with seed {seed}: {met} faults before the deletion, {calls} calls, {:.0} s",
        begin.elapsed().as_secs_f32()
    );
}

/// Until a reset is asked for, the password is the first one.
async fn is_still_the_first(case: &Case, first: &Passwords, flow: Flow) {
    let now = published(case).await;
    for holder in flow.resets() {
        let [first, now] = [first, &now].map(|all| all.of(*holder).map(|login| &login.password));
        assert!(first.is_some() && first == now, "{}: {holder:?}: the first password", case.namespace);
    }
}
