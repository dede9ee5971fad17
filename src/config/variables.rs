//! Variables that set keys: every key has one, also below free names and in lists.
//!
//! Names are never taken apart at their underscores, since keys contain some themselves: each is matched against the
//! shape, and a free name in it against what the file has.

use std::collections::BTreeMap;

use super::finding::{Finding, Position, Severity, Source};
use super::path::{KeyPath, Step, did_you_mean};
use super::shape::{Field, Shape};
use super::tree::{Content, Node, Origin, masked, quoted};
use super::yaml::position;

/// What variables that set keys begin with.
const PREFIX: &str = "HYBRIDCLOUD_";

/// A key that a variable may mean.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading<'a> {
    pub(super) path: KeyPath,
    pub(super) shape: &'a Shape,
    /// Whether the file has every free name and every item on the way.
    known: bool,
}

/// The variable that sets a key. A free name with capitals in it stays as it is.
pub(super) fn variable_name(path: &KeyPath, shape: &Shape) -> String {
    let mut name = PREFIX.trim_end_matches('_').to_owned();
    let mut shape = Some(shape);
    for step in &path.0 {
        name.push('_');
        match (step, shape) {
            (Step::Key(key), Some(Shape::Section { .. })) => name.push_str(&key.to_uppercase()),
            (Step::Key(key), _) => name.push_str(&free_name(key)),
            (Step::Index(index), _) => name.push_str(&index.to_string()),
        }
        shape = match (step, shape) {
            (Step::Key(key), Some(section @ Shape::Section { .. })) => {
                section.field(key).map(|field| &field.shape)
            }
            (_, Some(Shape::Table(inner) | Shape::List(inner))) => Some(inner),
            _ => None,
        };
    }
    name
}

fn free_name(key: &str) -> String {
    if key.contains(char::is_uppercase) { key.to_owned() } else { key.to_uppercase() }
}

/// Everything a variable may mean; what the file has goes before what it would add.
pub(super) fn readings<'a>(name: &str, shape: &'a Shape, root: &Node) -> Vec<Reading<'a>> {
    let mut found = Search { found: Vec::new(), path: KeyPath::default() };
    if let Some(rest) = name.strip_prefix(PREFIX).filter(|rest| !rest.is_empty()) {
        found.below(shape, Some(root), rest, true);
    }
    let mut found = found.found;
    if found.iter().any(|reading| reading.known) {
        found.retain(|reading| reading.known);
    }
    found.dedup_by(|one, other| one.path == other.path);
    found
}

/// Those that fit the value: a mapping is meant for a section that has its keys, anything else for no section.
/// `CLASSES_BIG_NAME=x` is the name of the class `big`, not the class `big_name`.
pub(super) fn fitting<'a>(mut readings: Vec<Reading<'a>>, value: &Content) -> Vec<Reading<'a>> {
    let fits = |reading: &Reading<'_>| match (reading.shape, value) {
        (Shape::Section { .. }, Content::Mapping(entries)) => {
            entries.iter().all(|entry| reading.shape.field(&entry.key).is_some())
        }
        (Shape::Table(_), Content::Mapping(_)) => true,
        (Shape::Section { text_as: None, .. } | Shape::Table(_), _) | (_, Content::Mapping(_)) => false,
        _ => true,
    };
    if readings.iter().any(fits) {
        readings.retain(fits);
    }
    readings
}

struct Search<'a> {
    found: Vec<Reading<'a>>,
    path: KeyPath,
}

impl<'a> Search<'a> {
    fn below(&mut self, shape: &'a Shape, node: Option<&Node>, rest: &str, known: bool) {
        if rest.is_empty() {
            self.found.push(Reading { path: self.path.clone(), shape, known });
            return;
        }
        match shape {
            Shape::Section { fields, .. } => fields.iter().for_each(|field| {
                for rest in names(field).filter_map(|name| after(rest, &name)) {
                    let node = node.and_then(|node| node.get(&field.name));
                    self.step(Step::Key(field.name.clone()), &field.shape, node, rest, known);
                }
            }),
            Shape::Table(inner) => self.free(inner, node, rest, known),
            Shape::List(inner) => {
                let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                let (number, _) = rest.split_at(digits);
                let Some((index, rest)) = number.parse::<usize>().ok().zip(after(rest, number)) else {
                    return;
                };
                let node = node.and_then(|node| match &node.content {
                    Content::List(items) => items.get(index),
                    _ => None,
                });
                self.step(Step::Index(index), inner, node, rest, known && node.is_some());
            }
            _ => {}
        }
    }

    fn free(&mut self, inner: &'a Shape, node: Option<&Node>, rest: &str, known: bool) {
        let entries = match node.map(|node| &node.content) {
            Some(Content::Mapping(entries)) => entries.as_slice(),
            _ => &[],
        };
        let in_file = |key: &str| entries.iter().any(|entry| entry.key == key);
        for entry in entries {
            // Not every shell takes a hyphen or a dot in a name.
            let plain = entry.key.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
            let name = free_name(&entry.key);
            let rest = after(rest, &name).or_else(|| after(rest, &plain));
            if let Some(rest) = rest {
                self.step(Step::Key(entry.key.clone()), inner, Some(&entry.node), rest, known);
            }
        }
        let ends = rest.match_indices('_').map(|(index, _)| index).chain([rest.len()]);
        for end in ends.filter(|end| *end > 0) {
            let (word, _) = rest.split_at(end);
            let key = if word.contains(char::is_lowercase) { word.to_owned() } else { word.to_lowercase() };
            if let (false, Some(rest)) = (in_file(&key), after(rest, word)) {
                self.step(Step::Key(key), inner, None, rest, false);
            }
        }
    }

    fn step(&mut self, step: Step, shape: &'a Shape, node: Option<&Node>, rest: &str, known: bool) {
        self.path.0.push(step);
        self.below(shape, node, rest, known);
        self.path.0.pop();
    }
}

fn names(field: &Field) -> impl Iterator<Item = String> {
    [&field.name].into_iter().chain(&field.aliases).map(|name| name.to_uppercase())
}

/// What is left of a name behind one it begins with and an underscore.
fn after<'a>(rest: &'a str, name: &str) -> Option<&'a str> {
    let rest = rest.strip_prefix(name)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('_').filter(|rest| !rest.is_empty()) }
}

/// Lays the variables over the tree and reports those that cannot be used.
pub(super) fn overlay(
    root: &mut Node,
    shape: &Shape,
    variables: impl Iterator<Item = (String, String)>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Sorted, so that the same environment gives the same report.
    let ours: BTreeMap<String, String> =
        variables.filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty()).collect();
    let mut set: Vec<(Reading<'_>, String, String)> = Vec::new();
    for (name, value) in ours {
        let content = Node::parse(&value).map_or_else(|_| Content::Text(value.clone()), |node| node.content);
        let mut readings = fitting(readings(&name, shape, root), &content);
        match (readings.pop(), readings.as_slice()) {
            (Some(reading), []) => set.push((reading, name, value)),
            (Some(reading), others) => {
                let paths = others.iter().chain([&reading]).map(|reading| reading.path.to_string());
                let expected =
                    format!("one of {} to be in the file; ignored", paths.collect::<Vec<_>>().join(", "));
                findings.push(warning(
                    name,
                    String::new(),
                    "a variable with several meanings".to_owned(),
                    expected,
                ));
            }
            (None, _) => {
                let mut known = Vec::new();
                fixed_names(shape, &mut KeyPath::default(), shape, &mut known);
                let found =
                    format!("an unknown variable{}", did_you_mean(&name, known.iter().map(String::as_str)));
                let expected = "the name of a key in upper case; ignored".to_owned();
                findings.push(warning(name, String::new(), found, expected));
            }
        }
    }
    // Sections before their keys, items in their order.
    set.sort_by(|(one, _, _), (other, _, _)| one.path.cmp(&other.path));
    for (reading, name, value) in set {
        match node(&name, &value, reading.shape) {
            Ok(node) => {
                if !root.set(&reading.path.0, node) {
                    let expected = "no items to be left out before it; ignored".to_owned();
                    findings.push(warning(name, reading.path.to_string(), "an item".to_owned(), expected));
                }
            }
            Err(error) => {
                let at = error.location().and_then(position);
                let at = at.map(|Position { line, column }| format!(" (line {line}, column {column})"));
                findings.push(Finding {
                    severity: Severity::Error,
                    source: Source::Variable(name),
                    position: None,
                    key: reading.path.to_string(),
                    found: format!("{}{}", quoted(&masked(&value)), at.unwrap_or_default()),
                    expected: format!("{}, written as YAML", reading.shape),
                });
            }
        }
    }
    findings
}

/// A text is taken as it stands; everything else is YAML.
fn node(name: &str, value: &str, shape: &Shape) -> Result<Node, serde_saphyr::Error> {
    match shape {
        Shape::Text | Shape::Choice(_) | Shape::Address { .. } => {
            Ok(Node { origin: Origin::Variable(name.to_owned()), content: Content::Text(value.to_owned()) })
        }
        _ => Node::parse(value).map(|node| node.attributed_to(name)),
    }
}

fn fixed_names(shape: &Shape, path: &mut KeyPath, root: &Shape, names: &mut Vec<String>) {
    for field in shape.fields() {
        path.0.push(Step::Key(field.name.clone()));
        names.push(variable_name(path, root));
        fixed_names(&field.shape, path, root, names);
        path.0.pop();
    }
}

fn warning(name: String, key: String, found: String, expected: String) -> Finding {
    Finding {
        severity: Severity::Warning,
        source: Source::Variable(name),
        position: None,
        key,
        found,
        expected,
    }
}
