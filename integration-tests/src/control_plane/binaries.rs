//! The binaries of the control plane and the tools around it: `control-plane/build.sh` finds or builds them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::error::Error;

/// A binary that `build.sh` can provide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// The API server.
    KubeApiserver,
    /// The API server's database.
    Etcd,
    /// The command line client, in the API server's version.
    Kubectl,
    /// The package manager for charts.
    Helm,
    /// Reads objects, one per line, and says what tools that wait for objects make of them.
    Kstatus,
}

impl Binary {
    /// Its file name.
    pub fn name(self) -> &'static str {
        match self {
            Self::KubeApiserver => "kube-apiserver",
            Self::Etcd => "etcd",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
            Self::Kstatus => "kstatus",
        }
    }
}

/// The paths of the wanted binaries, in the order of the question.
///
/// What is missing is built, which takes minutes the first time; `build.sh` shows its progress on stderr and explains
/// which variables let one bring binaries of one's own.
pub async fn locate<const N: usize>(wanted: [Binary; N]) -> Result<[PathBuf; N], Error> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("control-plane/build.sh");
    let names = wanted.map(Binary::name);
    let output = Command::new(&script)
        .args(names)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .map_err(Error::io("running", &script))?;
    let failed =
        |status: String| Error::Binaries { script: script.clone(), wanted: names.join(", "), status };
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    let paths: Vec<PathBuf> = stdout
        .lines()
        .zip(names)
        .filter_map(|(line, name)| line.strip_prefix(name)?.strip_prefix('=').map(PathBuf::from))
        .collect();
    paths.try_into().map_err(|_| failed("its answer is not understood".to_owned()))
}
