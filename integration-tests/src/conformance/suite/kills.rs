//! The operator is killed on both sides of every effect, and goes on at its next start.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;
use hcpg::api::PostgreSQLServer;
use serde_json::json;

use crate::conformance::Case;
use crate::conformance::bench::Bench;
use crate::conformance::case::SERVER;
use crate::conformance::effects::{Moment, Point};

/// How many servers are beside each other. Each is killed for all: with many more, hardly any gets on between kills.
const BATCH: usize = 6;

/// First each flow runs undisturbed, and its effects are written down; then one server per point goes through
/// it, some beside each other, so that every kill hits one of them at its point and the others anywhere.
pub async fn at_every_point(bench: &Arc<Bench>) {
    let begin = Instant::now();
    let pattern = bench.case("undisturbed").await;
    let [creation, reset, deletion] = effects_of_flows(&pattern).await;
    let (creation, reset, deletion) = (points(&creation), points(&reset), points(&deletion));
    let killer = tokio::spawn({
        let bench = bench.clone();
        async move { bench.kill_as_planned().await }
    });
    let number = creation.len().max(reset.len()).max(deletion.len());
    for first in (0..number).step_by(BATCH) {
        let batch = first..number.min(first + BATCH);
        let batch: Vec<Case> =
            join_all(batch.map(async |index| bench.case(&format!("killed-{index}")).await)).await;
        let rest = |points: &[Point]| points.iter().skip(first).cloned().collect::<Vec<_>>();
        run(bench, "killed during creation", &batch, &rest(&creation), |case| async move {
            case.created(json!({})).await;
            case.is_well().await;
        })
        .await;
        run(bench, "killed during a reset", &batch, &rest(&reset), |case| async move {
            case.reset().await;
            case.is_well().await;
        })
        .await;
        run(bench, "killed during deletion", &batch, &rest(&deletion), |case| async move {
            case.deleted().await;
        })
        .await;
    }
    killer.abort();
    let kills = creation.len() + reset.len() + deletion.len();
    eprintln!("killed {kills} times on {number} servers in {:.1} s", begin.elapsed().as_secs_f32());
}

/// What the operator does when it is left alone.
async fn effects_of_flows(case: &Case) -> [Vec<String>; 3] {
    let effects = &case.bench.effects;
    case.created(json!({})).await;
    let creation = effects.seen(&case.namespace);
    effects.forget(&case.namespace);
    case.reset().await;
    let reset = effects.seen(&case.namespace);
    effects.forget(&case.namespace);
    case.delete::<PostgreSQLServer>(SERVER).await;
    case.gone::<PostgreSQLServer>(SERVER).await;
    [creation, reset, effects.seen(&case.namespace)]
}

/// Both sides of every effect.
fn points(effects: &[String]) -> Vec<Point> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut points = Vec::new();
    for effect in effects {
        let count = counts.entry(effect).or_default();
        *count += 1;
        for moment in [Moment::Before, Moment::After] {
            points.push(Point { effect: effect.clone(), occurrence: *count, moment });
        }
    }
    points
}

/// A status is written when it says something new; how often that is within one phase depends on who is faster.
fn comes_always(point: &Point) -> bool {
    point.occurrence == 1 || !point.effect.starts_with("PATCH status")
}

async fn run<F>(bench: &Arc<Bench>, title: &str, cases: &[Case], points: &[Point], flow: impl Fn(Case) -> F)
where
    F: Future<Output = ()> + 'static,
{
    let mut named = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let (effects, namespace) = (&bench.effects, &case.namespace);
        effects.forget(namespace);
        let mut name = format!("{title}, anywhere");
        if let Some(point) = points.get(index) {
            effects.kill_at(namespace, point.clone());
            name = format!("{title}, {:?} {} no. {}", point.moment, point.effect, point.occurrence);
        }
        let flow = flow(Case { bench: bench.clone(), namespace: namespace.clone() });
        named.push((name, Box::pin(flow) as _));
    }
    bench.run(title, named).await;
    let left = cases.iter().filter_map(|case| bench.effects.planned(&case.namespace));
    let missed: Vec<_> = left.filter(comes_always).collect();
    assert!(missed.is_empty(), "{title}: points that were not come to: {missed:?}");
}
