//! Making and changing an instance.

use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;
use aws_sdk_rds::types::{DbInstance, Tag};

use super::super::super::{
    BackendError, DesiredServer, Difference, Owner, ServerIdentity, Settings, Stage, Urgency,
};
use super::super::error::INSTANCE_EXISTS;
use super::super::tags;
use super::configure::{group_of, wishes};
use super::{RdsBackend, parameters, requests, rules};
use crate::backend::PARAMETER;
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
        let wishes = wishes(desired);
        let version = self.version_to_create(desired.spec.version.as_deref(), !wishes.is_empty()).await?;
        let mut request = requests::create(&identity.name, desired, &self.config, &size);
        if let Some(major) = version.as_deref().and_then(rules::major).filter(|_| !wishes.is_empty()) {
            let group = self.prepare_group(identity, major, desired.owner, &wishes).await?;
            request = request.db_parameter_group_name(group);
        }
        let request = request.set_engine_version(version).master_user_password(password.expose());
        let answer = self
            .service
            .call("CreateDBInstance", Urgency::User, Some(password.expose()), async |client| {
                request.send_with(client).await
            })
            .await;
        self.note_write(&identity.name);
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
        let missing = tags::missing(instance.tag_list(), desired.owner, &self.config.aws.tags);
        if !missing.is_empty() {
            self.add_tags(&instance, missing).await?;
        }
        // Of a server that does not start with its parameters.
        if differences.iter().any(|difference| difference.field.starts_with(PARAMETER)) {
            self.configure_instance(identity, desired, differences).await?;
        }
        let mut request = requests::modify(desired, &self.config, &instance, differences);
        let version = differences
            .iter()
            .find(|difference| difference.field == rules::VERSION && difference.is_applied_by(Stage::Update));
        if let Some((asked, running)) =
            version.and_then(|difference| difference.wanted.as_deref()).zip(instance.engine_version())
        {
            let target = self.version_to_upgrade_to(running, asked).await?;
            let mut change = request.take().unwrap_or_else(|| requests::change_of(name));
            let new_major = rules::major(&target).filter(|major| Some(*major) != rules::major(running));
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
            if let Some(asked) = version.and_then(|difference| difference.wanted.clone()) {
                let running = instance.engine_version().unwrap_or_default().to_owned();
                self.memory().entry(name.to_owned()).or_default().upgrade = Some((running, asked));
            }
            return Ok(());
        }
        if differences.iter().any(|difference| difference.field == parameters::RESTART) {
            return self.restart_instance(&instance, name).await;
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
        let set: Settings = match group_of(instance) {
            Some(group) => self.group_values(group, true, Urgency::User).await?.as_ref().clone(),
            None => Settings::new(),
        };
        let wishes = set
            .into_iter()
            .filter_map(|(field, value)| Some((field.strip_prefix(PARAMETER)?.to_owned(), Some(value))));
        self.prepare_group(identity, major, owner, &wishes.collect()).await
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
            .service
            .call("ModifyDBInstance", Urgency::User, secret, async |client| request.send_with(client).await)
            .await;
        self.note_write(name);
        answer.map(drop).map_err(BackendError::from)
    }

    /// The mark is a tag, which can be set in every state.
    pub(super) async fn mark_instance(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        left: bool,
    ) -> Result<(), BackendError> {
        let instance = self.ours(identity, owner).await?;
        if left {
            return self.add_tags(&instance, vec![tags::tag(tags::RETAINED, "yes")]).await;
        }
        let answer = self
            .service
            .call("RemoveTagsFromResource", Urgency::User, None, async |client| {
                let request = client.remove_tags_from_resource();
                let request = request.set_resource_name(instance.db_instance_arn().map(str::to_owned));
                request.tag_keys(tags::RETAINED).send().await
            })
            .await;
        self.note_write(&identity.name);
        answer.map(drop).map_err(BackendError::from)
    }

    async fn add_tags(&self, instance: &DbInstance, tags: Vec<Tag>) -> Result<(), BackendError> {
        let answer = self
            .service
            .call("AddTagsToResource", Urgency::User, None, async |client| {
                let request = client.add_tags_to_resource();
                let request = request.set_resource_name(instance.db_instance_arn().map(str::to_owned));
                request.set_tags(Some(tags)).send().await
            })
            .await;
        self.note_write(instance.db_instance_identifier().unwrap_or_default());
        answer.map(drop).map_err(BackendError::from)
    }
}
