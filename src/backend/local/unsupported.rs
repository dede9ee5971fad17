//! What the local backend does not do, though a spec may ask for it. Pure.

use crate::api::PostgreSQLServerSpec;

use super::super::Rejection;
use super::install::Installs;

/// What has no effect here, field by field. Whoever moves a spec between backends shall not have to change it, and shall
/// not believe either that there are backups.
pub(super) fn of(spec: &PostgreSQLServerSpec, installs: &Installs) -> Vec<Rejection> {
    let size = spec.size.clone().unwrap_or_default();
    let high = spec.highavailability.as_ref().and_then(|high| high.enabled);
    let rules = spec.network.as_ref().is_some_and(|network| !network.firewall_rules.is_empty());
    // Without backups, none are kept for no days.
    let backups = spec.backup.as_ref().is_some_and(|backup| {
        backup.retention_days.is_some_and(|days| days > 0) || backup.geo_redundant == Some(true)
    });
    let installed = installs.choose(spec.version.as_deref()).ok();
    let missing: Vec<&str> = spec
        .extensions
        .iter()
        .map(String::as_str)
        .filter(|name| installed.is_some_and(|install| !install.has_extension(name)))
        .collect();
    let missing_message = format!("not installed on the operator's host: {}", missing.join(", "));
    [
        (!missing.is_empty(), "extensions", missing_message.as_str()),
        (backups, "backup", "the local backend makes no backups"),
        (high == Some(true), "highavailability", "the local backend has no standby servers"),
        (rules, "network.firewallRules", "local servers listen on a loopback address only"),
        (size.class.is_some(), "size.class", "the local backend has no classes; use memoryMB"),
        (
            size.storage_auto_grow == Some(true) || size.max_storage_gb.is_some(),
            "size.storageAutoGrow",
            "nothing limits the storage of a local server",
        ),
    ]
    .into_iter()
    .filter(|(asked, ..)| *asked)
    .map(|(_, field, message)| Rejection { field: field.to_owned(), message: message.to_owned() })
    .collect()
}
