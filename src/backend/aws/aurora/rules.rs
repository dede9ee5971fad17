//! What of a spec is compared with a cluster and its members. Pure.

use std::collections::BTreeSet;

use aws_sdk_rds::types::DbInstance;

use super::super::super::sizes::{self, AuroraSize};
use super::super::super::{
    BackendError, Change, DesiredServer, Difference, FieldRule, Rejection, Semantics, ServerFacts, Settings,
    Stage, compare,
};
use super::super::servers::Shown;
use super::super::wishes::{self, AUTHORITY, CLASS, PUBLIC, STANDBY, WINDOW, equal};
use super::super::{parameters, versions};
use super::cluster::{Member, Seen};
use super::health;
use crate::api::PostgreSQLServerSpec;
use crate::config::{AuroraConfig, AuroraScaling};

/// Not compared: the state of the member that writes, and whether somebody else has made readers.
pub(super) const WRITER: &str = "writer.state";
const FOREIGN_READERS: &str = "readers.foreign";

pub(super) const SCALING: &str = "scaling";
pub(super) const MEMBERS: &str = "members";
/// There is a member, and none failed while it was made.
const COMPLETE: &str = "complete";
/// The storage type that the service does not name (API reference of `DBCluster`, `StorageType`).
const PLAIN_STORAGE: &str = "aurora";

/// What clusters have and instances do not: "Settings for Amazon Aurora" in the user guide.
const RULES: &[FieldRule] = &[
    equal(SCALING, false),
    FieldRule {
        field: MEMBERS,
        semantics: Semantics::Exact,
        stage: Stage::Update,
        restart: false,
        revives: true,
    },
];

/// The size of a cluster.
///
/// # Errors
/// Everything that is refused about the wish.
pub(super) fn size(spec: &PostgreSQLServerSpec, config: &AuroraConfig) -> Result<AuroraSize, BackendError> {
    match sizes::aurora(config, spec.size.as_ref()) {
        Ok(sizing) => Ok(sizing.size),
        Err(refused) => Err(BackendError::rejected(wishes::sentences(refused))),
    }
}

pub(super) fn validate(spec: &PostgreSQLServerSpec, config: &AuroraConfig) -> Result<(), Vec<Rejection>> {
    let mut rejections = sizes::aurora(config, spec.size.as_ref()).err().unwrap_or_default();
    // Backups of clusters cannot be switched off (API reference of `CreateDBCluster`, `BackupRetentionPeriod`).
    rejections.extend(wishes::refused(spec, 1));
    if rejections.is_empty() { Ok(()) } else { Err(rejections) }
}

fn scaling(min: f64, max: f64) -> String {
    format!("{min} to {max}")
}

/// The same of all, or every different one.
fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Option<String> {
    let all: BTreeSet<String> = values.map(str::to_lowercase).collect();
    (!all.is_empty()).then(|| all.into_iter().collect::<Vec<_>>().join(", "))
}

fn members(seen: &Seen) -> String {
    match (seen.stillborn(), seen.members.is_empty()) {
        (Some(member), _) => format!("{} has failed", member.id),
        (None, true) => "none".to_owned(),
        (None, false) => COMPLETE.to_owned(),
    }
}

/// What a cluster is like, in the words of the rules.
pub(super) fn found(seen: &Seen) -> Settings {
    let cluster = &seen.cluster;
    let mut found = wishes::tags_of(cluster.tag_list());
    let mut note = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            found.insert(field.to_owned(), value);
        }
    };
    let name = seen.name();
    note(wishes::STATE, cluster.status().map(str::to_owned));
    note(versions::VERSION, cluster.engine_version().map(str::to_owned));
    note(wishes::RETENTION, cluster.backup_retention_period().map(|days| days.to_string()));
    note(wishes::GROUPS, Some(wishes::groups_of(cluster.vpc_security_groups())));
    note(wishes::PROTECTION, cluster.deletion_protection().map(|on| on.to_string()));
    note(wishes::STORAGE_TYPE, Some(cluster.storage_type().unwrap_or(PLAIN_STORAGE).to_owned()));
    let capacity = cluster.serverless_v2_scaling_configuration();
    note(SCALING, capacity.and_then(|it| Some(scaling(it.min_capacity()?, it.max_capacity()?))));
    note(MEMBERS, Some(members(seen)));
    note(FOREIGN_READERS, Some(seen.has_foreign_readers().to_string()));
    note(STANDBY, Some(seen.own_readers().next().is_some().to_string()));
    let instances = || seen.own().filter_map(|member| member.instance.as_ref());
    note(CLASS, distinct(instances().filter_map(|it| it.db_instance_class())));
    let public = |it: &DbInstance| if it.publicly_accessible() == Some(true) { "true" } else { "false" };
    note(PUBLIC, distinct(instances().map(public)));
    note(AUTHORITY, distinct(instances().filter_map(|it| it.ca_certificate_identifier())));
    let windows = instances().filter_map(|it| it.preferred_maintenance_window());
    note(WINDOW, distinct(cluster.preferred_maintenance_window().into_iter().chain(windows)));
    let writer = seen.writer().and_then(|writer| writer.instance.as_ref());
    note(WRITER, writer.and_then(|it| it.db_instance_status()).map(str::to_owned));
    note(parameters::GROUP, seen.group().map(|group| parameters::kind(group, &name).to_owned()));
    note(parameters::APPLIED, health::applied(seen).map(str::to_owned));
    let waiting: Vec<&str> = seen.waiting().map(|member: &Member| member.id.as_str()).collect();
    note(parameters::WAITING, (!waiting.is_empty()).then(|| waiting.join(",")));
    note(wishes::IDENTIFIER, Some(name));
    found
}

/// What is asked for of a cluster that is like `found`. What neither spec nor configuration names is left alone.
fn wanted(desired: &DesiredServer<'_>, config: &AuroraConfig, found: &Settings) -> Settings {
    let mut wanted = wishes::wanted(desired, &config.aws);
    wanted.insert(MEMBERS.to_owned(), COMPLETE.to_owned());
    if let Ok(size) = size(desired.spec, config) {
        wanted.insert(wishes::STORAGE_TYPE.to_owned(), <&str>::from(size.storage_type).to_owned());
        wanted.insert(CLASS.to_owned(), size.instance_type);
        if let Some(AuroraScaling { min_capacity, max_capacity }) = size.scaling {
            wanted.insert(SCALING.to_owned(), scaling(min_capacity, max_capacity));
        }
    }
    let is = |field: &str, value: &str| found.get(field).is_some_and(|found| found == value);
    // Somebody else's reader stands by as well as one of ours.
    if is(FOREIGN_READERS, "true") && wanted.get(STANDBY).is_some_and(|on| on == "true") {
        wanted.remove(STANDBY);
    }
    // A member that is not there yet is made as it shall be.
    if !found.contains_key(CLASS) {
        wanted.retain(|field, _| ![AUTHORITY, CLASS, PUBLIC, STANDBY].contains(&field.as_str()));
    }
    wanted
}

/// How the cluster differs from the wish, parameters apart.
pub(super) fn differences(
    desired: &DesiredServer<'_>,
    config: &AuroraConfig,
    facts: &ServerFacts,
) -> Vec<Difference> {
    let wanted = wanted(desired, config, &facts.settings);
    let mut differences = compare(wishes::RULES, &wanted, &facts.settings);
    differences.extend(compare(RULES, &wanted, &facts.settings));
    for difference in differences.iter_mut().filter(|difference| difference.field == STANDBY) {
        // Who reads from it loses the connection when it goes.
        if let Change::Apply { restart, .. } = &mut difference.change {
            *restart = difference.wanted.as_deref() == Some("false");
        }
    }
    let running = facts.settings.get(versions::VERSION).zip(desired.spec.version.as_deref());
    differences.extend(running.and_then(|(found, wanted)| versions::difference(found, wanted)));
    differences
}
