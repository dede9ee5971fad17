//! What of a spec is refused, and what is told and passed over. Pure.

use super::super::super::{Rejection, sizes};
use super::super::fields;
use super::{policy, public_access, rules};
use crate::api::PostgreSQLServerSpec;
use crate::config::AzureSingleConfig;

pub(super) fn validate(
    config: &AzureSingleConfig,
    spec: &PostgreSQLServerSpec,
) -> Result<(), Vec<Rejection>> {
    let mut rejections = fields::validate(&config.azure, policy(config), spec);
    rejections.extend(sizes::single(config, spec.size.as_ref()).err().into_iter().flatten());
    if rejections.is_empty() { Ok(()) } else { Err(rejections) }
}

/// What has no effect, and is no reason to do nothing: as by the original, which did not say so.
pub(super) fn unsupported(config: &AzureSingleConfig, spec: &PostgreSQLServerSpec) -> Vec<Rejection> {
    let mut told = Vec::new();
    let mut tell = |field: &str, is: bool, message: String| {
        if is {
            told.push(Rejection { field: field.to_owned(), message });
        }
    };
    let asked = spec.version.as_deref().and_then(fields::major);
    let newer = asked.is_some_and(|asked| rules::known_version(asked).is_none());
    let newest = rules::NEWEST;
    tell(
        "version",
        newer,
        format!(
            "found {}, and single servers have {newest} at most; newer ones are flexible servers (backend \
             azurepostgresflexible)",
            spec.version.as_deref().unwrap_or_default()
        ),
    );
    let nothing = |what: &str| format!("{what} on single servers");
    let standby = spec.highavailability.as_ref().and_then(|availability| availability.enabled) == Some(true);
    tell("highavailability.enabled", standby, nothing("has no effect; Azure sees to it by itself"));
    let window = spec.maintenance.as_ref().is_some_and(|maintenance| maintenance.window.is_some());
    tell("maintenance.window", window, nothing("Azure chooses the time of its maintenance itself"));
    tell("serverParameters", !spec.server_parameters.is_empty(), nothing("have no effect"));
    let has_rules = spec.network.as_ref().is_some_and(|network| !network.firewall_rules.is_empty());
    let closed = has_rules && public_access(config) == Some(false);
    tell(
        "network.firewallRules",
        closed,
        "have no effect; the servers are not reached from outside of their network".to_owned(),
    );
    told.extend(sizes::single(config, spec.size.as_ref()).map(|sizing| sizing.warned()).unwrap_or_default());
    told
}
