//! Making and changing an instance.

use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;
use aws_sdk_rds::types::DbInstance;

use super::super::super::{BackendError, DesiredServer, Difference, ServerIdentity};
use super::super::error::INSTANCE_EXISTS;
use super::super::servers::Shown;
use super::super::{look, parameters};
use super::{RdsBackend, requests, rules};
use crate::secrets::Password;

impl RdsBackend {
    /// The name is what makes it happen once: a request whose answer was lost is repeated, and meets what it has made.
    pub(super) async fn make_instance(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        let name = identity.name.as_str();
        let size = rules::size_of_new(desired.spec, &self.config)?;
        let (version, group) = self.base.version_and_group(name, desired).await?;
        let request = requests::create(name, desired, &self.config, &size)
            .set_engine_version(version)
            .set_db_parameter_group_name(group)
            .master_user_password(password.expose());
        let base = &self.base;
        let send = base.write(name, "CreateDBInstance", Some(password.expose()), async |client| {
            request.send_with(client).await
        });
        match send.await {
            Ok(_) => Ok(()),
            Err(failed) if failed.is(INSTANCE_EXISTS) => {
                look::ours(self, identity, desired.owner).await.map(drop)
            }
            Err(failed) => Err(failed.error),
        }
    }

    pub(super) async fn change_instance(
        &self,
        instance: &DbInstance,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let name = instance.name();
        let mut request = requests::modify(desired, &self.config, instance, differences);
        let upgrade = self.base.upgrade(instance, desired.owner, differences).await?;
        if let Some(upgrade) = &upgrade {
            let change = request.unwrap_or_else(|| requests::change_of(&name));
            let change = change.set_db_parameter_group_name(upgrade.group.clone());
            request =
                Some(change.engine_version(&upgrade.version).allow_major_version_upgrade(upgrade.is_major));
        }
        if let Some(request) = request {
            self.modify(&name, request, None).await?;
            self.base.note_upgrade(&name, upgrade);
            return Ok(());
        }
        if differences.iter().any(|difference| difference.field == parameters::RESTART) {
            let facts = look::facts(self, instance, true).await?;
            return self.base.restart(&name, &name, parameters::shown(&facts)).await;
        }
        Ok(())
    }

    pub(super) async fn modify(
        &self,
        name: &str,
        request: ModifyDbInstanceInputBuilder,
        secret: Option<&str>,
    ) -> Result<(), BackendError> {
        let base = &self.base;
        let send =
            base.write(name, "ModifyDBInstance", secret, async |client| request.send_with(client).await);
        send.await?;
        Ok(())
    }
}
