//! What of a spec is compared in the same way on RDS and on Aurora. Pure.

use aws_sdk_rds::types::{Tag, VpcSecurityGroupMembership};

use super::super::cloud::required;
use super::super::{DesiredServer, FieldRule, Rejection, Semantics, Settings, Stage};
use super::{versions, window};
use crate::api::{PostgreSQLServerSpec, WeeklyWindow};
use crate::config::AwsConfig;

/// Not compared: which server it is, and its state.
pub(super) const IDENTIFIER: &str = "identifier";
pub(super) const STATE: &str = "state";

pub(super) const CLASS: &str = "class";
pub(super) const STORAGE_TYPE: &str = "storageType";
pub(super) const STANDBY: &str = "highavailability";
pub(super) const RETENTION: &str = "backup.retentionDays";
pub(super) const WINDOW: &str = "maintenance.window";
pub(super) const GROUPS: &str = "securityGroups";
pub(super) const PUBLIC: &str = "publicAccess";
pub(super) const PROTECTION: &str = "deletionProtection";
pub(super) const AUTHORITY: &str = "caCertificate";
pub(super) const TAG: &str = "tag.";

/// A field that has to be equal.
pub(super) const fn equal(field: &'static str, restart: bool) -> FieldRule {
    FieldRule { field, semantics: Semantics::Exact, stage: Stage::Update, restart, revives: false }
}

/// Which changes interrupt connections: "Settings for DB instances" in the RDS user guide, "Settings for Amazon Aurora"
/// in Aurora's.
pub(super) const RULES: &[FieldRule] = &[
    equal(CLASS, true),
    equal(STORAGE_TYPE, false),
    equal(STANDBY, false),
    equal(RETENTION, false),
    equal(WINDOW, false),
    equal(GROUPS, false),
    equal(PUBLIC, false),
    equal(PROTECTION, false),
    // Unless the service is told not to (API reference of `ModifyDBInstance`, `CertificateRotationRestart`).
    equal(AUTHORITY, true),
    equal("tag.*", false),
];

/// Days that backups are kept.
pub(super) fn retention(spec: &PostgreSQLServerSpec) -> Option<i64> {
    spec.backup.as_ref()?.retention_days
}

/// Whether somebody stands by; none: not said.
pub(super) fn standby(spec: &PostgreSQLServerSpec) -> Option<bool> {
    spec.highavailability.as_ref()?.enabled
}

/// The maintenance window, in the service's words.
pub(super) fn asked_window(spec: &PostgreSQLServerSpec) -> Option<String> {
    window::of(spec.maintenance.as_ref()?.window.as_ref()?)
}

/// What the service would refuse; `least` are the fewest days that backups are kept.
pub(super) fn refused(spec: &PostgreSQLServerSpec, least: i64) -> Vec<Rejection> {
    let mut rejections = Vec::new();
    let mut reject = |field: &str, message: String| {
        rejections.push(Rejection { field: field.to_owned(), message });
    };
    if let Some(days) = retention(spec).filter(|days| !(least..=35).contains(days)) {
        reject("backup.retentionDays", format!("found {days}, expected {least} to 35"));
    }
    let written = spec.maintenance.as_ref().and_then(|maintenance| maintenance.window.as_ref());
    if let Some(Err(error)) = written.map(WeeklyWindow::read) {
        let told = error.to_string();
        let message = told.split_once(": ").map_or(told.as_str(), |(_, message)| message);
        reject("maintenance.window", message.to_owned());
    }
    let numbers = spec.version.as_deref().and_then(versions::explicit);
    if numbers.is_some_and(|numbers| numbers.is_empty()) {
        reject("version", "expected a version such as 17 or 17.4, or latest".to_owned());
    }
    rejections
}

/// Security groups, in whatever order they are named.
pub(super) fn groups<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    ids.join(",")
}

/// Those that a server has.
pub(super) fn groups_of(members: &[VpcSecurityGroupMembership]) -> String {
    groups(members.iter().filter_map(|group| group.vpc_security_group_id()))
}

/// The tags of a server as settings.
pub(super) fn tags_of(tags: &[Tag]) -> Settings {
    let named = tags.iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())));
    named.map(|(key, value)| (format!("{TAG}{key}"), value.to_owned())).collect()
}

/// What is asked for on both. What neither spec nor configuration names is left alone.
pub(super) fn wanted(desired: &DesiredServer<'_>, aws: &AwsConfig) -> Settings {
    let spec = desired.spec;
    let mut wanted = Settings::new();
    let mut ask = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            wanted.insert(field.to_owned(), value);
        }
    };
    ask(STANDBY, standby(spec).map(|on| on.to_string()));
    ask(RETENTION, retention(spec).map(|days| days.to_string()));
    ask(WINDOW, asked_window(spec));
    let ids = &aws.vpc_security_group_ids;
    ask(GROUPS, (!ids.is_empty()).then(|| groups(ids.iter().map(String::as_str))));
    ask(AUTHORITY, aws.ca_certificate.clone());
    ask(PUBLIC, Some(aws.network.public_access.to_string()));
    // Switched on only: a protection that somebody else has set is not taken away.
    ask(PROTECTION, aws.deletion_protection.then(|| "true".to_owned()));
    for (key, value) in required(desired.owner, &aws.tags) {
        ask(&format!("{TAG}{key}"), Some(value));
    }
    wanted
}

/// The size, or the sentence that tells everything that is refused about the wish.
pub(super) fn sentences(refused: Vec<Rejection>) -> String {
    let all: Vec<String> = refused.into_iter().map(|one| format!("{}: {}", one.field, one.message)).collect();
    all.join("; ")
}

/// What has no effect on AWS, field by field.
pub(super) fn unsupported(spec: &PostgreSQLServerSpec) -> Vec<Rejection> {
    let rules = spec.network.as_ref().is_some_and(|network| !network.firewall_rules.is_empty());
    let elsewhere = spec.backup.as_ref().is_some_and(|backup| backup.geo_redundant == Some(true));
    let asked = [
        (rules, "network.firewallRules", "on AWS the administrator's security groups say who gets in"),
        (elsewhere, "backup.geoRedundant", "backups on AWS stay in the region"),
    ];
    let asked = asked.into_iter().filter(|(asked, ..)| *asked);
    asked
        .map(|(_, field, message)| Rejection { field: field.to_owned(), message: message.to_owned() })
        .collect()
}
