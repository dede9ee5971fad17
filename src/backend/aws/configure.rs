//! Server parameters come into force: by a parameter group of the server's own, and by a restart where they need one.

use super::super::{BackendError, DesiredServer, Difference, Owner, ServerFacts};
use super::base::Base;
use super::groups::Wishes;
use super::servers::{Servers, Shown};
use super::{parameters, tags, versions, wishes};

/// Every step can be taken again. A group that was made and not given to the server yet is not seen, so that all of its
/// parameters still differ.
pub(super) async fn set<S: Servers>(
    servers: &S,
    server: &S::Server,
    owner: &Owner,
    differences: &[Difference],
) -> Result<(), BackendError> {
    let (base, name, wishes) = (servers.base(), server.name(), parameters::changes(differences));
    let major = server.version().and_then(versions::major);
    let Some(major) = major.filter(|_| !wishes.is_empty()) else { return Ok(()) };
    let group = base.prepare_group(&name, major, owner, &wishes).await?;
    if server.group() == Some(group.as_str()) {
        // What is listed may be as before.
        base.memory.note_write(&name);
        return Ok(());
    }
    servers.set_group(&name, group).await
}

impl Base {
    /// The name of the server's own group for that major version, with these parameters set in it.
    pub(super) async fn prepare_group(
        &self,
        server: &str,
        major: u32,
        owner: &Owner,
        wishes: &Wishes,
    ) -> Result<String, BackendError> {
        let whose = (owner, tags::written(owner, &self.aws.tags));
        self.groups.prepare(&self.service, (server, major), whose, wishes).await
    }

    /// The restart that parameters wait for.
    pub(super) fn due_restart(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Option<Difference> {
        if !parameters::differences(desired, facts).is_empty() {
            return None;
        }
        let (name, set) = (facts.settings.get(wishes::IDENTIFIER)?, parameters::shown(facts));
        // Without members it is the server itself that waits.
        let mut waiting = facts.settings.get(parameters::WAITING).unwrap_or(name).split(',');
        let in_vain = self
            .memory
            .of(name, |known| waiting.all(|instance| known.restarted_for.get(instance) == Some(&set)));
        parameters::restart(facts, in_vain)
    }

    /// Restarts an instance, and remembers what for: the same again would not help. One whose answer did not come may not
    /// have happened; one that did shows, since nothing waits any more.
    pub(super) async fn restart(
        &self,
        server: &str,
        instance: &str,
        parameters: String,
    ) -> Result<(), BackendError> {
        self.write(server, "RebootDBInstance", None, async |client| {
            client.reboot_db_instance().db_instance_identifier(instance).send().await
        })
        .await?;
        self.memory.of(server, |known| known.restarted_for.insert(instance.to_owned(), parameters));
        Ok(())
    }
}
