//! The environment: where the operator runs.

use std::collections::BTreeSet;
use std::path::PathBuf;

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
