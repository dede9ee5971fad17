//! PostgreSQL servers on AWS: Amazon RDS and Amazon Aurora.

mod attempts;
mod aurora;
mod base;
mod client;
mod engine;
mod error;
mod groups;
mod identity;
mod instances;
mod memory;
mod parameters;
mod rds;
mod snapshots;
mod states;
mod tags;
mod trust;
mod versions;
mod window;
mod wishes;

pub use aurora::AuroraBackend;
pub use rds::RdsBackend;
pub use trust::AwsConfigError;
