//! Server parameters come into force: by a group of the server's own.

use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;
use aws_sdk_rds::types::DbInstance;

use super::super::super::{
    BackendError, Change, DesiredServer, Difference, Owner, PARAMETER, ServerFacts, ServerIdentity, Urgency,
    asked_parameters,
};
use super::groups::Wishes;
use super::{RdsBackend, parameters, rules};

impl RdsBackend {
    /// Every step can be taken again. A group that was made and not given to the instance yet is not seen, so that all of
    /// its parameters still differ.
    pub(super) async fn configure_instance(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let instance = self.ours(identity, desired.owner).await?;
        let wishes: Wishes = differences
            .iter()
            .filter(|difference| matches!(difference.change, Change::Apply { .. }))
            .filter_map(|one| Some((one.field.strip_prefix(PARAMETER)?.to_owned(), one.wanted.clone())))
            .collect();
        let major = instance.engine_version().and_then(rules::major);
        let Some(major) = major.filter(|_| !wishes.is_empty()) else { return Ok(()) };
        let group = self.prepare_group(identity, major, desired.owner, &wishes).await?;
        if group_of(&instance) == Some(group.as_str()) {
            // What is listed may be as before.
            self.note_write(&identity.name);
            return Ok(());
        }
        let request = ModifyDbInstanceInputBuilder::default()
            .db_instance_identifier(&identity.name)
            .db_parameter_group_name(group)
            .apply_immediately(true);
        self.modify(&identity.name, request, None).await
    }

    /// The name of the instance's own group for that major version, with these parameters set in it.
    pub(super) async fn prepare_group(
        &self,
        identity: &ServerIdentity,
        major: u32,
        owner: &Owner,
        wishes: &Wishes,
    ) -> Result<String, BackendError> {
        let group = parameters::group_name(&identity.name, major);
        self.write_group(&group, &format!("postgres{major}"), owner, wishes).await?;
        Ok(group)
    }

    /// Restarts the instance, and remembers what for: the same again would not help. One whose answer did not come may not
    /// have happened; one that did shows, since nothing waits any more.
    pub(super) async fn restart_instance(
        &self,
        instance: &DbInstance,
        name: &str,
    ) -> Result<(), BackendError> {
        let facts = self.facts_of(instance, true).await?;
        let answer = self
            .service
            .call("RebootDBInstance", Urgency::User, None, async |client| {
                client.reboot_db_instance().db_instance_identifier(name).send().await
            })
            .await;
        self.note_write(name);
        if answer.is_ok() {
            let restarted_for = Some(parameters::shown(&facts));
            self.memory().entry(name.to_owned()).or_default().restarted_for = restarted_for;
        }
        answer.map(drop).map_err(BackendError::from)
    }

    /// The restart that parameters wait for.
    pub(super) fn restart(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Option<Difference> {
        if !parameters::differences(desired, facts).is_empty() {
            return None;
        }
        let memory = self.memory();
        let name = facts.settings.get(rules::IDENTIFIER)?;
        parameters::restart(facts, memory.get(name).and_then(|one| one.restarted_for.as_deref()))
    }
}

/// Every parameter that is asked for.
pub(super) fn wishes(desired: &DesiredServer<'_>) -> Wishes {
    asked_parameters(desired.spec).into_iter().map(|(name, value)| (name, Some(value))).collect()
}

/// The name of an instance's parameter group.
pub(super) fn group_of(instance: &DbInstance) -> Option<&str> {
    instance.db_parameter_groups().first()?.db_parameter_group_name()
}
