//! What of a spec is compared with an instance. Pure.

use aws_sdk_rds::types::DbInstance;

use super::super::super::sizes::{self, RdsSize};
use super::super::super::{
    BackendError, Change, DesiredServer, Difference, FieldRule, Rejection, Semantics, ServerFacts, Settings,
    Stage, compare,
};
use super::super::servers::Shown;
use super::super::wishes::{self, RETENTION, STATE, STORAGE_TYPE, equal};
use super::super::{parameters, versions};
use crate::api::PostgreSQLServerSpec;
use crate::config::RdsConfig;

pub(super) const STORAGE: &str = "storageGB";
pub(super) const MAX_STORAGE: &str = "maxStorageGB";
pub(super) const IOPS: &str = "iops";
pub(super) const THROUGHPUT: &str = "throughput";
/// Storage that does not grow by itself.
pub(super) const OFF: &str = "off";

/// May last for days after a change of the storage, and takes every change but another one of it ("Viewing DB instance
/// status", and "Working with storage" in the user guide).
const OPTIMIZING: &str = "storage-optimization";

/// What instances have and clusters do not: "Settings for DB instances" in the user guide.
const RULES: &[FieldRule] = &[
    FieldRule {
        field: STORAGE,
        semantics: Semantics::Floor,
        stage: Stage::Update,
        restart: false,
        revives: true,
    },
    equal(MAX_STORAGE, false),
    equal(IOPS, false),
    equal(THROUGHPUT, false),
];

pub(super) fn storage_gb(spec: &PostgreSQLServerSpec) -> Option<i64> {
    spec.size.as_ref()?.storage_gb
}

/// The size of a new instance.
///
/// # Errors
/// Everything that is refused about the wish.
pub(super) fn size_of_new(spec: &PostgreSQLServerSpec, config: &RdsConfig) -> Result<RdsSize, BackendError> {
    match sizes::rds(config, spec.size.as_ref()) {
        Ok(sizing) => Ok(sizing.size),
        Err(refused) => Err(BackendError::rejected(wishes::sentences(refused))),
    }
}

/// The size for an instance that has so much storage already, more than was asked for maybe.
pub(super) fn size_of_found(spec: &PostgreSQLServerSpec, config: &RdsConfig, there: i64) -> Option<RdsSize> {
    let mut size = spec.size.clone().unwrap_or_default();
    size.storage_gb = size.storage_gb.max((there > 0).then_some(there));
    Some(sizes::rds(config, Some(&size)).ok()?.size)
}

pub(super) fn validate(spec: &PostgreSQLServerSpec, config: &RdsConfig) -> Result<(), Vec<Rejection>> {
    let mut rejections = sizes::rds(config, spec.size.as_ref()).err().unwrap_or_default();
    rejections.extend(wishes::refused(spec, 0));
    if rejections.is_empty() { Ok(()) } else { Err(rejections) }
}

/// What an instance is like, in the words of the rules.
pub(super) fn found(instance: &DbInstance) -> Settings {
    let mut found = wishes::tags_of(instance.tag_list());
    let mut note = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            found.insert(field.to_owned(), value);
        }
    };
    let name = instance.name();
    note(STATE, instance.db_instance_status().map(str::to_owned));
    let allocated = instance.allocated_storage();
    note(STORAGE, allocated.map(|gb| gb.to_string()));
    let most = instance.max_allocated_storage().filter(|most| Some(*most) > allocated);
    note(MAX_STORAGE, Some(most.map_or_else(|| OFF.to_owned(), |most| most.to_string())));
    note(STORAGE_TYPE, instance.storage_type().map(str::to_owned));
    note(IOPS, instance.iops().map(|iops| iops.to_string()));
    note(THROUGHPUT, instance.storage_throughput().map(|throughput| throughput.to_string()));
    note(versions::VERSION, instance.engine_version().map(str::to_owned));
    note(wishes::CLASS, instance.db_instance_class().map(str::to_owned));
    note(wishes::STANDBY, instance.multi_az().map(|on| on.to_string()));
    note(RETENTION, instance.backup_retention_period().map(|days| days.to_string()));
    note(wishes::WINDOW, instance.preferred_maintenance_window().map(str::to_lowercase));
    note(wishes::GROUPS, Some(wishes::groups_of(instance.vpc_security_groups())));
    note(wishes::PUBLIC, instance.publicly_accessible().map(|on| on.to_string()));
    note(wishes::AUTHORITY, instance.ca_certificate_identifier().map(str::to_owned));
    note(wishes::PROTECTION, instance.deletion_protection().map(|on| on.to_string()));
    note(parameters::GROUP, instance.group().map(|group| parameters::kind(group, &name).to_owned()));
    let group = instance.db_parameter_groups().first();
    let applied = group.and_then(|group| group.parameter_apply_status());
    note(parameters::APPLIED, applied.map(str::to_owned));
    note(wishes::IDENTIFIER, Some(name));
    found
}

/// What is asked for of an instance that is like `found`. What neither spec nor configuration names is left alone.
fn wanted(desired: &DesiredServer<'_>, config: &RdsConfig, found: &Settings) -> Settings {
    let spec = desired.spec;
    let mut wanted = wishes::wanted(desired, &config.aws);
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
        ask(THROUGHPUT, size.throughput.map(|throughput| throughput.to_string()));
        ask(wishes::CLASS, Some(size.instance_type));
    }
    wanted
}

/// How the instance differs from the wish, parameters apart.
pub(super) fn differences(
    desired: &DesiredServer<'_>,
    config: &RdsConfig,
    facts: &ServerFacts,
) -> Vec<Difference> {
    let wanted = wanted(desired, config, &facts.settings);
    let mut differences = compare(wishes::RULES, &wanted, &facts.settings);
    differences.extend(compare(RULES, &wanted, &facts.settings));
    let optimizing = facts.settings.get(STATE).is_some_and(|state| state == OPTIMIZING);
    for difference in &mut differences {
        // From and to zero the instance restarts.
        let zero = |value: Option<&str>| value == Some("0");
        let toggles = zero(difference.found.as_deref()) || zero(difference.wanted.as_deref());
        match &mut difference.change {
            Change::Apply { restart, .. } if difference.field == RETENTION => *restart = toggles,
            change
                if optimizing
                    && [STORAGE, STORAGE_TYPE, IOPS, THROUGHPUT].contains(&difference.field.as_str()) =>
            {
                let message = "AWS is still working on the last change of the storage; it follows by itself";
                *change = Change::Refused { message: message.to_owned() };
            }
            _ => {}
        }
    }
    let running = facts.settings.get(versions::VERSION).zip(desired.spec.version.as_deref());
    differences.extend(running.and_then(|(found, wanted)| versions::difference(found, wanted)));
    differences
}
