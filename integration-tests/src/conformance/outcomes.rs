//! What came of every fault in every flow, as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use strum::IntoEnumIterator;

use super::flow::Flow;

/// What came of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is ready, exactly once, and the fault left no trace.
    Ready,
    /// The object is gone, with all that was its own.
    Gone,
    /// It was told and nothing was done; once the cause was gone, or a person had decided, everything was ready.
    Told,
    /// The object is gone, and the server, which is another one now, was left alone.
    Left,
}

impl Outcome {
    /// How a flow ends in which something was met and got over.
    pub fn of(flow: Flow) -> Self {
        if flow.deletes() { Self::Gone } else { Self::Ready }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Gone => "gone",
            Self::Told => "told",
            Self::Left => "left",
        }
    }
}

/// The outcomes of a run, by chapter, row and flow.
#[derive(Clone, Default)]
pub struct Outcomes(Arc<Mutex<BTreeMap<Row, BTreeMap<Flow, Outcome>>>>);

/// Chapter and name.
type Row = (&'static str, String);

impl Outcomes {
    /// Notes one; what is not noted does not occur in that flow.
    pub fn note(&self, chapter: &'static str, row: &str, flow: Flow, outcome: Outcome) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry((chapter, row.to_owned())).or_default().insert(flow, outcome);
    }

    /// One chapter as a table.
    pub fn table(&self, chapter: &str, first_column: &str) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let titles: Vec<String> = Flow::iter().map(Flow::title).collect();
        let mut text = String::new();
        let _ = writeln!(text, "| {first_column} | {} |", titles.join(" | "));
        let _ = writeln!(text, "|---|{}", "---|".repeat(titles.len()));
        for ((_, row), cells) in all.iter().filter(|((of, _), _)| *of == chapter) {
            let words: Vec<&str> =
                Flow::iter().map(|flow| cells.get(&flow).map_or("·", |outcome| outcome.word())).collect();
            let _ = writeln!(text, "| {row} | {} |", words.join(" | "));
        }
        text
    }

    /// How many cells of a chapter are filled.
    pub fn cells(&self, chapter: &str) -> usize {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|((of, _), _)| *of == chapter).map(|(_, cells)| cells.len()).sum()
    }
}
