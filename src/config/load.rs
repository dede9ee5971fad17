//! Reading the configuration: file, environment, structs, checks.

use std::path::{Path, PathBuf};

use super::env::overlay;
use super::finding::{Finding, Findings, Severity, Source};
use super::model::{Config, available_backends};
use super::read::Reader;
use super::shape::Shape;
use super::tree::{Content, Node, position};
use super::validate::validate;

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
        let mut root = Node::parse(yaml).map_err(|error| invalid(vec![not_yaml(path, &error)]))?;
        if !matches!(root.content, Content::Mapping(_)) {
            let expected = "a mapping of keys to values".to_owned();
            return Err(invalid(vec![whole_file(path, root.to_string(), expected)]));
        }
        let shape = Shape::of::<Config>();
        let mut reader = Reader { file: path, findings: overlay(&mut root, &shape, variables) };
        let value = reader.value(&root, &shape, "");
        explain_missing_backend(&mut reader.findings);
        // What could not be read was left out, so that the rest can still be judged.
        let config = value.and_then(|value| match serde_json::from_value::<Config>(value) {
            Ok(config) => Some(config),
            // Something required is missing, which has been reported, or the shape knows less than the structs do.
            Err(error) => {
                if !reader.findings.iter().any(Finding::is_error) {
                    let found = error.to_string();
                    reader.findings.push(whole_file(path, found, "a valid configuration".to_owned()));
                }
                None
            }
        });
        if let Some(config) = &config {
            validate(config, &root, &mut reader);
        }
        let findings = sorted(reader.findings);
        match config {
            Some(config) if !findings.iter().any(Finding::is_error) => {
                Ok(Loaded { config, warnings: findings })
            }
            _ => Err(invalid(findings)),
        }
    }
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

fn explain_missing_backend(findings: &mut [Finding]) {
    for finding in
        findings.iter_mut().filter(|finding| finding.key == "backend" && finding.found == "nothing")
    {
        let available = available_backends().collect::<Vec<_>>().join(", ");
        finding.expected = format!("the name of the default backend (available: {available})");
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
