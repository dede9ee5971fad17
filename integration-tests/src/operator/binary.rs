//! The operator's binary.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use super::error::Error;

/// The binary's name.
const NAME: &str = "hybrid-cloud-postgresql-operator";
/// Names a binary that is to be run instead of the one that cargo builds.
const VARIABLE: &str = "HCPG_OPERATOR_BIN";

/// The operator: what `HCPG_OPERATOR_BIN` names, else what cargo builds from the sources beside this crate.
///
/// Cargo is asked each time, because building the tests builds the operator's library only, not its binary; it answers
/// within a second when nothing has changed.
pub async fn operator_binary() -> Result<PathBuf, Error> {
    build(true).await
}

/// The same with cargo's progress on stderr; `quiet` leaves it out, but not complaints.
pub(super) async fn build(quiet: bool) -> Result<PathBuf, Error> {
    if let Some(path) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return Ok(path.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    // All members, as in the tests' own build, so that dependencies are built with the same features.
    command.args(["build", "--workspace", "--bin", NAME, "--message-format=json-render-diagnostics"]);
    if quiet {
        command.arg("--quiet");
    }
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .map_err(Error::io("running", PathBuf::from(cargo)))?;
    if !output.status.success() {
        return Err(Error::Build(output.status.to_string()));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == NAME)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| Error::Build("it names no executable".to_owned()))
}
