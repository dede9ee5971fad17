//! The end of a cluster: its members first.

use aws_sdk_rds::operation::delete_db_cluster::builders::DeleteDbClusterInputBuilder;

use super::super::super::{BackendError, Owner, Removal, ServerIdentity, Urgency};
use super::super::error::{CLUSTER_SNAPSHOT_NOT_FOUND, PROTECTED};
use super::super::snapshots;
use super::AuroraBackend;
use super::cluster::Member;

const DELETING: &str = "deleting";

impl AuroraBackend {
    /// Can be taken up after every step: whatever members are left go, then the cluster, whose final snapshot holds all
    /// data. The service takes members of a protected cluster, so that its protection is looked at before.
    pub(super) async fn delete_cluster(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        let name = identity.name.as_str();
        let seen = self.ours(identity, owner).await?;
        if uid.is_some() && seen.cluster.db_cluster_resource_id() != uid {
            let message = format!("another cluster stands under the name {name}");
            return Err(BackendError::Conflict { message });
        }
        match seen.cluster.status() {
            Some(DELETING) => return Ok(()),
            Some("stopped") => {
                return Err(BackendError::rejected(
                    "AWS does not delete a cluster that is stopped; start it in AWS, or set deletionPolicy to Retain",
                ));
            }
            _ => {}
        }
        if seen.cluster.deletion_protection() == Some(true) {
            return Err(BackendError::Protected { message: PROTECTED.to_owned() });
        }
        for member in seen.members.iter().filter(|member| !is_going(member)) {
            self.delete_member(name, &member.id).await?;
        }
        self.delete_empty(name, owner, removal).await
    }

    async fn delete_empty(&self, name: &str, owner: &Owner, removal: Removal) -> Result<(), BackendError> {
        let with_snapshot = removal != Removal::Delete;
        let request = DeleteDbClusterInputBuilder::default().db_cluster_identifier(name);
        let request = match with_snapshot {
            false => request.skip_final_snapshot(true),
            true => {
                request.skip_final_snapshot(false).final_db_snapshot_identifier(snapshots::name(name, owner))
            }
        };
        // As on RDS: automated backups stay for as long as they were to be kept.
        let request = request.delete_automated_backups(false);
        // Before the call: one whose answer does not come may have been carried out.
        self.base.memory.of(name, |known| known.goes_with_snapshot = Some(with_snapshot));
        let answer = self
            .base
            .service
            .call("DeleteDBCluster", Urgency::User, None, async |client| request.send_with(client).await)
            .await;
        self.base.memory.note_write(name);
        let refused = answer.map(drop).map_err(BackendError::from);
        if matches!(&refused, Err(error) if !matches!(error, BackendError::Transient { .. })) {
            self.base.memory.of(name, |known| known.goes_with_snapshot = None);
        }
        refused
    }

    /// The cluster is gone: the snapshot has to be there, and its parameter groups are of no use any more.
    pub(super) async fn conclude_deletion(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        removal: Removal,
        last_seen: Option<&str>,
    ) -> Result<(), BackendError> {
        let name = identity.name.as_str();
        let known = self.base.memory.of(name, |known| known.goes_with_snapshot);
        if removal != Removal::Delete && known.unwrap_or(last_seen == Some(DELETING)) {
            self.verify_snapshot(&snapshots::name(name, owner)).await?;
        }
        self.base.groups.remove_all(&self.base.service, name).await?;
        self.base.memory.forget(name);
        Ok(())
    }

    async fn verify_snapshot(&self, snapshot: &str) -> Result<(), BackendError> {
        let answer = self
            .base
            .service
            .call("DescribeDBClusterSnapshots", Urgency::User, None, async |client| {
                client.describe_db_cluster_snapshots().db_cluster_snapshot_identifier(snapshot).send().await
            })
            .await;
        let found = match answer {
            Ok(answer) => answer.db_cluster_snapshots.unwrap_or_default().into_iter().next(),
            Err(failed) if failed.is(CLUSTER_SNAPSHOT_NOT_FOUND) => None,
            Err(failed) => return Err(failed.error),
        };
        snapshots::is_there(snapshot, found.as_ref().map(|found| found.status().unwrap_or_default()))
    }
}

fn is_going(member: &Member) -> bool {
    member.instance.as_ref().is_some_and(|instance| instance.db_instance_status() == Some(DELETING))
}
