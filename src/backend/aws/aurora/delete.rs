//! The end of a cluster: its members first.

use aws_sdk_rds::operation::delete_db_cluster::builders::DeleteDbClusterInputBuilder;

use super::super::super::{BackendError, Owner, Removal};
use super::super::deletion::{DELETING, must_not_be_protected};
use super::super::servers::Shown;
use super::super::snapshots;
use super::AuroraBackend;
use super::cluster::{Member, Seen};

impl AuroraBackend {
    /// Can be taken up after every step: whatever members are left go, then the cluster, whose final snapshot holds all
    /// data. The service takes members of a protected cluster, so that its protection is looked at before.
    pub(super) async fn remove_cluster(
        &self,
        seen: &Seen,
        owner: &Owner,
        removal: Removal,
    ) -> Result<(), BackendError> {
        if seen.status() == Some("stopped") {
            return Err(BackendError::rejected(
                "AWS does not delete a cluster that is stopped; start it in AWS, or set deletionPolicy to Retain",
            ));
        }
        must_not_be_protected(seen)?;
        let name = seen.name();
        for member in seen.members.iter().filter(|member| !is_going(member)) {
            self.delete_member(&name, &member.id).await?;
        }
        let with_snapshot = removal != Removal::Delete;
        let request = DeleteDbClusterInputBuilder::default()
            .db_cluster_identifier(&name)
            .skip_final_snapshot(!with_snapshot)
            .set_final_db_snapshot_identifier(with_snapshot.then(|| snapshots::name(&name, owner)))
            // As on RDS: automated backups stay for as long as they were to be kept.
            .delete_automated_backups(false);
        let base = &self.base;
        let send = base
            .delete(&name, "DeleteDBCluster", with_snapshot, async |client| request.send_with(client).await);
        send.await
    }
}

fn is_going(member: &Member) -> bool {
    member.instance.as_ref().is_some_and(|instance| instance.status() == Some(DELETING))
}
