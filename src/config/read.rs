//! Checks a tree against the shape and turns it into the value the structs are read from.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use serde_json::{Map, Number, Value};

use super::finding::{Finding, Severity, Source};
use super::shape::{Field, Shape};
use super::tree::{Content, Entry, Node, Origin};

/// Reads a tree and collects everything that is wrong with it, instead of stopping at the first thing.
pub(super) struct Reader<'a> {
    pub(super) file: &'a Path,
    pub(super) findings: Vec<Finding>,
}

impl Reader<'_> {
    /// Adds a finding about a value.
    pub(super) fn report(
        &mut self,
        severity: Severity,
        origin: &Origin,
        key: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) {
        let (source, position) = match origin {
            Origin::File(position) => (Source::File(self.file.to_owned()), Some(*position)),
            Origin::Variable(name) => (Source::Variable(name.clone()), None),
        };
        let (key, found, expected) = (key.to_owned(), found.into(), expected.into());
        self.findings.push(Finding { severity, source, position, key, found, expected });
    }

    /// The value as its shape wants it; nothing where it is wrong, which has been reported then.
    pub(super) fn value(&mut self, node: &Node, shape: &Shape, key: &str) -> Option<Value> {
        let value = match (shape, &node.content) {
            (Shape::Anything, _) => Some(anything(node)),
            (Shape::Text, content) => text(content).map(Value::from),
            (Shape::Address, content) => {
                text(content).filter(|text| text.parse::<IpAddr>().is_ok()).map(Value::from)
            }
            (Shape::Choice(words), content) => {
                text(content).filter(|text| words.iter().any(|word| word == text)).map(Value::from)
            }
            (Shape::Truth, content) => self.truth(node, content, key),
            (Shape::Whole { min, max }, content) => whole(content)
                .filter(|number| (min..=max).contains(&number))
                .and_then(Number::from_i128)
                .map(Value::Number),
            (Shape::List(shape), Content::List(nodes)) => {
                let values = nodes.iter().enumerate();
                let values = values.map(|(index, node)| self.value(node, shape, &format!("{key}[{index}]")));
                return Some(Value::Array(values.collect::<Vec<_>>().into_iter().flatten().collect()));
            }
            (Shape::Table(shape), Content::Mapping(entries)) => {
                return Some(Value::Object(self.table(entries, shape, key)));
            }
            (Shape::Section(fields), Content::Mapping(entries)) => {
                return Some(Value::Object(self.section(node, entries, fields, key)));
            }
            _ => None,
        };
        if value.is_none() {
            self.report(Severity::Error, &node.origin, key, node.to_string(), shape.to_string());
        }
        value
    }

    fn truth(&mut self, node: &Node, content: &Content, key: &str) -> Option<Value> {
        match content {
            Content::Truth { value, .. } => Some(Value::Bool(*value)),
            // In the original every text was true, "false" too. Nobody can have meant that.
            Content::Text(text) => {
                let value = match text.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" => true,
                    "false" | "no" | "off" => false,
                    _ => return None,
                };
                let expected = format!("{value} without quotes; taken as {value}");
                self.report(Severity::Warning, &node.origin, key, node.to_string(), expected);
                Some(Value::Bool(value))
            }
            _ => None,
        }
    }

    fn table(&mut self, entries: &[Entry], shape: &Shape, key: &str) -> Map<String, Value> {
        self.report_repeated(entries, key);
        let mut map = Map::new();
        for entry in entries {
            if let Some(value) = self.value(&entry.node, shape, &join(key, &entry.key)) {
                map.insert(entry.key.clone(), value);
            }
        }
        map
    }

    fn section(&mut self, node: &Node, entries: &[Entry], fields: &[Field], key: &str) -> Map<String, Value> {
        self.report_repeated(entries, key);
        for entry in entries.iter().filter(|entry| fields.iter().all(|field| field.name != entry.key)) {
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            let expected = format!("one of: {}; ignored", names.join(", "));
            self.report(Severity::Warning, &entry.origin, &join(key, &entry.key), "an unknown key", expected);
        }
        let mut map = Map::new();
        for field in fields {
            let key = join(key, &field.name);
            match node.get(&field.name) {
                Some(found) if !is_unset(found, field) => {
                    if let Some(value) = self.value(found, &field.shape, &key) {
                        map.insert(field.name.clone(), value);
                    }
                }
                found if field.required => {
                    let origin = found.map_or(&node.origin, |found| &found.origin);
                    self.report(Severity::Error, origin, &key, "nothing", field.shape.to_string());
                }
                _ => {}
            }
        }
        map
    }

    fn report_repeated(&mut self, entries: &[Entry], key: &str) {
        let mut seen = BTreeSet::new();
        for entry in entries.iter().filter(|entry| !seen.insert(&entry.key)) {
            let key = join(key, &entry.key);
            let expected = "each key once; the last one counts";
            self.report(Severity::Warning, &entry.origin, &key, "the key again", expected);
        }
    }
}

/// Whether the value says the same as leaving the key out, as `null` does and, in optional fields, an empty text.
fn is_unset(node: &Node, field: &Field) -> bool {
    match &node.content {
        Content::Nothing => true,
        Content::Text(text) => field.optional && text.is_empty(),
        _ => false,
    }
}

/// The dotted name of a key in a section.
pub(super) fn join(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

/// Numbers and truths are texts too, written as they stand: `admin_username: on` is the user `on`.
fn text(content: &Content) -> Option<&str> {
    match content {
        Content::Text(text) => Some(text),
        Content::Truth { written, .. } | Content::Number { written, .. } => Some(written),
        _ => None,
    }
}

/// A whole number may stand in quotes, as the original took it.
fn whole(content: &Content) -> Option<i128> {
    match content {
        Content::Number { value, .. } => value.as_i128(),
        Content::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Whatever it is, for sections whose keys are not known here.
fn anything(node: &Node) -> Value {
    match &node.content {
        Content::Nothing => Value::Null,
        Content::Truth { value, .. } => Value::Bool(*value),
        Content::Number { value, .. } => Value::Number(value.clone()),
        Content::Text(text) => Value::from(text.as_str()),
        Content::List(nodes) => Value::Array(nodes.iter().map(anything).collect()),
        Content::Mapping(entries) => {
            Value::Object(entries.iter().map(|entry| (entry.key.clone(), anything(&entry.node))).collect())
        }
    }
}
