//! Server parameters come into force: by a group of the server's own.

use aws_sdk_rds::types::DbInstance;

use super::super::super::{BackendError, DesiredServer, Difference, Owner, ServerFacts, ServerIdentity};
use super::super::groups::Wishes;
use super::super::{parameters, tags, versions, wishes};
use super::{RdsBackend, requests};

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
        let wishes = parameters::changes(differences);
        let major = instance.engine_version().and_then(versions::major);
        let Some(major) = major.filter(|_| !wishes.is_empty()) else { return Ok(()) };
        let group = self.prepare_group(identity, major, desired.owner, &wishes).await?;
        if group_of(&instance) == Some(group.as_str()) {
            // What is listed may be as before.
            self.base.memory.note_write(&identity.name);
            return Ok(());
        }
        let request = requests::change_of(&identity.name).db_parameter_group_name(group);
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
        let base = &self.base;
        let whose = (owner, tags::written(owner, &base.aws.tags));
        base.groups.prepare(&base.service, (&identity.name, major), whose, wishes).await
    }

    /// The restart that parameters wait for.
    pub(super) fn restart(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Option<Difference> {
        if !parameters::differences(desired, facts).is_empty() {
            return None;
        }
        let (name, set) = (facts.settings.get(wishes::IDENTIFIER)?, parameters::shown(facts));
        let in_vain = self.base.memory.of(name, |known| known.restarted_for.get(name) == Some(&set));
        parameters::restart(facts, in_vain)
    }
}

/// The name of an instance's parameter group.
pub(super) fn group_of(instance: &DbInstance) -> Option<&str> {
    instance.db_parameter_groups().first()?.db_parameter_group_name()
}
