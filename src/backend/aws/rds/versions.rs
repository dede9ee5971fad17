//! Which version a wish stands for. Minor versions come and go, so the service is asked.

use super::super::super::{BackendError, Change, Difference, ServerFacts, Urgency};
use super::{RdsBackend, rules};

impl RdsBackend {
    /// The version of a new instance; none: the service's default, which is asked for where it has to be `known`.
    pub(super) async fn version_to_create(
        &self,
        asked: Option<&str>,
        known: bool,
    ) -> Result<Option<String>, BackendError> {
        let numbers = asked.and_then(rules::explicit);
        let asked = asked.map(str::trim).filter(|_| numbers.is_some());
        match (numbers.map_or(0, |numbers| numbers.len()), asked) {
            (0, _) if !known => return Ok(None),
            (2.., Some(version)) => return Ok(Some(version.to_owned())),
            _ => {}
        }
        let answer = self
            .service
            .call("DescribeDBEngineVersions", Urgency::User, None, async |client| {
                let request = client.describe_db_engine_versions().engine("postgres").default_only(true);
                request.set_engine_version(asked.map(str::to_owned)).send().await
            })
            .await?;
        let versions = answer.db_engine_versions.unwrap_or_default();
        let found = versions.iter().filter_map(|version| version.engine_version());
        match newest(found) {
            Some(version) => Ok(Some(version)),
            None => Err(BackendError::rejected(format!(
                "version: AWS has no version {} of PostgreSQL",
                asked.unwrap_or("that is the default")
            ))),
        }
    }

    /// An upgrade that was accepted and came to nothing is told and not repeated: every attempt interrupts connections.
    pub(super) fn judge_upgrade(&self, differences: &mut [Difference], facts: &ServerFacts) {
        let Some(name) = facts.settings.get(rules::IDENTIFIER) else { return };
        let mut memory = self.memory();
        let Some(known) = memory.get_mut(name) else { return };
        match differences.iter_mut().find(|difference| difference.field == rules::VERSION) {
            None => known.upgrade = None,
            Some(Difference { found: Some(found), wanted: Some(wanted), change, .. })
                if known.upgrade.as_ref().is_some_and(|(from, asked)| from == found && asked == wanted) =>
            {
                let message = "AWS has not carried out the upgrade that it accepted; look at the server's events and \
                               upgrade logs in AWS. It is tried again when another version was asked for meanwhile";
                *change = Change::Refused { message: message.to_owned() };
            }
            Some(_) => {}
        }
    }

    /// The version to upgrade to from the running one: the newest that is asked for and can be got to.
    pub(super) async fn version_to_upgrade_to(
        &self,
        running: &str,
        asked: &str,
    ) -> Result<String, BackendError> {
        let answer = self
            .service
            .call("DescribeDBEngineVersions", Urgency::User, None, async |client| {
                client.describe_db_engine_versions().engine("postgres").engine_version(running).send().await
            })
            .await?;
        let versions = answer.db_engine_versions.unwrap_or_default();
        let targets = versions.iter().flat_map(|version| version.valid_upgrade_target());
        let numbers = rules::explicit(asked).unwrap_or_default();
        let fits =
            |version: &&str| rules::explicit(version).is_some_and(|version| version.starts_with(&numbers));
        newest(targets.filter_map(|target| target.engine_version()).filter(fits)).ok_or_else(|| {
            BackendError::rejected(format!("version: AWS has no upgrade from version {running} to {asked}"))
        })
    }
}

fn newest<'a>(versions: impl Iterator<Item = &'a str>) -> Option<String> {
    versions.max_by_key(|version| rules::explicit(version)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(newest(["16.9", "16.10", "15.14"].into_iter()), Some("16.10".to_owned()));
    }
}
