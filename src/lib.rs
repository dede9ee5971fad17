//! Hybrid cloud operator for PostgreSQL.
//!
//! The rooms of the house, from the inside out; arrows point from later rooms to earlier ones only
//! (`integration-tests/tests/import_directions.rs` checks it):
//!
//! * [`fence`]: until when this process may act; every effect passes there.
//! * [`api`]: what users see: the two kinds, their status, conditions and reasons.
//! * [`fsm`]: the two pure state machines, their search and their diagrams.
//! * [`config`]: the operator's configuration file.
//! * [`secrets`]: passwords and the Secrets that hold them.
//! * [`postgres`]: every connection and every SQL statement.
//! * [`backend`]: what stands behind a server: the trait and its implementations.
//! * [`ops`]: metrics, health, logs, and which of several operators acts.
//! * [`controller`]: the only room that knows all the others.
//!
//! Beside them [`failpoints`]: the points between effects, for tests.

pub mod api;
pub mod backend;
pub mod config;
pub mod controller;
pub mod failpoints;
pub mod fence;
pub mod fsm;
pub mod ops;
pub mod postgres;
pub mod secrets;
