//! What of a spec is refused, and what is told and passed over. Pure.

use super::super::super::{DesiredServer, Rejection, asked_parameters, sizes};
use super::super::{extensions, fields};
use super::{policy, requests};
use crate::api::{PostgreSQLServerSpec, WeeklyWindow};
use crate::config::AzureFlexibleConfig;

/// Versions in the API; the oldest ones are there for servers that have them.
const VERSIONS: std::ops::RangeInclusive<u32> = 11..=18;

pub(super) fn validate(
    config: &AzureFlexibleConfig,
    spec: &PostgreSQLServerSpec,
) -> Result<(), Vec<Rejection>> {
    let mut rejections = fields::validate(&config.azure, policy(config), spec);
    let mut reject = |field: &str, message: String| {
        rejections.push(Rejection { field: field.to_owned(), message });
    };
    let written = spec.maintenance.as_ref().and_then(|maintenance| maintenance.window.as_ref());
    if let Some(error) = written.and_then(|written| WeeklyWindow::read(written).err()) {
        let text = error.to_string();
        reject("maintenance.window", text.strip_prefix("maintenance.window: ").unwrap_or(&text).to_owned());
    }
    let major = spec.version.as_deref().and_then(fields::major);
    let known = major.is_none_or(|major| major.parse().is_ok_and(|major| VERSIONS.contains(&major)));
    if !known {
        let found = spec.version.as_deref().unwrap_or_default();
        let (first, last) = (VERSIONS.start(), VERSIONS.end());
        reject("version", format!("found {found}, expected {first} to {last}, or latest"));
    }
    if !requests::is_public(config) {
        let azure = &config.azure;
        let missing = [
            ("virtual_network", azure.virtual_network.is_none()),
            ("subnet", azure.subnet.is_none()),
            ("dns_zone", config.dns_zone.is_none()),
        ];
        let missing: Vec<&str> =
            missing.iter().filter(|(_, missing)| *missing).map(|(key, _)| *key).collect();
        if !missing.is_empty() {
            let keys = missing.join(", ");
            reject(
                "backend",
                format!("servers without public access need {keys} in the operator's configuration"),
            );
        }
    }
    match sizes::flexible(config, spec.size.as_ref()) {
        Ok(sizing) => {
            let standby = spec.highavailability.as_ref().and_then(|availability| availability.enabled);
            if standby == Some(true) && sizing.size.sku.tier.eq_ignore_ascii_case("Burstable") {
                let message =
                    format!("{} is Burstable, and such servers have no standby", sizing.size.sku.name);
                reject("highavailability.enabled", message);
            }
        }
        Err(refused) => rejections.extend(refused),
    }
    if rejections.is_empty() { Ok(()) } else { Err(rejections) }
}

/// What has no effect, and is no reason to do nothing.
pub(super) fn unsupported(config: &AzureFlexibleConfig, desired: &DesiredServer<'_>) -> Vec<Rejection> {
    let spec = desired.spec;
    let mut told = Vec::new();
    for name in asked_parameters(spec).into_keys().filter(|name| extensions::is_ours(name)) {
        told.push(Rejection {
            field: format!("serverParameters.{name}"),
            message: "has no effect; the extensions are named in spec.extensions".to_owned(),
        });
    }
    let rules = spec.network.as_ref().is_some_and(|network| !network.firewall_rules.is_empty());
    if rules && !requests::is_public(config) {
        told.push(Rejection {
            field: "network.firewallRules".to_owned(),
            message: "have no effect; new servers are reached through their virtual network".to_owned(),
        });
    }
    told.extend(
        sizes::flexible(config, spec.size.as_ref()).map(|sizing| sizing.warned()).unwrap_or_default(),
    );
    told
}
