//! Final snapshots: what an instance or a cluster was. Its data is not kept.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::instance::tag_list;
use super::storage::Storage;
use super::wire::{leaf, node};
use super::{Cluster, Instance};

/// A final snapshot.
#[derive(Clone)]
pub struct Snapshot {
    /// Lower case.
    pub id: String,
    /// The instance or cluster that it is of.
    pub of: String,
    /// Its unique id.
    pub resource_id: String,
    /// `creating`, `available`.
    pub status: String,
    /// The tags, where they were to be copied.
    pub tags: BTreeMap<String, String>,
    engine: &'static str,
    version: String,
    admin: String,
    storage: Option<Storage>,
    encrypted: bool,
    kms: Option<String>,
    made: Timestamp,
    created: Timestamp,
    pub(super) arn: String,
}

impl Snapshot {
    pub(super) fn of_instance(id: &str, it: &Instance, arn: String, made: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            of: it.id.clone(),
            resource_id: it.resource_id.clone(),
            status: "creating".to_owned(),
            tags: if it.plain.is("CopyTagsToSnapshot") { it.tags.clone() } else { BTreeMap::new() },
            engine: it.engine,
            version: it.version.clone(),
            admin: it.admin.clone(),
            storage: Some(it.storage.clone()),
            encrypted: it.plain.is("StorageEncrypted"),
            kms: it.field("KmsKeyId").map(str::to_owned),
            made,
            created: it.created,
            arn,
        }
    }

    pub(super) fn of_cluster(id: &str, it: &Cluster, arn: String, made: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            of: it.id.clone(),
            resource_id: it.resource_id.clone(),
            status: "creating".to_owned(),
            tags: if it.plain.is("CopyTagsToSnapshot") { it.tags.clone() } else { BTreeMap::new() },
            engine: super::versions::AURORA,
            version: it.version.clone(),
            admin: it.admin.clone(),
            storage: None,
            encrypted: it.plain.is("StorageEncrypted"),
            kms: it.field("KmsKeyId").map(str::to_owned),
            made,
            created: it.created,
            arn,
        }
    }

    pub(super) fn xml(&self) -> String {
        let ready = self.status == "available";
        let mut inner = vec![
            leaf("Engine", self.engine),
            leaf("EngineVersion", &self.version),
            leaf("Status", &self.status),
            leaf("MasterUsername", &self.admin),
            leaf("SnapshotType", "manual"),
            leaf("SnapshotCreateTime", self.made),
            leaf("Port", crate::postgres::PORT),
            leaf("LicenseModel", "postgresql-license"),
            leaf("PercentProgress", if ready { 100 } else { 0 }),
            tag_list(&self.tags),
        ];
        inner.extend(self.kms.as_ref().map(|key| leaf("KmsKeyId", key)));
        if let Some(storage) = &self.storage {
            inner.extend([
                leaf("DBSnapshotIdentifier", &self.id),
                leaf("DBInstanceIdentifier", &self.of),
                leaf("DbiResourceId", &self.resource_id),
                leaf("InstanceCreateTime", self.created),
                leaf("DBSnapshotArn", &self.arn),
                leaf("AllocatedStorage", storage.size),
                leaf("StorageType", &storage.kind),
                leaf("Encrypted", self.encrypted),
            ]);
            return node("DBSnapshot", inner);
        }
        inner.extend([
            leaf("DBClusterSnapshotIdentifier", &self.id),
            leaf("DBClusterIdentifier", &self.of),
            leaf("DbClusterResourceId", &self.resource_id),
            leaf("ClusterCreateTime", self.created),
            leaf("DBClusterSnapshotArn", &self.arn),
            leaf("StorageEncrypted", self.encrypted),
        ]);
        node("DBClusterSnapshot", inner)
    }
}
