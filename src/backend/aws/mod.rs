//! PostgreSQL servers on AWS: Amazon RDS.
//!
//! Not selectable in this version: the configuration has no section for it yet, and server parameters are missing.

mod budget;
mod client;
mod error;
mod identity;
mod listing;
mod rds;
mod settings;
mod states;
mod tags;
mod window;

pub use rds::RdsBackend;
pub use settings::{Account, NameOverride, RdsClass, RdsSettings};
