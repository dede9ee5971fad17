//! A DB instance, and how it is described.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::postgres::{Parameters, Server};

use super::plain::PlainFields;
use super::storage::Storage;
use super::versions::{AURORA, major};
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
    /// `postgres` or `aurora-postgresql`.
    pub engine: &'static str,
    /// For example `db.t3.micro`.
    pub class: String,
    /// For example `15.12`.
    pub version: String,
    /// Its volume. Of a cluster's member it means nothing.
    pub storage: Storage,
    /// Up to how many GiB it grows on its own; none: it does not.
    pub max_storage: Option<u32>,
    /// GiB in use.
    pub used: u32,
    /// The master user.
    pub admin: String,
    /// A database besides `postgres`.
    pub database: Option<String>,
    /// Days; 0: no backups.
    pub retention: u32,
    /// Two zones.
    pub multi_az: bool,
    /// Its subnet group.
    pub subnet_group: String,
    /// Its VPC security groups.
    pub security_groups: Vec<String>,
    /// `hh:mm-hh:mm`.
    pub backup_window: String,
    /// `ddd:hh:mm-ddd:hh:mm`.
    pub maintenance_window: String,
    /// The certificate authority.
    pub ca: String,
    /// Its parameter group.
    pub group: GroupUse,
    /// Why the last upgrade did not happen; the service writes it to a log.
    pub upgrade_failure: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The cluster that it is a member of.
    pub cluster: Option<String>,
    pub(super) writer: bool,
    pub(super) plain: PlainFields,
    pub(super) pending: Pending,
    /// Since when the pending changes wait for the maintenance window.
    pub(super) parked: Option<Timestamp>,
    /// When its storage was changed.
    pub(super) storage_changes: Vec<Timestamp>,
    pub(super) arn: String,
    pub(super) created: Timestamp,
    /// What stands behind, once it does. A member's belongs to its cluster.
    pub(super) server: Option<Arc<Server>>,
    /// Which of the server's addresses is its own.
    pub(super) address: usize,
}

/// The parameter group that somebody uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupUse {
    /// Its name.
    pub name: String,
    /// `in-sync`, `applying`, `pending-reboot`.
    pub status: String,
    /// The parameters that the server behind has in its files.
    pub(super) written: Parameters,
}

impl GroupUse {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), status: "in-sync".to_owned(), written: Parameters::new() }
    }
}

/// Changes that were accepted and are not in force.
#[derive(Clone, Default)]
pub(super) struct Pending {
    pub(super) class: Option<String>,
    pub(super) storage: Option<Storage>,
    pub(super) version: Option<String>,
    pub(super) multi_az: Option<bool>,
    pub(super) retention: Option<u32>,
    pub(super) ca: Option<String>,
    pub(super) subnet_group: Option<String>,
    pub(super) password: Option<String>,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.class.is_none()
            && self.storage.is_none()
            && self.version.is_none()
            && self.multi_az.is_none()
            && self.retention.is_none()
            && self.ca.is_none()
            && self.subnet_group.is_none()
            && self.password.is_none()
    }

    /// These, where nothing newer was asked for.
    pub(super) fn merge(&mut self, newer: Self) {
        let older = std::mem::take(self);
        *self = Self {
            class: newer.class.or(older.class),
            storage: newer.storage.or(older.storage),
            version: newer.version.or(older.version),
            multi_az: newer.multi_az.or(older.multi_az),
            retention: newer.retention.or(older.retention),
            ca: newer.ca.or(older.ca),
            subnet_group: newer.subnet_group.or(older.subnet_group),
            password: newer.password.or(older.password),
        };
    }

    fn xml(&self, now: &Storage) -> String {
        let mut inner = Vec::new();
        inner.extend(self.class.as_ref().map(|class| leaf("DBInstanceClass", class)));
        if let Some(storage) = &self.storage {
            inner.extend((storage.size != now.size).then(|| leaf("AllocatedStorage", storage.size)));
            inner.extend((storage.kind != now.kind).then(|| leaf("StorageType", &storage.kind)));
            let iops = storage.iops.filter(|_| storage.iops != now.iops);
            inner.extend(iops.map(|iops| leaf("Iops", iops)));
            let throughput = storage.throughput.filter(|_| storage.throughput != now.throughput);
            inner.extend(throughput.map(|throughput| leaf("StorageThroughput", throughput)));
        }
        inner.extend(self.version.as_ref().map(|version| leaf("EngineVersion", version)));
        inner.extend(self.multi_az.map(|two| leaf("MultiAZ", two)));
        inner.extend(self.retention.map(|days| leaf("BackupRetentionPeriod", days)));
        inner.extend(self.ca.as_ref().map(|ca| leaf("CACertificateIdentifier", ca)));
        inner.extend(self.subnet_group.as_ref().map(|name| leaf("DBSubnetGroupName", name)));
        inner.extend(self.password.as_ref().map(|_| leaf("MasterUserPassword", "****")));
        node("PendingModifiedValues", inner)
    }
}

impl Instance {
    /// The text of an element that the service only takes and shows: `MonitoringInterval`, `StorageEncrypted`, …
    #[must_use]
    pub fn field(&self, element: &str) -> Option<&str> {
        self.plain.get(element)
    }

    /// Changes such an element.
    pub fn set_field(&mut self, element: &'static str, text: &str) {
        self.plain.set(element, text);
    }

    /// Whether deletion is refused.
    #[must_use]
    pub fn protected(&self) -> bool {
        self.plain.is("DeletionProtection")
    }

    /// Whether changes wait for the maintenance window.
    #[must_use]
    pub fn waits_for_window(&self) -> bool {
        self.parked.is_some()
    }

    pub(super) fn xml(&self) -> String {
        let mut inner = vec![
            leaf("DBInstanceIdentifier", &self.id),
            leaf("DBInstanceClass", &self.class),
            leaf("Engine", self.engine),
            leaf("DBInstanceStatus", &self.status),
            leaf("MasterUsername", &self.admin),
            leaf("BackupRetentionPeriod", self.retention),
            leaf("PreferredBackupWindow", &self.backup_window),
            leaf("PreferredMaintenanceWindow", &self.maintenance_window),
            leaf("MultiAZ", self.multi_az),
            leaf("EngineVersion", &self.version),
            leaf("DbiResourceId", &self.resource_id),
            leaf("DBInstanceArn", &self.arn),
            leaf("DbInstancePort", 0),
            leaf("CACertificateIdentifier", &self.ca),
            self.pending.xml(&self.storage),
            subnet_group(&self.subnet_group),
            self.group_xml(),
            security_groups(&self.security_groups),
            tag_list(&self.tags),
        ];
        inner.extend(self.plain.xml());
        inner.extend(self.storage_xml());
        inner.extend(self.database.as_ref().map(|name| leaf("DBName", name)));
        inner.extend(self.cluster.as_ref().map(|cluster| leaf("DBClusterIdentifier", cluster)));
        inner.extend(self.endpoint());
        node("DBInstance", inner)
    }

    /// Shown from the first backup or availability on.
    fn endpoint(&self) -> Vec<String> {
        let Some(server) = self.server.as_ref().filter(|_| self.status != "creating") else {
            return Vec::new();
        };
        let addresses = server.addresses();
        let ip = addresses.get(self.address).map_or_else(|| server.ip(), |address| address.ip());
        let valid = leaf("ValidTill", "2120-01-01T00:00:00Z");
        vec![
            node("Endpoint", [leaf("Address", ip), leaf("Port", crate::postgres::PORT)]),
            leaf("InstanceCreateTime", self.created),
            node("CertificateDetails", [leaf("CAIdentifier", &self.ca), valid]),
        ]
    }

    fn storage_xml(&self) -> Vec<String> {
        if self.engine == AURORA {
            // Means nothing; the volume is the cluster's.
            return vec![leaf("AllocatedStorage", 1), leaf("StorageType", &self.storage.kind)];
        }
        let mut inner =
            vec![leaf("AllocatedStorage", self.storage.size), leaf("StorageType", &self.storage.kind)];
        inner.extend(self.storage.iops.map(|iops| leaf("Iops", iops)));
        inner.extend(self.storage.throughput.map(|throughput| leaf("StorageThroughput", throughput)));
        inner.extend(self.max_storage.map(|most| leaf("MaxAllocatedStorage", most)));
        inner
    }

    fn group_xml(&self) -> String {
        let inner = [
            leaf("DBParameterGroupName", &self.group.name),
            leaf("ParameterApplyStatus", &self.group.status),
        ];
        node("DBParameterGroups", [node("DBParameterGroup", inner)])
    }

    pub(super) fn major(&self) -> u32 {
        major(&self.version)
    }
}

pub(super) fn security_groups(ids: &[String]) -> String {
    let group = |id: &String| {
        node("VpcSecurityGroupMembership", [leaf("VpcSecurityGroupId", id), leaf("Status", "active")])
    };
    node("VpcSecurityGroups", ids.iter().map(group))
}

pub(super) fn subnet_group(name: &str) -> String {
    let inner = [
        leaf("DBSubnetGroupName", name),
        leaf("DBSubnetGroupDescription", name),
        leaf("VpcId", "vpc-simulated"),
        leaf("SubnetGroupStatus", "Complete"),
    ];
    node("DBSubnetGroup", inner)
}

pub(super) fn tag_list(tags: &BTreeMap<String, String>) -> String {
    node("TagList", tags.iter().map(|(key, value)| node("Tag", [leaf("Key", key), leaf("Value", value)])))
}
