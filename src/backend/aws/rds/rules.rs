//! What of a spec is compared with an instance. Pure.

use aws_sdk_rds::types::DbInstance;

use super::super::super::{
    Change, DesiredServer, Difference, FieldRule, Rejection, Semantics, ServerFacts, Settings, Stage, compare,
};
use super::super::settings::{RdsClass, RdsSettings};
use super::super::{tags, window};
use crate::api::PostgreSQLServerSpec;

pub(super) const STORAGE: &str = "storageGB";
pub(super) const MAX_STORAGE: &str = "maxStorageGB";
pub(super) const VERSION: &str = "version";
pub(super) const CLASS: &str = "class";
pub(super) const MULTI_AZ: &str = "highavailability";
pub(super) const RETENTION: &str = "backup.retentionDays";
pub(super) const WINDOW: &str = "maintenance.window";
pub(super) const GROUPS: &str = "securityGroups";
pub(super) const PUBLIC: &str = "publicAccess";
pub(super) const CA: &str = "caCertificate";
pub(super) const PROTECTION: &str = "deletionProtection";
pub(super) const TAG: &str = "tag.";

/// Smallest storage of the general purpose types in GB, and of the provisioned ones (API reference of
/// `CreateDBInstance`, `AllocatedStorage`).
pub(super) const SMALLEST: i64 = 20;
const SMALLEST_PROVISIONED: i64 = 100;

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
    rule(CLASS, Semantics::Exact, true),
    rule(MULTI_AZ, Semantics::Exact, false),
    rule(RETENTION, Semantics::Exact, false),
    rule(WINDOW, Semantics::Exact, false),
    rule(GROUPS, Semantics::Exact, false),
    rule(PUBLIC, Semantics::Exact, false),
    rule(CA, Semantics::Exact, true),
    rule(PROTECTION, Semantics::Exact, false),
    rule("tag.*", Semantics::Exact, false),
];

/// The class that a spec asks for: a name that is not configured stands for the default one, as in the original.
pub(super) fn class<'a>(spec: &PostgreSQLServerSpec, settings: &'a RdsSettings) -> Option<&'a RdsClass> {
    let asked = spec.size.as_ref().and_then(|size| size.class.as_deref());
    asked
        .and_then(|name| settings.classes.get(name))
        .or_else(|| settings.classes.get(&settings.default_class))
}

pub(super) fn storage_gb(spec: &PostgreSQLServerSpec) -> Option<i64> {
    spec.size.as_ref()?.storage_gb
}

/// Up to how many GB the storage grows by itself; the service asks for a tenth more than there is at least.
pub(super) fn max_storage_gb(spec: &PostgreSQLServerSpec, allocated: i64) -> Option<i64> {
    let size = spec.size.as_ref()?;
    let least = allocated + (allocated + 9) / 10;
    match size.storage_auto_grow {
        Some(true) => Some(size.max_storage_gb.unwrap_or(allocated * 2).max(least)),
        // The service's way to switch it off (API reference, `MaxAllocatedStorage`).
        Some(false) => Some(allocated),
        None => None,
    }
}

pub(super) fn groups(ids: &[String]) -> String {
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.sort_unstable();
    ids.join(",")
}

pub(super) fn validate(spec: &PostgreSQLServerSpec, settings: &RdsSettings) -> Result<(), Vec<Rejection>> {
    let mut rejections = Vec::new();
    let mut reject = |field: &str, message: String| {
        rejections.push(Rejection { field: field.to_owned(), message });
    };
    match class(spec, settings) {
        None => reject(
            "size.class",
            format!("the configuration has no class {}, the default one", settings.default_class),
        ),
        Some(class) => {
            let provisioned = class.storage_type.starts_with("io");
            let smallest = if provisioned { SMALLEST_PROVISIONED } else { SMALLEST };
            if let Some(storage) = storage_gb(spec).filter(|storage| *storage < smallest) {
                let message =
                    format!("found {storage}, expected at least {smallest} with {}", class.storage_type);
                reject("size.storageGB", message);
            }
        }
    }
    if let Some(days) = retention(spec).filter(|days| !(0..=35).contains(days)) {
        reject("backup.retentionDays", format!("found {days}, expected 0 to 35"));
    }
    if let Some(window) = spec.maintenance.as_ref().and_then(|maintenance| maintenance.window.as_ref())
        && window::of(window).is_none()
    {
        reject("maintenance.window", "no weekday and time that can be read".to_owned());
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

/// What an instance is like, in the words of the rules.
pub(super) fn found(instance: &DbInstance) -> Settings {
    let mut found = Settings::new();
    let mut note = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            found.insert(field.to_owned(), value);
        }
    };
    let allocated = instance.allocated_storage();
    note(STORAGE, allocated.map(|gb| gb.to_string()));
    note(MAX_STORAGE, instance.max_allocated_storage().or(allocated).map(|gb| gb.to_string()));
    note(VERSION, instance.engine_version().map(str::to_owned));
    note(CLASS, instance.db_instance_class().map(str::to_owned));
    note(MULTI_AZ, instance.multi_az().map(|on| on.to_string()));
    note(RETENTION, instance.backup_retention_period().map(|days| days.to_string()));
    note(WINDOW, instance.preferred_maintenance_window().map(str::to_lowercase));
    let ids = instance.vpc_security_groups().iter().filter_map(|group| group.vpc_security_group_id());
    note(GROUPS, Some(groups(&ids.map(str::to_owned).collect::<Vec<_>>())));
    note(PUBLIC, instance.publicly_accessible().map(|on| on.to_string()));
    note(CA, instance.ca_certificate_identifier().map(str::to_owned));
    note(PROTECTION, instance.deletion_protection().map(|on| on.to_string()));
    for tag in instance.tag_list() {
        if let Some(key) = tag.key() {
            note(&format!("{TAG}{key}"), Some(tag.value().unwrap_or_default().to_owned()));
        }
    }
    found
}

/// What is asked for of an instance that is like `found`. What neither spec nor configuration names is left alone.
fn wanted(desired: &DesiredServer<'_>, settings: &RdsSettings, found: &Settings) -> Settings {
    let spec = desired.spec;
    let mut wanted = Settings::new();
    let mut ask = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            wanted.insert(field.to_owned(), value);
        }
    };
    let there = found.get(STORAGE).and_then(|gb| gb.parse().ok()).unwrap_or(SMALLEST);
    ask(STORAGE, storage_gb(spec).map(|gb| gb.to_string()));
    let most: Option<i64> = found.get(MAX_STORAGE).and_then(|gb| gb.parse().ok());
    let allocated = storage_gb(spec).unwrap_or(there).max(there);
    // Grown to its limit: the service refuses a limit that leaves no room to grow, and shows none.
    let limit = spec.size.as_ref().and_then(|size| size.max_storage_gb);
    let exhausted = limit.is_some_and(|limit| limit <= there) && most == Some(there);
    ask(MAX_STORAGE, max_storage_gb(spec, allocated).filter(|_| !exhausted).map(|gb| gb.to_string()));
    ask(CLASS, class(spec, settings).map(|class| class.instance_type.clone()));
    let standby = spec.highavailability.as_ref().and_then(|availability| availability.enabled);
    ask(MULTI_AZ, standby.map(|on| on.to_string()));
    ask(RETENTION, retention(spec).map(|days| days.to_string()));
    let asked = spec.maintenance.as_ref().and_then(|maintenance| maintenance.window.as_ref());
    ask(WINDOW, asked.and_then(window::of));
    let ids = &settings.security_group_ids;
    ask(GROUPS, (!ids.is_empty()).then(|| groups(ids)));
    ask(PUBLIC, Some(settings.public_access.to_string()));
    ask(CA, settings.ca_certificate_identifier.clone());
    // Switched on only: a protection that somebody else has set is not taken away.
    ask(PROTECTION, settings.deletion_protection.then(|| "true".to_owned()));
    for (key, value) in tags::required(desired.owner, &settings.tags) {
        ask(&format!("{TAG}{key}"), Some(value));
    }
    wanted
}

/// How the instance differs from the wish.
pub(super) fn differences(
    desired: &DesiredServer<'_>,
    settings: &RdsSettings,
    facts: &ServerFacts,
) -> Vec<Difference> {
    let mut differences = compare(RULES, &wanted(desired, settings, &facts.settings), &facts.settings);
    for difference in &mut differences {
        // From and to zero the instance restarts.
        let zero = |value: Option<&str>| value == Some("0");
        let toggles = zero(difference.found.as_deref()) || zero(difference.wanted.as_deref());
        if let Change::Apply { restart, .. } = &mut difference.change
            && difference.field == RETENTION
        {
            *restart = toggles;
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
