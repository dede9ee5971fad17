//! Reading the configuration: file, environment, structs, checks.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::finding::{Finding, Findings, Severity, Source};
use super::lay::{lay_under, normalize, selected, shared_place};
use super::model::{Backends, Config, available_backends};
use super::path::behind;
use super::read::Reader;
use super::shape::Shape;
use super::tree::{Content, Node};
use super::validate::validate;
use super::variables::overlay;
use super::yaml::position;

/// A configuration that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What is odd about it; nothing of it stops the operator.
    pub warnings: Vec<Finding>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error(
        "cannot read the configuration file {}: {source}. Name an existing file with --config or OPERATOR_CONFIG; \
         the smallest one names a backend and holds its section, for example\n\
         backend: local\nbackends:\n  local:\n    data_dir: /var/lib/hybrid-cloud-postgresql-operator",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file was read, and it or the environment is wrong. At least one finding is an error; warnings follow.
    #[error("{0}")]
    Invalid(Findings),
}

impl Config {
    /// Reads and checks the configuration file and what the environment sets on top of it.
    pub fn load(path: &Path, variables: impl Iterator<Item = (String, String)>) -> Result<Loaded, LoadError> {
        let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
        let yaml = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&yaml, path, variables)
    }

    /// The same for text that was read already; `path` only names it in findings.
    pub fn parse(
        yaml: &str,
        path: &Path,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Loaded, LoadError> {
        let shape = Shape::configuration();
        let (root, mut reader) =
            tree(yaml, path, shape, variables).map_err(|finding| invalid(vec![*finding]))?;
        let mut value = reader.value(&root, shape, "").unwrap_or_default();
        explain_missing(&mut reader.findings, shape);
        leave_out_unused(&root, &mut value, &mut reader.findings);
        let mut usable = true;
        let config = match serde_json::from_value::<Config>(value.clone()) {
            Ok(config) => Some(config),
            // Something required is missing, which has been reported, or the shape knows less than the structs do.
            Err(error) => {
                usable = false;
                if !reader.findings.iter().any(Finding::is_error) {
                    let found = error.to_string();
                    reader.findings.push(whole_file(path, found, "a valid configuration".to_owned()));
                }
                what_is_left(value)
            }
        };
        if let Some(config) = &config {
            validate(config, &root, &mut reader);
        }
        let findings = sorted(reader.findings);
        match config {
            Some(config) if usable && !findings.iter().any(Finding::is_error) => {
                Ok(Loaded { config, warnings: findings })
            }
            _ => Err(invalid(findings)),
        }
    }
}

/// The file with everything laid over and under it, ready to be read.
pub(super) fn tree<'a>(
    yaml: &str,
    path: &'a Path,
    shape: &Shape,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<(Node, Reader<'a>), Box<Finding>> {
    let mut root = Node::parse(yaml).map_err(|error| Box::new(not_yaml(path, &error)))?;
    if !matches!(root.content, Content::Mapping(_)) {
        let expected = "a mapping of keys to values".to_owned();
        return Err(Box::new(whole_file(path, root.to_string(), expected)));
    }
    // Before the variables too: one of them may set a key of what stands there in its short form.
    normalize(&mut root, shape);
    let findings = overlay(&mut root, shape, variables);
    normalize(&mut root, shape);
    let mut reader = Reader { file: path, findings, laid: Vec::new() };
    lay_under(&mut root, shape, &mut reader);
    Ok((root, reader))
}

/// The section of a backend that no object can get may lack what is required: the original never looked at it. Then
/// it is left out.
fn leave_out_unused(root: &Node, value: &mut Value, findings: &mut [Finding]) {
    let selected = selected(root);
    let Some(sections) = value.get_mut("backends").and_then(Value::as_object_mut) else { return };
    sections.retain(|name, _| {
        let section = format!("backends.{name}");
        let mut complete = true;
        let missing = |finding: &&mut Finding| {
            finding.is_error()
                && finding.found == "nothing"
                && behind(&finding.key, &section).is_some_and(|rest| !rest.is_empty())
        };
        for finding in findings.iter_mut().filter(missing).filter(|_| !selected.contains(name)) {
            finding.severity = Severity::Warning;
            finding.expected.push_str("; the section is not used");
            complete = false;
        }
        complete
    });
}

/// What can still be judged where required keys are missing: without the sections they are missing in.
fn what_is_left(mut value: Value) -> Option<Config> {
    let config = value.as_object_mut()?;
    config.entry("backend").or_insert_with(|| Value::from(""));
    if let Some(sections) = config.get_mut("backends").and_then(Value::as_object_mut) {
        sections.retain(|name, section| {
            let alone = Map::from_iter([(name.clone(), section.clone())]);
            serde_json::from_value::<Backends>(Value::Object(alone)).is_ok()
        });
    }
    serde_json::from_value(value).ok()
}

fn invalid(findings: Vec<Finding>) -> LoadError {
    LoadError::Invalid(Findings(findings))
}

/// Errors first, each kind in the order of the file, variables before it.
fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    let place = |finding: &Finding| finding.position.map(|position| (position.line, position.column));
    findings.sort_by_key(|finding| (finding.severity, place(finding)));
    findings
}

/// Says what would help where something is missing.
fn explain_missing(findings: &mut [Finding], shape: &Shape) {
    for finding in findings.iter_mut().filter(|finding| finding.is_error() && finding.found == "nothing") {
        if finding.key == "backend" {
            let available = available_backends().collect::<Vec<_>>().join(", ");
            finding.expected = format!("the name of the default backend (available: {available})");
        } else if let Some(place) = shared_place(&finding.key, shape) {
            finding.expected = format!("{}, here or as {place}", finding.expected);
        }
    }
}

fn not_yaml(path: &Path, error: &serde_saphyr::Error) -> Finding {
    let message = error.without_snippet().to_string();
    // The place stands in front of the line already.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    let found = format!("something that is not YAML ({message})");
    let finding = whole_file(path, found, "a mapping of keys to values".to_owned());
    Finding { position: error.location().and_then(position), ..finding }
}

fn whole_file(path: &Path, found: String, expected: String) -> Finding {
    let source = Source::File(path.to_owned());
    Finding { severity: Severity::Error, source, position: None, key: String::new(), found, expected }
}
