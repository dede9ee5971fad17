//! What users see: the two kinds, their status, conditions and reasons.

mod conditions;
mod crd;
mod database;
mod lenient;
pub mod names;
mod phase;
mod reason;
mod rules;
mod schema;
mod server;
mod status;
mod window;

pub use conditions::{Condition, ConditionStatus, ConditionType, conditions_with};
pub use crd::crds;
pub use database::{DatabaseSettings, PostgreSQLDatabase, PostgreSQLDatabaseSpec, ServerRef};
pub use phase::Phase;
pub use reason::Reason;
pub use server::{
    Backup, ChangeWindow, DeletionPolicy, FirewallRule, HighAvailability, Maintenance, MaintenanceWindow,
    Network, ParameterValue, PostgreSQLServer, PostgreSQLServerSpec, Size,
};
pub use status::{
    Attempt, Binding, DatabaseStatus, Deployment, DeploymentStatus, Operation, PinnedDatabase, PinnedServer,
    ServerStatus,
};
pub use window::{NotAWindow, WeeklyWindow};
