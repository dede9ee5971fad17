//! Fields that servers of both services have, and what is asked of them. Pure.

use std::collections::BTreeMap;

use super::super::cloud::{MARKED, required};
use super::super::{DesiredServer, FIREWALL_RULE, Rejection, Settings};
use super::firewall::{self, Policy};
use crate::api::PostgreSQLServerSpec;
use crate::config::{AzureConfig, AzureParameters};

pub(super) const STORAGE: &str = "storageGB";
pub(super) const AUTO_GROW: &str = "storageAutoGrow";
pub(super) const SKU: &str = "sku";
pub(super) const VERSION: &str = "version";
pub(super) const RETENTION: &str = "backup.retentionDays";
pub(super) const GEO: &str = "backup.geoRedundant";
pub(super) const LOCK: &str = "lock";
/// Of flexible servers.
pub(super) const STANDBY: &str = "highavailability";
/// Of flexible servers.
pub(super) const WINDOW: &str = "maintenance.window";
pub(super) const TAG: &str = "tag.";
/// Values that are set and wait for a restart.
pub(super) const RESTART: &str = "restart";
/// How the server can be reached; of flexible servers it is told and not compared, since it is the administrator's word for
/// new ones.
pub(super) const NETWORK: &str = "network";
pub(super) const PUBLIC: &str = "public";
pub(super) const PRIVATE: &str = "private";

pub(super) const OFF: &str = "Disabled";

/// API reference of both services, `backupRetentionDays`.
const DAYS: std::ops::RangeInclusive<i64> = 7..=35;
pub(super) const NO_SNAPSHOT: &str = "on Azure, backups of a server go with it; use Delete or Retain";

/// In the services' words.
pub(super) fn on_off(on: bool) -> String {
    if on { "Enabled" } else { OFF }.to_owned()
}

/// What a machine is called among the facts.
pub(super) fn sku_text(name: &str, tier: &str) -> String {
    format!("{name} ({tier})")
}

/// Back from [`sku_text`].
pub(super) fn sku_parts(text: &str) -> Option<(&str, &str)> {
    text.strip_suffix(')')?.split_once(" (")
}

/// The major version that a spec asks for; none for "whatever the backend has".
pub(super) fn major(version: &str) -> Option<&str> {
    let version = version.trim();
    let major = version.split('.').next().unwrap_or(version);
    (!major.is_empty() && !version.eq_ignore_ascii_case("latest")).then_some(major)
}

/// Puts the tags among the facts.
pub(super) fn note_tags(found: &mut Settings, tags: Option<&BTreeMap<String, String>>) {
    for (key, value) in tags.into_iter().flatten() {
        found.insert(format!("{TAG}{key}"), value.clone());
    }
}

/// Asks for what both services have: retention, geo-redundancy, tags, lock and rules of the firewall.
pub(super) fn ask(
    wanted: &mut Settings,
    desired: &DesiredServer<'_>,
    azure: &AzureConfig,
    policy: Policy<'_>,
    parameters: &AzureParameters,
    found: &Settings,
) {
    let spec = desired.spec;
    if let Some(days) = retention(spec, parameters, found) {
        wanted.insert(RETENTION.to_owned(), days);
    }
    if let Some(geo) = spec.backup.as_ref().and_then(|backup| backup.geo_redundant) {
        wanted.insert(GEO.to_owned(), on_off(geo));
    }
    for (key, value) in required(desired.owner, &azure.tags) {
        wanted.insert(format!("{TAG}{key}"), value);
    }
    if azure.lock_from_deletion && found.contains_key(LOCK) {
        wanted.insert(LOCK.to_owned(), "set".to_owned());
    }
    if found.contains_key(firewall::READ) {
        for (name, range) in policy.asked(spec) {
            wanted.insert(format!("{FIREWALL_RULE}{name}"), range);
        }
    }
}

/// The administrator's number is a lower bound for users who name none: shortening it would throw backups away.
fn retention(spec: &PostgreSQLServerSpec, parameters: &AzureParameters, found: &Settings) -> Option<String> {
    if let Some(days) = spec.backup.as_ref().and_then(|backup| backup.retention_days) {
        return Some(days.to_string());
    }
    let least = parameters.backup_retention_days;
    let there: u8 = found.get(RETENTION)?.parse().ok()?;
    (there < least).then(|| least.to_string())
}

/// Days that the backups of a new server are kept.
pub(super) fn first_retention(spec: &PostgreSQLServerSpec, parameters: &AzureParameters) -> u32 {
    let days = spec.backup.as_ref().and_then(|backup| backup.retention_days);
    let days = days.and_then(|days| u32::try_from(days).ok());
    days.unwrap_or_else(|| parameters.backup_retention_days.into())
}

/// Whether the backups of a new server are kept in another region, too.
pub(super) fn first_geo(spec: &PostgreSQLServerSpec, parameters: &AzureParameters) -> bool {
    let asked = spec.backup.as_ref().and_then(|backup| backup.geo_redundant);
    asked.unwrap_or(parameters.geo_redundant_backup)
}

/// What neither service does.
pub(super) fn validate(
    azure: &AzureConfig,
    policy: Policy<'_>,
    spec: &PostgreSQLServerSpec,
) -> Vec<Rejection> {
    let mut rejections = policy.validate(spec);
    let mut reject = |field: &str, message: String| {
        rejections.push(Rejection { field: field.to_owned(), message });
    };
    if spec.deletion_policy.unwrap_or(azure.deletion_policy) == crate::api::DeletionPolicy::Snapshot {
        reject("deletionPolicy", NO_SNAPSHOT.to_owned());
    }
    let days = spec.backup.as_ref().and_then(|backup| backup.retention_days);
    if let Some(days) = days.filter(|days| !DAYS.contains(days)) {
        reject("backup.retentionDays", format!("found {days}, expected {} to {}", DAYS.start(), DAYS.end()));
    }
    rejections
}

/// Whether a server bears the mark that its object is gone.
pub(super) fn is_marked(tags: Option<&BTreeMap<String, String>>) -> bool {
    tags.is_some_and(|tags| tags.get(MARKED).is_some_and(|mark| mark == "yes"))
}

/// All tags of a server: a change replaces the whole of them, and what others have set stays.
pub(super) fn tags(
    there: Option<&BTreeMap<String, String>>,
    required: &BTreeMap<String, String>,
    left: Option<bool>,
) -> BTreeMap<String, String> {
    let mut tags = there.cloned().unwrap_or_default();
    tags.extend(required.clone());
    match left {
        Some(true) => drop(tags.insert(MARKED.to_owned(), "yes".to_owned())),
        Some(false) => drop(tags.remove(MARKED)),
        None => {}
    }
    tags
}
