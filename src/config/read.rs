//! Checks a tree against the shape and turns it into the value the structs are read from.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use serde_json::{Map, Number, Value};

use super::finding::{Finding, Severity, Source};
use super::lay::{Laid, own_only};
use super::path::{behind, did_you_mean, join};
use super::shape::{Field, Shape};
use super::tree::{Content, Entry, Node, Origin};

/// Reads a tree and collects everything that is wrong with it, instead of stopping at the first thing.
pub(super) struct Reader<'a> {
    pub(super) file: &'a Path,
    pub(super) findings: Vec<Finding>,
    pub(super) laid: Vec<Laid>,
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
        let (key, found, expected) = (self.place(key), found.into(), expected.into());
        let finding = Finding { severity, source, position, key, found, expected };
        // What is shared is read once for each backend that it is laid under, and reported once.
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// The key a value was written at, in place of the one it was laid under.
    pub(super) fn place(&self, key: &str) -> String {
        let found = self.laid.iter().rev().find_map(|laid| Some((laid, behind(key, &laid.own)?)));
        found.map_or_else(|| key.to_owned(), |(laid, rest)| format!("{}{rest}", laid.shared))
    }

    /// The value as its shape wants it; nothing where it is wrong, which has been reported then.
    pub(super) fn value(&mut self, node: &Node, shape: &Shape, key: &str) -> Option<Value> {
        let value = match (shape, &node.content) {
            (Shape::Anything, _) => Some(node.plain()),
            (Shape::Text, content) => text(content).map(Value::from),
            (Shape::Address { four }, content) => {
                text(content).filter(|text| is_address(text, *four)).map(Value::from)
            }
            (Shape::Number { min, max }, content) => {
                number(content).filter(|number| (min..=max).contains(&number)).map(Value::from)
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
            (Shape::Section { fields, .. }, Content::Mapping(entries)) => {
                return Some(Value::Object(self.section(node, entries, fields, key)));
            }
            _ => None,
        };
        if value.is_none() {
            let meant = match (shape, text(&node.content)) {
                (Shape::Choice(words), Some(text)) => did_you_mean(text, words.iter().map(String::as_str)),
                _ => String::new(),
            };
            let found = format!("{node}{meant}");
            self.report(Severity::Error, &node.origin, key, found, shape.to_string());
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
            let found = format!("an unknown key{}", did_you_mean(&entry.key, names.iter().copied()));
            let expected = match own_only(key, &entry.key) {
                Some(expected) => expected,
                None => format!("one of: {}; ignored", names.join(", ")),
            };
            self.report(Severity::Warning, &entry.origin, &join(key, &entry.key), found, expected);
        }
        let mut map = Map::new();
        for field in fields {
            let key = join(key, &field.name);
            match node.get(&field.name) {
                Some(found) if !is_unset(found, field) => {
                    if let Some(value) = self.value(found, &field.shape, &key) {
                        map.insert(field.name.clone(), value);
                        if field.without_effect {
                            let expected = "it left out, since it has no effect any more";
                            self.report(Severity::Warning, &found.origin, &key, found.to_string(), expected);
                        }
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

/// Whether the value says the same as leaving the key out, as `null` does and, where there is no default text, an empty
/// text.
pub(super) fn is_unset(node: &Node, field: &Field) -> bool {
    match &node.content {
        Content::Nothing => true,
        Content::Text(text) => (field.optional || field.required) && text.is_empty(),
        _ => false,
    }
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

fn number(content: &Content) -> Option<f64> {
    match content {
        Content::Number { value, .. } => value.as_f64(),
        Content::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn is_address(text: &str, four: bool) -> bool {
    text.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4() || !four)
}
