//! The backend with real PostgreSQL servers.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod faults;
mod host;
mod life;
mod parameters;
mod rules;
