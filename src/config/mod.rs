//! The operator's configuration: one YAML file, with single keys overridden by the environment.
//!
//! The file is read into a tree that remembers where every value stood (`yaml`, `tree`), the environment is laid over
//! it (`variables`), shared sections are laid under those of their backends (`lay`), the tree is checked against the
//! shape of the structs (`shape`, `read`) and turned into them (`model` and a file for each provider), and what single
//! values cannot say is checked at the end (`validate`). Everything that is wrong is
//! reported at once, with its place; unknown keys are warnings, so that files of the original operator keep working.

mod aws;
mod azure;
mod change;
mod common;
mod env;
mod explain;
mod finding;
mod helm;
mod lay;
mod load;
mod local;
mod model;
mod path;
mod read;
mod schema;
mod shape;
mod shared;
#[cfg(test)]
mod tests;
mod tree;
mod validate;
mod validate_clouds;
mod variables;
mod watch;
mod yaml;

pub use aws::{
    AWS_DEFAULT_CLASS, AuroraClass, AuroraConfig, AuroraParameters, AuroraScaling, AuroraStorage, AwsConfig,
    AwsNameOverride, AwsNetwork, RdsClass, RdsConfig, RdsParameters, RdsStorage,
};
pub use azure::{
    AzureConfig, AzureFirewallRule, AzureFlexibleClass, AzureFlexibleConfig, AzureNameOverride, AzureNetwork,
    AzureParameters, AzureParametersNetwork, AzureSingleClass, AzureSingleConfig, AzureSingleNetwork,
    AzureSingleParameters, AzureVnet, DnsZone, HighAvailabilityMode, Switch,
};
pub use common::CallBudget;
pub use env::{Environment, NotANamespace, process_variables};
pub use explain::{KeyRow, Unexplained, explain, reference};
pub use finding::{Finding, Findings, Position, Severity, Source};
pub use helm::{HelmBitnamiConfig, HelmYugabyteConfig, PodSize, YugabyteClass};
pub use load::{LoadError, Loaded};
pub use local::{LOCAL_SUPERUSER, LocalConfig};
pub use model::{
    Backends, Config, LeaderElection, Mode, Reconcile, Security, available_backends, known_backend,
};
pub use path::meant;
pub use schema::file_schema;
pub use shared::{AwsShared, AzureShared};
pub use watch::FileWatch;
