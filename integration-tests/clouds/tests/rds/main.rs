//! The simulated RDS over the wire. One program: what a version of PostgreSQL needs once per process is made once.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod aurora;
mod changes;
mod faults;
mod life;
mod own_doings;
mod parameters;
mod support;
