//! The version of a new server, and a newer one of another, each with the parameter group that it needs.

use super::super::{BackendError, DesiredServer, Difference, Owner, Urgency};
use super::base::Base;
use super::servers::Shown;
use super::{parameters, versions};

/// What a change carries along that upgrades a server.
#[derive(Debug)]
pub(super) struct Upgrade {
    /// The version in full.
    pub(super) version: String,
    /// Whether it is another major version.
    pub(super) is_major: bool,
    /// The parameter group for it, where the server has one of its own.
    pub(super) group: Option<String>,
    /// From which version, and what was asked for.
    attempt: (String, String),
}

impl Base {
    /// The version of a new server, and the parameter group with what it asks for; none: the service's default.
    pub(super) async fn version_and_group(
        &self,
        server: &str,
        desired: &DesiredServer<'_>,
    ) -> Result<(Option<String>, Option<String>), BackendError> {
        let (wishes, asked) = (parameters::wishes(desired), desired.spec.version.as_deref());
        let version = versions::to_create(&self.service, self.engine, asked, !wishes.is_empty()).await?;
        let major = version.as_deref().and_then(versions::major).filter(|_| !wishes.is_empty());
        let group = match major {
            Some(major) => Some(self.prepare_group(server, major, desired.owner, &wishes).await?),
            None => None,
        };
        Ok((version, group))
    }

    /// The upgrade that these differences ask for.
    pub(super) async fn upgrade(
        &self,
        server: &impl Shown,
        owner: &Owner,
        differences: &[Difference],
    ) -> Result<Option<Upgrade>, BackendError> {
        let asked = versions::asked(differences).zip(server.version());
        let Some((asked, running)) = asked else { return Ok(None) };
        let version = versions::to_upgrade_to(&self.service, self.engine, running, asked).await?;
        let new_major = versions::major(&version).filter(|major| Some(*major) != versions::major(running));
        // A group belongs to one major version: the new one gets what is set in the old one.
        let group = match new_major.zip(server.own_group()) {
            Some((major, old)) => {
                let set = self.groups.values(&self.service, old, true, Urgency::User).await?;
                Some(self.prepare_group(&server.name(), major, owner, &parameters::kept(&set)).await?)
            }
            None => None,
        };
        let attempt = (running.to_owned(), asked.to_owned());
        Ok(Some(Upgrade { version, is_major: new_major.is_some(), group, attempt }))
    }

    /// The service has accepted a change, with that upgrade if it was one.
    pub(super) fn note_upgrade(&self, server: &str, upgrade: Option<Upgrade>) {
        if let Some(upgrade) = upgrade {
            self.memory.of(server, |known| known.upgrade = Some(upgrade.attempt));
        }
    }
}
