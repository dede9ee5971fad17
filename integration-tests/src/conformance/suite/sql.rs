//! Every fault at every request to PostgreSQL, in every flow: whatever is met, it ends well.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{Either, join_all, select};
use hcpg::failpoints;
use strum::IntoEnumIterator;

use crate::conformance::bench::Bench;
use crate::conformance::census::Census;
use crate::conformance::flow::Flow;
use crate::conformance::outcomes::{Outcome, Outcomes};
use crate::conformance::{Case, Local, SqlFault, SqlFaults, SqlPoint};

/// The chapter of the table.
pub const SQL: &str = "sql";

/// The operator gives a statement up after this and two seconds more; usually it has more patience.
const STATEMENT: Duration = Duration::from_secs(6);
/// How many servers are beside each other.
const BATCH: usize = 24;
/// How many servers go through everything undisturbed, to see what is asked.
const PATTERNS: usize = 2;

/// Each flow once per request and fault. One server goes through all flows, with one fault in each; `sample` says that
/// only every so-manieth server is made.
pub async fn sql(sample: Option<usize>) -> Outcomes {
    let begin = Instant::now();
    failpoints::bound_statements(STATEMENT);
    let faults = SqlFaults::default();
    let bench = Bench::start(Local::behind_proxies(faults.clone())).await;
    let points = Arc::new(undisturbed(&bench, &faults).await);
    let all =
        SqlFault::iter().count() * Flow::iter().map(|flow| points.of(flow).len()).max().unwrap_or_default();
    let rounds: Vec<usize> = (0..all).step_by(sample.unwrap_or(1)).collect();
    for batch in rounds.chunks(BATCH) {
        let mut cases = Vec::new();
        for round in batch.iter().copied() {
            let case = bench.case(&format!("sql-{round}")).await;
            let name = format!("round {round}");
            cases.push((
                name,
                one_fault_in_each_flow(case, round, points.clone(), faults.clone()).boxed_local(),
            ));
        }
        bench.run("sql", cases).await;
    }
    eprintln!("{} of {all} servers in {:.1} s", rounds.len(), begin.elapsed().as_secs_f32());
    let expected = points.outcomes();
    match sample {
        // Nothing that was asked in a flow may be missing.
        None => {
            assert_eq!(
                bench.outcomes.table(SQL, ""),
                expected.table(SQL, ""),
                "not every request met every fault"
            );
            bench.outcomes.clone()
        }
        Some(_) => expected,
    }
}

/// The requests of each flow, as seen when nothing went wrong.
#[derive(Default)]
struct Points(BTreeMap<Flow, Vec<SqlPoint>>);

impl Points {
    fn of(&self, flow: Flow) -> &[SqlPoint] {
        self.0.get(&flow).map_or(&[], Vec::as_slice)
    }

    /// What the server of that round meets in a flow: in neighbouring flows it is another fault, so that what takes long
    /// is spread.
    fn in_round(&self, flow: Flow, round: usize) -> Option<(SqlPoint, SqlFault)> {
        let faults: Vec<SqlFault> = SqlFault::iter().collect();
        let point = self.of(flow).get(round / faults.len())?;
        let fault = faults[(round + flow as usize) % faults.len()];
        Some((point.clone(), fault))
    }

    /// The table in which everything went well.
    fn outcomes(&self) -> Outcomes {
        let outcomes = Outcomes::default();
        for (flow, points) in &self.0 {
            for (point, fault) in
                points.iter().flat_map(|point| SqlFault::iter().map(move |fault| (point, fault)))
            {
                outcomes.note(SQL, &row(point, fault), *flow, Outcome::of(*flow));
            }
        }
        outcomes
    }
}

fn row(point: &SqlPoint, fault: SqlFault) -> String {
    let fault: &str = fault.into();
    format!("{fault} · {}", point.request)
}

/// Some servers go through all flows undisturbed, and what is asked in each is written down.
async fn undisturbed(bench: &Arc<Bench>, faults: &SqlFaults) -> Points {
    let patterns = join_all((0..PATTERNS).map(async |number| {
        let case = bench.case(&format!("undisturbed-{number}")).await;
        let mut points = Points::default();
        let mut census = Census::default();
        for flow in Flow::iter() {
            faults.forget(&case.namespace);
            flow.begin(&case).await;
            flow.is_done(&case).await;
            points.0.insert(flow, points_in(&faults.asked(&case.namespace)));
            census = census.follow(&case, flow).await;
        }
        points
    }))
    .await;
    // What one of them asks and another does not depends on who is faster.
    for other in &patterns[1..] {
        assert_eq!(patterns[0].outcomes().table(SQL, ""), other.outcomes().table(SQL, ""), "asked by chance");
    }
    patterns.into_iter().next().unwrap_or_default()
}

/// Where faults are met: at the first request of each name, at each that changes something, and at each right after one
/// that does. Looks that are repeated later are like the first.
fn points_in(asked: &[String]) -> Vec<SqlPoint> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut points = Vec::new();
    let mut after_change = false;
    for request in asked {
        let occurrence = counts.entry(request).or_default();
        *occurrence += 1;
        let point = SqlPoint { request: request.clone(), occurrence: *occurrence };
        let counts = point.comes_always() || after_change;
        after_change = point.changes_something();
        if counts {
            points.push(point);
        }
    }
    points
}

async fn one_fault_in_each_flow(case: Case, round: usize, points: Arc<Points>, faults: SqlFaults) {
    let mut census = Census::default();
    for flow in Flow::iter() {
        let begin = Instant::now();
        let planned = points.in_round(flow, round);
        // Without a fault only what the other flows need is worth its time.
        let is_needed = flow.deletes() || matches!(flow, Flow::CreateServer | Flow::CreateDatabase);
        if planned.is_none() && !is_needed {
            continue;
        }
        faults.forget(&case.namespace);
        if let Some((point, fault)) = planned.clone() {
            faults.plan(&case.namespace, point, fault);
        }
        flow.begin(&case).await;
        let is_met = meets(&case, flow, planned.as_ref(), &faults).await;
        flow.is_done(&case).await;
        faults.forget(&case.namespace);
        census = census.follow(&case, flow).await;
        if let Some((point, fault)) = planned {
            let took = begin.elapsed().as_secs_f32();
            let told = if is_met { "" } else { ", which did not come" };
            eprintln!(
                "{took:6.1} s  {}: {}, no. {}{told}",
                flow.title(),
                row(&point, fault),
                point.occurrence
            );
            if is_met {
                case.bench.outcomes.note(SQL, &row(&point, fault), flow, Outcome::of(flow));
            }
        }
    }
}

/// Waits until the flow has met what was planned, or has ended without, if it may.
async fn meets(case: &Case, flow: Flow, planned: Option<&(SqlPoint, SqlFault)>, faults: &SqlFaults) -> bool {
    let Some((point, fault)) = planned else { return false };
    let what = format!("{flow:?}: {} no. {} met {fault:?}", point.request, point.occurrence);
    let met = case.until(&what, async || faults.is_met(&case.namespace).then_some(()));
    if point.comes_always() {
        met.await;
        return true;
    }
    match select(Box::pin(met), Box::pin(flow.is_done(case))).await {
        Either::Left(_) => true,
        Either::Right(_) => faults.is_met(&case.namespace),
    }
}
