//! Clouds to test against: Amazon RDS and Azure Resource Manager over their wire protocols, with real PostgreSQL servers
//! behind, faults on any call, and a clock that tests turn.

pub mod azure;
pub mod clock;
pub mod faults;
mod home;
pub mod postgres;
pub mod rds;
pub mod rds_flavour;
