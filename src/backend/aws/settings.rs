//! What the administrator says about servers on AWS, with every default filled in.

use std::collections::BTreeMap;

use crate::api::DeletionPolicy;

/// Which account, and how to get in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The region of all servers.
    pub region: String,
    /// Another address of the service than the region's.
    pub endpoint_url: Option<String>,
    /// A role that is assumed before anything is asked.
    pub role_arn: Option<String>,
}

/// Settings of Amazon RDS.
#[derive(Clone, Debug, PartialEq)]
pub struct RdsSettings {
    /// Which account.
    pub account: Account,
    /// Pattern of identifiers, with `{namespace}` and `{name}`.
    pub name_pattern: String,
    /// Servers with another identifier than the pattern's.
    pub name_overrides: Vec<NameOverride>,
    /// The subnet group of new servers.
    pub subnet_group: Option<String>,
    /// Security groups; none: those of the network.
    pub security_group_ids: Vec<String>,
    /// Whether servers are protected against deletion.
    pub deletion_protection: bool,
    /// Whether servers have a public address.
    pub public_access: bool,
    /// User name of the administrator in new servers.
    pub admin_username: String,
    /// Tags of servers, besides those that say whose they are.
    pub tags: BTreeMap<String, String>,
    /// The zone of new servers that have no standby; none: AWS chooses.
    pub availability_zone: Option<String>,
    /// The certificate authority of servers; none: AWS chooses.
    pub ca_certificate_identifier: Option<String>,
    /// Certificates in PEM that connections are verified with; none: they are not verified.
    pub ca_pem: Option<String>,
    /// The class of servers that name none, or one that is not there.
    pub default_class: String,
    /// Classes by name.
    pub classes: BTreeMap<String, RdsClass>,
    /// What happens to servers whose object does not say so.
    pub deletion_policy: DeletionPolicy,
}

/// An existing server with another identifier than the pattern's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameOverride {
    /// The namespace of the object.
    pub namespace: String,
    /// The name of the object.
    pub name: String,
    /// The identifier.
    pub aws_identifier: String,
}

/// What a class stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdsClass {
    /// For example `db.m5.large`.
    pub instance_type: String,
    /// `gp2`, `gp3`, `io1`, `io2` or `standard`.
    pub storage_type: String,
    /// Operations per second, where the storage type takes a number.
    pub iops: Option<i32>,
    /// MiB per second, `gp3` only.
    pub storage_throughput: Option<i32>,
}
