//! What of a spec is compared with a server. Pure.

use super::super::super::{
    Change, DesiredServer, Difference, FIREWALL_RULE, PARAMETER, ServerFacts, Settings, Stage, abandoned,
    asked_parameters, compare, sizes,
};
use super::super::fields::{self, OFF, RESTART, STANDBY, STORAGE, VERSION, WINDOW, major};
use super::super::rules::{RULES, ask_size};
use super::super::{extensions, parameters};
use super::model::{MaintenanceWindow, Server};
use super::policy;
use crate::api::{MaintenanceWindow as CrdWindow, PostgreSQLServerSpec, WeeklyWindow};
use crate::config::AzureFlexibleConfig;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
/// From this size on it is another kind of disk (documentation of storage, "limitations").
const LARGE: u64 = 4096;

/// Puts among the facts what only flexible servers have, without parameters.
pub(super) fn note(found: &mut Settings, server: &Server) {
    let properties = &server.properties.own;
    let mode = properties.high_availability.as_ref().and_then(|standby| standby.mode.clone());
    found.insert(STANDBY.to_owned(), mode.unwrap_or_else(|| OFF.to_owned()));
    if let Some(window) = &properties.maintenance_window {
        found.insert(WINDOW.to_owned(), window_text(window));
    }
}

/// The running version.
pub(super) fn full_version(server: &Server) -> Option<String> {
    let major = server.properties.version.as_ref()?;
    Some(match server.properties.own.minor_version.as_deref() {
        Some(minor) if minor.contains('.') => minor.to_owned(),
        Some(minor) if !minor.is_empty() => format!("{major}.{minor}"),
        _ => major.clone(),
    })
}

fn window_text(window: &MaintenanceWindow) -> String {
    if window.custom_window.as_deref() != Some("Enabled") {
        return "chosen by Azure".to_owned();
    }
    let day = window.day_of_week.and_then(|day| DAYS.get(usize::from(day))).unwrap_or(&"?");
    let (hour, minute) = (window.start_hour.unwrap_or_default(), window.start_minute.unwrap_or_default());
    format!("{day} {hour:02}:{minute:02}")
}

/// The window of a server, where somebody has chosen one.
pub(super) fn found_window(facts: &ServerFacts) -> Option<WeeklyWindow> {
    let (weekday, starttime) = facts.settings.get(WINDOW)?.split_once(' ')?;
    let written = CrdWindow { weekday: weekday.to_owned(), starttime: starttime.to_owned() };
    WeeklyWindow::read(&written).ok()
}

/// The window that a spec asks for; none where it asks for none or for one that cannot be read.
pub(super) fn window(spec: &PostgreSQLServerSpec) -> Option<WeeklyWindow> {
    WeeklyWindow::read(spec.maintenance.as_ref()?.window.as_ref()?).ok()
}

/// A window in the service's words.
pub(super) fn service_window(window: WeeklyWindow) -> MaintenanceWindow {
    let (hour, minute) = window.start();
    MaintenanceWindow {
        custom_window: Some("Enabled".to_owned()),
        day_of_week: Some(window.weekday()),
        start_hour: Some(hour),
        start_minute: Some(minute),
    }
}

/// What is asked for of a server that is like `found`. What neither spec nor configuration names is left alone.
pub(super) fn wanted(
    desired: &DesiredServer<'_>,
    config: &AzureFlexibleConfig,
    found: &Settings,
) -> Settings {
    let spec = desired.spec;
    let mut wanted = Settings::new();
    if let (Some(size), Ok(sizing)) = (&spec.size, sizes::flexible(config, spec.size.as_ref())) {
        let sku = &sizing.size.sku;
        ask_size(&mut wanted, size, (&sku.name, &sku.tier), sizing.size.storage_gb);
    }
    fields::ask(&mut wanted, desired, &config.azure, policy(config), &config.parameters, found);
    let mut ask = |field: &str, value: String| drop(wanted.insert(field.to_owned(), value));
    if let Some(on) = spec.highavailability.as_ref().and_then(|availability| availability.enabled) {
        ask(STANDBY, if on { mode(config) } else { OFF }.to_owned());
    }
    if let Some(window) = window(spec) {
        ask(WINDOW, window_text(&service_window(window)));
    }
    if found.contains_key(parameters::READ) {
        for (name, value) in extensions::asked(spec, found) {
            ask(&format!("{PARAMETER}{name}"), value);
        }
        for (name, value) in asked_parameters(spec) {
            if !extensions::is_ours(&name) {
                let value = parameters::asked(found, &name, &value);
                ask(&format!("{PARAMETER}{name}"), value);
            }
        }
    }
    wanted
}

/// Where the standby is.
pub(super) fn mode(config: &AzureFlexibleConfig) -> &'static str {
    config.high_availability_mode.into()
}

/// How the server differs from the wish.
pub(super) fn differences(
    desired: &DesiredServer<'_>,
    config: &AzureFlexibleConfig,
    facts: &ServerFacts,
) -> Vec<Difference> {
    let found = &facts.settings;
    let wanted = wanted(desired, config, found);
    let mut differences = compare(RULES, &wanted, found);
    let named = |names: &[String], name: &str| names.iter().any(|one| one == name);
    let is_ours = |field: &str| {
        if let Some(name) = field.strip_prefix(PARAMETER) {
            // Back at its default, and not in force before a restart: until then it is ours.
            let is_back = !found.contains_key(&format!("{}{name}", parameters::DEFAULT));
            return named(desired.managed, name) && (!is_back || waits_for_restart(name, found));
        }
        let rule = field.strip_prefix(FIREWALL_RULE);
        rule.is_some_and(|rule| policy(config).removes(rule, desired.managed_rules))
    };
    differences.extend(abandoned(RULES, &wanted, found, is_ours));
    for difference in &mut differences {
        refine(difference, found);
    }
    differences.extend(version(found, desired.spec));
    differences.extend(restart(desired, &wanted, &differences, found));
    differences
}

/// What only the facts say about a change: whether it interrupts connections, and whether there is a way at all.
fn refine(difference: &mut Difference, found: &Settings) {
    let refused = |message: String| Change::Refused { message };
    if let Some(name) = difference.field.strip_prefix(PARAMETER) {
        let known = |what: &str| found.contains_key(&format!("{what}{name}"));
        if difference.found.is_none() {
            difference.change = refused(format!("the server has no such parameter{}", meant(name, found)));
        } else if known(parameters::FIXED) {
            difference.change = refused("Azure does not let anybody change it".to_owned());
        } else if let Change::Apply { restart, .. } = &mut difference.change {
            *restart = known(parameters::STATIC);
        }
        return;
    }
    let (there, asked) = (difference.found.as_deref(), difference.wanted.as_deref());
    match difference.field.as_str() {
        STORAGE => {
            let gb = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
            if let Change::Apply { restart, .. } = &mut difference.change {
                *restart = gb(there) < LARGE && gb(asked) >= LARGE;
            }
        }
        STANDBY if there != Some(OFF) && asked != Some(OFF) => {
            let message = "a standby does not move; switch it off, and on again".to_owned();
            difference.change = refused(message);
        }
        _ => {}
    }
}

/// A parameter of a similar name.
fn meant(name: &str, found: &Settings) -> String {
    let known = found.keys().filter_map(|field| field.strip_prefix(PARAMETER));
    let near = known.map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    match near {
        Some((distance, known)) if distance <= 3 => format!(" (did you mean {known}?)"),
        _ => String::new(),
    }
}

/// Upgrades go to a higher major version, in place; minor ones are the service's own.
fn version(found: &Settings, spec: &PostgreSQLServerSpec) -> Option<Difference> {
    let major = |version: &str| major(version)?.parse::<u32>().ok();
    let (running, asked) = (major(found.get(VERSION)?)?, major(spec.version.as_deref()?)?);
    if running == asked {
        return None;
    }
    let change = if asked < running {
        Change::Refused { message: "PostgreSQL does not go back to an older version".to_owned() }
    } else {
        Change::Apply { stage: Stage::Update, restart: true, revives: false }
    };
    let (found, wanted) = (Some(running.to_string()), Some(asked.to_string()));
    Some(Difference { field: VERSION.to_owned(), found, wanted, change })
}

/// One restart after all values that need one; those that others have set wait for whoever set them.
fn restart(
    desired: &DesiredServer<'_>,
    wanted: &Settings,
    differences: &[Difference],
    found: &Settings,
) -> Option<Difference> {
    let waits = |name: &&str| {
        wanted.contains_key(&format!("{PARAMETER}{name}")) || desired.managed.iter().any(|one| one == name)
    };
    let pending: Vec<&str> =
        found.keys().filter_map(|field| field.strip_prefix(parameters::PENDING)).filter(waits).collect();
    let to_set = |difference: &Difference| {
        let name = difference.field.strip_prefix(PARAMETER).unwrap_or_default();
        let is_back =
            difference.wanted.is_none() && !found.contains_key(&format!("{}{name}", parameters::DEFAULT));
        !name.is_empty() && difference.restarts() && !is_back
    };
    let more = differences.iter().any(to_set);
    if pending.is_empty() || more {
        return None;
    }
    let change = Change::Apply { stage: Stage::Configure, restart: true, revives: false };
    let found = Some(format!("{} waits for it", pending.join(", ")));
    Some(Difference { field: RESTART.to_owned(), found, wanted: Some("done".to_owned()), change })
}

fn waits_for_restart(name: &str, found: &Settings) -> bool {
    found.contains_key(&format!("{}{name}", parameters::PENDING))
}
