//! What holds for every configuration, whatever it was read from.

use std::path::Path;

use hcpg::backend::local::fuzzing;
use hcpg::config::{Config, Finding, Findings, Source};

/// The name of the file in findings.
pub const FILE: &str = "operator.yaml";

/// Every finding has a place, and one that points into the file points at something in it.
pub fn check_places(findings: &[Finding], yaml: &str, variables: &[(String, String)]) {
    let lines: Vec<&str> = yaml.split('\n').collect();
    for finding in findings {
        let text = finding.to_string();
        match &finding.source {
            Source::Variable(name) => {
                assert!(variables.iter().any(|(one, _)| one == name), "nobody set it: {text}");
                assert!(finding.position.is_none() && text.starts_with(&format!("{name}:")), "{text}");
            }
            Source::File(path) => {
                assert_eq!(path, Path::new(FILE));
                assert!(text.starts_with(&format!("{FILE}:")), "{text}");
                assert!(
                    finding.position.is_some() || finding.key.is_empty(),
                    "a key without a place: {text}"
                );
            }
        }
        let Some(place) = finding.position else { continue };
        let (line, column) = (usize::try_from(place.line).unwrap(), usize::try_from(place.column).unwrap());
        // A carriage return alone ends a line too, and the end of the file may be pointed at.
        let most = lines.len() + yaml.matches('\r').count();
        assert!((1..=most + 1).contains(&line), "line {line} of {most}: {text}");
        assert!((1..=yaml.chars().count() + 2).contains(&column), "column {column}: {text}");
    }
}

/// An error holds at least one, and errors come first.
pub fn check_refusal(findings: &Findings) {
    assert!(findings.0.first().is_some_and(Finding::is_error), "refused without a reason: {findings}");
    assert!(findings.0.is_sorted_by_key(|finding| finding.severity), "{findings}");
}

/// What the reader lets pass is not refused later, without a place, by the backend it is for.
pub fn check_backends(config: &Config) {
    if let Some(local) = &config.backends.local {
        assert!(fuzzing::accepts(local).is_ok(), "{}", fuzzing::accepts(local).unwrap_err());
    }
}

/// A configuration that was read is read as the same from its own words.
pub fn check_rendering(config: &Config) {
    for rendered in [serde_json::to_string_pretty(config).unwrap(), serde_saphyr::to_string(config).unwrap()]
    {
        match Config::parse(&rendered, Path::new(FILE), std::iter::empty()) {
            Ok(again) => assert_eq!(again.config, *config, "{rendered}"),
            Err(error) => panic!("{error}\nin its own words:\n{rendered}"),
        }
    }
}
