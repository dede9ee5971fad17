//! The keys of the configuration file. The comments become the reference page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AuroraConfig, AwsShared, AzureFlexibleConfig, AzureShared, AzureSingleConfig, HelmBitnamiConfig,
    HelmYugabyteConfig, LocalConfig, RdsConfig,
};

/// The operator's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Config {
    /// Default backend: where servers are created whose object does not select one.
    pub backend: String,
    /// Backends that users may select in `spec.backend`. Empty: only the default backend.
    #[serde(default)]
    pub allowed_backends: Vec<String>,
    /// Accepted for compatibility and without effect: every object is looked at after a start.
    #[serde(default)]
    #[schemars(extend("deprecated" = true))]
    pub handler_on_resume: bool,
    /// Whether the operator acts or only reads.
    #[serde(default)]
    pub mode: Mode,
    /// Settings of the backends, by name. Each backend in use needs its section, or the shared one of its cloud.
    #[serde(default)]
    pub backends: Backends,
    /// Security settings that do not depend on the backend.
    #[serde(default)]
    pub security: Security,
    /// How often and how hard the operator works.
    #[serde(default)]
    pub reconcile: Reconcile,
    /// Which of several operators acts.
    #[serde(default)]
    pub leader_election: LeaderElection,
}

impl Config {
    /// Whether servers may be created in this backend.
    pub fn allows(&self, backend: &str) -> bool {
        backend == self.backend || self.allowed_backends.iter().any(|allowed| allowed == backend)
    }
}

/// Whether the operator acts or only reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Create, change and delete as the objects ask.
    #[default]
    Manage,
    /// Write nothing anywhere but status; say what would be done.
    Observe,
}

/// Settings of the backends. Those of the clouds are resolved: the shared section is laid under each of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Backends {
    /// PostgreSQL on the operator's own host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<LocalConfig>,
    /// What servers on Azure have in common: counts key by key where the section of a backend is silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure: Option<AzureShared>,
    /// Azure Database for PostgreSQL, single server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azurepostgres: Option<AzureSingleConfig>,
    /// Azure Database for PostgreSQL, flexible server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azurepostgresflexible: Option<AzureFlexibleConfig>,
    /// What servers on AWS have in common: counts key by key where the section of a backend is silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsShared>,
    /// Amazon RDS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awsrds: Option<RdsConfig>,
    /// Amazon Aurora.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awsaurora: Option<AuroraConfig>,
    /// The chart of Bitnami.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helmbitnami: Option<HelmBitnamiConfig>,
    /// The chart of Yugabyte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helmyugabyte: Option<HelmYugabyteConfig>,
}

/// Security settings that do not depend on the backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Security {
    /// Length of generated passwords.
    #[schemars(range(min = 8, max = 128))]
    pub password_length: usize,
    /// Whether generated passwords contain special characters (`+-_.:<>?`).
    pub special_characters: bool,
}

impl Default for Security {
    fn default() -> Self {
        Self { password_length: 16, special_characters: true }
    }
}

/// How often and how hard the operator works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Reconcile {
    /// Seconds between two looks at an object that nobody touches, spread by a fifth either way.
    #[schemars(range(min = 10, max = 86400))]
    pub resync_seconds: u64,
    /// Seconds for which a login that worked is taken to work still, as long as nobody touches the object or its Secret
    /// and PostgreSQL takes connections; 0: every look logs in.
    #[schemars(range(min = 0, max = 86400))]
    pub login_seconds: u64,
    /// Seconds between two looks at a server that the backend is working on. A new one of the backend `local`, which costs
    /// nothing to ask, is looked at sooner at first.
    #[schemars(range(min = 1, max = 600))]
    pub poll_seconds: u64,
    /// Shortest time in seconds between two password resets that a label asks for.
    #[schemars(range(min = 0, max = 86400))]
    pub label_reset_interval_seconds: u64,
    /// Seconds without progress after which an object is called stalled.
    #[schemars(range(min = 60, max = 604800))]
    pub progress_deadline_seconds: u64,
    /// Longest pause in seconds between two attempts of something that fails.
    #[schemars(range(min = 1, max = 3600))]
    pub backoff_max_seconds: u64,
    /// Seconds that one call to a backend may take. One that takes longer counts as unanswered and is tried again.
    #[schemars(range(min = 1, max = 3600))]
    pub backend_timeout_seconds: u64,
    /// How many objects of a kind are worked on at the same time.
    #[schemars(range(min = 1, max = 256))]
    pub concurrency: u16,
}

impl Default for Reconcile {
    fn default() -> Self {
        Self {
            resync_seconds: 600,
            login_seconds: 0,
            poll_seconds: 5,
            label_reset_interval_seconds: 600,
            progress_deadline_seconds: 3600,
            backoff_max_seconds: 300,
            backend_timeout_seconds: 120,
            concurrency: 8,
        }
    }
}

/// Which of several operators acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LeaderElection {
    /// Seconds after which another operator takes over from one that is not heard of any more. The one that leads renews
    /// five times as often, and stops by itself after two thirds of that time without an answer.
    #[schemars(range(min = 3, max = 300))]
    pub lease_seconds: u64,
}

impl Default for LeaderElection {
    fn default() -> Self {
        // What Kubernetes' own components use.
        Self { lease_seconds: 15 }
    }
}

/// Every backend that can be selected, and whether this version contains it.
const BACKENDS: [(&str, bool); 7] = [
    ("local", true),
    ("azurepostgres", true),
    ("azurepostgresflexible", true),
    ("awsrds", true),
    ("awsaurora", true),
    ("helmbitnami", false),
    ("helmyugabyte", false),
];

/// The backend of that name, whether or not this version contains it; for labels that must stay few.
pub fn known_backend(name: &str) -> Option<&'static str> {
    BACKENDS.iter().map(|(known, _)| *known).find(|known| *known == name)
}

/// The backends this version contains.
pub fn available_backends() -> impl Iterator<Item = &'static str> {
    BACKENDS.iter().filter(|(_, available)| *available).map(|(name, _)| *name)
}

impl Backends {
    /// Whether there is a section for the backend of that name.
    pub fn has_section(&self, name: &str) -> bool {
        match name {
            "local" => self.local.is_some(),
            "azure" => self.azure.is_some(),
            "azurepostgres" => self.azurepostgres.is_some(),
            "azurepostgresflexible" => self.azurepostgresflexible.is_some(),
            "aws" => self.aws.is_some(),
            "awsrds" => self.awsrds.is_some(),
            "awsaurora" => self.awsaurora.is_some(),
            "helmbitnami" => self.helmbitnami.is_some(),
            "helmyugabyte" => self.helmyugabyte.is_some(),
            _ => false,
        }
    }
}
