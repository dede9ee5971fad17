//! Which calls to a backend meet which fault, and what became of every call.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use hcpg::backend::Operation;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What can happen to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused unexecuted: too many requests, come back after this.
    Throttled {
        /// `Retry-After`.
        retry_after: Duration,
    },
    /// Refused unexecuted by a 500.
    ServerError,
    /// Unexecuted, and there is never an answer.
    Hang,
    /// Unexecuted, and the connection is gone.
    ConnectionReset,
    /// Executed, and the connection is gone.
    LostAnswer,
    /// Executed, and there is never an answer.
    HangAfter,
    /// Answered as the time before; only an observation can be.
    Stale,
    /// Executed after this.
    Delay(Duration),
    /// Refused unexecuted, as if an input had to change.
    Rejected,
    /// Accepted, and in force only after so many looks; only a password can be. It has a case of its own.
    Late {
        /// How many.
        looks: u32,
    },
}

impl Fault {
    /// Every fault of the matrix, with the times the suite uses.
    pub const ALL: [Self; 9] = [
        Self::Throttled { retry_after: Duration::from_secs(3) },
        Self::ServerError,
        Self::Hang,
        Self::ConnectionReset,
        Self::LostAnswer,
        Self::HangAfter,
        Self::Stale,
        Self::Delay(Duration::from_millis(1500)),
        Self::Rejected,
    ];

    /// Whether an operation can meet it.
    pub fn befits(self, operation: Operation) -> bool {
        match self {
            Self::Stale => operation == Operation::Observe,
            Self::Late { .. } => operation == Operation::SetAdminPassword,
            _ => true,
        }
    }

    /// In a namespace's name.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Throttled { .. } => "throttled",
            Self::ServerError => "server-error",
            Self::Hang => "hang",
            Self::ConnectionReset => "connection-reset",
            Self::LostAnswer => "lost-answer",
            Self::HangAfter => "hang-after",
            Self::Stale => "stale",
            Self::Delay(_) => "delay",
            Self::Rejected => "rejected",
            Self::Late { .. } => "late",
        }
    }
}

/// How a call ended, as the operator saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// None yet, or nobody waited for it.
    None,
    /// It went well.
    Ok,
    /// It did not; the error's label.
    Failed(&'static str),
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// What was asked for.
    pub operation: Operation,
    /// When.
    pub at: Instant,
    /// What happened to it.
    pub fault: Option<Fault>,
    /// Whether the backend itself was asked, and agreed.
    pub executed: bool,
    /// What the operator was told.
    pub answer: Answer,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.operation)?;
        if let Some(fault) = self.fault {
            write!(f, " met {fault:?}")?;
        }
        let executed = if self.executed { "executed" } else { "not executed" };
        write!(f, ": {executed}, {:?}", self.answer)
    }
}

/// Faults for the calls to come and the record of those that were made, per namespace of the asking object.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<HashMap<String, Script>>>);

#[derive(Default)]
struct Script {
    next: Vec<Planned>,
    chaos: Option<Chaos>,
    calls: Vec<Call>,
}

struct Planned {
    operation: Operation,
    fault: Fault,
    left: u32,
}

struct Chaos {
    random: StdRng,
    percent: u32,
}

/// A call under way; what becomes of it is written down under this number.
#[derive(Clone, Copy)]
pub(super) struct Ticket(usize);

impl Faults {
    /// The next `times` calls of `operation` for objects of that namespace meet `fault`.
    pub fn next(&self, namespace: &str, operation: Operation, times: u32, fault: Fault) {
        let planned = Planned { operation, fault, left: times };
        self.lock().entry(namespace.to_owned()).or_default().next.push(planned);
    }

    /// From now on a call for objects of that namespace meets any fault, with this probability.
    pub fn chaos(&self, namespace: &str, seed: u64, percent: u32) {
        let chaos = Chaos { random: StdRng::seed_from_u64(seed), percent };
        self.lock().entry(namespace.to_owned()).or_default().chaos = Some(chaos);
    }

    /// No call meets a fault any more.
    pub fn calm(&self, namespace: &str) {
        let mut all = self.lock();
        let script = all.entry(namespace.to_owned()).or_default();
        script.chaos = None;
        script.next.clear();
    }

    /// How many planned faults of that operation no call has met yet.
    pub fn left(&self, namespace: &str, operation: Operation) -> u32 {
        let all = self.lock();
        let planned = all.get(namespace).into_iter().flat_map(|script| &script.next);
        planned.filter(|planned| planned.operation == operation).map(|planned| planned.left).sum()
    }

    /// All calls for objects of that namespace.
    pub fn calls(&self, namespace: &str) -> Vec<Call> {
        self.lock().get(namespace).map_or_else(Vec::new, |script| script.calls.clone())
    }

    /// Writes that were executed, by operation.
    pub fn effects(&self, namespace: &str, operation: Operation) -> usize {
        let calls = self.calls(namespace);
        calls.iter().filter(|call| call.operation == operation && call.executed).count()
    }

    pub(super) fn begin(&self, namespace: &str, operation: Operation) -> (Ticket, Option<Fault>) {
        let mut all = self.lock();
        let script = all.entry(namespace.to_owned()).or_default();
        let fault = script.fault(operation);
        let call = Call { operation, at: Instant::now(), fault, executed: false, answer: Answer::None };
        script.calls.push(call);
        (Ticket(script.calls.len() - 1), fault)
    }

    pub(super) fn executed(&self, namespace: &str, ticket: Ticket) {
        self.change(namespace, ticket, |call| call.executed = true);
    }

    pub(super) fn answered(&self, namespace: &str, ticket: Ticket, answer: Answer) {
        self.change(namespace, ticket, |call| call.answer = answer);
    }

    fn change(&self, namespace: &str, ticket: Ticket, change: impl FnOnce(&mut Call)) {
        let mut all = self.lock();
        if let Some(call) = all.get_mut(namespace).and_then(|script| script.calls.get_mut(ticket.0)) {
            change(call);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Script>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Script {
    fn fault(&mut self, operation: Operation) -> Option<Fault> {
        let planned = self.next.iter_mut().find(|planned| planned.operation == operation && planned.left > 0);
        if let Some(planned) = planned {
            planned.left -= 1;
            return Some(planned.fault);
        }
        let chaos = self.chaos.as_mut()?;
        if chaos.random.random_range(0..100) >= chaos.percent {
            return None;
        }
        let befitting: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| fault.befits(operation)).collect();
        befitting.get(chaos.random.random_range(0..befitting.len())).copied()
    }
}
