//! Which version a wish stands for. Minor versions come and go, so the service is asked.

use super::super::super::BackendError;
use super::super::budget::Urgency;
use super::{RdsBackend, rules};

impl RdsBackend {
    /// The version of a new instance; none: the service's default.
    pub(super) async fn version_to_create(
        &self,
        asked: Option<&str>,
    ) -> Result<Option<String>, BackendError> {
        let Some(numbers) = asked.and_then(rules::explicit) else { return Ok(None) };
        let Some(asked) = asked.filter(|_| numbers.len() == 1).map(str::trim) else {
            return Ok(asked.map(|version| version.trim().to_owned()));
        };
        let answer = self
            .service
            .call("DescribeDBEngineVersions", Urgency::Asked, None, async |client| {
                let request = client.describe_db_engine_versions().engine("postgres").engine_version(asked);
                request.default_only(true).send().await
            })
            .await?;
        let versions = answer.db_engine_versions.unwrap_or_default();
        let found = versions.iter().filter_map(|version| version.engine_version());
        match newest(found) {
            Some(version) => Ok(Some(version)),
            None => Err(BackendError::rejected(format!("AWS has no version {asked} of PostgreSQL"))),
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
            .call("DescribeDBEngineVersions", Urgency::Asked, None, async |client| {
                client.describe_db_engine_versions().engine("postgres").engine_version(running).send().await
            })
            .await?;
        let versions = answer.db_engine_versions.unwrap_or_default();
        let targets = versions.iter().flat_map(|version| version.valid_upgrade_target());
        let numbers = rules::explicit(asked).unwrap_or_default();
        let fits =
            |version: &&str| rules::explicit(version).is_some_and(|version| version.starts_with(&numbers));
        newest(targets.filter_map(|target| target.engine_version()).filter(fits)).ok_or_else(|| {
            BackendError::rejected(format!("AWS has no upgrade from version {running} to {asked}"))
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
