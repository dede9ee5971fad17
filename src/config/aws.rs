//! `backends.aws`, `backends.awsrds` and `backends.awsaurora`.
//!
//! What a backend gets is resolved: where its own section is silent, the shared one has been laid under it, key by key.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{self, CallBudget};
use crate::api::DeletionPolicy;

/// The class that there is when none is configured, as in the original.
pub const AWS_DEFAULT_CLASS: &str = "operator_default";

/// What `awsrds` and `awsaurora` have in common. Each key may stand in `backends.aws` or in the backend's own section,
/// which wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AwsConfig {
    /// Region of the servers.
    pub region: String,
    /// DB subnet group of new servers. It must exist.
    pub subnet_group: String,
    /// VPC security groups of the servers.
    #[serde(default)]
    pub vpc_security_group_ids: Vec<String>,
    /// Pattern of server names, with `{namespace}` and `{name}`.
    #[serde(default = "common::name_pattern")]
    pub name_pattern: String,
    /// Names of single servers, in place of the pattern: for servers that existed before their object.
    #[serde(default)]
    pub name_overrides: Vec<AwsNameOverride>,
    /// User name of the administrator in new servers.
    #[serde(default = "common::admin_username")]
    pub admin_username: String,
    /// Tags of the servers besides the operator's own. Values may contain `{namespace}` and `{name}`.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Whether AWS refuses to delete the servers. An object that is deleted waits until somebody lifts the protection.
    #[serde(default)]
    pub deletion_protection: bool,
    /// Authority of the certificates that servers show, for example `rds-ca-rsa2048-g1`. Default: AWS chooses for new
    /// servers, and others keep theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// How servers can be reached.
    #[serde(default)]
    pub network: AwsNetwork,
    /// What happens to a server whose object is deleted and does not say so itself. The original deleted without a
    /// snapshot.
    #[serde(default = "snapshot")]
    pub deletion_policy: DeletionPolicy,
    /// The same for servers that were taken over from the original operator; `Delete` keeps the original's way. Default:
    /// as `deletion_policy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_over_deletion_policy: Option<DeletionPolicy>,
    /// Role to assume for all calls, as an ARN. Default: the credentials that were found are used as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role_arn: Option<String>,
    /// Address of the RDS service, for example of a VPC endpoint. Default: the region's public one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Address of the token service (STS), which knows whose account the credentials belong to, for example of a VPC
    /// endpoint. Default: the region's public one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sts_endpoint: Option<String>,
    /// File with certificates in PEM format that are trusted besides the known ones, for AWS and for the servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_ca_file: Option<PathBuf>,
    /// How many calls the operator makes at most. AWS takes 300 at once and 12 a second, which all users of an account
    /// and region share.
    #[serde(default)]
    pub call_budget: CallBudget,
}

/// How servers on AWS can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AwsNetwork {
    /// Whether servers can be reached from outside the VPC, where the security groups let them.
    pub public_access: bool,
}

/// The name of one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AwsNameOverride {
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// Identifier of its server on AWS.
    pub aws_identifier: String,
}

/// Amazon RDS: a server is a DB instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RdsConfig {
    /// What both backends have in common.
    #[serde(flatten)]
    pub aws: AwsConfig,
    /// Availability zone of servers that are not highly available. Default: AWS chooses; the original took
    /// `eu-central-1a` whatever the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
    /// Classes that users choose from by name.
    #[serde(default)]
    pub classes: BTreeMap<String, RdsClass>,
    /// Class of objects that name none, or one that does not exist. Default: `operator_default`, an instance of the type
    /// `db.m5.large`.
    #[serde(default = "default_class")]
    pub default_class: String,
    /// Defaults for what users do not say.
    #[serde(default)]
    pub parameters: RdsParameters,
}

/// A class on RDS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RdsClass {
    /// Instance type, for example `db.m5.large`.
    pub instance_type: String,
    /// Kind of storage.
    #[serde(default)]
    pub storage_type: RdsStorage,
    /// Operations per second that the storage is provisioned for; 0: not said. For io1, io2, and gp3 from 400 GB.
    #[serde(default)]
    #[schemars(range(max = 256000))]
    pub iops: u32,
    /// Throughput of the storage in MiB per second; 0: not said. For gp3 from 400 GB.
    #[serde(default)]
    #[schemars(range(max = 4000))]
    pub throughput: u32,
}

/// Storage of RDS.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum RdsStorage {
    /// General purpose, performance by size.
    #[default]
    Gp2,
    /// General purpose.
    Gp3,
    /// Provisioned operations.
    Io1,
    /// Provisioned operations, more durable.
    Io2,
}

/// What users of RDS get without asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RdsParameters {
    /// Days that backups are kept; 0: no backups.
    #[schemars(range(min = 0, max = 35))]
    pub backup_retention_days: u8,
}

impl Default for RdsParameters {
    fn default() -> Self {
        Self { backup_retention_days: 7 }
    }
}

/// Amazon Aurora: a server is a cluster and its members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuroraConfig {
    /// What both backends have in common.
    #[serde(flatten)]
    pub aws: AwsConfig,
    /// Availability zones of new clusters. Empty: AWS chooses.
    #[serde(default)]
    pub availability_zones: Vec<String>,
    /// Classes that users choose from by name.
    #[serde(default)]
    pub classes: BTreeMap<String, AuroraClass>,
    /// Class of objects that name none, or one that does not exist. Default: `operator_default`, an instance of the type
    /// `db.m5.large`.
    #[serde(default = "default_class")]
    pub default_class: String,
    /// Defaults for what users do not say.
    #[serde(default)]
    pub parameters: AuroraParameters,
}

/// A class on Aurora.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuroraClass {
    /// Instance type, for example `db.r6g.large`; `db.serverless` for Aurora Serverless v2.
    pub instance_type: String,
    /// How far a serverless cluster scales; only with `db.serverless`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling_configuration: Option<AuroraScaling>,
    /// Kind of storage.
    #[serde(default)]
    pub storage_type: AuroraStorage,
    /// Accepted as in the original; 0: not said. Aurora's storage has no provisioned operations.
    #[serde(default)]
    pub iops: u32,
}

/// Storage of Aurora.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum AuroraStorage {
    /// Input and output are paid by use.
    #[default]
    Aurora,
    /// Input and output are in the price.
    AuroraIopt1,
}

/// How far a serverless cluster scales, in Aurora capacity units (about 2 GB of memory each).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AuroraScaling {
    /// At least, in steps of a half.
    #[schemars(range(min = 0, max = 256))]
    pub min_capacity: f64,
    /// At most, in steps of a half.
    #[schemars(range(min = 1, max = 256))]
    pub max_capacity: f64,
}

impl Default for AuroraScaling {
    fn default() -> Self {
        Self { min_capacity: 0.5, max_capacity: 1.0 }
    }
}

/// What users of Aurora get without asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AuroraParameters {
    /// Days that backups are kept.
    #[schemars(range(min = 1, max = 35))]
    pub backup_retention_days: u8,
}

impl Default for AuroraParameters {
    fn default() -> Self {
        Self { backup_retention_days: 1 }
    }
}

fn default_class() -> String {
    AWS_DEFAULT_CLASS.to_owned()
}

fn snapshot() -> DeletionPolicy {
    DeletionPolicy::Snapshot
}
