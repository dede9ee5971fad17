//! A real Kubernetes control plane for tests and demo: etcd and kube-apiserver as processes, on loopback only.
//!
//! RBAC, tokens, admission, validation and watches are the real thing. What is missing is a kube-controller-manager
//! and nodes; [`create_namespace`] tells what follows from that.
//!
//! * [`ControlPlane`]: start, find, stop. * [`Cluster`]: that, or a cluster of the user's.
//! * [`kubeconfig`]: the admin's, and those of ServiceAccounts. * [`AuditLog`]: who asked the API server for what.
//! * [`locate`]: the binaries, kubectl and helm among them.

mod audit;
mod binaries;
mod certificates;
mod cluster;
mod error;
mod folder;
mod guard;
pub mod kubeconfig;
mod namespace;
pub(crate) mod process;
mod ready;
pub(crate) mod servers;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use kube::Client;
use kube::config::Kubeconfig;

pub use audit::{AuditEvent, AuditLog, AuditUser, ObjectRef, ResponseStatus};
pub use binaries::{Binary, locate};
pub use cluster::Cluster;
pub use error::Error;
pub use folder::{cache, clusters, default_cluster};
pub use namespace::create_namespace;

use certificates::Files;
use guard::Guard;
use servers::{API_SERVER, ETCD};

/// The admin's kubeconfig in a control plane's folder.
const KUBECONFIG: &str = "kubeconfig";
/// Attempts in case another process takes the API server's port just before it does.
const ATTEMPTS: u32 = 3;

/// How long a control plane lives.
#[derive(Clone, Debug)]
pub enum Lifetime {
    /// Until it is dropped or this process ends, however it ends; in a folder of its own, which goes with it.
    ThisProcess,
    /// Until [`ControlPlane::stop`], in this folder, beyond the end of this process.
    Kept(PathBuf),
}

/// How to start a control plane.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long it lives.
    pub lifetime: Lifetime,
    /// How long it may take until it is ready.
    pub ready_within: Duration,
}

impl Options {
    /// For tests: gone with this process.
    pub fn throw_away() -> Self {
        Self::with(Lifetime::ThisProcess)
    }

    /// For the demo: kept in `folder` until it is stopped.
    pub fn kept(folder: impl Into<PathBuf>) -> Self {
        Self::with(Lifetime::Kept(folder.into()))
    }

    fn with(lifetime: Lifetime) -> Self {
        let seconds = std::env::var("HCPG_READY_SECONDS").ok().and_then(|value| value.parse().ok());
        Self { lifetime, ready_within: Duration::from_secs(seconds.unwrap_or(60)) }
    }
}

/// A control plane that is ready.
///
/// Tests of one file may share one in a `static` (`tokio::sync::OnceCell`): it is cleaned up without `Drop`, too, and
/// holds nothing of the runtime that started it. Clients do; each test makes its own with [`ControlPlane::client`].
pub struct ControlPlane {
    folder: PathBuf,
    kubeconfig: Kubeconfig,
    /// The servers, where this process started them.
    servers: Vec<(&'static str, Child)>,
    /// There while it lives as long as this process only.
    guard: Option<Guard>,
}

impl ControlPlane {
    /// Starts a control plane and waits until it is ready. A kept one that is running already is used as it is.
    ///
    /// Binaries that are missing are built first, which takes minutes once; the start itself takes a few seconds.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let [etcd, api_server] = locate([Binary::Etcd, Binary::KubeApiserver]).await?;
        {
            let _lock = lock()?;
            folder::clear_stale_runs(&folder::clusters()?)?;
        }
        let (folder, kept) = match options.lifetime {
            Lifetime::ThisProcess => (folder::throw_away()?, None),
            Lifetime::Kept(folder) => {
                let lock = lock()?;
                if let Some(running) = Self::find(&folder).await? {
                    return Ok(running);
                }
                (folder, Some(lock))
            }
        };
        let mut attempt = 1;
        loop {
            // What an earlier attempt or a crash has left.
            process::stop_all(&folder)?;
            folder::delete(&folder)?;
            folder::create_private(&folder)?;
            let started =
                Self::launch(&folder, &etcd, &api_server, kept.is_some(), options.ready_within).await;
            match started {
                Err(Error::EndedAtStart { tail, .. })
                    if attempt < ATTEMPTS && tail.contains("address already in use") =>
                {
                    attempt += 1;
                }
                Err(error) => {
                    // The logs of a kept one stay for whoever looks for the cause.
                    process::stop_all(&folder)?;
                    return Err(error);
                }
                Ok(control_plane) => return Ok(control_plane),
            }
        }
    }

    /// The kept control plane in `folder`, if it is running and ready.
    pub async fn find(folder: &Path) -> Result<Option<Self>, Error> {
        if !process::is_running(folder, ETCD) || !process::is_running(folder, API_SERVER) {
            return Ok(None);
        }
        let Ok(kubeconfig) = Kubeconfig::read_from(folder.join(KUBECONFIG)) else { return Ok(None) };
        let client = kubeconfig::client(&kubeconfig).await?;
        let ready = ready::ask(&client).await.is_ok();
        let folder = folder.to_owned();
        Ok(ready.then_some(Self { folder, kubeconfig, servers: Vec::new(), guard: None }))
    }

    /// Ends the kept control plane in `folder` and deletes the folder; tells whether there was one.
    pub fn stop(folder: &Path) -> Result<bool, Error> {
        if !folder.exists() {
            return Ok(false);
        }
        let _lock = lock()?;
        process::stop_all(folder)?;
        folder::delete(folder)?;
        // The folder of all clusters goes when it is empty; an error means that it is not.
        let _ = folder::clusters().map(std::fs::remove_dir);
        Ok(true)
    }

    async fn launch(
        folder: &Path,
        etcd: &Path,
        api_server: &Path,
        kept: bool,
        ready_within: Duration,
    ) -> Result<Self, Error> {
        let guard = if kept { None } else { Some(Guard::start(folder)?) };
        let files: Files = certificates::create(folder)?;
        let port = servers::free_port()?;
        let kubeconfig = kubeconfig::admin(port, &files);
        kubeconfig::write(&folder.join(KUBECONFIG), &kubeconfig)?;
        let mut control_plane = Self { folder: folder.to_owned(), kubeconfig, servers: Vec::new(), guard };
        for (name, binary, arguments) in [
            (ETCD, etcd, servers::etcd(folder)),
            (API_SERVER, api_server, servers::api_server(folder, &files, port, kept)?),
        ] {
            let child = process::spawn(name, binary, &arguments, folder, kept)?;
            control_plane.servers.push((name, child));
        }
        let client = control_plane.client().await?;
        ready::wait(&client, folder, &mut control_plane.servers, ready_within).await?;
        Ok(control_plane)
    }

    /// The folder with everything that belongs to it: data, keys, logs, process numbers.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The admin's kubeconfig.
    pub fn kubeconfig(&self) -> &Kubeconfig {
        &self.kubeconfig
    }

    /// The file with the admin's kubeconfig.
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.folder.join(KUBECONFIG)
    }

    /// A client with the admin's rights.
    pub async fn client(&self) -> Result<Client, Error> {
        kubeconfig::client(&self.kubeconfig).await
    }

    /// The API server's audit log.
    pub fn audit_log(&self) -> AuditLog {
        AuditLog::new(self.folder.join(servers::AUDIT_LOG))
    }
}

impl Drop for ControlPlane {
    /// Ends a throw-away control plane; one that is kept is left alone.
    fn drop(&mut self) {
        if self.guard.is_none() {
            return;
        }
        for (_, server) in &mut self.servers {
            // Errors mean that it has ended already; the guard looks after anything that is left.
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = folder::delete(&self.folder);
    }
}

/// Keeps two runs from starting or stopping kept control planes at the same time, for as long as the result lives.
///
/// The lock is on the cache's folder itself, so that no lock file stays behind.
fn lock() -> Result<File, Error> {
    let cache = folder::cache()?;
    folder::create_private(&cache)?;
    let lock = File::open(&cache).map_err(Error::io("opening", &cache))?;
    lock.lock().map_err(Error::io("locking", &cache))?;
    Ok(lock)
}
