//! What the fuzz targets see of this backend; no other build has it.

use std::collections::BTreeMap;

use super::error::LocalConfigError;
use super::install::Installs;
use super::layout::{Layout, short_id};
use super::{check, conf, settings};
use crate::api::PostgreSQLServerSpec;
use crate::config::LocalConfig;

/// Whether the backend takes a configuration that was read. Touches nothing.
///
/// # Errors
/// When it does not.
pub fn accepts(config: &LocalConfig) -> Result<(), LocalConfigError> {
    check::config(config)
}

/// The folder of a server below `/data`, and those where it is built and removed.
pub fn folders(identity: &str) -> Vec<std::path::PathBuf> {
    let layout = Layout { root: "/data".into() };
    vec![
        layout.cluster(identity).folder,
        layout.staging(identity).folder,
        layout.doomed(identity, 1),
        layout.root.join(short_id(identity)),
    ]
}

/// The parameters that a server gets for this spec, and the file they are written to.
pub fn parameters(spec: &PostgreSQLServerSpec) -> (BTreeMap<String, String>, String) {
    let parameters = settings::parameters(spec, &Installs::none());
    let text = conf::parameters_text(&parameters);
    (parameters, text)
}

/// The parameters in such a file, as the backend reads it.
pub fn parameters_read(text: &str) -> BTreeMap<String, String> {
    conf::parameters_of(text)
}
