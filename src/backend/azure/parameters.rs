//! Server parameters as the service has them: what is known of each, and one form for values that mean the same. Pure.

use super::super::{PARAMETER, Settings};
use super::model::{Configuration, Parameter};

/// Says that the parameters were read.
pub(super) const READ: &str = "parameters";
/// What is known about a parameter besides its value; the parameter's name follows.
pub(super) const DEFAULT: &str = "default.";
pub(super) const STATIC: &str = "static.";
pub(super) const PENDING: &str = "pending.";
pub(super) const FIXED: &str = "read-only.";
pub(super) const KIND: &str = "kind.";
pub(super) const UNIT: &str = "unit.";
/// The service's own spelling, where it is not lower case.
pub(super) const SPELLING: &str = "spelling.";

/// Which extensions may be created
/// (<https://learn.microsoft.com/azure/postgresql/extensions/how-to-allow-extensions>).
pub(super) const ALLOWED: &str = "azure.extensions";
/// Which libraries are there from the start.
pub(super) const PRELOADED: &str = "shared_preload_libraries";

/// Units of PostgreSQL's own parameters (`pg_settings.unit`), for where the service does not say them.
const UNITS: [(&str, &str); 34] = [
    ("authentication_timeout", "s"),
    ("autovacuum_naptime", "s"),
    ("autovacuum_vacuum_cost_delay", "ms"),
    ("autovacuum_work_mem", "kB"),
    ("bgwriter_delay", "ms"),
    ("checkpoint_flush_after", "8kB"),
    ("checkpoint_timeout", "s"),
    ("checkpoint_warning", "s"),
    ("deadlock_timeout", "ms"),
    ("effective_cache_size", "8kB"),
    ("gin_pending_list_limit", "kB"),
    ("hash_mem_multiplier", ""),
    ("idle_in_transaction_session_timeout", "ms"),
    ("idle_session_timeout", "ms"),
    ("lock_timeout", "ms"),
    ("log_autovacuum_min_duration", "ms"),
    ("log_min_duration_sample", "ms"),
    ("log_min_duration_statement", "ms"),
    ("log_temp_files", "kB"),
    ("logical_decoding_work_mem", "kB"),
    ("maintenance_work_mem", "kB"),
    ("max_slot_wal_keep_size", "MB"),
    ("max_wal_size", "MB"),
    ("min_wal_size", "MB"),
    ("shared_buffers", "8kB"),
    ("statement_timeout", "ms"),
    ("tcp_keepalives_idle", "s"),
    ("temp_buffers", "8kB"),
    ("temp_file_limit", "kB"),
    ("transaction_timeout", "ms"),
    ("vacuum_cost_delay", "ms"),
    ("wal_buffers", "8kB"),
    ("wal_keep_size", "MB"),
    ("work_mem", "kB"),
];

/// Puts what the service says of its parameters among the facts.
pub(super) fn note(found: &mut Settings, configurations: &[Configuration]) {
    found.insert(READ.to_owned(), configurations.len().to_string());
    for configuration in configurations {
        let name = configuration.name.to_ascii_lowercase();
        let parameter = &configuration.properties;
        let mut about = |what: &str, value: &str| {
            found.insert(format!("{what}{name}"), value.to_owned());
        };
        let form = |value: &Option<String>| {
            normal(
                &name,
                value.as_deref().unwrap_or_default(),
                parameter.data_type.as_deref(),
                parameter.unit.as_deref(),
            )
        };
        let (value, default) = (form(&parameter.value), form(&parameter.default_value));
        if value != default {
            about(DEFAULT, parameter.default_value.as_deref().unwrap_or_default());
        }
        about(PARAMETER, &value);
        if configuration.name != name {
            about(SPELLING, &configuration.name);
        }
        note_nature(parameter, &mut about);
    }
}

fn note_nature(parameter: &Parameter, about: &mut impl FnMut(&str, &str)) {
    if let Some(kind) = &parameter.data_type {
        about(KIND, kind);
    }
    if let Some(unit) = parameter.unit.as_deref().filter(|unit| !unit.is_empty()) {
        about(UNIT, unit);
    }
    // Where the service does not say, a restart is expected: nobody is to be surprised by one.
    if parameter.is_dynamic_config != Some(true) {
        about(STATIC, "yes");
    }
    if parameter.is_read_only == Some(true) {
        about(FIXED, "yes");
    }
    if parameter.is_config_pending_restart == Some(true) {
        about(PENDING, "yes");
    }
}

/// A value that a user asks for, in the form in which those found are.
pub(super) fn asked(found: &Settings, name: &str, value: &str) -> String {
    let about = |what: &str| found.get(&format!("{what}{name}")).map(String::as_str);
    normal(name, value, about(KIND), about(UNIT))
}

/// One form for all that mean the same: numbers in the parameter's unit, `on` and `off`, lists in order.
fn normal(name: &str, value: &str, kind: Option<&str>, unit: Option<&str>) -> String {
    let value = value.trim();
    if name == ALLOWED || name == PRELOADED || kind == Some("Set") {
        return list(value.split(','));
    }
    match kind {
        Some("Boolean") => switch(value).unwrap_or(value).to_owned(),
        Some("Integer" | "Numeric") => {
            let unit = unit.filter(|unit| !unit.is_empty());
            let unit = unit.or_else(|| UNITS.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit));
            number(value, unit.unwrap_or_default(), kind == Some("Integer"))
                .unwrap_or_else(|| value.to_owned())
        }
        Some("Enumeration") => value.to_ascii_lowercase(),
        _ => value.to_owned(),
    }
}

/// A list in order, each once, in lower case.
pub(super) fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let mut items: Vec<String> = items.map(|item| item.trim().to_ascii_lowercase()).collect();
    items.retain(|item| !item.is_empty());
    items.sort_unstable();
    items.dedup();
    items.join(",")
}

/// As PostgreSQL reads it.
fn switch(value: &str) -> Option<&'static str> {
    match value.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" | "t" | "y" => Some("on"),
        "off" | "false" | "no" | "0" | "f" | "n" => Some("off"),
        _ => None,
    }
}

/// A number with or without a unit, in the parameter's own unit.
fn number(value: &str, unit: &str, whole: bool) -> Option<String> {
    let end = value.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(value.len());
    let (digits, suffix) = value.split_at(end);
    let amount: f64 = digits.trim().parse().ok()?;
    let amount = match suffix.trim() {
        "" => amount,
        suffix => {
            let (asked, own) = (factor(suffix)?, factor(unit)?);
            if asked.1 != own.1 {
                return None;
            }
            amount * asked.0 / own.0
        }
    };
    let rounded = amount.round();
    Some(if whole || (amount - rounded).abs() < f64::EPSILON {
        format!("{rounded:.0}")
    } else {
        amount.to_string()
    })
}

/// What units are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Memory,
    Time,
}

/// How much a unit is, such as `kB`, `8kB` or `ms`.
fn factor(unit: &str) -> Option<(f64, Of)> {
    let begin = unit.find(|c: char| c.is_ascii_alphabetic())?;
    let (times, word) = unit.split_at(begin);
    let times = match times.trim() {
        "" => 1.0,
        times => times.trim_end_matches('-').parse().ok()?,
    };
    let (amount, of) = match word.to_ascii_lowercase().as_str() {
        "b" | "bytes" => (1.0, Of::Memory),
        "kb" | "kilobytes" => (1024.0, Of::Memory),
        "mb" | "megabytes" => (1024.0 * 1024.0, Of::Memory),
        "gb" | "gigabytes" => (1024.0 * 1024.0 * 1024.0, Of::Memory),
        "tb" | "terabytes" => (1024.0 * 1024.0 * 1024.0 * 1024.0, Of::Memory),
        "us" | "microseconds" => (0.001, Of::Time),
        "ms" | "milliseconds" => (1.0, Of::Time),
        "s" | "seconds" => (1000.0, Of::Time),
        "min" | "minutes" => (60_000.0, Of::Time),
        "h" | "hours" => (3_600_000.0, Of::Time),
        "d" | "days" => (86_400_000.0, Of::Time),
        _ => return None,
    };
    Some((times * amount, of))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("work_mem", "16MB", Some("Integer"), Some("kB"), "16384")]
    #[case("work_mem", "16MB", Some("Integer"), None, "16384")]
    #[case("work_mem", "16384", Some("Integer"), None, "16384")]
    #[case("shared_buffers", "1GB", Some("Integer"), Some("8KB"), "131072")]
    #[case("statement_timeout", "1min", Some("Integer"), Some(""), "60000")]
    #[case("statement_timeout", "1MB", Some("Integer"), None, "1MB")]
    #[case("a.parameter", "5s", Some("Integer"), None, "5s")]
    #[case("random_page_cost", "1.10", Some("Numeric"), None, "1.1")]
    #[case("random_page_cost", "2.0", Some("Numeric"), None, "2")]
    #[case("log_lock_waits", "TRUE", Some("Boolean"), None, "on")]
    #[case("log_statement", "DDL", Some("Enumeration"), None, "ddl")]
    #[case("azure.extensions", "UUID-OSSP, pg_cron,pg_cron", Some("Set"), None, "pg_cron,uuid-ossp")]
    #[case("datestyle", " ISO, MDY ", Some("String"), None, "ISO, MDY")]
    fn values_that_mean_the_same_have_one_form(
        #[case] name: &str,
        #[case] value: &str,
        #[case] kind: Option<&str>,
        #[case] unit: Option<&str>,
        #[case] expected: &str,
    ) {
        assert_eq!(normal(name, value, kind, unit), expected);
    }

    #[test]
    fn what_is_known_of_a_parameter_is_among_the_facts() {
        let parameter = Parameter {
            value: Some("200".to_owned()),
            default_value: Some("100".to_owned()),
            data_type: Some("Integer".to_owned()),
            is_dynamic_config: Some(false),
            is_config_pending_restart: Some(true),
            ..Parameter::default()
        };
        let mut found = Settings::new();
        note(&mut found, &[Configuration { name: "Max_Connections".to_owned(), properties: parameter }]);
        let about = |what: &str| found.get(&format!("{what}max_connections")).map(String::as_str);
        assert_eq!(about(PARAMETER), Some("200"));
        assert_eq!(about(DEFAULT), Some("100"));
        assert_eq!((about(STATIC), about(PENDING), about(FIXED)), (Some("yes"), Some("yes"), None));
        assert_eq!(about(SPELLING), Some("Max_Connections"));
    }
}
