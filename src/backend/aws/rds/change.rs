//! The effects on an instance.

use aws_sdk_rds::operation::delete_db_instance::builders::DeleteDbInstanceInputBuilder;
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;
use aws_sdk_rds::types::DbInstance;

use super::super::super::{BackendError, DesiredServer, Difference, Owner, Removal, ServerIdentity};
use super::super::budget::Urgency;
use super::super::error::{INSTANCE_EXISTS, PROTECTED};
use super::super::tags;
use super::{RdsBackend, requests, rules};
use crate::secrets::Password;

/// States in which the service takes no final snapshot (API reference of `DeleteDBInstance`).
const WITHOUT_SNAPSHOT: [&str; 3] = ["failed", "incompatible-restore", "incompatible-network"];

impl RdsBackend {
    /// The name is what makes it happen once: a request whose answer was lost is repeated, and meets what it has made.
    pub(super) async fn create_instance(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        let Some(class) = rules::class(desired.spec, &self.settings) else {
            return Err(BackendError::rejected("the configuration has no default class"));
        };
        let version = self.version_to_create(desired.spec.version.as_deref()).await?;
        let request = requests::create(&identity.name, desired, &self.settings, class)
            .set_engine_version(version)
            .master_user_password(password.expose());
        let answer = self
            .service
            .call("CreateDBInstance", Urgency::Asked, Some(password.expose()), async |client| {
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
        let instance = self.ours(identity, desired.owner).await?;
        if differences.iter().any(|difference| difference.field.starts_with(rules::TAG)) {
            self.write_tags(&instance, desired.owner).await?;
        }
        let version = differences.iter().find(|difference| difference.field == rules::VERSION);
        let mut request = requests::modify(desired, &self.settings, &instance, differences);
        if let Some((asked, running)) =
            version.and_then(|difference| difference.wanted.as_deref()).zip(instance.engine_version())
        {
            let target = self.version_to_upgrade_to(running, asked).await?;
            let name = identity.name.as_str();
            let change = request.take().unwrap_or_else(|| {
                ModifyDbInstanceInputBuilder::default().db_instance_identifier(name).apply_immediately(true)
            });
            let is_major = rules::explicit(&target).map(|version| version.first().copied())
                != rules::explicit(running).map(|version| version.first().copied());
            request = Some(change.engine_version(target).allow_major_version_upgrade(is_major));
        }
        match request {
            Some(request) => self.modify(&identity.name, request, None).await,
            None => Ok(()),
        }
    }

    /// The service takes it in at once and sets it a little later; until then the instance is busy.
    pub(super) async fn change_password(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        password: &Password,
    ) -> Result<(), BackendError> {
        self.ours(identity, owner).await?;
        let request = ModifyDbInstanceInputBuilder::default()
            .db_instance_identifier(&identity.name)
            .master_user_password(password.expose())
            .apply_immediately(true);
        self.modify(&identity.name, request, Some(password.expose())).await
    }

    pub(super) async fn delete_instance(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        let instance = self.ours(identity, owner).await?;
        if uid.is_some() && instance.dbi_resource_id() != uid {
            let message = format!("another instance stands under the name {}", identity.name);
            return Err(BackendError::Conflict { message });
        }
        let status = instance.db_instance_status().unwrap_or_default();
        if status == "deleting" {
            return Ok(());
        }
        if instance.deletion_protection() == Some(true) {
            return Err(BackendError::Protected { message: PROTECTED.to_owned() });
        }
        let request = DeleteDbInstanceInputBuilder::default().db_instance_identifier(&identity.name);
        let request = match removal {
            Removal::Delete => request.skip_final_snapshot(true).delete_automated_backups(false),
            Removal::SnapshotAndDelete { .. } if WITHOUT_SNAPSHOT.contains(&status) => {
                return Err(BackendError::rejected(format!(
                    "AWS takes no final snapshot of a server that is {status}; set deletionPolicy to Delete or Retain"
                )));
            }
            Removal::SnapshotAndDelete { .. } => request
                .skip_final_snapshot(false)
                .final_db_snapshot_identifier(final_snapshot(&identity.name, owner))
                .delete_automated_backups(false),
        };
        let answer = self
            .service
            .call("DeleteDBInstance", Urgency::Asked, None, async |client| request.send_with(client).await)
            .await;
        self.note_write(&identity.name);
        answer.map(drop).map_err(BackendError::from)
    }

    async fn modify(
        &self,
        name: &str,
        request: ModifyDbInstanceInputBuilder,
        secret: Option<&str>,
    ) -> Result<(), BackendError> {
        let answer = self
            .service
            .call("ModifyDBInstance", Urgency::Asked, secret, async |client| request.send_with(client).await)
            .await;
        self.note_write(name);
        answer.map(drop).map_err(BackendError::from)
    }

    async fn write_tags(&self, instance: &DbInstance, owner: &Owner) -> Result<(), BackendError> {
        let written = tags::written(owner, &self.settings.tags);
        let answer = self
            .service
            .call("AddTagsToResource", Urgency::Asked, None, async |client| {
                let request = client.add_tags_to_resource();
                let request = request.set_resource_name(instance.db_instance_arn().map(str::to_owned));
                request.set_tags(Some(written)).send().await
            })
            .await;
        self.note_write(instance.db_instance_identifier().unwrap_or_default());
        answer.map(drop).map_err(BackendError::from)
    }
}

/// The same in every attempt, and another one for an object that is made anew.
pub(super) fn final_snapshot(name: &str, owner: &Owner) -> String {
    format!("{name}-final-{}", owner.uid)
}
