//! The page about the configuration file, from the structs that read it.

use std::error::Error;
use std::fmt::Write as _;

use hcpg::config::Config;
use serde_json::{Map, Value};

use crate::artefact::{Artefact, MARK};

const PATH: &str = "docs/configuration.md";
const INTRODUCTION: &str = "\
# Configuration

One YAML file: `--config FILE`, else the file named by `OPERATOR_CONFIG`, else `config.yaml` in the working directory.
`hybrid-cloud-postgresql-operator check-config FILE` tells everything that is wrong with it, each finding with line and
column. Unknown keys are warnings. The file is read once, at the start.

Every key below can be set by an environment variable too: `HYBRIDCLOUD_` and the key in upper case with `_` for each
dot, for example `HYBRIDCLOUD_SECURITY_PASSWORD_LENGTH=24`. Lists are written as YAML: `[local]`. A variable wins over
the file; an empty one counts as not set.

| key | value | default | meaning |
|---|---|---|---|
";
const SECTIONS: &str = "
Known by name and not used by this version, so that files of the original operator can stay as they are:
";

/// The page.
pub(crate) fn artefacts() -> Result<Vec<Artefact>, Box<dyn Error>> {
    let schema = schemars::schema_for!(Config).to_value();
    let mut page = Page { schema: &schema, rows: String::new(), unused: Vec::new() };
    page.section("", &schema)?;
    let unused = page.unused.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let content = format!("<!-- {MARK} -->\n\n{INTRODUCTION}{}{SECTIONS}{unused}.\n", page.rows);
    Ok(vec![Artefact { path: PATH.to_owned(), content }])
}

struct Page<'a> {
    schema: &'a Value,
    rows: String,
    unused: Vec<String>,
}

impl Page<'_> {
    /// All keys of a section, in alphabetical order.
    fn section(&mut self, path: &str, section: &Value) -> Result<(), Box<dyn Error>> {
        let required: Vec<&str> =
            section["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, field) in section["properties"].as_object().into_iter().flatten() {
            let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let kind = self.resolved(field);
            if kind.get("properties").is_some() {
                self.section(&key, &kind)?;
            } else if kind.get("additionalProperties").is_some() {
                self.unused.push(key);
            } else {
                let default = match field.get("default") {
                    _ if required.contains(&name.as_str()) => "required".to_owned(),
                    None | Some(Value::Null) => "–".to_owned(),
                    Some(default) => format!("`{}`", plain(default)),
                };
                let meaning = field["description"].as_str().ok_or(format!("{key} has no description"))?;
                let meaning = meaning.replace('\n', " ");
                writeln!(self.rows, "| `{key}` | {} | {default} | {meaning} |", values(&kind))?;
            }
        }
        Ok(())
    }

    /// What stands behind references and behind "this or nothing".
    fn resolved(&self, field: &Value) -> Value {
        let alternatives = field["anyOf"].as_array().into_iter().flatten();
        let reference =
            field["$ref"].as_str().or_else(|| alternatives.filter_map(|one| one["$ref"].as_str()).next());
        let name = reference.and_then(|reference| reference.strip_prefix("#/$defs/"));
        name.map_or_else(|| field.clone(), |name| self.schema["$defs"][name].clone())
    }
}

/// A text without quotes, everything else as in JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What may be put there.
fn values(kind: &Value) -> String {
    let words: Vec<String> = ["oneOf", "enum"]
        .iter()
        .filter_map(|key| kind[key].as_array())
        .flatten()
        .map(|word| format!("`{}`", plain(word.get("const").unwrap_or(word))))
        .collect();
    if !words.is_empty() {
        return words.join(" or ");
    }
    let types = match &kind["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).find(|one| *one != "null"),
        one => one.as_str(),
    };
    match types.unwrap_or_default() {
        "boolean" => "`true` or `false`".to_owned(),
        "integer" => kind.as_object().map(range).unwrap_or_default(),
        "array" => "list".to_owned(),
        _ if kind["format"] == "ip" => "IP address".to_owned(),
        _ => "text".to_owned(),
    }
}

fn range(kind: &Map<String, Value>) -> String {
    match (kind.get("minimum"), kind.get("maximum")) {
        (Some(minimum), Some(maximum)) => format!("{minimum} to {maximum}"),
        (Some(minimum), None) => format!("{minimum} or more"),
        _ => "whole number".to_owned(),
    }
}
