//! Making and changing a cluster.

use aws_sdk_rds::operation::modify_db_cluster::builders::ModifyDbClusterInputBuilder;

use super::super::super::{BackendError, DesiredServer, Difference, ServerIdentity};
use super::super::error::CLUSTER_EXISTS;
use super::super::look;
use super::super::servers::Shown;
use super::cluster::{Seen, first_name};
use super::{AuroraBackend, requests, rules};
use crate::secrets::Password;

impl AuroraBackend {
    /// The names are what makes it happen once: a request whose answer was lost is repeated, and meets what it has made.
    /// What is not made any more here, because the operator died or the service refused, is a difference of the cluster.
    pub(super) async fn make_cluster(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        let name = identity.name.as_str();
        let size = rules::size(desired.spec, &self.config)?;
        let (version, group) = self.base.version_and_group(name, desired).await?;
        let request = requests::create(name, desired, &self.config, &size)
            .set_engine_version(version)
            .set_db_cluster_parameter_group_name(group)
            .master_user_password(password.expose());
        let base = &self.base;
        let send = base.write(name, "CreateDBCluster", Some(password.expose()), async |client| {
            request.send_with(client).await
        });
        match send.await {
            Ok(_) => {}
            Err(failed) if failed.is(CLUSTER_EXISTS) => {
                return look::ours(self, identity, desired.owner).await.map(drop);
            }
            Err(failed) => return Err(failed.error),
        }
        match self.create_member(name, &first_name(name), desired).await {
            // The cluster is not far enough yet.
            Err(BackendError::Busy { .. }) => Ok(()),
            made => made,
        }
    }

    /// Changes what is the cluster's; false when nothing of it differs.
    pub(super) async fn change_cluster(
        &self,
        seen: &Seen,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<bool, BackendError> {
        let (name, size) = (seen.name(), rules::size(desired.spec, &self.config)?);
        let mut request = requests::modify(&self.config, &size, &seen.cluster, differences);
        let upgrade = self.base.upgrade(seen, desired.owner, differences).await?;
        if let Some(upgrade) = &upgrade {
            let change = request.unwrap_or_else(|| requests::change_of(&name));
            let change = change.set_db_cluster_parameter_group_name(upgrade.group.clone());
            request =
                Some(change.engine_version(&upgrade.version).allow_major_version_upgrade(upgrade.is_major));
        }
        let Some(request) = request else { return Ok(false) };
        self.modify(&name, request, None).await?;
        self.base.note_upgrade(&name, upgrade);
        Ok(true)
    }

    pub(super) async fn modify(
        &self,
        name: &str,
        request: ModifyDbClusterInputBuilder,
        secret: Option<&str>,
    ) -> Result<(), BackendError> {
        let base = &self.base;
        let send =
            base.write(name, "ModifyDBCluster", secret, async |client| request.send_with(client).await);
        send.await?;
        Ok(())
    }
}
