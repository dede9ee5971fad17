//! `cluster-up` and `cluster-down`, and the cluster that all the others use.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use hcpg::api::{PostgreSQLDatabase, PostgreSQLServer};
use integration_tests::control_plane::{
    Cluster, ControlPlane, Error, Options, clusters, default_cluster, kubeconfig,
};
use integration_tests::operator::{KeptOperator, is_taken, uninstall};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use kube::config::Kubeconfig;
use kube::core::NamespaceResourceScope;
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::Failure;
use crate::demo::NAMESPACE;

/// How long objects may take to go.
const GONE_WITHIN: Duration = Duration::from_secs(60);

/// Which cluster is meant.
#[derive(Args)]
pub struct Target {
    /// A context of your own kubeconfig instead of a control plane of ours; nothing is started or stopped then.
    #[arg(long, env = "CONTEXT")]
    context: Option<String>,
}

impl Target {
    /// The context, if one is named; `make` passes an empty one on.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref().filter(|context| !context.is_empty())
    }

    /// The folder of what we keep for that cluster, outside the working tree.
    pub fn folder(&self) -> Result<PathBuf, Error> {
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

/// A cluster that is ready.
pub struct Ready {
    /// The admin's kubeconfig, or the user's context.
    pub kubeconfig: Kubeconfig,
    /// The file with it.
    pub path: PathBuf,
}

impl Ready {
    /// A client with the rights of the admin, or of the user's context.
    pub async fn client(&self) -> Result<Client, Error> {
        kubeconfig::client(&self.kubeconfig).await
    }
}

/// Makes the cluster ready and tells the shell where its kubeconfig is.
pub async fn up(target: &Target) -> Result<(), Failure> {
    let path = ready(target).await?.path;
    // Quoted for the shell, which will evaluate it.
    println!("export KUBECONFIG='{}'", path.to_string_lossy().replace('\'', r"'\''"));
    Ok(())
}

/// Makes the cluster ready.
pub async fn ready(target: &Target) -> Result<Ready, Failure> {
    let folder = target.folder()?;
    match target.context() {
        None => start(&folder).await,
        Some(context) => borrow(context, &folder),
    }
}

async fn start(folder: &Path) -> Result<Ready, Failure> {
    let ready =
        |plane: ControlPlane| Ready { kubeconfig: plane.kubeconfig().clone(), path: plane.kubeconfig_path() };
    if let Some(running) = ControlPlane::find(folder).await? {
        eprintln!("the control plane is running already");
        return Ok(ready(running));
    }
    eprintln!("starting the control plane; typically 4 s");
    let since = Instant::now();
    let plane = ControlPlane::start(Options::kept(folder)).await?;
    eprintln!("the control plane is ready after {:.1} s", since.elapsed().as_secs_f32());
    Ok(ready(plane))
}

/// A kubeconfig of its own for the context, so that it is the current one whatever the user's kubeconfig says.
fn borrow(context: &str, folder: &Path) -> Result<Ready, Failure> {
    let cluster = Cluster::theirs(context.to_owned())?;
    let path = folder.join("kubeconfig");
    cluster.write_kubeconfig(&path)?;
    eprintln!("using your cluster of context {context}");
    Ok(Ready { kubeconfig: cluster.kubeconfig().clone(), path })
}

/// An operator of ours works on every object of the cluster, so there must be no other one.
pub async fn refuse_taken(target: &Target, client: &Client) -> Result<(), Failure> {
    if target.context().is_some() && is_taken(client).await? {
        return Err(
            "the cluster has PostgreSQLServers or PostgreSQLDatabases defined by somebody else; a second \
                    operator would work on them. Take another cluster, or none for a control plane of ours"
                .into(),
        );
    }
    Ok(())
}

/// Takes what we have made out of the user's cluster; one of ours is simply deleted.
pub async fn empty_theirs(target: &Target, operator: &KeptOperator) -> Result<(), Failure> {
    let Some(context) = target.context() else { return Ok(()) };
    let client = Cluster::theirs(context.to_owned())?.client().await?;
    if is_taken(&client).await? {
        return Ok(());
    }
    let patient = operator.is_running();
    clear::<PostgreSQLDatabase>(&client, patient).await?;
    clear::<PostgreSQLServer>(&client, patient).await?;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    match namespaces.delete(NAMESPACE, &DeleteParams::default()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        other => drop(other?),
    }
    uninstall(&client).await?;
    eprintln!("took the demo's objects and definitions out of the cluster of context {context}");
    Ok(())
}

/// Deletes all objects of a kind. The operator lets them go; where it does not, they are let go without it, since their
/// PostgreSQL servers are ended anyway.
async fn clear<K>(client: &Client, patient: bool) -> Result<(), Failure>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let all: Api<K> = Api::all(client.clone());
    let list = async || match all.list(&ListParams::default()).await {
        // The kind is not defined.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
        other => other.map(|list| list.items),
    };
    let of = |object: &K| Api::<K>::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    for object in list().await? {
        of(&object).delete(&object.name_any(), &DeleteParams::default()).await?;
    }
    let since = Instant::now();
    while patient && since.elapsed() < GONE_WITHIN && !list().await?.is_empty() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for object in list().await? {
        eprintln!("{} {} does not go by itself; it is let go", K::kind(&()), object.name_any());
        let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        match of(&object).patch(&object.name_any(), &PatchParams::default(), &free).await {
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            other => drop(other?),
        }
    }
    Ok(())
}

/// Takes down what `up` made.
pub fn down(target: &Target) -> Result<(), Failure> {
    let folder = target.folder()?;
    if ControlPlane::stop(&folder)? {
        eprintln!("stopped, and deleted {}", folder.display());
    } else {
        eprintln!("there is no cluster to stop");
    }
    Ok(())
}
