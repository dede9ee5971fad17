//! The operator as a process of its own: with its own ServiceAccount's login, the chart's rules, and real signals.

mod binary;
mod config;
mod error;
mod http;
mod install;
mod kept;
mod kept_cloud;
mod samples;
mod sweep;

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kube::config::Kubeconfig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

pub use binary::operator_binary;
pub use error::Error;
pub use http::Answer;
pub use install::{
    Account, OPERATOR_NAMESPACE, OPERATOR_USER, SERVICE_ACCOUNT, definitions, install, install_account,
    is_taken, project_file, uninstall,
};
pub use kept::KeptOperator;
pub use kept_cloud::{CloudKind, KeptCloud};
pub use samples::Sample;
pub use sweep::sweep;

use crate::control_plane::{kubeconfig, process};
pub(crate) use config::Ports;
pub(crate) use sweep::Sweeper;

/// How long the operator may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take to stop: what it grants passes under way, and a little more.
const STOPPED_WITHIN: Duration = Duration::from_secs(40);

/// How to run the operator.
#[derive(Clone, Debug)]
pub struct OperatorOptions {
    /// Laid over the configuration, e.g. `json!({"reconcile": {"resync_seconds": 10}})`; null takes a key out.
    pub config: Value,
    /// Variables for its process.
    pub environment: Vec<(String, String)>,
    /// What is logged, as `RUST_LOG`.
    pub log: String,
}

impl Default for OperatorOptions {
    fn default() -> Self {
        Self { config: json!({}), environment: Vec::new(), log: "info,hcpg=debug".to_owned() }
    }
}

/// An operator, with everything that it needs in a folder of its own.
///
/// When it is dropped, or its owner ends in whatever way, the operator and its PostgreSQL servers are ended and the
/// folder is deleted. It can be shared by the tests of a file in a `static`.
pub struct Operator {
    folder: PathBuf,
    binary: PathBuf,
    options: OperatorOptions,
    port: u16,
    child: Mutex<Option<Child>>,
    _ports: Ports,
    // Last: it clears the folder away.
    _sweeper: Sweeper,
}

impl Operator {
    /// Starts the operator as the user of `kubeconfig`, and waits until it is ready.
    pub async fn start(kubeconfig: &Kubeconfig, options: OperatorOptions) -> Result<Self, Error> {
        let binary = operator_binary().await?;
        let folder = new_folder()?;
        let sweeper = Sweeper::start(&folder)?;
        let binary = keep(&binary, &folder)?;
        let ports = Ports::reserve()?;
        let text = config::text(&folder.join("data"), ports.range()?, &options.config)?;
        write(&folder.join("config.yaml"), &text)?;
        kubeconfig::write(&folder.join("kubeconfig"), kubeconfig)?;
        let port = ports.of_operator()?;
        let child = Mutex::new(None);
        let operator = Self { folder, binary, options, port, child, _ports: ports, _sweeper: sweeper };
        operator.start_again().await?;
        Ok(operator)
    }

    /// Starts it after it has ended, with the same configuration, and waits until it is ready.
    pub async fn start_again(&self) -> Result<(), Error> {
        self.start_again_with(&[]).await
    }

    /// The same with more variables, this time only.
    pub async fn start_again_with(&self, more: &[(&str, &str)]) -> Result<(), Error> {
        self.spawn(more)?;
        let since = Instant::now();
        loop {
            let last = match self.get("/readyz").await {
                Ok(Answer { status: 200, .. }) => return Ok(()),
                Ok(answer) => answer.body.trim().to_owned(),
                Err(error) => error.to_string(),
            };
            if let Some(status) = self.ended()? {
                return Err(Error::Ended {
                    status: status.to_string(),
                    log: self.log_path(),
                    tail: self.log_tail(20),
                });
            }
            if since.elapsed() > READY_WITHIN {
                let seconds = READY_WITHIN.as_secs();
                return Err(Error::NotReady { seconds, last, log: self.log_path(), tail: self.log_tail(20) });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Tells it to stop, waits until it has, and starts it again.
    pub async fn restart(&self) -> Result<(), Error> {
        self.sigterm().await?;
        self.start_again().await
    }

    /// Replaces its tweaks of the configuration; they count from the next start on.
    pub fn reconfigure(&self, tweaks: &Value) -> Result<(), Error> {
        let text = config::text(&self.data_dir(), self._ports.range()?, tweaks)?;
        write(&self.folder.join("config.yaml"), &text)
    }

    /// SIGTERM, and waits for its end.
    pub async fn sigterm(&self) -> Result<Option<ExitStatus>, Error> {
        self.signal(Signal::SIGTERM);
        let since = Instant::now();
        while self.is_running() {
            if since.elapsed() > STOPPED_WITHIN {
                let seconds = STOPPED_WITHIN.as_secs();
                return Err(Error::GoesOn { seconds, log: self.log_path(), tail: self.log_tail(20) });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let status = self.ended();
        *self.child() = None;
        status
    }

    /// SIGKILL; it is gone when this returns. Its PostgreSQL servers go on.
    pub fn sigkill(&self) {
        if let Some(mut child) = self.child().take() {
            // Errors mean that it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Holds its process, as a machine that stands still would.
    pub fn sigstop(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub fn sigcont(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // An error means that it has ended already.
            let _ = kill(pid, signal);
        }
    }

    /// Whether it holds the lease.
    pub async fn leads(&self) -> Result<bool, Error> {
        Ok(self.metric("hcpg_leader", &[]).await? == 1.0)
    }

    /// Its name as a pod's, which it has from start to start, as a container in a pod.
    pub fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What an operator beside it needs in its configuration to work on the same servers.
    pub fn shared(&self) -> Result<Value, Error> {
        let (first, last) = self._ports.range()?;
        let local = json!({"data_dir": self.data_dir(), "port_first": first, "port_last": last});
        Ok(json!({"backends": {"local": local}}))
    }

    /// Whether its process runs.
    pub fn is_running(&self) -> bool {
        self.child().as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Its process number, while it has one.
    pub fn pid(&self) -> Option<Pid> {
        self.child().as_ref().and_then(|child| i32::try_from(child.id()).ok()).map(Pid::from_raw)
    }

    /// The metrics, in Prometheus' text format.
    pub async fn metrics(&self) -> Result<String, Error> {
        Ok(self.get("/metrics").await?.body)
    }

    /// The metrics, line by line.
    pub async fn samples(&self) -> Result<Vec<Sample>, Error> {
        Ok(samples::parse(&self.metrics().await?))
    }

    /// The sum of all samples of that name with these labels, e.g.
    /// `metric("hcpg_transitions_total", &[("kind", "server"), ("to", "Ready")])`; 0 where there is none.
    pub async fn metric(&self, name: &str, labels: &[(&str, &str)]) -> Result<f64, Error> {
        let samples = self.samples().await?;
        Ok(samples.iter().filter(|sample| sample.is(name, labels)).map(|sample| sample.value).sum())
    }

    /// The answer to a path on its port of probes and metrics.
    pub async fn get(&self, path: &str) -> Result<Answer, Error> {
        http::get(self.port, path).await.map_err(Error::io("asking the operator for", path))
    }

    /// Everything it has logged, over all its starts.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }

    /// The last lines of its log.
    pub fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<&str> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Its log file.
    pub fn log_path(&self) -> PathBuf {
        self.folder.join("operator.log")
    }

    /// The folder of its PostgreSQL servers.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The folder of everything that belongs to it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn spawn(&self, more: &[(&str, &str)]) -> Result<(), Error> {
        let log = self.log_path();
        let stderr = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&log)
            .map_err(Error::io("opening", &log))?;
        let stdout = stderr.try_clone().map_err(Error::io("opening", &log))?;
        let mut command = Command::new(&self.binary);
        command
            .args(["run", "--log-format", "human", "--http-address", &format!("127.0.0.1:{}", self.port)])
            .arg("--config")
            .arg(self.folder.join("config.yaml"))
            .env("KUBECONFIG", self.folder.join("kubeconfig"))
            .env("KUBERNETES_NAMESPACE", OPERATOR_NAMESPACE)
            .env("KUBERNETES_POD_NAME", self.name())
            .env("RUST_LOG", &self.options.log)
            .envs(self.options.environment.iter().map(|(name, value)| (name, value)))
            .envs(more.iter().copied())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0);
        let mut child = command.spawn().map_err(Error::io("starting", &self.binary))?;
        let noted = process::note("operator", &child, &self.folder).map_err(Error::from);
        if noted.is_err() {
            // Without the file nobody would find it again.
            let _ = child.kill();
            let _ = child.wait();
        }
        *self.child() = Some(child);
        noted
    }

    fn ended(&self) -> Result<Option<ExitStatus>, Error> {
        let status = self.child().as_mut().map(Child::try_wait).transpose();
        status.map(Option::flatten).map_err(Error::io("waiting for", &self.binary))
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.sigkill();
    }
}

/// A new folder with a short path (Unix sockets stand below it) that the user `postgres` can enter.
pub(crate) fn new_folder() -> Result<PathBuf, Error> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    const LONGEST: usize = 30;
    let temporary = std::env::temp_dir();
    let parent = if temporary.as_os_str().len() > LONGEST { Path::new("/tmp") } else { &temporary };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let started = process::start_time(std::process::id()).unwrap_or_default();
    let folder = parent.join(format!("hcpg-{}-{started}-{number}", std::process::id()));
    fs::create_dir(&folder).map_err(Error::io("creating", &folder))?;
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).map_err(Error::io("opening", &folder))?;
    Ok(folder)
}

/// The binary under a name of our own, so that a build in between does not change what a restart runs.
fn keep(binary: &Path, folder: &Path) -> Result<PathBuf, Error> {
    let kept = folder.join("operator");
    match fs::hard_link(binary, &kept) {
        Ok(()) => Ok(kept),
        // Another file system.
        Err(_) => fs::copy(binary, &kept).map(|_| kept).map_err(Error::io("copying", binary)),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(Error::io("writing", path))
}
