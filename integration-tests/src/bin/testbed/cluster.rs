//! `cluster-up` and `cluster-down`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use integration_tests::control_plane::{Cluster, ControlPlane, Error, Options, clusters, default_cluster};

/// Which cluster is meant.
#[derive(Args)]
pub struct Target {
    /// A context of your own kubeconfig instead of a control plane of ours; nothing is started or stopped then.
    #[arg(long, env = "CONTEXT")]
    context: Option<String>,
}

impl Target {
    /// The context, if one is named; `make` passes an empty one on.
    fn context(&self) -> Option<&str> {
        self.context.as_deref().filter(|context| !context.is_empty())
    }

    /// The folder of what we keep for that cluster, outside the working tree.
    fn folder(&self) -> Result<PathBuf, Error> {
        match self.context() {
            None => default_cluster(),
            Some(context) => {
                // Contexts are free text, for instance ARNs with slashes.
                let name: String =
                    context.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
                Ok(clusters()?.join(format!("context-{name}")))
            }
        }
    }
}

/// Makes the cluster ready and tells the shell where its kubeconfig is.
pub async fn up(target: &Target) -> Result<(), Error> {
    let kubeconfig = match target.context() {
        None => start(&target.folder()?).await?,
        Some(context) => borrow(context, &target.folder()?)?,
    };
    // Quoted for the shell, which will evaluate it.
    println!("export KUBECONFIG='{}'", kubeconfig.to_string_lossy().replace('\'', r"'\''"));
    Ok(())
}

async fn start(folder: &Path) -> Result<PathBuf, Error> {
    if let Some(running) = ControlPlane::find(folder).await? {
        eprintln!("the control plane is running already");
        return Ok(running.kubeconfig_path());
    }
    eprintln!("starting the control plane; typically 4 s");
    let since = Instant::now();
    let control_plane = ControlPlane::start(Options::kept(folder)).await?;
    eprintln!("the control plane is ready after {:.1} s", since.elapsed().as_secs_f32());
    Ok(control_plane.kubeconfig_path())
}

/// A kubeconfig of its own for the context, so that it is the current one whatever the user's kubeconfig says.
fn borrow(context: &str, folder: &Path) -> Result<PathBuf, Error> {
    let cluster = Cluster::theirs(context.to_owned())?;
    let path = folder.join("kubeconfig");
    cluster.write_kubeconfig(&path)?;
    eprintln!("using your cluster of context {context}");
    Ok(path)
}

/// Takes down what `up` made.
pub fn down(target: &Target) -> Result<(), Error> {
    let folder = target.folder()?;
    if ControlPlane::stop(&folder)? {
        eprintln!("stopped, and deleted {}", folder.display());
    } else {
        eprintln!("there is nothing to stop");
    }
    Ok(())
}
