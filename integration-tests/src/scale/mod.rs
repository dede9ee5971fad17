//! What the operator costs with many objects, measured.
//!
//! One process drives (`testbed bench`): it starts a control plane, creates objects, reads the audit log, and watches
//! the other process (`testbed bench-operator`): the operator's controllers alone, so that its CPU time and its memory
//! are the operator's. They talk over the child's standard input and output.
//!
//! Behind the objects stands the backend `local`, or [`memory::MemoryBackend`], whose servers cost nothing. That one is
//! compiled only here. Logins are real in both cases.

pub mod host;
mod memory;
pub mod operator;
mod process;
mod requests;
mod samples;
mod stages;
pub mod table;
mod world;

pub use requests::Count;
pub use samples::Passes;
pub use stages::{Load, Run, Stage, creation_of_slow_servers, run};

/// What is told to the user when something cannot be measured.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
