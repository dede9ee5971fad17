//! The transition table of a machine as Markdown.

use std::fmt::Write as _;

use strum::{EnumMessage as _, IntoEnumIterator};

use super::{Edge, GENERATED, answer};
use crate::api::Phase;
use crate::fsm::Machine;

/// The machine's transitions, what leaves it as it is, and what its triggers mean.
pub fn table<M: Machine>() -> String {
    let mut text = format!("<!-- {GENERATED} -->\n\n# The {} machine\n\n", M::KIND);
    text.push_str(
        "Triggers in the order of precedence in which they are looked for; the phase is recorded before ",
    );
    text.push_str("the first action.\n\n");
    text.push_str("| in | trigger | to | actions |\n|---|---|---|---|\n");
    let mut unchanged: Vec<(Vec<Phase>, Vec<&'static str>)> = Vec::new();
    for trigger in M::triggers() {
        let answers: Vec<Edge> = Phase::iter().map(|phase| answer::<M>(phase, trigger)).collect();
        let (kept, rows) = rows(&answers);
        for (from, to, actions) in rows {
            let actions: Vec<_> = actions.iter().map(|action| format!("`{action}`")).collect();
            let actions = if actions.is_empty() { "–".to_owned() } else { actions.join(", ") };
            let name: &str = trigger.into();
            let _ = writeln!(text, "| {} | `{name}` | {to} | {actions} |", phases(&from));
        }
        match unchanged.iter_mut().find(|(from, _)| *from == kept) {
            Some((_, triggers)) => triggers.push(trigger.into()),
            None => unchanged.push((kept, vec![trigger.into()])),
        }
    }
    text.push_str("\nNothing is done and the phase stays:\n\n");
    for (from, triggers) in unchanged.iter().filter(|(from, _)| !from.is_empty()) {
        let triggers: Vec<_> = triggers.iter().map(|trigger| format!("`{trigger}`")).collect();
        let _ = writeln!(text, "- in {}: {}", phases(from), triggers.join(", "));
    }
    text.push_str("\n| trigger | what is seen |\n|---|---|\n");
    for trigger in M::triggers() {
        let name: &str = trigger.into();
        let _ = writeln!(text, "| `{name}` | {} |", trigger.get_documentation().unwrap_or_default());
    }
    text
}

type Row<'a> = (Vec<Phase>, &'static str, &'a [&'static str]);

/// The phases that a trigger leaves as they are, and a row for each different answer.
fn rows(answers: &[Edge]) -> (Vec<Phase>, Vec<Row<'_>>) {
    let mut kept = Vec::new();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for edge in answers {
        // A phase that stays is in the row of those that come to it, if there are any.
        let come =
            |other: &Edge| other.from != other.to && other.to == edge.to && other.actions == edge.actions;
        let stays = edge.from == edge.to && !answers.iter().any(come);
        if stays && edge.actions.is_empty() {
            kept.push(edge.from);
            continue;
        }
        let to = if stays { "same" } else { edge.to.as_str() };
        match rows.iter_mut().find(|(_, target, actions)| *target == to && *actions == edge.actions) {
            Some((from, ..)) => from.push(edge.from),
            None => rows.push((vec![edge.from], to, &edge.actions)),
        }
    }
    (kept, rows)
}

/// A set of phases in words.
fn phases(phases: &[Phase]) -> String {
    let names =
        |phases: &mut dyn Iterator<Item = Phase>| phases.map(Phase::as_str).collect::<Vec<_>>().join(", ");
    let missing: Vec<Phase> =
        Phase::iter().filter(|phase| phase.is_live() && !phases.contains(phase)).collect();
    let dead = names(&mut phases.iter().copied().filter(|phase| !phase.is_live()));
    let live = match missing.len() {
        0 if !dead.is_empty() => return "every phase".to_owned(),
        0 => "any live phase".to_owned(),
        1 | 2 => format!("any live phase but {}", names(&mut missing.into_iter())),
        _ => names(&mut phases.iter().copied().filter(|phase| phase.is_live())),
    };
    match (dead.is_empty(), live.is_empty()) {
        (true, _) => live,
        (_, true) => dead,
        _ => format!("{dead}, {live}"),
    }
}
