//! Which version a wish stands for. Minor versions come and go, so the service is asked.

use super::super::{BackendError, Change, Difference, ServerFacts, Stage, Urgency};
use super::client::Service;
use super::engine::Engine;
use super::memory::Memory;
use super::{states, wishes};

/// The field of a server's version.
pub(super) const VERSION: &str = "version";

/// The numbers of a version; none for "whatever the backend has", and no numbers for what is none.
pub(super) fn explicit(version: &str) -> Option<Vec<u32>> {
    let version = version.trim();
    if version.is_empty() || version.eq_ignore_ascii_case("latest") {
        return None;
    }
    Some(version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>().unwrap_or_default())
}

/// The major version.
pub(super) fn major(version: &str) -> Option<u32> {
    explicit(version)?.first().copied()
}

/// A minor version that is not asked for, or a newer one than asked for, is no difference: the service upgrades by
/// itself. Nothing goes back.
pub(super) fn difference(found: &str, wanted: &str) -> Option<Difference> {
    let (running, asked) = (explicit(found)?, explicit(wanted)?);
    let satisfied = match (running.as_slice(), asked.as_slice()) {
        ([major, ..], [asked]) => major == asked,
        ([major, minor, ..], [asked, least, ..]) => major == asked && minor >= least,
        _ => return None,
    };
    if satisfied {
        return None;
    }
    let change = if asked < running {
        Change::Refused { message: "PostgreSQL does not go back to an older version".to_owned() }
    } else {
        Change::Apply { stage: Stage::Update, restart: true, revives: false }
    };
    Some(Difference {
        field: VERSION.to_owned(),
        found: Some(found.to_owned()),
        wanted: Some(wanted.to_owned()),
        change,
    })
}

/// The version that these differences ask for.
pub(super) fn asked(differences: &[Difference]) -> Option<&str> {
    let version = differences.iter().find(|one| one.field == VERSION && one.is_applied_by(Stage::Update));
    version.and_then(|difference| difference.wanted.as_deref())
}

/// The version of a new server; none: the service's default, which is asked for where it has to be `known`.
pub(super) async fn to_create(
    service: &Service,
    engine: Engine,
    asked: Option<&str>,
    known: bool,
) -> Result<Option<String>, BackendError> {
    let numbers = asked.and_then(explicit);
    let asked = asked.map(str::trim).filter(|_| numbers.is_some());
    match (numbers.map_or(0, |numbers| numbers.len()), asked) {
        (0, _) if !known => return Ok(None),
        (2.., Some(version)) => return Ok(Some(version.to_owned())),
        _ => {}
    }
    let answer = service
        .call("DescribeDBEngineVersions", Urgency::User, None, async |client| {
            let request = client.describe_db_engine_versions().engine(engine.name()).default_only(true);
            request.set_engine_version(asked.map(str::to_owned)).send().await
        })
        .await?;
    let versions = answer.db_engine_versions.unwrap_or_default();
    let found = versions.iter().filter_map(|version| version.engine_version());
    match newest(found) {
        Some(version) => Ok(Some(version)),
        None => Err(BackendError::rejected(format!(
            "version: {} has no version {} of PostgreSQL",
            engine.product(),
            asked.unwrap_or("that is the default")
        ))),
    }
}

/// The version to upgrade to from the running one: the newest that is asked for and can be got to.
pub(super) async fn to_upgrade_to(
    service: &Service,
    engine: Engine,
    running: &str,
    asked: &str,
) -> Result<String, BackendError> {
    let answer = service
        .call("DescribeDBEngineVersions", Urgency::User, None, async |client| {
            let request = client.describe_db_engine_versions().engine(engine.name());
            request.engine_version(running).send().await
        })
        .await?;
    let versions = answer.db_engine_versions.unwrap_or_default();
    let targets = versions.iter().flat_map(|version| version.valid_upgrade_target());
    let numbers = explicit(asked).unwrap_or_default();
    let fits = |version: &&str| explicit(version).is_some_and(|version| version.starts_with(&numbers));
    newest(targets.filter_map(|target| target.engine_version()).filter(fits)).ok_or_else(|| {
        BackendError::rejected(format!(
            "version: {} has no upgrade from version {running} to {asked}",
            engine.product()
        ))
    })
}

/// An upgrade that was accepted and came to nothing is told and not repeated: every attempt interrupts connections. What
/// comes of it shows when the server is at rest again.
pub(super) fn judge(memory: &Memory, facts: &ServerFacts, differences: &mut [Difference]) {
    let Some(server) = facts.settings.get(wishes::IDENTIFIER) else { return };
    if !facts.settings.get(wishes::STATE).is_some_and(|state| states::meaning(state, true).accepts_writes) {
        return;
    }
    memory.of(server, |known| match differences.iter_mut().find(|difference| difference.field == VERSION) {
        None => known.upgrade = None,
        Some(Difference { found: Some(found), wanted: Some(wanted), change, .. })
            if known.upgrade.as_ref().is_some_and(|(from, asked)| from == found && asked == wanted) =>
        {
            let message = "AWS has not carried out the upgrade that it accepted; look at the server's events and \
                           upgrade logs in AWS. It is tried again when another version was asked for meanwhile";
            *change = Change::Refused { message: message.to_owned() };
        }
        Some(_) => {}
    });
}

fn newest<'a>(versions: impl Iterator<Item = &'a str>) -> Option<String> {
    versions.max_by_key(|version| explicit(version)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(newest(["16.9", "16.10", "15.14"].into_iter()), Some("16.10".to_owned()));
    }
}
