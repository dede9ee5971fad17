//! What of a spec is compared with a server. Pure.

use super::super::super::{
    Change, DesiredServer, Difference, FIREWALL_RULE, FieldRule, PARAMETER, Semantics, ServerFacts, Settings,
    Stage, abandoned, compare, sizes,
};
use super::super::fields::{
    self, AUTO_GROW, GEO, LOCK, NETWORK, OFF, PRIVATE, PUBLIC, RESTART, RETENTION, SKU, STORAGE, TAG,
    VERSION, major, on_off, sku_text,
};
use super::super::{extensions, parameters};
use super::model::Server;
use super::{RESTART_DUE, policy, public_access};
use crate::config::AzureSingleConfig;

/// Says that this process has restarted the server.
pub(super) const RESTARTED: &str = "restarted";

/// The newest version that the service has had.
pub(super) const NEWEST: u32 = 11;

pub(super) const MB_PER_GB: u32 = 1024;

const fn rule(
    field: &'static str,
    semantics: Semantics,
    stage: Stage,
    restart: bool,
    revives: bool,
) -> FieldRule {
    FieldRule { field, semantics, stage, restart, revives }
}

/// Which changes interrupt connections:
/// <https://learn.microsoft.com/previous-versions/azure/postgresql/single-server/concepts-pricing-tiers>.
const RULES: &[FieldRule] = &[
    rule(STORAGE, Semantics::Floor, Stage::Update, false, false),
    rule(AUTO_GROW, Semantics::Exact, Stage::Update, false, false),
    rule(SKU, Semantics::Exact, Stage::Update, true, false),
    rule(RETENTION, Semantics::Exact, Stage::Update, false, false),
    rule(GEO, Semantics::SetOnce, Stage::Update, false, false),
    rule("tag.*", Semantics::Exact, Stage::Update, false, false),
    // The operator itself may be let in by one of them.
    rule(NETWORK, Semantics::Exact, Stage::Update, false, true),
    rule("firewall.*", Semantics::Exact, Stage::Update, false, true),
    rule(LOCK, Semantics::Exact, Stage::Configure, false, false),
    rule("parameter.*", Semantics::Exact, Stage::Configure, true, false),
];

/// Storage in GB.
pub(super) fn storage_gb(server: &Server) -> Option<u32> {
    let profile = server.properties.storage_profile.as_ref()?;
    profile.storage_mb.map(|mb| mb / MB_PER_GB)
}

/// What a server is like, in the words of the rules; without rules of the firewall, parameters and lock.
pub(super) fn found(server: &Server) -> Settings {
    let mut found = Settings::new();
    let mut note = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            found.insert(field.to_owned(), value);
        }
    };
    let properties = &server.properties;
    let profile = properties.storage_profile.as_ref();
    note(STORAGE, storage_gb(server).map(|gb| gb.to_string()));
    note(AUTO_GROW, profile.and_then(|profile| profile.storage_autogrow.clone()));
    note(SKU, server.sku.as_ref().map(|sku| sku_text(&sku.name, &sku.tier)));
    note(VERSION, properties.version.clone());
    note(RETENTION, profile.and_then(|profile| profile.backup_retention_days).map(|days| days.to_string()));
    note(GEO, profile.and_then(|profile| profile.geo_redundant_backup.clone()));
    let closed = properties.public_network_access.as_deref() == Some(OFF);
    note(NETWORK, Some(if closed { PRIVATE } else { PUBLIC }.to_owned()));
    fields::note_tags(&mut found, server.tags.as_ref());
    found
}

/// What is asked for of a server that is like `found`. What neither spec nor configuration names is left alone.
pub(super) fn wanted(desired: &DesiredServer<'_>, config: &AzureSingleConfig, found: &Settings) -> Settings {
    let spec = desired.spec;
    let mut wanted = Settings::new();
    let mut ask = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            wanted.insert(field.to_owned(), value);
        }
    };
    if let (Some(size), Ok(sizing)) = (&spec.size, sizes::single(config, spec.size.as_ref())) {
        let sized = size.class.is_some() || size.cpu.is_some() || size.memory_mb.is_some();
        let sku = &sizing.size.sku;
        ask(SKU, sized.then(|| sku_text(&sku.name, &sku.tier)));
        ask(STORAGE, size.storage_gb.map(|_| (sizing.size.storage_mb / MB_PER_GB).to_string()));
        ask(AUTO_GROW, size.storage_auto_grow.map(on_off));
    }
    ask(NETWORK, public_access(config).map(|public| if public { PUBLIC } else { PRIVATE }.to_owned()));
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
    differences.extend(
        found
            .get(VERSION)
            .zip(desired.spec.version.as_deref())
            .and_then(|(found, wanted)| version(found, wanted)),
    );
    let more = differences.iter().any(|difference| difference.field.starts_with(PARAMETER));
    differences.extend(restart(found).filter(|_| !more));
    differences
}

/// The version that a spec asks for, as far as the service has ever had it.
pub(super) fn known_version(version: &str) -> Option<u32> {
    major(version)?.parse().ok().filter(|major| *major <= NEWEST)
}

/// Versions stay what they are.
fn version(found: &str, wanted: &str) -> Option<Difference> {
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
