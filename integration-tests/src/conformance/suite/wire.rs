//! Every fault on the wire at every call to the service, in every flow: whatever is met, it ends well.

use std::sync::Arc;

use futures::FutureExt;
use futures::lock::Mutex;
use strum::IntoEnumIterator;

use crate::conformance::bench::Bench;
use crate::conformance::flow::Flow;
use crate::conformance::outcomes::{Outcome, Outcomes};
use crate::conformance::{Case, Course, Subject};

/// The chapter of the table.
pub const WIRE: &str = "wire";

/// One server per fault goes through all flows, and meets it in each at every call; all of them beside each other.
pub async fn wire(subject: Arc<dyn Subject>) -> Outcomes {
    let bench = Bench::start(subject).await;
    let turns = Arc::new(Mutex::new(()));
    let mut cases = Vec::new();
    for (index, fault) in bench.subject.wire_faults().into_iter().enumerate() {
        let case = bench.case(&format!("wire-{index}")).await;
        cases.push((fault.to_owned(), at_every_call(case, fault, turns.clone()).boxed_local()));
    }
    bench.run("wire", cases).await;
    bench.outcomes.clone()
}

/// Whose flow makes calls that do not say for which server they are made has its turn with it.
async fn at_every_call(case: Case, fault: &'static str, turns: Arc<Mutex<()>>) {
    let subject = case.bench.subject.clone();
    let mut course = Course::default();
    for flow in Flow::iter() {
        let calls = subject.wire_calls(flow);
        let shares = calls.iter().any(|call| subject.is_shared(call));
        let _turn = if shares { Some(turns.lock().await) } else { None };
        for call in &calls {
            subject.arm(fault, call, &case.namespace);
        }
        flow.begin(&case).await;
        for call in &calls {
            case.until(&format!("{flow:?}: {call} met {fault}"), async || {
                (!subject.armed(call, &case.namespace)).then_some(())
            })
            .await;
        }
        if !flow.deletes() {
            case.ready().await;
        }
        course.ends_well(&case, flow).await;
        for call in &calls {
            case.bench.outcomes.note(WIRE, &format!("{fault} · {call}"), flow, Outcome::of(flow));
        }
    }
}
