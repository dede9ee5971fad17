//! The two state machines: pure, total, and the only place where phases change.
//!
//! ```text
//! observe  (reads only)                       -> what there is
//! classify (what there is, as a small view)   -> trigger                pure, here
//! step     (phase, trigger)                   -> phase, plan            pure, here, total
//! record   (status)                              the intent, before the effect
//! act      (each action of the plan)             idempotent
//! ```
//!
//! Nothing here knows Kubernetes, a clock or a cloud. The same functions drive the controllers, draw the diagrams in
//! `state-diagrams/`, and are searched exhaustively against small worlds in [`search`].

mod credentials;
pub mod database;
pub mod diagram;
pub mod search;
pub mod server;
#[cfg(test)]
mod tests;

pub use credentials::{CredentialsAction, Pending, Published};

use crate::api::Phase;

/// What a machine answers to a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<A: 'static> {
    /// The phase to record before anything is done.
    pub phase: Phase,
    /// What to do then, in this order; each action is idempotent, and a failed one ends the plan for now.
    pub plan: &'static [A],
}

/// A kind's state machine, for everything that works on both: the driver, the diagrams, the search.
pub trait Machine {
    /// What can be seen.
    type Trigger: Copy + Eq + std::fmt::Debug + Into<&'static str> + strum::EnumMessage + 'static;
    /// What can be done.
    type Action: Copy + Eq + std::fmt::Debug + 'static;
    /// The kind's name in file names and metric labels.
    const KIND: &'static str;

    /// The machine's answer. Total.
    fn step(phase: Phase, trigger: Self::Trigger) -> Step<Self::Action>;

    /// Every trigger there is.
    fn triggers() -> Vec<Self::Trigger>;

    /// The action's name in diagrams and metric labels.
    fn action_name(action: Self::Action) -> &'static str;
}
