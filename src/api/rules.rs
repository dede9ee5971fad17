//! What the API server checks: bounds, patterns and CEL rules, each with the sentence a user reads when it refuses.
//!
//! Every function here is a transform of one field's schema. Three things hold for all of them:
//!
//! * Objects that are stored already stay changeable: Kubernetes checks only what an update changes (validation
//!   ratcheting). That is why no list is declared a set or a map and no field became required: those are not ratcheted.
//! * They refuse what no backend could ever do. Whether *this* backend can do it is said by a condition.
//! * Strings and lists under a CEL rule carry generous bounds, else the API server refuses the rule for its cost.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::ValidationRule;
use schemars::Schema;
use serde_json::{Value, json};

/// The longest name Kubernetes allows.
const NAME: u32 = 253;
/// The most items in a list.
const ITEMS: u32 = 256;
/// The most server parameters; PostgreSQL has fewer than 400 of its own.
const PARAMETERS: u32 = 1024;
/// The longest short word: a version, a class, a name in PostgreSQL.
const WORD: u32 = 128;

/// A DNS-1123 subdomain, as in the names of Secrets.
const SUBDOMAIN: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// The name of a Secret.
pub(super) fn secret_name(schema: &mut Schema) {
    set(schema, "maxLength", NAME);
    rule(
        schema,
        format!("self.matches('{SUBDOMAIN}')"),
        "'\\'' + self + '\\' is not a valid name for a Secret: use lower-case letters, digits, \\'-\\' and \\'.\\', \
         with a letter or digit first and last'",
    );
}

/// The name of a server that a database refers to; it cannot be changed.
pub(super) fn server_name(schema: &mut Schema) {
    set(schema, "maxLength", NAME);
    rule(
        schema,
        format!("self.matches('{SUBDOMAIN}')"),
        "'\\'' + self + '\\' is not a valid name of a PostgreSQLServer: use lower-case letters, digits, \\'-\\' and \
         \\'.\\', with a letter or digit first and last'",
    );
    rule(
        schema,
        "self == oldSelf",
        "'serverRef cannot be changed: the database stays on server \\'' + oldSelf + '\\'; to have one on \\'' + self \
         + '\\' create another PostgreSQLDatabase'",
    );
}

/// A short word without a rule of its own.
pub(super) fn word(schema: &mut Schema) {
    set(schema, "maxLength", WORD);
}

/// Something that is counted, in cores, MB or GB.
pub(super) fn amount(schema: &mut Schema) {
    set(schema, "minimum", 1);
}

/// How large a server is.
pub(super) fn size(schema: &mut Schema) {
    // Not a message with the numbers: the API server takes the text of a number for endless.
    attach(
        schema,
        json!({
            "rule": "!has(self.maxStorageGB) || !has(self.storageGB) || self.maxStorageGB >= self.storageGB",
            "message": "maxStorageGB must not be less than storageGB",
            "fieldPath": ".maxStorageGB",
        }),
    );
}

/// Days that backups are kept. No cloud keeps them longer; what exactly each allows is checked by its backend.
pub(super) fn retention_days(schema: &mut Schema) {
    set(schema, "minimum", 0);
    set(schema, "maximum", 365);
}

/// Names of extensions.
pub(super) fn extensions(schema: &mut Schema) {
    set(schema, "maxItems", ITEMS);
    let mut item = schemars::json_schema!({ "type": "string", "maxLength": WORD });
    rule(
        &mut item,
        "self.matches('^[A-Za-z0-9_][A-Za-z0-9_.+-]*$')",
        "'\\'' + self + '\\' is not a name of an extension: write it without quotes, spaces or semicolons, for example \
         uuid-ossp'",
    );
    set(schema, "items", item);
}

/// Server parameters. Their values have no type for CEL, see [`super::ParameterValue`].
pub(super) fn parameters(schema: &mut Schema) {
    set(schema, "maxProperties", PARAMETERS);
}

/// Firewall rules: no name twice. Not a list-map, since that would not be ratcheted.
pub(super) fn firewall_rules(schema: &mut Schema) {
    set(schema, "maxItems", ITEMS);
    attach(
        schema,
        json!({
            "rule": "self.all(one, self.exists_one(other, other.name == one.name))",
            "message": "names of firewall rules must be unique",
        }),
    );
}

/// One firewall rule: its range does not end before it begins.
pub(super) fn firewall_rule(schema: &mut Schema) {
    let number = |field: &str| {
        format!(
            "[self.{field}.split('.')].map(p, \
             int(p[0]) * 16777216 + int(p[1]) * 65536 + int(p[2]) * 256 + int(p[3]))[0]"
        )
    };
    let is_ipv4 = |field: &str| format!("isIP(self.{field}) && ip(self.{field}).family() == 4");
    rule_at(
        schema,
        format!(
            "!({} && {}) || {} <= {}",
            is_ipv4("startIp"),
            is_ipv4("endIp"),
            number("startIp"),
            number("endIp")
        ),
        "'endIp ' + self.endIp + ' comes before startIp ' + self.startIp",
        ".endIp",
    );
}

/// An IPv4 address.
pub(super) fn ipv4(schema: &mut Schema) {
    set(schema, "maxLength", 64);
    rule(
        schema,
        "isIP(self) && ip(self).family() == 4",
        "'\\'' + self + '\\' is not an IPv4 address, for example 192.0.2.10'",
    );
}

/// A day of the week: by name in any case, or by number as the original took it, with 0 for Sunday.
pub(super) fn weekday(schema: &mut Schema) {
    set(schema, "maxLength", WORD);
    rule(
        schema,
        "self.lowerAscii() in ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun', '0', '1', '2', '3', '4', '5', '6']",
        "'\\'' + self + '\\' is not a weekday: use Mon, Tue, Wed, Thu, Fri, Sat, Sun, or \\'0\\' (Sunday) to \\'6\\''",
    );
}

/// A time of day.
pub(super) fn starttime(schema: &mut Schema) {
    set(schema, "maxLength", WORD);
    rule(
        schema,
        "self.matches('^([01]?[0-9]|2[0-3]):[0-5]?[0-9]$')",
        "'\\'' + self + '\\' is not a time: use hours and minutes (UTC), for example 03:00'",
    );
}

/// The root of an object: new ones need a `spec`, as deserialising does. The original required none, so that one
/// without must still be able to lose its finalizer.
pub(super) fn root() -> ValidationRule {
    ValidationRule {
        rule: "has(self.spec) || (oldSelf.hasValue() && !has(oldSelf.value().spec))".to_owned(),
        optional_old_self: Some(true),
        message: Some("spec is required".to_owned()),
        ..ValidationRule::default()
    }
}

fn set(schema: &mut Schema, keyword: &str, value: impl serde::Serialize) {
    schema.insert(keyword.to_owned(), json!(value));
}

/// Adds a CEL rule; `message` is a CEL expression too.
fn rule(schema: &mut Schema, expression: impl Into<String>, message: &str) {
    attach(schema, json!({ "rule": expression.into(), "messageExpression": message }));
}

/// Adds a CEL rule about a field of the object that carries it.
fn rule_at(schema: &mut Schema, expression: impl Into<String>, message: &str, field: &str) {
    attach(schema, json!({ "rule": expression.into(), "messageExpression": message, "fieldPath": field }));
}

fn attach(schema: &mut Schema, rule: Value) {
    let rules = schema.ensure_object().entry("x-kubernetes-validations").or_insert_with(|| json!([]));
    if let Value::Array(rules) = rules {
        rules.push(rule);
    }
}
