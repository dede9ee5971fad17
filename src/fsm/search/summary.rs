//! What the search found, in figures.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use strum::IntoEnumIterator;

use super::{Broken, DatabaseWorld, Promise, Report, STUCK, ServerWorld, World, explore};
use crate::fsm::database::DatabaseMachine;
use crate::fsm::server::ServerMachine;
use crate::fsm::{Machine, diagram};

/// How many faults and interferences the runs of the published figures may hold.
pub const BUDGET: u8 = 4;

/// The search of one machine.
#[derive(Debug)]
pub struct Figures {
    /// Which machine.
    pub kind: &'static str,
    /// What was found.
    pub report: Report,
    /// What was checked.
    pub invariants: Vec<Broken>,
    /// The machine's edges that no run took, as "phase × trigger".
    pub not_taken: Vec<String>,
    /// How many edges the machine has.
    pub edges: usize,
    /// How long it took.
    pub took: Duration,
}

/// The searches of both machines with [`BUDGET`]; run once per process.
pub fn figures() -> &'static [Figures] {
    static FIGURES: OnceLock<Vec<Figures>> = OnceLock::new();
    FIGURES.get_or_init(|| {
        vec![
            measure::<ServerMachine, _>(&ServerWorld::new(BUDGET)),
            measure::<DatabaseMachine, _>(&DatabaseWorld::new(BUDGET)),
        ]
    })
}

fn measure<M: Machine, W: World>(world: &W) -> Figures {
    let started = Instant::now();
    let report = explore(world);
    let took = started.elapsed();
    let edges = diagram::edges::<M>();
    let not_taken = edges.iter().filter(|edge| !report.taken.contains(&(edge.from, edge.trigger)));
    Figures {
        kind: M::KIND,
        invariants: W::invariants().iter().copied().chain([STUCK]).collect(),
        not_taken: not_taken.map(|edge| format!("{} × {}", edge.from, edge.trigger)).collect(),
        edges: edges.len(),
        report,
        took,
    }
}

/// The figures as Markdown, without anything that differs from run to run.
pub fn summary() -> String {
    let mut text = String::from("# The exhaustive search\n\n");
    text.push_str(
        "Each machine is run against a small world, from every state that can be reached: the operator ",
    );
    text.push_str(
        "killed between any two effects, answers lost, reads that fail, and everything listed below, in ",
    );
    let _ = writeln!(
        text,
        "any order, up to {BUDGET} of them in a run. The functions under search are the product's.\n"
    );
    text.push_str(
        "| machine | states | transitions | invariants | edges of the machine taken | broken promises |\n",
    );
    text.push_str("|---|---|---|---|---|---|\n");
    for figures in figures() {
        let taken = figures.edges - figures.not_taken.len();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {taken} of {} | {} |",
            figures.kind,
            figures.report.states,
            figures.report.transitions,
            figures.invariants.len(),
            figures.edges,
            if figures.report.refutation.is_some() { "**one**" } else { "none" }
        );
    }
    for figures in figures() {
        describe(&mut text, figures);
    }
    text
}

fn describe(text: &mut String, figures: &Figures) {
    let _ = writeln!(text, "\n## {}\n", figures.kind);
    if let Some(refutation) = &figures.report.refutation {
        let _ = writeln!(text, "```text\n{refutation}```\n");
    }
    text.push_str("Never happens:\n\n");
    for promise in Promise::iter() {
        for broken in figures.invariants.iter().filter(|broken| broken.promise == promise) {
            let _ = writeln!(text, "- {promise}: {}", broken.what);
        }
    }
    text.push_str("\nBeside the operator's passes, what happens in this world:\n\n");
    let happenings: BTreeSet<_> = figures.report.happenings.iter().collect();
    for happening in happenings {
        let _ = writeln!(text, "- {happening}");
    }
    if !figures.not_taken.is_empty() {
        let _ = writeln!(text, "\nEdges that this world never takes: {}.", figures.not_taken.join(", "));
    }
}
