//! The environment: where the operator runs, and single keys of the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::finding::{Finding, Position, Severity, Source};
use super::shape::Shape;
use super::tree::{Content, Node, Origin, position, quoted};

/// What variables that set keys begin with.
const PREFIX: &str = "HYBRIDCLOUD_";

/// What the operator learns from its surroundings before it reads its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The configuration file: `OPERATOR_CONFIG`, else `config.yaml` in the working directory.
    pub config_path: PathBuf,
    /// The operator's own namespace: `KUBERNETES_NAMESPACE`, else `default`.
    pub operator_namespace: String,
    /// The namespaces whose objects are served: `WATCH_NAMESPACES`, separated by commas; none: all.
    pub watch_namespaces: Vec<String>,
    /// This instance among several: `KUBERNETES_POD_NAME`.
    pub pod_name: Option<String>,
}

impl Environment {
    /// Reads the variables; empty ones count as not set.
    pub fn from_variables(variables: impl Iterator<Item = (String, String)>) -> Self {
        let mut environment = Self {
            config_path: PathBuf::from("config.yaml"),
            operator_namespace: "default".to_owned(),
            watch_namespaces: Vec::new(),
            pod_name: None,
        };
        for (name, value) in variables.filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "OPERATOR_CONFIG" => environment.config_path = PathBuf::from(value),
                "KUBERNETES_NAMESPACE" => environment.operator_namespace = value,
                "KUBERNETES_POD_NAME" => environment.pod_name = Some(value),
                "WATCH_NAMESPACES" => environment.watch_namespaces = listed(&value),
                _ => {}
            }
        }
        environment
    }

    /// Whether the namespaces can be ones.
    ///
    /// # Errors
    /// The first that cannot. A list without a name in it, too: whoever sets the variable does not mean all.
    pub fn check(&self) -> Result<(), NotANamespace> {
        match self.watch_namespaces.iter().find(|name| !may_be_namespace(name)) {
            Some(name) => Err(NotANamespace { name: name.clone() }),
            None => Ok(()),
        }
    }
}

/// `WATCH_NAMESPACES` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "WATCH_NAMESPACES: found {name:?}, expected names of namespaces, separated by commas; unset it to serve all"
)]
pub struct NotANamespace {
    /// What was found.
    pub name: String,
}

/// A label of RFC 1123.
fn may_be_namespace(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=63).contains(&name.len())
        && name.chars().all(|c| is_letter(c) || c == '-')
        && name.starts_with(is_letter)
        && name.ends_with(is_letter)
}

/// Each of a list once, whatever the spaces and empty places in it.
fn listed(value: &str) -> Vec<String> {
    let mut names: BTreeSet<&str> = value.split(',').map(str::trim).collect();
    // Alone it stays: it is no name, and is reported.
    if names.len() > 1 {
        names.remove("");
    }
    names.into_iter().map(str::to_owned).collect()
}

/// The variables of this process. Those that are not Unicode cannot be ours and are left out.
pub fn process_variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// A key that a variable can set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf<'a> {
    pub(super) path: Vec<String>,
    pub(super) shape: &'a Shape,
}

/// Every key that a variable can set, by the variable's name.
///
/// Names are made from the known keys and never taken apart: keys contain underscores themselves.
pub(super) fn leaves(shape: &Shape) -> BTreeMap<String, Leaf<'_>> {
    let mut leaves = BTreeMap::new();
    collect(shape, &mut Vec::new(), &mut leaves);
    leaves
}

fn collect<'a>(shape: &'a Shape, path: &mut Vec<String>, leaves: &mut BTreeMap<String, Leaf<'a>>) {
    let Shape::Section(fields) = shape else {
        leaves.insert(variable_name(path), Leaf { path: path.clone(), shape });
        return;
    };
    for field in fields {
        path.push(field.name.clone());
        collect(&field.shape, path, leaves);
        path.pop();
    }
}

/// The variable that sets a key.
pub(super) fn variable_name(path: &[String]) -> String {
    format!("{PREFIX}{}", path.join("_").to_uppercase())
}

/// Lays the variables over the tree and reports those that cannot be used.
pub(super) fn overlay(
    root: &mut Node,
    shape: &Shape,
    variables: impl Iterator<Item = (String, String)>,
) -> Vec<Finding> {
    let leaves = leaves(shape);
    let mut findings = Vec::new();
    // Sorted, so that the same environment gives the same report.
    let ours: BTreeMap<String, String> =
        variables.filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty()).collect();
    for (name, value) in ours {
        let Some(leaf) = leaves.get(&name) else {
            findings.push(unknown(&name, &leaves));
            continue;
        };
        match node(&name, &value, leaf.shape) {
            Ok(node) => root.set(&leaf.path, node),
            Err(error) => {
                let at = error.location().and_then(position);
                let at = at.map(|Position { line, column }| format!(" (line {line}, column {column})"));
                findings.push(Finding {
                    severity: Severity::Error,
                    source: Source::Variable(name),
                    position: None,
                    key: leaf.path.join("."),
                    found: format!("{}{}", quoted(&value), at.unwrap_or_default()),
                    expected: format!("{}, written as YAML", leaf.shape),
                });
            }
        }
    }
    findings
}

/// A text is taken as it stands; everything else is YAML.
fn node(name: &str, value: &str, shape: &Shape) -> Result<Node, serde_saphyr::Error> {
    match shape {
        Shape::Text | Shape::Choice(_) | Shape::Address => {
            Ok(Node { origin: Origin::Variable(name.to_owned()), content: Content::Text(value.to_owned()) })
        }
        _ => Node::parse(value).map(|node| node.attributed_to(name)),
    }
}

fn unknown(name: &str, leaves: &BTreeMap<String, Leaf<'_>>) -> Finding {
    // The longest free section the name may be meant for: its keys cannot be set one by one.
    let section = leaves
        .iter()
        .filter(|(prefix, leaf)| {
            matches!(leaf.shape, Shape::Table(_) | Shape::Anything)
                && name.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('_'))
        })
        .max_by_key(|(prefix, _)| prefix.len())
        .map(|(_, leaf)| leaf.path.join("."));
    let (key, expected) = match section {
        Some(section) => (section, "no variable for single keys of this section in this version; ignored"),
        None => (String::new(), "the name of a key in upper case; ignored"),
    };
    Finding {
        severity: Severity::Warning,
        source: Source::Variable(name.to_owned()),
        position: None,
        key,
        found: "an unknown variable".to_owned(),
        expected: expected.to_owned(),
    }
}
