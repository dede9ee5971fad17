//! Exhaustive search: a machine against a small world, every crash and every lost answer included.
//!
//! A [`World`] says which states can follow a state, which of these steps break a promise, and what happens when for a
//! while nothing goes wrong. [`explore`] walks every reachable state breadth first, so a trace it finds is a shortest
//! one. The classification and the step of the worlds are the product's own; only the surroundings are a model.

#[cfg(test)]
mod broken_databases;
#[cfg(test)]
mod broken_servers;
mod database_world;
mod server_world;
mod summary;
#[cfg(test)]
mod tests;

pub use database_world::{DatabaseClassifyFn, DatabaseState, DatabaseStepFn, DatabaseWorld};
pub use server_world::{ServerClassifyFn, ServerState, ServerStepFn, ServerWorld};
pub use summary::{BUDGET, Figures, figures, summary};

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::Hash;

use crate::api::Phase;

/// The four promises of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumIter)]
pub enum Promise {
    /// No data, server or password is ever lost or duplicated.
    NothingLost,
    /// The status never lies.
    StatusTrue,
    /// No write without a reason.
    NoIdleWrite,
    /// Every failure heals once its cause is gone.
    Heals,
}

/// A broken promise, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which one.
    pub promise: Promise,
    /// What happened.
    pub what: &'static str,
}

/// One possible next state.
pub struct Next<S> {
    /// What happens, for people.
    pub label: String,
    /// The state after it.
    pub state: S,
    /// The promises this breaks.
    pub broken: Vec<Broken>,
    /// For a pass of the operator: the phase it began in and the trigger it took.
    pub taken: Option<(Phase, &'static str)>,
}

impl<S> Next<S> {
    /// Something that is not done by the operator.
    fn happening((label, state): (&'static str, S)) -> Self {
        Self { label: label.to_owned(), state, broken: Vec::new(), taken: None }
    }
}

/// A machine in its surroundings.
pub trait World {
    /// Everything there is.
    type State: Clone + Eq + Hash + fmt::Debug;

    /// What is checked at every step of this world; [`STUCK`] is checked in every world beside it.
    fn invariants() -> &'static [Broken];

    /// Where it begins.
    fn initial(&self) -> Vec<Self::State>;

    /// Everything that can happen next.
    fn next(&self, state: &Self::State) -> Vec<Next<Self::State>>;

    /// What happens next when nothing goes wrong and nobody interferes; none at the end.
    fn fair(&self, state: &Self::State) -> Option<(String, Self::State)>;

    /// Whether a run may end here: Ready and right, gone, or waiting for a person with a reason that says so.
    fn is_goal(&self, state: &Self::State) -> bool;
}

/// What a search found.
#[derive(Debug)]
pub struct Report {
    /// Distinct states reached.
    pub states: usize,
    /// Steps between them.
    pub transitions: usize,
    /// The phases and triggers of the operator's passes.
    pub taken: HashSet<(Phase, &'static str)>,
    /// Everything else that happened.
    pub happenings: HashSet<String>,
    /// The first broken promise with the way to it, if any.
    pub refutation: Option<Refutation>,
}

/// A broken promise and the shortest way to it.
#[derive(Debug)]
pub struct Refutation {
    /// What is broken.
    pub broken: Broken,
    /// Each step: what happened and the state after it.
    pub trace: Vec<String>,
}

impl fmt::Display for Refutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} is broken: {}", self.broken.promise, self.broken.what)?;
        for (number, line) in self.trace.iter().enumerate() {
            writeln!(f, "{number:3}. {line}")?;
        }
        Ok(())
    }
}

/// The fourth promise, checked from every state of every world.
pub const STUCK: Broken =
    Broken { promise: Promise::Heals, what: "a fair run never gets to Ready, gone, or a named wait" };

/// Walks every reachable state; ends at the first broken promise.
pub fn explore<W: World>(world: &W) -> Report {
    let mut seen: HashMap<W::State, Option<(W::State, String)>> = HashMap::new();
    let mut order = Vec::new();
    let mut report = Report {
        states: 0,
        transitions: 0,
        taken: HashSet::new(),
        happenings: HashSet::new(),
        refutation: None,
    };
    for state in world.initial() {
        seen.entry(state.clone()).or_insert(None);
        order.push(state);
    }
    let mut at = 0;
    while let Some(state) = order.get(at).cloned() {
        at += 1;
        for next in world.next(&state) {
            report.transitions += 1;
            match next.taken {
                Some(taken) => drop(report.taken.insert(taken)),
                None if report.happenings.contains(&next.label) => {}
                None => drop(report.happenings.insert(next.label.clone())),
            }
            if let Some(broken) = next.broken.into_iter().next() {
                let mut trace = trace_to(&seen, &state);
                trace.push(format!("{} -> {:?}", next.label, next.state));
                report.states = seen.len();
                report.refutation = Some(Refutation { broken, trace });
                return report;
            }
            if !seen.contains_key(&next.state) {
                seen.insert(next.state.clone(), Some((state.clone(), next.label)));
                order.push(next.state);
            }
        }
    }
    report.states = seen.len();
    // Harm first, then whether every state heals: a machine that does harm mostly does not heal either.
    let mut healing = HashSet::new();
    report.refutation = order.iter().find_map(|state| {
        let stuck = fair_run(world, state, &mut healing)?;
        let mut trace = trace_to(&seen, state);
        trace.push("from here on nothing goes wrong:".to_owned());
        trace.extend(stuck);
        Some(Refutation { broken: STUCK, trace })
    });
    report
}

/// The smallest number from 1 on that is not taken, so that states which differ only in numbering are one.
fn unused(taken: &[Option<u8>]) -> u8 {
    (1..=u8::MAX).find(|number| !taken.contains(&Some(*number))).unwrap_or(u8::MAX)
}

/// The steps of a fair run that does not end at the goal; none when it does, and then its states join `healing`.
fn fair_run<W: World>(world: &W, from: &W::State, healing: &mut HashSet<W::State>) -> Option<Vec<String>> {
    let mut steps = Vec::new();
    let mut passed = vec![from.clone()];
    let mut state = from.clone();
    while !healing.contains(&state) {
        let Some((label, next)) = world.fair(&state) else {
            if world.is_goal(&state) {
                break;
            }
            steps.push("and there it stays".to_owned());
            return Some(steps);
        };
        steps.push(format!("{label} -> {next:?}"));
        if passed.contains(&next) {
            steps.push("and so on for ever".to_owned());
            return Some(steps);
        }
        passed.push(next.clone());
        state = next;
    }
    healing.extend(passed);
    None
}

fn trace_to<S: Eq + Hash + Clone + fmt::Debug>(
    seen: &HashMap<S, Option<(S, String)>>,
    state: &S,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut at = state.clone();
    loop {
        match seen.get(&at) {
            Some(Some((before, label))) => {
                lines.push(format!("{label} -> {at:?}"));
                at = before.clone();
            }
            _ => {
                lines.push(format!("start -> {at:?}"));
                break;
            }
        }
    }
    lines.reverse();
    lines
}
