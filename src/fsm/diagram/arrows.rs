//! From the answers of a machine to arrows that can be drawn: what holds in most live phases becomes one arrow.

use strum::IntoEnumIterator;

use super::{Edge, answer};
use crate::api::Phase;
use crate::fsm::Machine;

/// Where an arrow begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// Every live phase that has no arrow of its own for the trigger.
    AnyLive,
    /// One phase.
    Phase(Phase),
    /// The object is gone.
    End,
}

/// An arrow with a line of text for each plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) from: Place,
    pub(super) to: Place,
    pub(super) labels: Vec<String>,
}

/// How many live phases make a rule of what they have in common.
const A_RULE: usize = 3;

/// All arrows, in the order of phases, the rules last.
pub(super) fn arrows<M: Machine>() -> Vec<Arrow> {
    let mut drawn: Vec<(Place, Place, Vec<&'static str>, Vec<&'static str>)> = Vec::new();
    let mut draw = |from: Place, to: Place, edge: &Edge| {
        let same =
            drawn.iter_mut().find(|(f, t, _, actions)| *f == from && *t == to && *actions == edge.actions);
        match same {
            Some((_, _, triggers, _)) => triggers.push(edge.trigger),
            None => drawn.push((from, to, vec![edge.trigger], edge.actions.clone())),
        }
    };
    for trigger in M::triggers() {
        let answers: Vec<Edge> =
            Phase::iter().filter(|phase| phase.is_live()).map(|phase| answer::<M>(phase, trigger)).collect();
        let rule = rule(&answers);
        if let Some((to, edge)) = rule.filter(|(to, edge)| *to != Place::AnyLive || !edge.actions.is_empty())
        {
            draw(Place::AnyLive, to, edge);
        }
        for edge in &answers {
            let ruled = rule.is_some_and(|(to, rule)| obeys(edge, to, rule));
            if !ruled {
                draw(Place::Phase(edge.from), Place::Phase(edge.to), edge);
            }
        }
        let edge = answer::<M>(Phase::Deleting, trigger);
        if edge.actions.contains(&"ReleaseFinalizer") {
            draw(Place::Phase(Phase::Deleting), Place::End, &edge);
        } else if !edge.actions.is_empty() {
            draw(Place::Phase(Phase::Deleting), Place::Phase(Phase::Deleting), &edge);
        }
    }
    merge(drawn)
}

/// What most live phases answer: the target (`AnyLive`: the phase stays) and an example of it.
fn rule(answers: &[Edge]) -> Option<(Place, &Edge)> {
    let candidates = answers.iter().flat_map(|edge| {
        let stays = (edge.from == edge.to).then_some((Place::AnyLive, edge));
        [stays, Some((Place::Phase(edge.to), edge))].into_iter().flatten()
    });
    let counted = candidates
        .map(|(to, rule)| (answers.iter().filter(|edge| obeys(edge, to, rule)).count(), (to, rule)));
    counted.filter(|(count, _)| *count >= A_RULE).max_by_key(|(count, _)| *count).map(|(_, rule)| rule)
}

fn obeys(edge: &Edge, to: Place, rule: &Edge) -> bool {
    let target = match to {
        Place::AnyLive => edge.from == edge.to,
        _ => Place::Phase(edge.to) == to,
    };
    target && edge.actions == rule.actions
}

/// One arrow between two places, with a line for each plan.
fn merge(drawn: Vec<(Place, Place, Vec<&'static str>, Vec<&'static str>)>) -> Vec<Arrow> {
    let mut arrows: Vec<Arrow> = Vec::new();
    for (from, to, triggers, actions) in drawn {
        let label = match actions.is_empty() {
            true => triggers.join(", "),
            false => format!("{} / {}", triggers.join(", "), actions.join(", ")),
        };
        match arrows.iter_mut().find(|arrow| arrow.from == from && arrow.to == to) {
            Some(arrow) => arrow.labels.push(label),
            None => arrows.push(Arrow { from, to, labels: vec![label] }),
        }
    }
    arrows
}
