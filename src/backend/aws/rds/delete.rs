//! The end of an instance.

use aws_sdk_rds::operation::delete_db_instance::builders::DeleteDbInstanceInputBuilder;

use super::super::super::{BackendError, Owner, Removal, ServerIdentity, Urgency};
use super::super::error::{PROTECTED, SNAPSHOT_NOT_FOUND};
use super::super::instances::was_available;
use super::super::snapshots;
use super::RdsBackend;

/// States in which the service takes no final snapshot (API reference of `DeleteDBInstance`).
const WITHOUT_SNAPSHOT: [&str; 3] = ["failed", "incompatible-restore", "incompatible-network"];

const DELETING: &str = "deleting";

impl RdsBackend {
    pub(super) async fn delete_instance(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        let name = identity.name.as_str();
        let instance = self.ours(identity, owner).await?;
        if uid.is_some() && instance.dbi_resource_id() != uid {
            let message = format!("another instance stands under the name {name}");
            return Err(BackendError::Conflict { message });
        }
        let status = instance.db_instance_status().unwrap_or_default();
        if status == DELETING {
            return Ok(());
        }
        if instance.deletion_protection() == Some(true) {
            return Err(BackendError::Protected { message: PROTECTED.to_owned() });
        }
        let request = DeleteDbInstanceInputBuilder::default().db_instance_identifier(name);
        // What never took a connection holds nothing.
        let with_snapshot = removal != Removal::Delete && was_available(&instance);
        let request = match with_snapshot {
            false => request.skip_final_snapshot(true),
            true if WITHOUT_SNAPSHOT.contains(&status) => {
                return Err(BackendError::rejected(format!(
                    "AWS takes no final snapshot of a server that is {status}; set deletionPolicy to Delete, which gives \
                     up its data, or to Retain"
                )));
            }
            true => {
                let snapshot = snapshots::name(name, owner);
                request.skip_final_snapshot(false).final_db_snapshot_identifier(snapshot)
            }
        };
        // As in the original: automated backups stay for as long as they were to be kept.
        let request = request.delete_automated_backups(false);
        // Before the call: one whose answer does not come may have been carried out.
        self.base.memory.of(name, |known| known.goes_with_snapshot = Some(with_snapshot));
        let answer = self
            .base
            .service
            .call("DeleteDBInstance", Urgency::User, None, async |client| request.send_with(client).await)
            .await;
        self.base.memory.note_write(name);
        let refused = answer.map(drop).map_err(BackendError::from);
        if matches!(&refused, Err(error) if !matches!(error, BackendError::Transient { .. })) {
            self.base.memory.of(name, |known| known.goes_with_snapshot = None);
        }
        refused
    }

    /// The instance is gone: the snapshot has to be there, and its parameter groups are of no use any more.
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
            .call("DescribeDBSnapshots", Urgency::User, None, async |client| {
                client.describe_db_snapshots().db_snapshot_identifier(snapshot).send().await
            })
            .await;
        let found = match answer {
            Ok(answer) => answer.db_snapshots.unwrap_or_default().into_iter().next(),
            Err(failed) if failed.is(SNAPSHOT_NOT_FOUND) => None,
            Err(failed) => return Err(failed.error),
        };
        snapshots::is_there(snapshot, found.as_ref().map(|found| found.status().unwrap_or_default()))
    }
}
