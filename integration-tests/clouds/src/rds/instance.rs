//! A DB instance, and how it is described.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::postgres::Server;

use super::wire::{leaf, node};

/// A DB instance.
#[derive(Clone)]
pub struct Instance {
    /// Lower case.
    pub id: String,
    /// Unique and never used again.
    pub resource_id: String,
    /// `creating`, `available`, …
    pub status: String,
    /// For example `db.t3.micro`.
    pub class: String,
    /// For example `15.12`.
    pub version: String,
    /// GiB.
    pub storage: u32,
    /// The master user.
    pub admin: String,
    /// A database besides `postgres`.
    pub database: Option<String>,
    /// Days; 0: no backups.
    pub retention: u32,
    /// Whether deletion is refused.
    pub protected: bool,
    /// Two zones.
    pub multi_az: bool,
    /// Whether the address is public.
    pub public: bool,
    /// Its subnet group.
    pub subnet_group: String,
    /// Its VPC security groups.
    pub security_groups: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Elements that `PendingModifiedValues` shows.
    pub(super) pending: BTreeMap<&'static str, String>,
    pub(super) arn: String,
    pub(super) created: String,
    /// What stands behind, once it does.
    pub(super) server: Option<Arc<Server>>,
}

impl Instance {
    pub(super) fn xml(&self) -> String {
        let mut inner = vec![
            leaf("DBInstanceIdentifier", &self.id),
            leaf("DBInstanceClass", &self.class),
            leaf("Engine", "postgres"),
            leaf("DBInstanceStatus", &self.status),
            leaf("MasterUsername", &self.admin),
            leaf("AllocatedStorage", self.storage),
            leaf("BackupRetentionPeriod", self.retention),
            leaf("MultiAZ", self.multi_az),
            leaf("EngineVersion", &self.version),
            leaf("LicenseModel", "postgresql-license"),
            leaf("PubliclyAccessible", self.public),
            leaf("DbiResourceId", &self.resource_id),
            leaf("DBInstanceArn", &self.arn),
            leaf("DeletionProtection", self.protected),
            leaf("CACertificateIdentifier", super::AUTHORITY),
            node("PendingModifiedValues", self.pending.iter().map(|(name, value)| leaf(name, value))),
            node("DBSubnetGroup", [leaf("DBSubnetGroupName", &self.subnet_group)]),
        ];
        inner.extend(self.database.as_ref().map(|name| leaf("DBName", name)));
        if let Some(server) = &self.server {
            let at = [leaf("Address", server.ip()), leaf("Port", crate::postgres::PORT)];
            inner.push(node("Endpoint", at));
            inner.push(leaf("InstanceCreateTime", &self.created));
        }
        let group = |id: &String| {
            node("VpcSecurityGroupMembership", [leaf("VpcSecurityGroupId", id), leaf("Status", "active")])
        };
        inner.push(node("VpcSecurityGroups", self.security_groups.iter().map(group)));
        inner.push(tag_list(&self.tags));
        node("DBInstance", inner)
    }
}

pub(super) fn tag_list(tags: &BTreeMap<String, String>) -> String {
    node("TagList", tags.iter().map(|(key, value)| node("Tag", [leaf("Key", key), leaf("Value", value)])))
}
