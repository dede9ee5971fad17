//! Every fault at every call to the backend that a flow makes.
//!
//! Which those are is seen at a server that meets no fault. Every call of every other server meets one at first; those
//! that the first server made have to.

use std::collections::BTreeMap;

use serde_json::json;
use strum::IntoEnumIterator;
use tokio::sync::watch;

use super::matrix::BACKEND;
use crate::conformance::case::PATIENCE;
use crate::conformance::course::created_once;
use crate::conformance::faults::{Fault, Operation};
use crate::conformance::flow::Flow;
use crate::conformance::outcomes::Outcome;
use crate::conformance::{Case, Course};

/// The calls that each flow makes.
type Calls = BTreeMap<Flow, Vec<Operation>>;

/// What the undisturbed server tells, and the others hear.
pub(super) fn pattern() -> (watch::Sender<Calls>, watch::Receiver<Calls>) {
    watch::channel(Calls::new())
}

/// A server that meets no fault.
pub(super) async fn undisturbed(case: Case, pattern: watch::Sender<Calls>) {
    let mut course = Course::default();
    for flow in Flow::iter() {
        let before = case.calls().len();
        begin(&case, flow).await;
        course.ends_well(&case, flow).await;
        let is_made =
            |operation: &Operation| case.calls().iter().skip(before).any(|call| call.operation == *operation);
        case.until("it was looked at", async || is_made(&Operation::Observe).then_some(())).await;
        pattern.send_modify(|calls| drop(calls.insert(flow, Operation::iter().filter(is_made).collect())));
    }
    created_once(&case);
}

/// One server goes through all flows, and meets the fault in each at every call.
pub(super) async fn at_the_backend(case: Case, fault: Fault, mut pattern: watch::Receiver<Calls>) {
    let mut course = Course::default();
    for flow in Flow::iter() {
        plan(&case, fault);
        begin(&case, flow).await;
        let calls = made_in(flow, &mut pattern).await;
        let calls: Vec<Operation> = calls.into_iter().filter(|call| fault.befits(*call)).collect();
        if !flow.deletes() {
            case.ready().await;
            met(&case, fault, &calls).await;
        }
        course.ends_well(&case, flow).await;
        met(&case, fault, &calls).await;
        case.bench.faults.calm(&case.namespace);
        if flow == Flow::CreateServer {
            at_rest(&case, fault).await;
        }
        for operation in calls {
            let row = format!("{} · {operation:?}", fault.slug());
            case.bench.outcomes.note(BACKEND, &row, flow, Outcome::of(flow));
        }
    }
    created_once(&case);
}

/// A database asks nothing of the backend. The server is looked at all the time, so it is looked at then, too.
async fn begin(case: &Case, flow: Flow) {
    flow.begin(case).await;
    if flow.is_of_database() {
        look(case).await;
    }
}

async fn look(case: &Case) {
    let now = jiff::Timestamp::now().to_string();
    case.change(json!({"metadata": {"annotations": {"look": now}}})).await;
}

/// The calls that the undisturbed server made in that flow, as soon as it is through with it.
async fn made_in(flow: Flow, pattern: &mut watch::Receiver<Calls>) -> Vec<Operation> {
    let told = pattern.wait_for(|calls| calls.contains_key(&flow));
    match tokio::time::timeout(PATIENCE, told).await {
        Ok(Ok(calls)) => calls.get(&flow).cloned().unwrap_or_default(),
        Ok(Err(_)) => panic!("{flow:?}: the server without faults has failed"),
        Err(_) => panic!("{flow:?}: the server without faults did not come to its end"),
    }
}

/// Whatever is asked for meets the fault; twice where it costs no time: the second attempt may fail as well.
fn plan(case: &Case, fault: Fault) {
    let times = match fault {
        Fault::ServerError | Fault::ConnectionReset | Fault::Stale => 2,
        _ => 1,
    };
    for operation in Operation::iter().filter(|operation| fault.befits(*operation)) {
        case.bench.faults.next(&case.namespace, operation, times, fault);
    }
}

/// A server with nothing to do is looked at with one call where that is enough. A service that refuses it is not asked
/// another one.
async fn at_rest(case: &Case, fault: Fault) {
    if !matches!(fault, Fault::Throttled { .. }) {
        return;
    }
    case.bench.faults.next(&case.namespace, Operation::Observe, 1, fault);
    look(case).await;
    met(case, fault, &[Operation::Observe]).await;
    case.ready().await;
}

/// These calls have met the fault as often as planned, and a throttled call was not followed by another one too soon.
async fn met(case: &Case, fault: Fault, calls: &[Operation]) {
    for operation in calls {
        case.until(&format!("{operation:?} met {fault:?}"), async || {
            (case.bench.faults.left(&case.namespace, *operation) == 0).then_some(())
        })
        .await;
    }
    let Fault::Throttled { retry_after } = fault else { return };
    let calls = case.calls();
    for (throttled, next) in calls.iter().zip(calls.iter().skip(1)) {
        let waited = next.at.duration_since(throttled.at);
        let is_throttled = throttled.fault == Some(fault);
        assert!(!is_throttled || waited >= retry_after, "{}: again after {waited:?}", case.namespace);
    }
}
