//! The parameters of a family: those that PostgreSQL itself names, and a few of the service's own.

use std::collections::BTreeMap;

use crate::postgres::{Setting, Settings};

use super::wire::{Refusal, invalid, leaf, node};

/// Nobody may change them: they are the service's business, or the simulator needs them as they are.
const FIXED: [&str; 27] = [
    "archive_cleanup_command",
    "archive_command",
    "archive_library",
    "archive_mode",
    "bonjour",
    "cluster_name",
    "config_file",
    "data_directory",
    "external_pid_file",
    "fsync",
    "full_page_writes",
    "hba_file",
    "ident_file",
    "listen_addresses",
    "log_directory",
    "logging_collector",
    "port",
    "primary_conninfo",
    "restore_command",
    "ssl",
    "ssl_ca_file",
    "ssl_cert_file",
    "ssl_crl_file",
    "ssl_key_file",
    "unix_socket_directories",
    "unix_socket_permissions",
    "wal_level",
];

/// One parameter, as the service describes it.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) is_static: bool,
    pub(super) modifiable: bool,
    sort: Sort,
    description: String,
    /// The service's own default, where it has one.
    system: Option<String>,
}

#[derive(Clone, Debug)]
enum Sort {
    Flag,
    Integer(i64, i64),
    Real(f64, f64),
    Words(Vec<String>),
    Text,
}

/// All parameters of a family, by name.
pub(super) fn parameters(settings: &Settings, major: u32) -> BTreeMap<String, Parameter> {
    let own = |name: &str, is_static, default: &str, description: &str| Parameter {
        name: name.to_owned(),
        is_static,
        modifiable: true,
        sort: Sort::Flag,
        description: description.to_owned(),
        system: Some(default.to_owned()),
    };
    let forced = if major >= 15 { "1" } else { "0" };
    let of_the_service = [
        own("rds.force_ssl", false, forced, "Force SSL connections."),
        own("rds.logical_replication", true, "0", "Enables logical decoding."),
    ];
    let known = settings.values().filter(|setting| setting.context != "internal").map(Parameter::new);
    known.chain(of_the_service).map(|parameter| (parameter.name.clone(), parameter)).collect()
}

impl Parameter {
    fn new(setting: &Setting) -> Self {
        let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
        let real = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
        let sort = match setting.vartype.as_str() {
            "bool" => Sort::Flag,
            "integer" => Sort::Integer(
                number(&setting.min_val).unwrap_or(i64::MIN),
                number(&setting.max_val).unwrap_or(i64::MAX),
            ),
            "real" => Sort::Real(
                real(&setting.min_val).unwrap_or(f64::MIN),
                real(&setting.max_val).unwrap_or(f64::MAX),
            ),
            "enum" => Sort::Words(setting.enumvals.clone().unwrap_or_default()),
            _ => Sort::Text,
        };
        let unit = setting.unit.as_ref().map(|unit| format!("({unit}) ")).unwrap_or_default();
        Self {
            name: setting.name.clone(),
            is_static: setting.context == "postmaster",
            modifiable: !FIXED.contains(&setting.name.as_str()),
            sort,
            description: unit + setting.short_desc.as_deref().unwrap_or_default(),
            system: None,
        }
    }

    /// Values are plain numbers in the parameter's unit, booleans 0 and 1.
    pub(super) fn check(&self, value: &str) -> Result<(), Refusal> {
        if !self.modifiable {
            return Err(invalid(format!("The parameter {} cannot be modified.", self.name)));
        }
        if value.contains('{') {
            return Err(invalid(format!("{}: formulas are not simulated.", self.name)));
        }
        let legal = match &self.sort {
            Sort::Flag => value == "0" || value == "1",
            Sort::Integer(least, most) => {
                value.parse::<i64>().is_ok_and(|number| (*least..=*most).contains(&number))
            }
            Sort::Real(least, most) => {
                value.parse::<f64>().is_ok_and(|number| (*least..=*most).contains(&number))
            }
            Sort::Words(words) => words.iter().any(|word| word == value),
            Sort::Text => true,
        };
        if legal {
            return Ok(());
        }
        let allowed = self.allowed().unwrap_or_default();
        Err(invalid(format!(
            "Invalid parameter value: {value} for: {} allowed values are: {allowed}",
            self.name
        )))
    }

    fn allowed(&self) -> Option<String> {
        match &self.sort {
            Sort::Flag => Some("0,1".to_owned()),
            Sort::Integer(least, most) => Some(format!("{least}-{most}")),
            Sort::Real(least, most) => Some(format!("{least}-{most}")),
            Sort::Words(words) => Some(words.join(",")),
            Sort::Text => None,
        }
    }

    /// `user`, `system`, `engine-default`.
    pub(super) fn source(&self, set: bool) -> &'static str {
        match (set, &self.system) {
            (true, _) => "user",
            (false, Some(_)) => "system",
            (false, None) => "engine-default",
        }
    }

    pub(super) fn xml(&self, set: Option<(&str, &str)>) -> String {
        let data_type = match self.sort {
            Sort::Flag => "boolean",
            Sort::Integer(..) => "integer",
            Sort::Real(..) => "float",
            Sort::Words(_) | Sort::Text => "string",
        };
        let (value, method) = match set {
            Some((value, method)) => (Some(value), method),
            None => (self.system.as_deref(), "pending-reboot"),
        };
        let mut inner = vec![leaf("ParameterName", &self.name)];
        inner.extend(value.map(|value| leaf("ParameterValue", value)));
        inner.extend([
            leaf("Description", &self.description),
            leaf("Source", self.source(set.is_some())),
            leaf("ApplyType", if self.is_static { "static" } else { "dynamic" }),
            leaf("DataType", data_type),
            leaf("IsModifiable", self.modifiable),
            leaf("ApplyMethod", method),
        ]);
        inner.extend(self.allowed().map(|allowed| leaf("AllowedValues", allowed)));
        node("Parameter", inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> BTreeMap<String, Parameter> {
        let setting =
            |name: &str, context: &str, vartype: &str, range: Option<(&str, &str)>, words: &[&str]| {
                let setting = Setting {
                    name: name.to_owned(),
                    context: context.to_owned(),
                    vartype: vartype.to_owned(),
                    unit: None,
                    min_val: range.map(|range| range.0.to_owned()),
                    max_val: range.map(|range| range.1.to_owned()),
                    enumvals: (!words.is_empty())
                        .then(|| words.iter().map(|word| (*word).to_owned()).collect()),
                    boot_val: None,
                    short_desc: None,
                };
                (name.to_owned(), setting)
            };
        let settings = Settings::from([
            setting("work_mem", "user", "integer", Some(("64", "2147483647")), &[]),
            setting("max_connections", "postmaster", "integer", Some(("1", "262143")), &[]),
            setting("random_page_cost", "user", "real", Some(("0", "1.79769e+308")), &[]),
            setting("log_statement", "superuser", "enum", None, &["none", "ddl"]),
            setting("autovacuum", "sighup", "bool", None, &[]),
            setting("port", "postmaster", "integer", Some(("1", "65535")), &[]),
            setting("block_size", "internal", "integer", Some(("8192", "8192")), &[]),
        ]);
        parameters(&settings, 15)
    }

    #[rstest::rstest]
    #[case::a_number_in_its_unit("work_mem", "4096", true)]
    #[case::a_number_with_a_unit("work_mem", "4MB", false)]
    #[case::a_number_out_of_range("max_connections", "0", false)]
    #[case::a_fraction("random_page_cost", "1.1", true)]
    #[case::a_word("log_statement", "ddl", true)]
    #[case::an_unknown_word("log_statement", "everything", false)]
    #[case::one("autovacuum", "1", true)]
    #[case::on("autovacuum", "on", false)]
    #[case::the_services_own("rds.force_ssl", "0", true)]
    #[case::what_nobody_may_change("port", "5433", false)]
    #[case::a_formula("work_mem", "{DBInstanceClassMemory/8}", false)]
    fn values_are_checked_as_the_service_does(#[case] name: &str, #[case] value: &str, #[case] legal: bool) {
        assert_eq!(known()[name].check(value).is_ok(), legal);
    }

    #[test]
    fn what_only_a_restart_changes_is_static() {
        let known = known();
        assert!(known["max_connections"].is_static && !known["work_mem"].is_static);
        assert!(!known.contains_key("block_size"), "nobody can set what is internal");
    }
}
