//! Every fault at every call of every flow: whatever is met, it ends well.

use std::sync::Arc;

use futures::FutureExt;
use strum::IntoEnumIterator;

use super::{api, backend, chaos};
use crate::conformance::api_faults::ApiFault;
use crate::conformance::bench::Bench;
use crate::conformance::course::created_once;
use crate::conformance::faults::Fault;
use crate::conformance::flow::Flow;
use crate::conformance::outcomes::{Outcome, Outcomes};
use crate::conformance::{Case, Course, Subject};

/// Servers that meet a random fault at every third call, each with a seed of its own.
const CHAOTIC: u64 = 4;
/// The chapter of the table with faults of the backend.
pub const BACKEND: &str = "backend";
/// The chapter with faults of the API server.
pub const API: &str = "api";

/// The chapter with faults of watches.
pub const WATCHES: &str = "watches";

/// One server per fault goes through all flows, and meets it in each at every call; all of them beside each other.
pub async fn faults(subject: Arc<dyn Subject>) -> Outcomes {
    let bench = Bench::start(subject).await;
    let mut cases = Vec::new();
    let (pattern, known) = backend::pattern();
    let undisturbed = bench.case("undisturbed").await;
    cases.push(("undisturbed".to_owned(), backend::undisturbed(undisturbed, pattern).boxed_local()));
    for fault in Fault::ALL {
        let case = bench.case(fault.slug()).await;
        let at_the_backend = backend::at_the_backend(case, fault, known.clone());
        cases.push((fault.slug().to_owned(), at_the_backend.boxed_local()));
    }
    for fault in ApiFault::iter() {
        let slug: &str = fault.into();
        let case = bench.case(&format!("api-{slug}")).await;
        cases.push((format!("API server: {slug}"), api::at_the_api_server(case, fault).boxed_local()));
    }
    for seed in 1..=CHAOTIC {
        let name = format!("chaos-{seed}");
        let case = bench.case(&name).await;
        cases.push((name, chaos::chaos(case, seed).boxed_local()));
    }
    bench.run("faults", cases).await;
    let strange = bench.api_faults.strange();
    assert!(strange.is_empty(), "requests that meet no fault: {strange:?}");
    bench.outcomes.clone()
}

/// The operator's watches break off in every flow. They are the whole operator's, so this has a control plane of its
/// own.
pub async fn watches(subject: Arc<dyn Subject>) -> Outcomes {
    let bench = Bench::start(subject).await;
    let mut cases = Vec::new();
    for (row, too_old) in [("broken off", false), ("broken off, and resourceVersion too old", true)] {
        let case = bench.case(if too_old { "watch-too-old" } else { "watch-broken" }).await;
        cases.push((row.to_owned(), at_the_watches(case, row, too_old).boxed_local()));
    }
    bench.run("watches", cases).await;
    bench.outcomes.clone()
}

async fn at_the_watches(case: Case, row: &'static str, too_old: bool) {
    let mut course = Course::default();
    for flow in Flow::iter() {
        let begun = case.bench.watch_faults.cut(too_old);
        flow.begin(&case).await;
        course.ends_well(&case, flow).await;
        let over = async || case.bench.watch_faults.is_over(begun).then_some(());
        case.until("the watches go on", over).await;
        case.bench.outcomes.note(WATCHES, row, flow, Outcome::of(flow));
    }
    created_once(&case);
}
