//! `backends.helmbitnami` and `backends.helmyugabyte`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The chart of Bitnami: a server is a release.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HelmBitnamiConfig {
    /// Classes that users choose from by name.
    pub classes: BTreeMap<String, PodSize>,
    /// Class of objects that name one that does not exist. Without it, classes have no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_class: Option<String>,
    /// The administrator is `postgres`, whatever stands here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("deprecated" = true))]
    pub admin_username: Option<String>,
    /// Storage class of the volumes. Empty: the cluster's default.
    pub storage_class: String,
    /// Whether the volumes of a server are deleted with it.
    pub pvc_cleanup: bool,
}

/// What a pod asks for and gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PodSize {
    /// CPU as a quantity of Kubernetes, for example `1000m`.
    pub cpu: String,
    /// Memory as a quantity of Kubernetes, for example `256Mi`.
    pub memory: String,
}

/// The chart of Yugabyte: a server is a release, at most one in a namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HelmYugabyteConfig {
    /// Classes that users choose from by name.
    pub classes: BTreeMap<String, YugabyteClass>,
    /// Class of objects that name one that does not exist. Without it, classes have no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_class: Option<String>,
    /// Replicas of the masters; 3 make a highly available cluster.
    #[schemars(range(min = 1, max = 99))]
    pub replicas_master: u16,
    /// Replicas of the tablet servers; 3 make a highly available cluster.
    #[schemars(range(min = 1, max = 99))]
    pub replicas_tserver: u16,
    /// Partitions of the masters.
    #[schemars(range(min = 1, max = 99))]
    pub partitions_master: u16,
    /// Partitions of the tablet servers.
    #[schemars(range(min = 1, max = 99))]
    pub partitions_tserver: u16,
    /// Storage class of the volumes. Empty: the cluster's default.
    pub storage_class: String,
    /// Whether the volumes of a server are deleted with it.
    pub pvc_cleanup: bool,
}

impl Default for HelmYugabyteConfig {
    fn default() -> Self {
        Self {
            classes: BTreeMap::new(),
            default_class: None,
            replicas_master: 1,
            replicas_tserver: 1,
            partitions_master: 1,
            partitions_tserver: 1,
            storage_class: String::new(),
            pvc_cleanup: false,
        }
    }
}

/// A class of Yugabyte clusters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct YugabyteClass {
    /// Size of the masters.
    pub master: PodSize,
    /// Size of the tablet servers.
    pub tserver: PodSize,
}
