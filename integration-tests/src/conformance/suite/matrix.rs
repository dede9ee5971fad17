//! Every fault at every call of every flow: whatever is met, it ends well.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use serde_json::json;

use crate::conformance::bench::Bench;
use crate::conformance::faults::{Fault, Operation};
use crate::conformance::{Case, Subject, Update};

/// Servers that meet a random fault at every third call, each with a seed of its own.
const CHAOTIC: u64 = 4;
/// In percent.
const CHAOS: u32 = 33;

/// One server per fault goes through all flows, and meets it in each at a reading and at the writing call; all of them
/// beside each other.
pub async fn faults(subject: Arc<dyn Subject>) {
    let bench = Bench::start(subject).await;
    let mut cases = Vec::new();
    for fault in Fault::ALL {
        let case = bench.case(fault.slug()).await;
        cases.push((fault.slug().to_owned(), all_flows(case, fault).boxed_local()));
    }
    for seed in 1..=CHAOTIC {
        let name = format!("chaos-{seed}");
        let case = bench.case(&name).await;
        cases.push((name, chaos(case, seed).boxed_local()));
    }
    bench.run("faults", cases).await;
}

async fn all_flows(case: Case, fault: Fault) {
    flow(&case, fault, Operation::Create, case.create(json!({}))).await;
    case.is_well().await;
    let uid = |server: hcpg::api::PostgreSQLServer| server.status.and_then(|status| status.server?.uid);
    let first = uid(case.server().await);

    for by in [Operation::Update, Operation::Configure] {
        let update = update_by(&case, by);
        flow(&case, fault, by, case.change(json!({"spec": update.spec}))).await;
        case.shown(&update.shown).await;
        case.is_well().await;
    }

    plan(&case, fault, Operation::SetAdminPassword);
    case.reset().await;
    met(&case, fault).await;
    case.is_well().await;
    assert_eq!(uid(case.server().await), first, "{}: the same server all the time", case.namespace);

    plan(&case, fault, Operation::Delete);
    case.deleted().await;
    assert_eq!(case.bench.faults.left(&case.namespace), 0, "{}: {fault:?} was met", case.namespace);
}

fn update_by(case: &Case, by: Operation) -> Update {
    match case.bench.subject.updates().into_iter().find(|update| update.by == by) {
        Some(update) => update,
        None => panic!("the subject has no update by {by:?}"),
    }
}

/// Plans the fault, does what begins the flow, and waits until the fault was met and got over.
async fn flow(case: &Case, fault: Fault, writes: Operation, begin: impl Future<Output = ()>) {
    plan(case, fault, writes);
    begin.await;
    case.ready().await;
    met(case, fault).await;
}

fn plan(case: &Case, fault: Fault, writes: Operation) {
    // Twice where it costs no time: the second attempt may fail as well.
    let times = match fault {
        Fault::ServerError | Fault::ConnectionReset | Fault::Stale => 2,
        _ => 1,
    };
    for operation in [Operation::Observe, writes] {
        if fault.befits(operation) {
            case.bench.faults.next(&case.namespace, operation, times, fault);
        }
    }
}

/// All that was planned has happened, and a throttled call was not followed by another one too soon.
async fn met(case: &Case, fault: Fault) {
    case.until(&format!("{fault:?} was met"), async || {
        (case.bench.faults.left(&case.namespace) == 0).then_some(())
    })
    .await;
    let Fault::Throttled { retry_after } = fault else { return };
    let calls = case.calls();
    for (throttled, next) in calls.iter().zip(calls.iter().skip(1)) {
        let waited = next.at.duration_since(throttled.at);
        let is_throttled = throttled.fault == Some(fault);
        assert!(!is_throttled || waited >= retry_after, "{}: again after {waited:?}", case.namespace);
    }
}

/// Everything that can happen, at every call, until everything was asked for; then a calm day.
async fn chaos(case: Case, seed: u64) {
    let begin = Instant::now();
    case.bench.faults.chaos(&case.namespace, seed, CHAOS);
    case.created(json!({})).await;
    for by in [Operation::Update, Operation::Configure] {
        let update = update_by(&case, by);
        case.change(json!({"spec": update.spec})).await;
        case.shown(&update.shown).await;
    }
    case.reset().await;
    let faults = case.calls().iter().filter(|call| call.fault.is_some()).count();
    case.bench.faults.calm(&case.namespace);
    // A stale answer from before may still be on its way to be judged.
    tokio::time::sleep(Duration::from_secs(1)).await;
    case.is_well().await;
    case.bench.faults.chaos(&case.namespace, seed, CHAOS);
    case.deleted().await;
    let calls = case.calls().len();
    eprintln!(
        "          chaos with seed {seed}: {faults} faults before the deletion, {calls} calls, {:.0} s",
        begin.elapsed().as_secs_f32()
    );
}
