//! The operator of demo and `make run`: in a folder that is kept until it is cleared away.

use std::fs::{self, DirBuilder};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use kube::Client;
use kube::config::Kubeconfig;
use nix::sys::signal::{Signal, kill};
use serde_json::Value;

use super::http::{self, Answer};
use super::install::{OPERATOR_NAMESPACE, SERVICE_ACCOUNT, project_file};
use super::{Error, READY_WITHIN, STOPPED_WITHIN, binary, keep, sweep, write};
use crate::control_plane::kubeconfig::{self, kubeconfig_with_token_file, service_account_token};
use crate::control_plane::{process, servers};

/// The name of its log and of the file with its process number.
const NAME: &str = "operator";
/// Its token lives for thirty days where the cluster grants that; every start fetches a new one.
const TOKEN_SECONDS: i64 = 30 * 24 * 3600;
/// The port of metrics and probes, where it is free.
const USUAL_PORT: u16 = 8080;

/// The operator of one cluster, in `/tmp/hcpg-<hash>`: PostgreSQL's user must be able to get there, and paths must be
/// short. At most one runs at a time.
pub struct KeptOperator {
    folder: PathBuf,
    /// Variables for its process.
    environment: Vec<(String, String)>,
}

impl KeptOperator {
    /// The operator that belongs to the cluster in that folder.
    pub fn of(cluster: &Path) -> Self {
        let path = cluster.to_string_lossy();
        let hash = path
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let folder = Path::new("/tmp").join(format!("hcpg-demo-{hash:08x}"));
        Self { folder, environment: Vec::new() }
    }

    /// With a configuration of its own and variables for its process, in place of the backend `local`; in its folder,
    /// which has been prepared.
    pub fn configured(self, config: &Value, environment: Vec<(String, String)>) -> Result<Self, Error> {
        let path = self.own_config();
        let text = serde_saphyr::to_string(config)
            .map_err(|error| Error::File { path: path.clone(), message: error.to_string() })?;
        write(&path, &text)?;
        Ok(Self { environment, ..self })
    }

    fn own_config(&self) -> PathBuf {
        self.folder.join("config.yaml")
    }

    /// Makes its folder and everything it needs to run as its own ServiceAccount; builds its binary.
    pub async fn prepare(&self, client: &Client, cluster: &Kubeconfig) -> Result<(), Error> {
        let binary = binary::build(false).await?;
        self.make_folder()?;
        let token = service_account_token(client, OPERATOR_NAMESPACE, SERVICE_ACCOUNT, TOKEN_SECONDS).await?;
        let token_file = self.folder.join("token");
        write(&token_file, &token)?;
        let own = kubeconfig_with_token_file(cluster, OPERATOR_NAMESPACE, &token_file)?;
        kubeconfig::write(&self.folder.join("kubeconfig"), &own)?;
        // A running one keeps its file; the new one takes its name.
        let _ = fs::remove_file(self.folder.join(NAME));
        keep(&binary, &self.folder).map(drop)
    }

    /// Runs it in the background, beyond the end of this process; returns the port of metrics and probes.
    pub async fn start(&self) -> Result<u16, Error> {
        let port = port()?;
        let mut child = process::spawn_command(NAME, self.command(port), &self.folder, true)?;
        let since = Instant::now();
        loop {
            let last = match http::get(port, "/readyz").await {
                Ok(Answer { status: 200, .. }) => return Ok(port),
                Ok(answer) => answer.body.trim().to_owned(),
                Err(error) => error.to_string(),
            };
            let (log, tail) = (self.log_path(), process::log_tail(&self.folder, NAME));
            if let Ok(Some(status)) = child.try_wait() {
                return Err(Error::Ended { status: status.to_string(), log, tail });
            }
            if since.elapsed() > READY_WITHIN {
                return Err(Error::NotReady { seconds: READY_WITHIN.as_secs(), last, log, tail });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Runs it with this process' terminal.
    pub fn start_in_foreground(&self) -> Result<(Child, u16), Error> {
        let port = port()?;
        let mut child = self.command(port).spawn().map_err(Error::io("starting", self.folder.join(NAME)))?;
        if let Err(error) = process::note(NAME, &child, &self.folder) {
            // Without the file nobody would find it again.
            let _ = child.kill();
            let _ = child.wait();
            return Err(error.into());
        }
        Ok((child, port))
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        process::running(&self.folder, NAME).is_some()
    }

    /// Ends it, if it runs. Its PostgreSQL servers go on.
    pub async fn stop(&self) -> Result<(), Error> {
        let since = Instant::now();
        if let Some(pid) = process::running(&self.folder, NAME) {
            // An error means that it has ended by itself.
            let _ = kill(pid, Signal::SIGTERM);
        }
        while self.is_running() {
            if since.elapsed() > STOPPED_WITHIN {
                let (log, tail) = (self.log_path(), process::log_tail(&self.folder, NAME));
                return Err(Error::GoesOn { seconds: STOPPED_WITHIN.as_secs(), log, tail });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Ends it and its PostgreSQL servers, and deletes its folder; tells whether there was one.
    pub async fn clear_away(&self) -> Result<bool, Error> {
        if !self.folder.exists() {
            return Ok(false);
        }
        self.check_owner()?;
        self.stop().await?;
        sweep(&self.folder)?;
        Ok(true)
    }

    /// Its log file, when it runs in the background.
    pub fn log_path(&self) -> PathBuf {
        process::log_file(&self.folder, NAME)
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        process::log_tail(&self.folder, NAME)
    }

    /// The folder of everything that belongs to it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn command(&self, port: u16) -> Command {
        let mut command = Command::new(self.folder.join(NAME));
        command.args(["run", "--http-address", &format!("127.0.0.1:{port}")]).arg("--config");
        if self.environment.is_empty() {
            command
                .arg(project_file("examples/config-local.yaml"))
                .env("HYBRIDCLOUD_BACKENDS_LOCAL_DATA_DIR", self.folder.join("data"));
        } else {
            command.arg(self.own_config());
        }
        command
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("KUBECONFIG", self.folder.join("kubeconfig"))
            .env("KUBERNETES_NAMESPACE", OPERATOR_NAMESPACE)
            // Its own from start to start, so that it need not wait for a lease that it held itself.
            .env("KUBERNETES_POD_NAME", self.folder.file_name().unwrap_or_default());
        command
    }

    fn make_folder(&self) -> Result<(), Error> {
        match DirBuilder::new().mode(0o755).create(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(Error::io("creating", &self.folder)(error))
            }
            _ => self.check_owner(),
        }
    }

    /// Anybody can make folders in `/tmp`.
    fn check_owner(&self) -> Result<(), Error> {
        let found = fs::symlink_metadata(&self.folder).map_err(Error::io("looking at", &self.folder))?;
        if found.is_dir() && found.uid() == nix::unistd::geteuid().as_raw() {
            return Ok(());
        }
        let message = "belongs to another user; have it removed, or use another HCPG_CACHE".to_owned();
        Err(Error::File { path: self.folder.clone(), message })
    }
}

fn port() -> Result<u16, Error> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, USUAL_PORT));
    if TcpListener::bind(usual).is_ok() { Ok(USUAL_PORT) } else { Ok(servers::free_port()?) }
}
