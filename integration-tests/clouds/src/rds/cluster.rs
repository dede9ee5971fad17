//! An Aurora cluster, and how it is described.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::postgres::{Address, Server};

use super::instance::{GroupUse, Instance, security_groups, tag_list};
use super::plain::PlainFields;
use super::wire::{leaf, node};

/// How many members have an address of their own; further ones share the reader's.
pub(super) const OWN_ADDRESSES: usize = 4;

/// An Aurora cluster.
#[derive(Clone)]
pub struct Cluster {
    /// Lower case.
    pub id: String,
    /// Unique and never used again.
    pub resource_id: String,
    /// `creating`, `available`, …
    pub status: String,
    /// For example `15.12`.
    pub version: String,
    /// The master user.
    pub admin: String,
    /// A database besides `postgres`.
    pub database: Option<String>,
    /// Days.
    pub retention: u32,
    /// Its subnet group.
    pub subnet_group: String,
    /// Its VPC security groups.
    pub security_groups: Vec<String>,
    /// `hh:mm-hh:mm`.
    pub backup_window: String,
    /// `ddd:hh:mm-ddd:hh:mm`.
    pub maintenance_window: String,
    /// Whether its storage is `aurora-iopt1`.
    pub io_optimized: bool,
    /// Serverless capacity: least, most, seconds until it pauses.
    pub scaling: Option<Scaling>,
    /// Its cluster parameter group.
    pub group: GroupUse,
    /// Why the last upgrade did not happen; the service writes it to a log.
    pub upgrade_failure: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    pub(super) plain: PlainFields,
    pub(super) password: Option<String>,
    pub(super) pending: ClusterPending,
    pub(super) parked: Option<Timestamp>,
    /// When its storage type was changed.
    pub(super) io_changed: Option<Timestamp>,
    pub(super) arn: String,
    pub(super) created: Timestamp,
    /// The cluster's, the readers', then the members' own.
    pub(super) addresses: Arc<Vec<Address>>,
    /// What stands behind, from the first member on.
    pub(super) server: Option<Arc<Server>>,
}

/// Serverless capacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// Least capacity units.
    pub min: f64,
    /// Most capacity units.
    pub max: f64,
    /// Seconds until it pauses, where the least is 0.
    pub pause: Option<u32>,
}

/// Changes that were accepted and are not in force.
#[derive(Clone, Default)]
pub(super) struct ClusterPending {
    pub(super) version: Option<String>,
    pub(super) password: Option<String>,
}

impl ClusterPending {
    pub(super) fn is_empty(&self) -> bool {
        self.version.is_none() && self.password.is_none()
    }

    pub(super) fn merge(&mut self, newer: Self) {
        self.version = newer.version.or(self.version.take());
        self.password = newer.password.or(self.password.take());
    }
}

impl Cluster {
    /// Whether deletion is refused.
    #[must_use]
    pub fn protected(&self) -> bool {
        self.plain.is("DeletionProtection")
    }

    /// The text of an element that the service only takes and shows.
    #[must_use]
    pub fn field(&self, element: &str) -> Option<&str> {
        self.plain.get(element)
    }

    /// Changes such an element.
    pub fn set_field(&mut self, element: &'static str, text: &str) {
        self.plain.set(element, text);
    }

    fn address(&self, at: usize) -> Ipv4Addr {
        self.addresses.get(at).map_or(Ipv4Addr::LOCALHOST, Address::ip)
    }

    pub(super) fn xml<'a>(&self, members: impl Iterator<Item = &'a Instance>) -> String {
        let mut inner = vec![
            leaf("AllocatedStorage", 1),
            node("AvailabilityZones", ["a", "b", "c"].map(|zone| leaf("AvailabilityZone", self.zone(zone)))),
            leaf("BackupRetentionPeriod", self.retention),
            leaf("DBClusterIdentifier", &self.id),
            leaf("DBClusterParameterGroup", &self.group.name),
            leaf("DBSubnetGroup", &self.subnet_group),
            leaf("Status", &self.status),
            leaf("Endpoint", self.address(0)),
            leaf("ReaderEndpoint", self.address(1)),
            leaf("MultiAZ", false),
            leaf("Engine", super::versions::AURORA),
            leaf("EngineVersion", &self.version),
            leaf("EngineMode", "provisioned"),
            leaf("Port", crate::postgres::PORT),
            leaf("MasterUsername", &self.admin),
            leaf("PreferredBackupWindow", &self.backup_window),
            leaf("PreferredMaintenanceWindow", &self.maintenance_window),
            leaf("DbClusterResourceId", &self.resource_id),
            leaf("DBClusterArn", &self.arn),
            leaf("ClusterCreateTime", self.created),
            security_groups(&self.security_groups),
            tag_list(&self.tags),
            node("DBClusterMembers", members.map(|member| self.member(member))),
        ];
        inner.extend(self.plain.xml());
        inner.extend(self.database.as_ref().map(|name| leaf("DatabaseName", name)));
        // `aurora` is not returned (botocore, DBCluster.StorageType).
        inner.extend(self.io_optimized.then(|| leaf("StorageType", "aurora-iopt1")));
        if let Some(scaling) = &self.scaling {
            let mut it = vec![leaf("MinCapacity", scaling.min), leaf("MaxCapacity", scaling.max)];
            it.extend(scaling.pause.map(|seconds| leaf("SecondsUntilAutoPause", seconds)));
            inner.push(node("ServerlessV2ScalingConfiguration", it));
        }
        if !self.pending.is_empty() {
            let mut it: Vec<_> =
                self.pending.version.iter().map(|version| leaf("EngineVersion", version)).collect();
            it.extend(self.pending.password.as_ref().map(|_| leaf("MasterUserPassword", "****")));
            inner.push(node("PendingModifiedValues", it));
        }
        node("DBCluster", inner)
    }

    fn zone(&self, letter: &str) -> String {
        format!("{}{letter}", self.arn.split(':').nth(3).unwrap_or_default())
    }

    fn member(&self, member: &Instance) -> String {
        let inner = [
            leaf("DBInstanceIdentifier", &member.id),
            leaf("IsClusterWriter", member.writer),
            leaf("DBClusterParameterGroupStatus", &self.group.status),
            leaf("PromotionTier", member.plain.get("PromotionTier").unwrap_or("1")),
        ];
        node("DBClusterMember", inner)
    }
}
