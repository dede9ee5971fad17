//! What of a spec this backend compares, and what it refuses.

use std::collections::BTreeMap;

use crate::api::{DeletionPolicy, PostgreSQLServerSpec};

use super::super::{
    Change, DesiredServer, Difference, FieldRule, PARAMETER, Rejection, Semantics, ServerFacts, Settings,
    Stage, abandoned, asked_parameters, compare, parameter_text,
};
use super::conf::Parameters;
use super::install::{Installs, explicit};
use super::look::{CONTEXT, PENDING, PROGRAMS, RELEASE, UNFIT};
use super::sizes;

pub(super) const POWER: &str = "power";
pub(super) const RUNNING: &str = "running";
pub(super) const STOPPED: &str = "stopped";
pub(super) const STORAGE: &str = "storage";
pub(super) const VERSION: &str = "version";
/// The memory for which a server of an earlier version has what it has.
pub(super) const MEMORY: &str = "memory";
/// The buffers that an earlier version gave to a server; said only of those.
pub(super) const EARLIER: &str = "buffers of an earlier version";
/// The release of the programs for whose sake it was restarted last.
pub(super) const RESTARTED_FOR: &str = "restarted for";
const PRELOAD: &str = "shared_preload_libraries";

const RULES: &[FieldRule] = &[
    FieldRule {
        field: POWER,
        semantics: Semantics::Exact,
        stage: Stage::Update,
        restart: false,
        revives: true,
    },
    // Nothing limits a local server to its storage; it is written down so that the wish counts as fulfilled.
    FieldRule {
        field: STORAGE,
        semantics: Semantics::Floor,
        stage: Stage::Update,
        restart: false,
        revives: false,
    },
    FieldRule {
        field: VERSION,
        semantics: Semantics::SetOnce,
        stage: Stage::Update,
        restart: false,
        revives: false,
    },
    FieldRule {
        field: "parameter.*",
        semantics: Semantics::Exact,
        stage: Stage::Configure,
        restart: false,
        revives: false,
    },
];

/// Parameters that would open the server, move its files, or run programs.
const RESERVED: &[&str] = &[
    "listen_addresses",
    "port",
    "hba_file",
    "ident_file",
    "config_file",
    "data_directory",
    "external_pid_file",
    "password_encryption",
    "stats_temp_directory",
    "log_directory",
    "log_filename",
    "log_file_mode",
    "allow_system_table_mods",
    "dynamic_library_path",
    "extension_control_path",
    "archive_library",
    "jit_provider",
    "db_user_namespace",
    "cluster_name",
];
const RESERVED_STARTS: &[&str] =
    &["ssl", "unix_socket", "include", "krb_", "gss_", "bonjour", "syslog_", "oauth_"];

/// Storage asked for, in GB.
pub(super) fn storage_gb(spec: &PostgreSQLServerSpec) -> Option<u64> {
    spec.size.as_ref()?.storage_gb.and_then(|storage| u64::try_from(storage).ok())
}

/// Memory asked for, in MB.
pub(super) fn memory_mb(spec: &PostgreSQLServerSpec) -> Option<i64> {
    spec.size.as_ref()?.memory_mb
}

/// Everything that would be dangerous to pass over in silence. What is merely not done here (backups, high
/// availability, firewall rules, maintenance windows) is passed over.
pub(super) fn validate(spec: &PostgreSQLServerSpec, installs: &Installs) -> Result<(), Vec<Rejection>> {
    let mut rejections = Vec::new();
    let mut reject = |field: &str, message: String| {
        rejections.push(Rejection { field: field.to_owned(), message });
    };
    if spec.deletion_policy == Some(DeletionPolicy::Snapshot) {
        reject("deletionPolicy", "the local backend keeps no snapshots; use Delete or Retain".to_owned());
    }
    if let Err(error) = installs.choose(spec.version.as_deref()) {
        reject("version", error.to_string());
    }
    let mut seen = BTreeMap::new();
    for (name, value) in &spec.server_parameters {
        let field = format!("serverParameters.{name}");
        if let Err(message) = check_parameter(name, &parameter_text(value)) {
            reject(&field, message);
        } else if let Some(other) = seen.insert(name.to_ascii_lowercase(), name) {
            reject(&field, format!("{other} is the same parameter"));
        }
    }
    if rejections.is_empty() { Ok(()) } else { Err(rejections) }
}

fn check_parameter(name: &str, value: &str) -> Result<(), String> {
    let lower = name.to_ascii_lowercase();
    // As the reader of postgresql.conf takes it; a line that it cannot read would stand in the way of all others.
    let word = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    if lower.matches('.').count() > 1 || !lower.split('.').all(word) {
        return Err(
            "no name of a parameter: letters, digits and _ are, and one . between two such words".to_owned()
        );
    }
    let reserved = RESERVED.contains(&lower.as_str())
        || RESERVED_STARTS.iter().any(|start| lower.starts_with(start))
        || lower.ends_with("_command");
    if reserved {
        return Err("it is set by the operator and cannot be changed; remove it".to_owned());
    }
    if lower.ends_with("_libraries") && value.contains('/') {
        return Err("libraries are named without a path".to_owned());
    }
    if value.chars().any(char::is_control) {
        return Err("a value has no line breaks or other control characters".to_owned());
    }
    Ok(())
}

/// What the server shall be started with: what its size and its extensions need, and the users' parameters, without
/// those that [`validate`] refuses.
pub(super) fn parameters(spec: &PostgreSQLServerSpec, installs: &Installs) -> Parameters {
    let mut asked = asked_parameters(spec);
    asked.retain(|name, value| check_parameter(name, value).is_ok());
    let mut all = sizes::parameters(spec);
    all.extend(asked);
    let installed = installs.choose(spec.version.as_deref()).ok();
    let extensions = spec.extensions.iter().map(String::as_str);
    // The library of an extension that is not installed would keep the server from starting.
    let extensions = extensions.filter(|one| installed.is_some_and(|install| install.has_extension(one)));
    if let Some(libraries) = sizes::preload(extensions, all.get(PRELOAD)) {
        all.insert(PRELOAD.to_owned(), libraries);
    }
    all
}

/// How the server differs from the wish.
pub(super) fn differences(
    desired: &DesiredServer<'_>,
    facts: &ServerFacts,
    installs: &Installs,
) -> Vec<Difference> {
    let mut wanted = Settings::from([(POWER.to_owned(), RUNNING.to_owned())]);
    if let Some(storage) = storage_gb(desired.spec) {
        wanted.insert(STORAGE.to_owned(), storage.to_string());
    }
    if let Some(version) = explicit(desired.spec.version.as_deref()) {
        wanted.insert(VERSION.to_owned(), version.to_owned());
    }
    for (name, value) in parameters(desired.spec, installs) {
        wanted.insert(format!("{PARAMETER}{name}"), value);
    }
    let mut differences = compare(RULES, &wanted, &facts.settings);
    // All parameters in the server's file were put there by us.
    let is_ours = |field: &str| field.starts_with(PARAMETER);
    differences.extend(abandoned(RULES, &wanted, &facts.settings, is_ours));
    let major = facts.settings.get(VERSION).and_then(|version| version.parse().ok());
    let install = major.and_then(|major| installs.exactly(major).ok());
    let found = |start: &str, name: &str| facts.settings.get(&format!("{start}{name}"));
    for difference in &mut differences {
        let Some(name) = difference.field.strip_prefix(PARAMETER) else { continue };
        if let Change::Apply { restart, .. } = &mut difference.change {
            *restart = install.is_some_and(|install| install.needs_restart(name))
                || found(CONTEXT, name).is_some_and(|context| context == "postmaster")
                || found(PENDING, name).is_some();
        }
        // The value stands in its file already, and PostgreSQL passes over it.
        if difference.wanted.is_some() && found(UNFIT, name) == difference.wanted.as_ref() {
            difference.change = Change::Refused { message: "PostgreSQL does not take this value".to_owned() };
        }
    }
    differences.extend(replaced_programs(&facts.settings));
    if facts.settings.contains_key(EARLIER) {
        keep_earlier_size(&mut differences, desired.spec, facts.settings.get(MEMORY));
    }
    differences
}

/// The server still runs the release from before its programs were replaced. One restart for a release is enough: where
/// it changed nothing, another one would not either.
fn replaced_programs(found: &Settings) -> Option<Difference> {
    let (runs, programs) = (found.get(RELEASE)?, found.get(PROGRAMS)?);
    if runs == programs || found.get(RESTARTED_FOR) == Some(programs) {
        return None;
    }
    let change = Change::Apply { stage: Stage::Configure, restart: true, revives: false };
    let (found, wanted) = (Some(runs.clone()), Some(programs.clone()));
    Some(Difference { field: RELEASE.to_owned(), found, wanted, change })
}

/// An earlier version made less of a size. A new version of the operator alone is no reason to restart a server: what
/// needs a restart waits for another size, or for a restart that is made anyway.
fn keep_earlier_size(differences: &mut Vec<Difference>, spec: &PostgreSQLServerSpec, noted: Option<&String>) {
    let Some(memory) = memory_mb(spec).map(|memory| memory.to_string()) else { return };
    if noted.is_some_and(|noted| *noted != memory) {
        return;
    }
    let (asked, sized) = (asked_parameters(spec), sizes::parameters(spec));
    let of_size = |difference: &Difference| {
        let name = difference.field.strip_prefix(PARAMETER);
        name.is_some_and(|name| sized.contains_key(name) && !asked.contains_key(name))
    };
    if !differences.iter().any(|one| one.restarts() && !of_size(one)) {
        differences.retain(|one| !(one.restarts() && of_size(one)));
    }
    if noted.is_none() {
        let change = Change::Apply { stage: Stage::Update, restart: false, revives: false };
        differences.push(Difference { field: MEMORY.to_owned(), found: None, wanted: Some(memory), change });
    }
}
