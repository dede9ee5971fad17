//! Server parameters as users write them, in the words that backends compare.

use std::collections::BTreeMap;

use crate::api::{ParameterValue, PostgreSQLServerSpec};

/// What the fields of [`super::Settings`] that stand for server parameters begin with.
pub const PARAMETER: &str = "parameter.";

/// What the fields that stand for rules of a server's firewall begin with.
pub const FIREWALL_RULE: &str = "firewall.";

/// Parameter → value, as asked for. PostgreSQL does not distinguish the case of names.
pub fn asked_parameters(spec: &PostgreSQLServerSpec) -> BTreeMap<String, String> {
    let pairs = spec.server_parameters.iter();
    pairs.map(|(name, value)| (name.to_ascii_lowercase(), parameter_text(value))).collect()
}

/// A value as PostgreSQL reads it.
pub fn parameter_text(value: &ParameterValue) -> String {
    match value {
        ParameterValue::Bool(true) => "on".to_owned(),
        ParameterValue::Bool(false) => "off".to_owned(),
        ParameterValue::Integer(number) => number.to_string(),
        ParameterValue::Number(number) => number.to_string(),
        ParameterValue::Text(text) => text.clone(),
    }
}
