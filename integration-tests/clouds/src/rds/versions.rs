//! The versions that can be had, which one is the default, and which change is an upgrade.

use jiff::Timestamp;

use super::wire::{Answer, Form, Refusal, combination, filters, invalid, leaf, node, page, passes};

/// `postgres` or `aurora-postgresql`.
pub(super) const POSTGRES: &str = "postgres";
pub(super) const AURORA: &str = "aurora-postgresql";

/// Made up, but in the service's form: Aurora has later and fewer versions. The newest of a major version is its default.
const POSTGRES_VERSIONS: [&str; 11] =
    ["12.22", "13.20", "14.15", "14.17", "15.10", "15.12", "16.6", "16.8", "17.2", "17.4", "18.1"];
const AURORA_VERSIONS: [&str; 6] = ["13.18", "14.17", "15.10", "15.12", "16.6", "17.4"];
const DEFAULT_MAJOR: u32 = 17;

/// All versions that can be had at present.
#[derive(Clone, Debug)]
pub(super) struct Versions(Vec<Release>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Release {
    engine: &'static str,
    version: String,
    /// Since when the service brings older minor versions to this one on its own.
    auto: Option<Timestamp>,
}

impl Default for Versions {
    fn default() -> Self {
        let of = |engine, list: &[&str]| {
            let release = |version: &&str| Release { engine, version: (*version).to_owned(), auto: None };
            list.iter().map(release).collect::<Vec<_>>()
        };
        let mut all = of(POSTGRES, &POSTGRES_VERSIONS);
        all.extend(of(AURORA, &AURORA_VERSIONS));
        Self(all)
    }
}

pub(super) fn engine(name: &str) -> Result<&'static str, Refusal> {
    match name {
        POSTGRES => Ok(POSTGRES),
        AURORA => Ok(AURORA),
        other => {
            Err(invalid(format!("Invalid DB engine: {other}; postgres and aurora-postgresql are simulated.")))
        }
    }
}

pub(super) fn major(version: &str) -> u32 {
    numbers(version).0
}

fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or_default());
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// The parameter group family of a version.
pub(super) fn family(engine: &str, version: &str) -> String {
    format!("{engine}{}", major(version))
}

impl Versions {
    /// The service publishes one more minor version, and brings instances that take such to it.
    pub(super) fn release(&mut self, engine: &'static str, version: &str, now: Timestamp) {
        self.0.push(Release { engine, version: version.to_owned(), auto: Some(now) });
        self.0.sort_by_key(|release| (release.engine, numbers(&release.version)));
    }

    fn of(&self, engine: &str) -> impl Iterator<Item = &Release> {
        self.0.iter().filter(move |release| release.engine == engine)
    }

    /// A version in full: the asked one, the newest of a major version, or the newest of the default one.
    pub(super) fn resolve(&self, engine: &str, asked: Option<&str>) -> Result<String, Refusal> {
        let default = DEFAULT_MAJOR.to_string();
        let asked = asked.unwrap_or(&default);
        let fits =
            |release: &&Release| release.version == asked || major(&release.version).to_string() == asked;
        match self.of(engine).filter(fits).max_by_key(|release| numbers(&release.version)) {
            Some(release) => Ok(release.version.clone()),
            None => Err(combination(format!("Cannot find version {asked} for {engine}"))),
        }
    }

    /// Whether an instance may go from one version to the other. Same version: nothing to do.
    pub(super) fn upgrade(
        &self,
        engine: &str,
        from: &str,
        asked: &str,
        allow_major: bool,
    ) -> Result<Option<String>, Refusal> {
        // A major version alone is no reason to leave a minor version of it.
        if asked == from || asked == major(from).to_string() {
            return Ok(None);
        }
        let to = self.resolve(engine, Some(asked))?;
        if numbers(&to) < numbers(from) {
            return Err(combination(format!("Cannot upgrade {engine} from {from} to {to}")));
        }
        if major(&to) != major(from) && !allow_major {
            return Err(combination(
                "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
            ));
        }
        Ok(Some(to))
    }

    /// The version that the service would bring an instance to on its own, and since when.
    pub(super) fn automatic(&self, engine: &str, from: &str) -> Option<(String, Timestamp)> {
        let newer = self.of(engine).filter(|release| {
            major(&release.version) == major(from) && numbers(&release.version) > numbers(from)
        });
        let newer = newer.filter_map(|release| Some((release.version.clone(), release.auto?)));
        newer.max_by_key(|(version, _)| numbers(version))
    }

    pub(super) fn describe(&self, form: &Form) -> Answer {
        let engine = form.text("Engine");
        let asked = form.text("EngineVersion");
        let wanted_family = form.text("DBParameterGroupFamily");
        let defaults = form.flag("DefaultOnly")?.unwrap_or(false);
        let filters = filters(form, &["engine", "engine-version", "status", "db-parameter-group-family"])?;
        for ignored in ["IncludeAll", "ListSupportedCharacterSets", "ListSupportedTimezones"] {
            form.flag(ignored)?;
        }
        let fits = |release: &&Release| {
            let (version, family) = (&release.version, family(release.engine, &release.version));
            engine.as_ref().is_none_or(|engine| engine == release.engine)
                && asked.as_ref().is_none_or(|asked| asked == version || *asked == major(version).to_string())
                && wanted_family.as_ref().is_none_or(|wanted| *wanted == family)
                && (!defaults
                    || self.resolve(release.engine, asked.as_deref()).is_ok_and(|newest| newest == *version))
                && passes(&filters, "engine", release.engine)
                && passes(&filters, "engine-version", version)
                && passes(&filters, "db-parameter-group-family", &family)
                && passes(&filters, "status", "available")
        };
        let items = self.0.iter().filter(fits).enumerate().map(|(at, it)| (format!("{at:04}"), self.xml(it)));
        page(form, "DBEngineVersions", items.collect())
    }

    fn xml(&self, release: &Release) -> String {
        let from = &release.version;
        let target = |to: &Release| {
            let inner = [
                leaf("Engine", to.engine),
                leaf("EngineVersion", &to.version),
                leaf("Description", format!("PostgreSQL {}", to.version)),
                leaf("AutoUpgrade", to.auto.is_some() && major(&to.version) == major(from)),
                leaf("IsMajorVersionUpgrade", major(&to.version) != major(from)),
            ];
            node("UpgradeTarget", inner)
        };
        let newer = self.of(release.engine).filter(|to| numbers(&to.version) > numbers(from));
        let inner = [
            leaf("Engine", release.engine),
            leaf("MajorEngineVersion", major(from)),
            leaf("EngineVersion", from),
            leaf("DBParameterGroupFamily", family(release.engine, from)),
            leaf("DBEngineDescription", "PostgreSQL"),
            leaf("DBEngineVersionDescription", format!("PostgreSQL {from}")),
            node("ValidUpgradeTarget", newer.map(target)),
            leaf("Status", "available"),
            node(
                "SupportedCACertificateIdentifiers",
                crate::rds_flavour::AUTHORITIES.iter().map(|name| leaf("member", name)),
            ),
        ];
        node("DBEngineVersion", inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::the_same("15.10", "15.10", false, Ok(None))]
    #[case::its_own_major("15.10", "15", false, Ok(None))]
    #[case::a_newer_minor("15.10", "15.12", false, Ok(Some("15.12")))]
    #[case::an_older_minor("15.12", "15.10", false, Err("InvalidParameterCombination"))]
    #[case::an_older_major("15.12", "14", true, Err("InvalidParameterCombination"))]
    #[case::a_newer_major("15.12", "17", true, Ok(Some("17.4")))]
    #[case::a_newer_major_not_allowed("15.12", "17", false, Err("InvalidParameterCombination"))]
    #[case::an_unknown_one("15.12", "99.9", true, Err("InvalidParameterCombination"))]
    fn only_upgrades_are_taken(
        #[case] from: &str,
        #[case] to: &str,
        #[case] allow: bool,
        #[case] expected: Result<Option<&str>, &str>,
    ) {
        let got = Versions::default().upgrade(POSTGRES, from, to, allow);
        assert_eq!(got.as_ref().map(Option::as_deref).map_err(|refusal| refusal.1), expected);
    }

    #[test]
    fn a_released_minor_version_is_where_instances_go_on_their_own() {
        let mut versions = Versions::default();
        assert_eq!(versions.automatic(POSTGRES, "15.10"), None);
        let now = Timestamp::now();
        versions.release(POSTGRES, "15.13", now);
        assert_eq!(versions.automatic(POSTGRES, "15.10"), Some(("15.13".to_owned(), now)));
        assert_eq!(versions.automatic(AURORA, "15.10"), None);
        assert_eq!(versions.resolve(POSTGRES, Some("15")).unwrap(), "15.13");
    }
}
