//! Making and changing an instance.

use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;
use aws_sdk_rds::types::DbInstance;

use super::super::super::{
    BackendError, DesiredServer, Difference, Owner, PARAMETER, ServerIdentity, Urgency,
};
use super::super::engine::Engine;
use super::super::error::INSTANCE_EXISTS;
use super::super::{parameters, versions};
use super::configure::group_of;
use super::{RdsBackend, requests, rules};
use crate::secrets::Password;

impl RdsBackend {
    /// The name is what makes it happen once: a request whose answer was lost is repeated, and meets what it has made.
    pub(super) async fn create_instance(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        let size = rules::size_of_new(desired.spec, &self.config)?;
        let wishes = parameters::wishes(desired);
        let (service, asked) = (&self.base.service, desired.spec.version.as_deref());
        let version = versions::to_create(service, Engine::Rds, asked, !wishes.is_empty()).await?;
        let mut request = requests::create(&identity.name, desired, &self.config, &size);
        if let Some(major) = version.as_deref().and_then(versions::major).filter(|_| !wishes.is_empty()) {
            let group = self.prepare_group(identity, major, desired.owner, &wishes).await?;
            request = request.db_parameter_group_name(group);
        }
        let request = request.set_engine_version(version).master_user_password(password.expose());
        let answer = self
            .base
            .service
            .call("CreateDBInstance", Urgency::User, Some(password.expose()), async |client| {
                request.send_with(client).await
            })
            .await;
        self.base.memory.note_write(&identity.name);
        match answer {
            Ok(_) => Ok(()),
            Err(failed) if failed.is(INSTANCE_EXISTS) => self.ours(identity, desired.owner).await.map(drop),
            Err(failed) => Err(failed.error),
        }
    }

    pub(super) async fn update_instance(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let name = identity.name.as_str();
        let instance = self.ours(identity, desired.owner).await?;
        // Tags that are only for people come along whenever something is written anyway.
        let named = (name, instance.db_instance_arn());
        self.base.complete_tags(named, instance.tag_list(), desired.owner).await?;
        // Of a server that does not start with its parameters.
        if differences.iter().any(|difference| difference.field.starts_with(PARAMETER)) {
            self.configure_instance(identity, desired, differences).await?;
        }
        let mut request = requests::modify(desired, &self.config, &instance, differences);
        let asked = versions::asked(differences);
        if let Some((asked, running)) = asked.zip(instance.engine_version()) {
            let target = versions::to_upgrade_to(&self.base.service, Engine::Rds, running, asked).await?;
            let mut change = request.take().unwrap_or_else(|| requests::change_of(name));
            let new_major = versions::major(&target).filter(|major| Some(*major) != versions::major(running));
            if let Some(major) = new_major
                && group_of(&instance).is_some_and(|group| parameters::is_own(group, name))
            {
                let group = self.group_for_upgrade(identity, desired.owner, &instance, major).await?;
                change = change.db_parameter_group_name(group);
            }
            request = Some(change.engine_version(target).allow_major_version_upgrade(new_major.is_some()));
        }
        if let Some(request) = request {
            self.modify(name, request, None).await?;
            if let Some(asked) = asked {
                let running = instance.engine_version().unwrap_or_default().to_owned();
                let accepted = Some((running, asked.to_owned()));
                self.base.memory.of(name, |known| known.upgrade = accepted);
            }
            return Ok(());
        }
        if differences.iter().any(|difference| difference.field == parameters::RESTART) {
            let facts = self.facts_of(&instance, true).await?;
            return self.base.restart(name, name, parameters::shown(&facts)).await;
        }
        Ok(())
    }

    /// A group belongs to one major version: the new one gets what is set in the old one.
    async fn group_for_upgrade(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        instance: &DbInstance,
        major: u32,
    ) -> Result<String, BackendError> {
        let set = match group_of(instance) {
            Some(group) => self.base.groups.values(&self.base.service, group, true, Urgency::User).await?,
            None => Default::default(),
        };
        self.prepare_group(identity, major, owner, &parameters::kept(&set)).await
    }

    /// The service takes it in at once and sets it a little later; until then the instance is busy.
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
        request: ModifyDbInstanceInputBuilder,
        secret: Option<&str>,
    ) -> Result<(), BackendError> {
        let answer = self
            .base
            .service
            .call("ModifyDBInstance", Urgency::User, secret, async |client| request.send_with(client).await)
            .await;
        self.base.memory.note_write(name);
        answer.map(drop).map_err(BackendError::from)
    }

    pub(super) async fn mark_instance(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        left: bool,
    ) -> Result<(), BackendError> {
        let instance = self.ours(identity, owner).await?;
        self.base.mark(&identity.name, instance.db_instance_arn(), left).await
    }
}
