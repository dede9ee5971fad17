//! Extensions: the list of those that may be created, and the libraries that some need from the start. Pure.

use std::collections::BTreeMap;

use super::super::{PARAMETER, Settings};
use super::parameters::{ALLOWED, PRELOADED, list};
use crate::api::PostgreSQLServerSpec;

/// Always allowed, as by the original.
const ALWAYS: [&str; 2] = ["pg_cron", "pg_stat_statements"];

/// What has a library that is loaded when the server starts
/// (<https://learn.microsoft.com/azure/postgresql/extensions/concepts-extensions-considerations>).
const WITH_LIBRARY: [&str; 9] = [
    "age",
    "pg_cron",
    "pg_partman_bgw",
    "pg_prewarm",
    "pg_stat_statements",
    "pgaudit",
    "pglogical",
    "timescaledb",
    "wal2json",
];

/// Whether `spec.extensions` decides on this parameter.
pub(super) fn is_ours(parameter: &str) -> bool {
    parameter == ALLOWED || parameter == PRELOADED
}

/// The two parameters that the extensions of a spec make.
///
/// Who may be created is the whole list. What is preloaded is added to: a library that nobody needs any more is no reason
/// for a restart, and a service may load some of its own.
pub(super) fn asked(spec: &PostgreSQLServerSpec, found: &Settings) -> BTreeMap<&'static str, String> {
    let mut asked = BTreeMap::new();
    let there = |name: &str| found.get(&format!("{PARAMETER}{name}"));
    let listed = spec.extensions.iter().map(String::as_str).chain(ALWAYS);
    let allowed = list(listed.filter(|name| *name != "pg_partman_bgw"));
    if there(ALLOWED).is_some() {
        asked.insert(ALLOWED, allowed);
    }
    if let Some(preloaded) = there(PRELOADED) {
        let listed = spec.extensions.iter().map(|name| name.trim().to_ascii_lowercase());
        let needed: Vec<String> = listed.filter(|name| WITH_LIBRARY.contains(&name.as_str())).collect();
        asked.insert(PRELOADED, list(preloaded.split(',').chain(needed.iter().map(String::as_str))));
    }
    asked
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::spec;
    use super::*;

    fn asked_with(extensions: serde_json::Value, preloaded: &str) -> (String, String) {
        let found = Settings::from([
            (format!("{PARAMETER}{ALLOWED}"), String::new()),
            (format!("{PARAMETER}{PRELOADED}"), preloaded.to_owned()),
        ]);
        let asked = asked(&spec(json!({"extensions": extensions})), &found);
        (asked[ALLOWED].clone(), asked[PRELOADED].clone())
    }

    #[test]
    fn names_count_once_in_any_case_and_only_some_are_preloaded() {
        let asked = asked_with(json!(["UUID-OSSP", "pg_cron", "timescaledb"]), "pg_cron,pg_stat_statements");
        let expected =
            ("pg_cron,pg_stat_statements,timescaledb,uuid-ossp", "pg_cron,pg_stat_statements,timescaledb");
        assert_eq!(asked, (expected.0.to_owned(), expected.1.to_owned()));
    }

    #[test]
    fn what_somebody_preloads_stays() {
        assert_eq!(asked_with(json!(["pg_cron"]), "pgaudit").1, "pg_cron,pgaudit");
    }

    #[test]
    fn where_the_service_has_no_such_list_nothing_is_asked() {
        assert_eq!(asked(&spec(json!({"extensions": ["hstore"]})), &Settings::new()), BTreeMap::new());
    }
}
