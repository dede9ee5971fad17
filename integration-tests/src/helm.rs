//! The real helm: charts linted and rendered as users would.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::control_plane::{self, Binary, locate};

/// The oldest Kubernetes the project tests: charts are linted and rendered for it.
pub const KUBERNETES: &str = "1.34.0";

/// Why helm gave no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no helm, and none could be built.
    #[error(transparent)]
    NoHelm(#[from] control_plane::Error),

    /// The program could not be run.
    #[error("running {helm}: {source}; set HELM to an executable helm 3.14 or later")]
    Run {
        /// The program.
        helm: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// Helm refused.
    #[error("helm {command} failed:\n{message}")]
    Refused {
        /// Its arguments.
        command: String,
        /// What it said.
        message: String,
    },

    /// What it rendered is no YAML.
    #[error("helm rendered what is no YAML: {source}\n{text}")]
    Yaml {
        /// What is wrong with it.
        source: Box<serde_saphyr::Error>,
        /// What was rendered.
        text: String,
    },
}

/// A helm: `HELM`, else one in `PATH`, else built from its Go module.
pub async fn helm_binary() -> Result<PathBuf, control_plane::Error> {
    let [helm] = locate([Binary::Helm]).await?;
    Ok(helm)
}

/// Runs helm and returns its stdout.
pub async fn helm(arguments: &[&str]) -> Result<String, Error> {
    let helm = helm_binary().await?;
    let output = Command::new(&helm)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|source| Error::Run { helm: helm.clone(), source })?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    // `helm lint` tells its findings on stdout, everything else on stderr.
    let message = stdout + &String::from_utf8_lossy(&output.stderr);
    Err(Error::Refused { command: arguments.join(" "), message })
}

/// The folders of all charts of the project.
pub fn charts() -> std::io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts");
    let entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut charts: Vec<_> =
        entries.iter().map(|entry| entry.path()).filter(|path| path.join("Chart.yaml").is_file()).collect();
    charts.sort();
    Ok(charts)
}

/// The objects that `helm template` renders from a chart; `more` are further arguments.
pub async fn template(
    chart: &Path,
    release: &str,
    namespace: &str,
    more: &[&str],
) -> Result<Vec<Value>, Error> {
    let chart = chart.to_string_lossy();
    let fixed = ["template", release, &chart, "--namespace", namespace, "--kube-version", KUBERNETES];
    let text = helm(&[&fixed, more].concat()).await?;
    serde_saphyr::from_multiple(&text).map_err(|source| Error::Yaml { source: Box::new(source), text })
}
