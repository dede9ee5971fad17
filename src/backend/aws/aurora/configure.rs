//! Server parameters come into force: by a cluster parameter group of the server's own.

use super::super::super::{BackendError, DesiredServer, Difference, Owner, ServerFacts, Urgency};
use super::super::groups::Wishes;
use super::super::{parameters, tags, versions, wishes};
use super::cluster::Seen;
use super::{AuroraBackend, requests, rules};

impl AuroraBackend {
    /// Every step can be taken again. A group that was made and not given to the cluster yet is not seen, so that all of
    /// its parameters still differ.
    pub(super) async fn configure_cluster(
        &self,
        seen: &Seen,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let (name, wishes) = (seen.name(), parameters::changes(differences));
        let major = seen.cluster.engine_version().and_then(versions::major);
        let Some(major) = major.filter(|_| !wishes.is_empty()) else { return Ok(()) };
        let group = self.prepare_group(&name, major, desired.owner, &wishes).await?;
        if seen.group() == Some(group.as_str()) {
            // What is listed may be as before.
            self.base.memory.note_write(&name);
            return Ok(());
        }
        self.modify(&name, requests::change_of(&name).db_cluster_parameter_group_name(group), None).await
    }

    /// The name of the cluster's own group for that major version, with these parameters set in it.
    pub(super) async fn prepare_group(
        &self,
        cluster: &str,
        major: u32,
        owner: &Owner,
        wishes: &Wishes,
    ) -> Result<String, BackendError> {
        let base = &self.base;
        let whose = (owner, tags::written(owner, &base.aws.tags));
        base.groups.prepare(&base.service, (cluster, major), whose, wishes).await
    }

    /// A group belongs to one major version: the new one gets what is set in the old one. None where the cluster has no
    /// group of its own.
    pub(super) async fn group_for_upgrade(
        &self,
        seen: &Seen,
        owner: &Owner,
        major: u32,
    ) -> Result<Option<String>, BackendError> {
        let (name, base) = (seen.name(), &self.base);
        let Some(own) = seen.group().filter(|group| parameters::is_own(group, &name)) else {
            return Ok(None);
        };
        let set = base.groups.values(&base.service, own, true, Urgency::User).await?;
        self.prepare_group(&name, major, owner, &parameters::kept(&set)).await.map(Some)
    }

    /// The restart that parameters wait for.
    pub(super) fn restart(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Option<Difference> {
        if !parameters::differences(desired, facts).is_empty() {
            return None;
        }
        let (name, set) = (facts.settings.get(wishes::IDENTIFIER)?, parameters::shown(facts));
        let waiting = facts.settings.get(rules::WAITING).map(String::as_str).unwrap_or_default();
        let in_vain = self
            .base
            .memory
            .of(name, |known| waiting.split(',').all(|member| known.restarted_for.get(member) == Some(&set)));
        parameters::restart(facts, in_vain)
    }
}
