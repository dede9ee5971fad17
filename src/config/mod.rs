//! The operator's configuration: one YAML file, with single keys overridden by the environment.
//!
//! The file is read into a tree that remembers where every value stood (`tree`), the environment is laid over it
//! (`env`), the tree is checked against the shape of the structs (`shape`, `read`) and turned into them
//! (`model`), and what single values cannot say is checked at the end (`validate`). Everything that is wrong is
//! reported at once, with its place; unknown keys are warnings, so that files of the original operator keep working.

mod aws;
mod azure;
mod change;
mod common;
mod env;
mod finding;
mod helm;
mod load;
mod local;
mod model;
mod read;
mod resolve;
mod shape;
#[cfg(test)]
mod tests;
mod tree;
mod validate;
mod watch;

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
pub use finding::{Finding, Findings, Position, Severity, Source};
pub use helm::{HelmBitnamiConfig, HelmYugabyteConfig, PodSize, YugabyteClass};
pub use load::{LoadError, Loaded};
pub use local::{LOCAL_SUPERUSER, LocalConfig};
pub use model::{
    Backends, Config, LeaderElection, Mode, Reconcile, Security, UnusedSection, available_backends,
    known_backend,
};
pub use resolve::SectionError;
pub use watch::FileWatch;
