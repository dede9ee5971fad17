//! The end of an instance.

use aws_sdk_rds::operation::delete_db_instance::builders::DeleteDbInstanceInputBuilder;
use aws_sdk_rds::types::DbInstance;

use super::super::super::{BackendError, Owner, Removal};
use super::super::deletion::must_not_be_protected;
use super::super::instances::was_available;
use super::super::servers::Shown;
use super::super::snapshots;
use super::RdsBackend;

/// States in which the service takes no final snapshot (API reference of `DeleteDBInstance`).
const WITHOUT_SNAPSHOT: [&str; 3] = ["failed", "incompatible-restore", "incompatible-network"];

impl RdsBackend {
    pub(super) async fn remove_instance(
        &self,
        instance: &DbInstance,
        owner: &Owner,
        removal: Removal,
    ) -> Result<(), BackendError> {
        must_not_be_protected(instance)?;
        let (name, status) = (instance.name(), instance.status().unwrap_or_default());
        // What never took a connection holds nothing.
        let with_snapshot = removal != Removal::Delete && was_available(instance);
        if with_snapshot && WITHOUT_SNAPSHOT.contains(&status) {
            return Err(BackendError::rejected(format!(
                "AWS takes no final snapshot of a server that is {status}; set deletionPolicy to Delete, which gives \
                 up its data, or to Retain"
            )));
        }
        let request = DeleteDbInstanceInputBuilder::default()
            .db_instance_identifier(&name)
            .skip_final_snapshot(!with_snapshot)
            .set_final_db_snapshot_identifier(with_snapshot.then(|| snapshots::name(&name, owner)))
            // As in the original: automated backups stay for as long as they were to be kept.
            .delete_automated_backups(false);
        let base = &self.base;
        let send = base
            .delete(&name, "DeleteDBInstance", with_snapshot, async |client| request.send_with(client).await);
        send.await
    }
}
