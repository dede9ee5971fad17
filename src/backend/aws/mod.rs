//! PostgreSQL servers on AWS: Amazon RDS and Amazon Aurora.

mod attempts;
mod aurora;
mod backend;
mod base;
mod client;
mod configure;
mod deletion;
mod engine;
mod error;
mod groups;
mod identity;
mod instances;
mod look;
mod memory;
mod parameters;
mod rds;
mod servers;
mod snapshots;
mod states;
mod tags;
#[cfg(test)]
mod tests;
mod trust;
mod upgrade;
mod versions;
mod window;
mod wishes;

pub use aurora::AuroraBackend;
pub use rds::RdsBackend;
pub use trust::AwsConfigError;
