//! What of a spec is compared with an instance. Pure.

use aws_sdk_rds::types::DbInstance;

use super::super::super::cloud::required;
use super::super::super::sizes::{self, RdsSize};
use super::super::super::{
    BackendError, Change, DesiredServer, Difference, FieldRule, Rejection, Semantics, ServerFacts, Settings,
    Stage, compare,
};
use super::super::window;
use super::configure::group_of;
use super::parameters;
use crate::api::{PostgreSQLServerSpec, WeeklyWindow};
use crate::config::RdsConfig;

/// Not compared: which instance it is, and its state.
pub(super) const IDENTIFIER: &str = "identifier";
pub(super) const STATE: &str = "state";

pub(super) const STORAGE: &str = "storageGB";
pub(super) const MAX_STORAGE: &str = "maxStorageGB";
pub(super) const STORAGE_TYPE: &str = "storageType";
pub(super) const IOPS: &str = "iops";
pub(super) const VERSION: &str = "version";
pub(super) const CLASS: &str = "class";
pub(super) const MULTI_AZ: &str = "highavailability";
pub(super) const RETENTION: &str = "backup.retentionDays";
pub(super) const WINDOW: &str = "maintenance.window";
pub(super) const GROUPS: &str = "securityGroups";
pub(super) const PUBLIC: &str = "publicAccess";
pub(super) const PROTECTION: &str = "deletionProtection";
pub(super) const TAG: &str = "tag.";
/// Storage that does not grow by itself.
pub(super) const OFF: &str = "off";

/// May last for days after a change of the storage, and takes every change but another one of it ("Viewing DB instance
/// status", and "Working with storage" in the user guide).
const OPTIMIZING: &str = "storage-optimization";

const fn rule(field: &'static str, semantics: Semantics, restart: bool) -> FieldRule {
    FieldRule { field, semantics, stage: Stage::Update, restart, revives: false }
}

/// Which changes interrupt connections: "Settings for DB instances" in the user guide.
const RULES: &[FieldRule] = &[
    FieldRule {
        field: STORAGE,
        semantics: Semantics::Floor,
        stage: Stage::Update,
        restart: false,
        revives: true,
    },
    rule(MAX_STORAGE, Semantics::Exact, false),
    rule(STORAGE_TYPE, Semantics::Exact, false),
    rule(IOPS, Semantics::Exact, false),
    rule(CLASS, Semantics::Exact, true),
    rule(MULTI_AZ, Semantics::Exact, false),
    rule(RETENTION, Semantics::Exact, false),
    rule(WINDOW, Semantics::Exact, false),
    rule(GROUPS, Semantics::Exact, false),
    rule(PUBLIC, Semantics::Exact, false),
    rule(PROTECTION, Semantics::Exact, false),
    rule("tag.*", Semantics::Exact, false),
];

pub(super) fn storage_gb(spec: &PostgreSQLServerSpec) -> Option<i64> {
    spec.size.as_ref()?.storage_gb
}

/// The size of a new instance.
///
/// # Errors
/// Everything that is refused about the wish.
pub(super) fn size_of_new(spec: &PostgreSQLServerSpec, config: &RdsConfig) -> Result<RdsSize, BackendError> {
    let sentence = |one: Rejection| format!("{}: {}", one.field, one.message);
    match sizes::rds(config, spec.size.as_ref()) {
        Ok(sizing) => Ok(sizing.size),
        Err(refused) => {
            let sentences: Vec<String> = refused.into_iter().map(sentence).collect();
            Err(BackendError::rejected(sentences.join("; ")))
        }
    }
}

/// The size for an instance that has so much storage already, more than was asked for maybe.
pub(super) fn size_of_found(spec: &PostgreSQLServerSpec, config: &RdsConfig, there: i64) -> Option<RdsSize> {
    let mut size = spec.size.clone().unwrap_or_default();
    size.storage_gb = size.storage_gb.max((there > 0).then_some(there));
    Some(sizes::rds(config, Some(&size)).ok()?.size)
}

pub(super) fn groups(ids: &[String]) -> String {
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.sort_unstable();
    ids.join(",")
}

pub(super) fn validate(spec: &PostgreSQLServerSpec, config: &RdsConfig) -> Result<(), Vec<Rejection>> {
    let mut rejections = sizes::rds(config, spec.size.as_ref()).err().unwrap_or_default();
    let mut reject = |field: &str, message: String| {
        rejections.push(Rejection { field: field.to_owned(), message });
    };
    if let Some(days) = retention(spec).filter(|days| !(0..=35).contains(days)) {
        reject("backup.retentionDays", format!("found {days}, expected 0 to 35"));
    }
    let written = spec.maintenance.as_ref().and_then(|maintenance| maintenance.window.as_ref());
    if let Some(Err(error)) = written.map(WeeklyWindow::read) {
        let told = error.to_string();
        let message = told.split_once(": ").map_or(told.as_str(), |(_, message)| message);
        reject("maintenance.window", message.to_owned());
    }
    if spec
        .version
        .as_deref()
        .is_some_and(|version| explicit(version).is_some_and(|wanted| wanted.is_empty()))
    {
        reject("version", "expected a version such as 17 or 17.4, or latest".to_owned());
    }
    if rejections.is_empty() { Ok(()) } else { Err(rejections) }
}

pub(super) fn retention(spec: &PostgreSQLServerSpec) -> Option<i64> {
    spec.backup.as_ref()?.retention_days
}

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

/// What an instance is like, in the words of the rules.
pub(super) fn found(instance: &DbInstance) -> Settings {
    let mut found = Settings::new();
    let mut note = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            found.insert(field.to_owned(), value);
        }
    };
    let name = instance.db_instance_identifier().unwrap_or_default().to_lowercase();
    note(STATE, instance.db_instance_status().map(str::to_owned));
    let allocated = instance.allocated_storage();
    note(STORAGE, allocated.map(|gb| gb.to_string()));
    let most = instance.max_allocated_storage().filter(|most| Some(*most) > allocated);
    note(MAX_STORAGE, Some(most.map_or_else(|| OFF.to_owned(), |most| most.to_string())));
    note(STORAGE_TYPE, instance.storage_type().map(str::to_owned));
    note(IOPS, instance.iops().map(|iops| iops.to_string()));
    note(VERSION, instance.engine_version().map(str::to_owned));
    note(CLASS, instance.db_instance_class().map(str::to_owned));
    note(MULTI_AZ, instance.multi_az().map(|on| on.to_string()));
    note(RETENTION, instance.backup_retention_period().map(|days| days.to_string()));
    note(WINDOW, instance.preferred_maintenance_window().map(str::to_lowercase));
    let ids = instance.vpc_security_groups().iter().filter_map(|group| group.vpc_security_group_id());
    note(GROUPS, Some(groups(&ids.map(str::to_owned).collect::<Vec<_>>())));
    note(PUBLIC, instance.publicly_accessible().map(|on| on.to_string()));
    note(PROTECTION, instance.deletion_protection().map(|on| on.to_string()));
    note(parameters::GROUP, group_of(instance).map(|group| parameters::kind(group, &name).to_owned()));
    let group = instance.db_parameter_groups().first();
    let applied = group.and_then(|group| group.parameter_apply_status());
    note(parameters::APPLIED, applied.map(str::to_owned));
    note(IDENTIFIER, Some(name));
    for tag in instance.tag_list() {
        if let Some(key) = tag.key() {
            note(&format!("{TAG}{key}"), Some(tag.value().unwrap_or_default().to_owned()));
        }
    }
    found
}

/// What is asked for of an instance that is like `found`. What neither spec nor configuration names is left alone.
fn wanted(desired: &DesiredServer<'_>, config: &RdsConfig, found: &Settings) -> Settings {
    let (spec, aws) = (desired.spec, &config.aws);
    let mut wanted = Settings::new();
    let mut ask = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            wanted.insert(field.to_owned(), value);
        }
    };
    let there = found.get(STORAGE).and_then(|gb| gb.parse().ok()).unwrap_or_default();
    ask(STORAGE, storage_gb(spec).map(|gb| gb.to_string()));
    if let Some(size) = size_of_found(spec, config, there) {
        // Storage that has grown to its bound has no room left to grow, and the service shows no bound any more.
        let off = spec.size.as_ref().and_then(|size| size.storage_auto_grow) == Some(false);
        let most = size.max_storage_gb.map(|most| most.to_string());
        ask(MAX_STORAGE, most.or(off.then(|| OFF.to_owned())));
        ask(STORAGE_TYPE, Some(<&str>::from(size.storage_type).to_owned()));
        ask(IOPS, size.iops.map(|iops| iops.to_string()));
        ask(CLASS, Some(size.instance_type));
    }
    let standby = spec.highavailability.as_ref().and_then(|availability| availability.enabled);
    ask(MULTI_AZ, standby.map(|on| on.to_string()));
    ask(RETENTION, retention(spec).map(|days| days.to_string()));
    let asked = spec.maintenance.as_ref().and_then(|maintenance| maintenance.window.as_ref());
    ask(WINDOW, asked.and_then(window::of));
    let ids = &aws.vpc_security_group_ids;
    ask(GROUPS, (!ids.is_empty()).then(|| groups(ids)));
    ask(PUBLIC, Some(aws.network.public_access.to_string()));
    // Switched on only: a protection that somebody else has set is not taken away.
    ask(PROTECTION, aws.deletion_protection.then(|| "true".to_owned()));
    for (key, value) in required(desired.owner, &aws.tags) {
        ask(&format!("{TAG}{key}"), Some(value));
    }
    wanted
}

/// How the instance differs from the wish, parameters apart.
pub(super) fn differences(
    desired: &DesiredServer<'_>,
    config: &RdsConfig,
    facts: &ServerFacts,
) -> Vec<Difference> {
    let mut differences = compare(RULES, &wanted(desired, config, &facts.settings), &facts.settings);
    let optimizing = facts.settings.get(STATE).is_some_and(|state| state == OPTIMIZING);
    for difference in &mut differences {
        // From and to zero the instance restarts.
        let zero = |value: Option<&str>| value == Some("0");
        let toggles = zero(difference.found.as_deref()) || zero(difference.wanted.as_deref());
        match &mut difference.change {
            Change::Apply { restart, .. } if difference.field == RETENTION => *restart = toggles,
            change if optimizing && [STORAGE, STORAGE_TYPE, IOPS].contains(&difference.field.as_str()) => {
                let message = "AWS is still working on the last change of the storage; it follows by itself";
                *change = Change::Refused { message: message.to_owned() };
            }
            _ => {}
        }
    }
    let running = facts.settings.get(VERSION).map(String::as_str);
    differences.extend(
        running.zip(desired.spec.version.as_deref()).and_then(|(found, wanted)| version(found, wanted)),
    );
    differences
}

/// A minor version that is not asked for, or a newer one than asked for, is no difference: the service upgrades by
/// itself. Nothing goes back.
fn version(found: &str, wanted: &str) -> Option<Difference> {
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
