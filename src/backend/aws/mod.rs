//! PostgreSQL servers on AWS: Amazon RDS.

mod client;
mod error;
mod identity;
mod rds;
mod states;
mod tags;
mod trust;
mod window;

pub use rds::RdsBackend;
pub use trust::AwsConfigError;
