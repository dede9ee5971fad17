//! Final snapshots: their names, whether they are there, and what their states mean.

use super::super::{BackendError, Owner, Urgency};
use super::client::Service;
use super::engine::Engine;
use super::error::{CLUSTER_SNAPSHOT_NOT_FOUND, Failed, SNAPSHOT_NOT_FOUND};

/// The same in every attempt, and another one for an object that is made anew.
pub(super) fn name(server: &str, owner: &Owner) -> String {
    format!("{server}-final-{}", owner.uid)
}

impl Service {
    /// The state of the snapshot of an instance or a cluster; none if the service says that there is none.
    pub(super) async fn snapshot_status(
        &self,
        engine: Engine,
        snapshot: &str,
    ) -> Result<Option<String>, BackendError> {
        let found = match engine {
            Engine::Rds => self.snapshot_of_instance(snapshot).await,
            Engine::Aurora => self.snapshot_of_cluster(snapshot).await,
        };
        match found {
            Err(failed) if failed.is(SNAPSHOT_NOT_FOUND) || failed.is(CLUSTER_SNAPSHOT_NOT_FOUND) => Ok(None),
            found => found.map_err(BackendError::from),
        }
    }

    async fn snapshot_of_instance(&self, snapshot: &str) -> Result<Option<String>, Failed> {
        let send = self.call("DescribeDBSnapshots", Urgency::User, None, async |client| {
            client.describe_db_snapshots().db_snapshot_identifier(snapshot).send().await
        });
        let found = send.await?.db_snapshots.unwrap_or_default().into_iter().next();
        Ok(found.map(|found| found.status.unwrap_or_default()))
    }

    async fn snapshot_of_cluster(&self, snapshot: &str) -> Result<Option<String>, Failed> {
        let send = self.call("DescribeDBClusterSnapshots", Urgency::User, None, async |client| {
            client.describe_db_cluster_snapshots().db_cluster_snapshot_identifier(snapshot).send().await
        });
        let found = send.await?.db_cluster_snapshots.unwrap_or_default().into_iter().next();
        Ok(found.map(|found| found.status.unwrap_or_default()))
    }
}

/// Whether the snapshot that the service shows in this state, or does not show, is there.
///
/// # Errors
/// When it is not, or not yet.
pub(super) fn is_there(snapshot: &str, status: Option<&str>) -> Result<(), BackendError> {
    let remedy = "look after it in AWS, or set deletionPolicy to Delete to let the object go";
    match status {
        Some("available") => Ok(()),
        Some("creating") => {
            Err(BackendError::Busy { message: format!("the final snapshot {snapshot} is being taken") })
        }
        Some(status) => {
            Err(BackendError::rejected(format!("the final snapshot {snapshot} is {status}; {remedy}")))
        }
        None => Err(BackendError::rejected(format!(
            "the server is gone, and there is no final snapshot {snapshot}; {remedy}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_snapshot_has_one_name_for_each_object() {
        let owner = Owner { namespace: "team".into(), name: "orders".into(), uid: "uid-1".into() };
        assert_eq!(name("team-orders", &owner), "team-orders-final-uid-1");
    }

    #[test]
    fn only_a_snapshot_that_is_available_lets_the_object_go() {
        assert!(is_there("s", Some("available")).is_ok());
        assert_eq!(is_there("s", Some("creating")).unwrap_err().label(), "busy");
        assert_eq!(is_there("s", Some("failed")).unwrap_err().label(), "rejected");
        assert_eq!(is_there("s", None).unwrap_err().label(), "rejected");
    }
}
