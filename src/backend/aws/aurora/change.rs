//! Making and changing a cluster.

use aws_sdk_rds::operation::modify_db_cluster::builders::ModifyDbClusterInputBuilder;

use super::super::super::{
    BackendError, DesiredServer, Difference, Owner, PARAMETER, ServerIdentity, Urgency,
};
use super::super::engine::Engine;
use super::super::error::CLUSTER_EXISTS;
use super::super::{parameters, versions};
use super::cluster::{Seen, first_name};
use super::{AuroraBackend, requests, rules};
use crate::secrets::Password;

impl AuroraBackend {
    /// The names are what makes it happen once: a request whose answer was lost is repeated, and meets what it has made.
    /// What is not made any more here, because the operator died or the service refused, is a difference of the cluster.
    pub(super) async fn create_cluster(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        let name = identity.name.as_str();
        let size = rules::size(desired.spec, &self.config)?;
        let wishes = parameters::wishes(desired);
        let (service, asked) = (&self.base.service, desired.spec.version.as_deref());
        let version = versions::to_create(service, Engine::Aurora, asked, !wishes.is_empty()).await?;
        let mut request = requests::create(name, desired, &self.config, &size);
        if let Some(major) = version.as_deref().and_then(versions::major).filter(|_| !wishes.is_empty()) {
            let group = self.prepare_group(name, major, desired.owner, &wishes).await?;
            request = request.db_cluster_parameter_group_name(group);
        }
        let request = request.set_engine_version(version).master_user_password(password.expose());
        let answer = service
            .call("CreateDBCluster", Urgency::User, Some(password.expose()), async |client| {
                request.send_with(client).await
            })
            .await;
        self.base.memory.note_write(name);
        match answer {
            Ok(_) => {}
            Err(failed) if failed.is(CLUSTER_EXISTS) => {
                return self.ours(identity, desired.owner).await.map(drop);
            }
            Err(failed) => return Err(failed.error),
        }
        match self.create_member(name, &first_name(name), desired).await {
            // The cluster is not far enough yet.
            Err(BackendError::Busy { .. }) => Ok(()),
            made => made,
        }
    }

    /// One thing at a time, since the service takes no second change while it works on one: what is left is a difference
    /// the next time.
    pub(super) async fn update_cluster(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let name = identity.name.as_str();
        let seen = self.ours(identity, desired.owner).await?;
        let is_asked = |field: &str| differences.iter().any(|difference| difference.field == field);
        // Tags that are only for people come along whenever something is written anyway.
        let named = (name, seen.cluster.db_cluster_arn());
        self.base.complete_tags(named, seen.cluster.tag_list(), desired.owner).await?;
        // Of a member that does not start with its parameters.
        if differences.iter().any(|difference| difference.field.starts_with(PARAMETER)) {
            self.configure_cluster(&seen, desired, differences).await?;
        }
        if is_asked(rules::MEMBERS) {
            return self.complete_members(&seen, desired).await;
        }
        if self.change_cluster(&seen, desired, differences).await?
            || self.change_member(&seen, differences).await?
            || self.change_standby(&seen, desired, differences).await?
            || !is_asked(parameters::RESTART)
        {
            return Ok(());
        }
        self.restart_member(&seen).await
    }

    /// Changes what is the cluster's; false when nothing of it differs.
    async fn change_cluster(
        &self,
        seen: &Seen,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<bool, BackendError> {
        let (name, size) = (seen.name(), rules::size(desired.spec, &self.config)?);
        let mut request = requests::modify(&self.config, &size, &seen.cluster, differences);
        let upgrade = versions::asked(differences).zip(seen.cluster.engine_version());
        if let Some((asked, running)) = upgrade {
            let service = &self.base.service;
            let target = versions::to_upgrade_to(service, Engine::Aurora, running, asked).await?;
            let new_major = versions::major(&target).filter(|major| Some(*major) != versions::major(running));
            let mut change = request.take().unwrap_or_else(|| requests::change_of(&name));
            if let Some(major) = new_major {
                let group = self.group_for_upgrade(seen, desired.owner, major).await?;
                change = change.set_db_cluster_parameter_group_name(group);
            }
            request = Some(change.engine_version(target).allow_major_version_upgrade(new_major.is_some()));
        }
        let Some(request) = request else { return Ok(false) };
        self.modify(&name, request, None).await?;
        if let Some((asked, running)) = upgrade {
            let accepted = Some((running.to_owned(), asked.to_owned()));
            self.base.memory.of(&name, |known| known.upgrade = accepted);
        }
        Ok(true)
    }

    /// The service takes it in at once and sets it a little later; until then the cluster is busy.
    pub(super) async fn change_password(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        password: &Password,
    ) -> Result<(), BackendError> {
        self.ours(identity, owner).await?;
        let request = requests::change_of(&identity.name).master_user_password(password.expose());
        self.modify(&identity.name, request, Some(password.expose())).await
    }

    pub(super) async fn modify(
        &self,
        name: &str,
        request: ModifyDbClusterInputBuilder,
        secret: Option<&str>,
    ) -> Result<(), BackendError> {
        let answer = self
            .base
            .service
            .call("ModifyDBCluster", Urgency::User, secret, async |client| request.send_with(client).await)
            .await;
        self.base.memory.note_write(name);
        answer.map(drop).map_err(BackendError::from)
    }
}
