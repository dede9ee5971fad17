//! What of a spec is compared with a server. Pure.

use super::super::super::{
    Change, DesiredServer, Difference, FIREWALL_RULE, PARAMETER, ServerFacts, Settings, Stage, abandoned,
    compare, sizes,
};
use super::super::fields::{self, NETWORK, PRIVATE, PUBLIC, RESTART, TAG, VERSION, major};
use super::super::rules::{RULES, ask_size};
use super::super::{extensions, parameters};
use super::model::MB_PER_GB;
use super::{RESTART_DUE, policy, public_access};
use crate::api::PostgreSQLServerSpec;
use crate::config::AzureSingleConfig;

/// Says that this process has restarted the server.
pub(super) const RESTARTED: &str = "restarted";

/// The newest version that the service has had.
pub(super) const NEWEST: u32 = 11;

/// What is asked for of a server that is like `found`. What neither spec nor configuration names is left alone.
pub(super) fn wanted(desired: &DesiredServer<'_>, config: &AzureSingleConfig, found: &Settings) -> Settings {
    let spec = desired.spec;
    let mut wanted = Settings::new();
    if let (Some(size), Ok(sizing)) = (&spec.size, sizes::single(config, spec.size.as_ref())) {
        let sku = &sizing.size.sku;
        ask_size(&mut wanted, size, (&sku.name, &sku.tier), sizing.size.storage_mb / MB_PER_GB);
    }
    if let Some(public) = public_access(config) {
        wanted.insert(NETWORK.to_owned(), if public { PUBLIC } else { PRIVATE }.to_owned());
    }
    fields::ask(&mut wanted, desired, &config.azure, policy(config), &config.parameters.azure, found);
    if found.contains_key(parameters::READ) {
        for (name, value) in extensions::asked(spec, found) {
            wanted.insert(format!("{PARAMETER}{name}"), value);
        }
    }
    wanted
}

/// How the server differs from the wish.
pub(super) fn differences(
    desired: &DesiredServer<'_>,
    config: &AzureSingleConfig,
    facts: &ServerFacts,
) -> Vec<Difference> {
    let found = &facts.settings;
    let wanted = wanted(desired, config, found);
    let mut differences = compare(RULES, &wanted, found);
    let is_ours = |field: &str| {
        let rule = field.strip_prefix(FIREWALL_RULE);
        rule.is_some_and(|rule| policy(config).removes(rule, desired.managed_rules))
    };
    differences.extend(abandoned(RULES, &wanted, found, is_ours));
    differences.extend(version(found, desired.spec));
    let more = differences.iter().any(|difference| difference.field.starts_with(PARAMETER));
    differences.extend(restart(found).filter(|_| !more));
    differences
}

/// The version that a spec asks for, as far as the service has ever had it.
pub(super) fn known_version(version: &str) -> Option<u32> {
    major(version)?.parse().ok().filter(|major| *major <= NEWEST)
}

/// Versions stay what they are.
fn version(found: &Settings, spec: &PostgreSQLServerSpec) -> Option<Difference> {
    let (found, wanted) = (found.get(VERSION)?, spec.version.as_deref()?);
    let (running, asked): (u32, u32) = (major(found)?.parse().ok()?, known_version(wanted)?);
    if running == asked {
        return None;
    }
    let message = "single servers are not upgraded; move to a flexible server".to_owned();
    let (found, wanted) = (Some(found.to_owned()), Some(wanted.to_owned()));
    Some(Difference { field: VERSION.to_owned(), found, wanted, change: Change::Refused { message } })
}

/// The restart that is due; when it was made, what is left is to take the mark off.
fn restart(found: &Settings) -> Option<Difference> {
    found.get(&format!("{TAG}{RESTART_DUE}"))?;
    let restart = !found.contains_key(RESTARTED);
    let change = Change::Apply { stage: Stage::Configure, restart, revives: false };
    let told = Some(format!("{} waits for it", parameters::PRELOADED));
    Some(Difference { field: RESTART.to_owned(), found: told, wanted: Some("done".to_owned()), change })
}
