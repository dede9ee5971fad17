//! Making, changing and removing members.

use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;

use super::super::super::{BackendError, DesiredServer, Difference, Urgency};
use super::super::error::{INSTANCE_EXISTS, INSTANCE_NOT_FOUND};
use super::super::servers::Shown;
use super::super::{look, parameters, wishes};
use super::cluster::Seen;
use super::{AuroraBackend, requests, rules};

impl AuroraBackend {
    /// Makes a member. The name is what makes it happen once; somebody else's instance of that name stays his.
    pub(super) async fn create_member(
        &self,
        cluster: &str,
        id: &str,
        desired: &DesiredServer<'_>,
    ) -> Result<(), BackendError> {
        let size = rules::size(desired.spec, &self.config)?;
        let request = requests::member(id, cluster, desired, &self.config, &size);
        let base = &self.base;
        let send =
            base.write(cluster, "CreateDBInstance", None, async |client| request.send_with(client).await);
        match send.await {
            Ok(_) => Ok(()),
            Err(failed) if failed.is(INSTANCE_EXISTS) => self.must_be_member(cluster, id).await,
            Err(failed) => Err(failed.error),
        }
    }

    async fn must_be_member(&self, cluster: &str, id: &str) -> Result<(), BackendError> {
        let gone = || BackendError::Gone { message: format!("there is no instance {id} any more") };
        let found = self.base.service.instance(id, Urgency::User).await?.ok_or_else(gone)?;
        if found.db_cluster_identifier().is_some_and(|its| its.eq_ignore_ascii_case(cluster)) {
            return Ok(());
        }
        let message = format!(
            "the cluster {cluster} needs a member {id}, and another instance has that name; rename or delete it in AWS"
        );
        Err(BackendError::Conflict { message })
    }

    /// Brings the members to what they have to be for the cluster to answer.
    pub(super) async fn complete_members(
        &self,
        seen: &Seen,
        desired: &DesiredServer<'_>,
    ) -> Result<(), BackendError> {
        let name = seen.name();
        if let Some(member) = seen.stillborn() {
            self.delete_member(&name, &member.id).await?;
            // The next one is made with a pause that grows.
            return Err(BackendError::transient(format!(
                "AWS could not make the member {}; it was removed, and is made again",
                member.id
            )));
        }
        match seen.free_name().filter(|_| seen.members.is_empty()) {
            Some(id) => self.create_member(&name, &id, desired).await,
            None => Ok(()),
        }
    }

    /// Changes the first member that is not as it shall be, the one that writes last; false when all are.
    pub(super) async fn change_member(
        &self,
        seen: &Seen,
        differences: &[Difference],
    ) -> Result<bool, BackendError> {
        for member in seen.own() {
            if let Some(request) = requests::modify_member(member, differences) {
                self.modify_member(&seen.name(), request).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn modify_member(
        &self,
        cluster: &str,
        request: ModifyDbInstanceInputBuilder,
    ) -> Result<(), BackendError> {
        let base = &self.base;
        let send =
            base.write(cluster, "ModifyDBInstance", None, async |client| request.send_with(client).await);
        send.await?;
        Ok(())
    }

    /// Makes the member that stands by, or takes it away; false when that is not asked for.
    pub(super) async fn change_standby(
        &self,
        seen: &Seen,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<bool, BackendError> {
        let asked = differences.iter().find(|difference| difference.field == wishes::STANDBY);
        match asked.and_then(|difference| difference.wanted.as_deref()) {
            Some("true") => {
                let taken = || BackendError::rejected("the cluster has all members that the operator makes");
                let id = seen.free_name().ok_or_else(taken)?;
                self.create_member(&seen.name(), &id, desired).await?;
            }
            Some(_) => {
                for member in seen.own_readers() {
                    self.delete_member(&seen.name(), &member.id).await?;
                }
            }
            None => return Ok(false),
        }
        Ok(true)
    }

    /// A member holds no data of its own, so that there is nothing to take a snapshot of. One that is gone is gone.
    pub(super) async fn delete_member(&self, cluster: &str, id: &str) -> Result<(), BackendError> {
        let base = &self.base;
        let send = base.write(cluster, "DeleteDBInstance", None, async |client| {
            let request = client.delete_db_instance().db_instance_identifier(id);
            request.skip_final_snapshot(true).send().await
        });
        match send.await {
            Err(failed) if !failed.is(INSTANCE_NOT_FOUND) => Err(failed.error),
            _ => Ok(()),
        }
    }

    /// Restarts the first member that parameters wait for in vain no longer, the one that writes last.
    pub(super) async fn restart_member(&self, seen: &Seen) -> Result<(), BackendError> {
        let (name, set) = (seen.name(), parameters::shown(&look::facts(self, seen, true).await?));
        let known = self.base.memory.of(&name, |known| known.restarted_for.clone());
        match seen.waiting().find(|member| known.get(&member.id) != Some(&set)) {
            Some(member) => self.base.restart(&name, &member.id, set).await,
            None => Ok(()),
        }
    }
}
