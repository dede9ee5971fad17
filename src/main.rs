//! The operator binary.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use clap::Parser;
use futures::future::join_all;
use hcpg::backend::{self, ServerBackend};
use hcpg::config::{Environment, FileWatch, Loaded, process_variables};
use hcpg::controller::{self, Clients, Settings};
use hcpg::ops::cli::{self, Cli, RunOptions, check_config, crds, version};
use hcpg::ops::{Election, Heartbeat, HttpServer, LeaseTimes, Lost, Metrics, Probes, Readiness, init};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::{Level, info, warn};

// The one place where errors of all rooms meet; what they say is for the person who started the operator.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A tenth of the CPU of a look is allocation.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long what is under way may go on after the signal; the chart's grace period is a little longer.
const GRACE: Duration = Duration::from_secs(25);
/// For giving the lease back, however late it is by then.
const LAST_WORD: Duration = Duration::from_secs(2);
/// The election looks at its lease far more often.
const STUCK: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    #[cfg(feature = "failpoints")]
    let _scenario = hcpg::failpoints::scenario();
    let done = match Cli::parse().into_command() {
        cli::Command::Run(options) => run(options),
        cli::Command::CheckConfig { file, explain } => {
            let variables: Vec<_> = process_variables().collect();
            let usual = || Environment::from_variables(variables.iter().cloned()).config_path;
            let report = match explain {
                Some(key) => cli::explain(&key, file.as_deref(), &variables),
                None => check_config(&file.unwrap_or_else(usual), variables.iter().cloned()),
            };
            return print(&report.text).map_or(ExitCode::FAILURE, |()| ExitCode::from(&report));
        }
        cli::Command::Crds => crds().map_err(Failure::from).and_then(|text| print(&text)),
        cli::Command::Version => print(&version()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Unlike `print!`, without a panic when the reader of a pipe has gone.
fn print(text: &str) -> Result<(), Failure> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn run(options: RunOptions) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    let told = runtime.block_on(serve(options));
    // A backend's work in the background gets the rest of the time; unlike this, a plain drop would wait for its end.
    runtime.shutdown_timeout(told.as_ref().map_or(Duration::ZERO, Told::left));
    told.map(drop)
}

/// When the operator was told to stop.
#[derive(Clone, Default)]
struct Told(Arc<OnceLock<Instant>>);

impl Told {
    /// What is left of the time that is granted then.
    fn left(&self) -> Duration {
        self.0.get().map_or(GRACE, |told| GRACE.saturating_sub(told.elapsed()))
    }

    /// Waits for the signal, and tells everybody.
    async fn listen(self, stop: watch::Sender<bool>, mut terminate: Signal, mut interrupt: Signal) {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        let _ = self.0.set(Instant::now());
        let _ = stop.send(true);
    }
}

/// Runs until told to stop.
async fn serve(options: RunOptions) -> Result<Told, Failure> {
    init(options.log_format, Level::INFO)?;
    // Before anything makes a TLS connection: with two providers in the tree rustls would not choose by itself.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return Err("another TLS provider was installed before".into());
    }
    let environment = Environment::from_variables(process_variables());
    environment.check()?;
    let Environment { config_path, operator_namespace, watch_namespaces, pod_name } = environment;
    let path = options.config.unwrap_or(config_path);
    let (file, Loaded { config, warnings }) = FileWatch::open(&path, process_variables())?;
    warnings.iter().for_each(|finding| warn!("{finding}"));
    let (heartbeat, readiness) = (Heartbeat::default(), Readiness::default());
    let metrics = Metrics::new()?;
    let probes =
        Probes { heartbeat: heartbeat.clone(), readiness: readiness.clone(), metrics: metrics.clone() };
    let server = HttpServer::bind(options.http_address, probes).await?;
    // Before the cluster is looked for: a wrong configuration is said wherever the operator is started.
    let backends = backend::all(&config.backends)?;
    info!(backend = config.backend, namespace = operator_namespace, ?watch_namespaces, "configured");

    let (stop, mut stopped) = watch::channel(false);
    let mut probes_stop = stop.subscribe();
    let probes = tokio::spawn(server.serve(async move {
        let _ = probes_stop.wait_for(|stop| *stop).await;
    }));
    let told = Told::default();
    let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(told.clone().listen(stop.clone(), signals.0, signals.1));

    let login = kube::Config::infer().await?;
    let clients = Clients::of(login.clone())?;
    // With connections of its own: those of `clients` are not polled while this instance stands by.
    let asking = Clients::of(login.clone())?.requests;
    tokio::select! {
        () = controller::wait_for_kinds(&asking, &watch_namespaces, &readiness) => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
    let holder = pod_name.clone().unwrap_or_else(|| format!("operator-{:016x}", rand::random::<u64>()));
    let times = LeaseTimes::new(config.leader_election.lease_seconds);
    let pulse = heartbeat.watch("election", STUCK);
    let mut election = Election::new(login, &operator_namespace, holder, times, metrics.clone(), pulse)?;
    let leads = tokio::select! {
        () = election.win(&readiness) => true,
        _ = stopped.wait_for(|stop| *stop) => false,
    };
    if leads {
        let settings = Settings {
            clients,
            backends: backends.clone(),
            config: Arc::new(config),
            file: Some(file),
            metrics: Arc::new(metrics),
            operator_namespace,
            watch_namespaces,
            instance: pod_name,
            heartbeat,
            readiness,
        };
        tokio::select! {
            at_rest = lead(settings, &backends, &told, stopped) => if at_rest {
                election.release(told.left().max(LAST_WORD)).await;
            },
            lost = election.keep() => begin_anew(&lost, &told)?,
        }
    }
    let _ = stop.send(true);
    probes.await??;
    Ok(told)
}

/// Runs the controllers until told to stop; the answer is whether nothing is under way any more.
async fn lead(
    settings: Settings,
    backends: &[Arc<dyn ServerBackend>],
    told: &Told,
    mut stopped: watch::Receiver<bool>,
) -> bool {
    let stop = stopped.clone();
    let work = async {
        join_all(backends.iter().map(|backend| backend.begin())).await;
        controller::run(settings, stop).await;
        join_all(backends.iter().map(|backend| backend.at_rest())).await;
    };
    let overdue = async {
        let _ = stopped.wait_for(|stop| *stop).await;
        info!("stopping: what is under way is finished first");
        tokio::time::sleep(told.left()).await;
    };
    tokio::select! {
        () = work => true,
        () = overdue => {
            warn!("stopped with work under way; it is taken up again at the next start");
            false
        }
    }
}

/// Puts this program in its own place, so that nothing that was under way goes on: no pass, no thread. It stands by
/// then like any other instance. If it was told to stop, it just ends.
fn begin_anew(lost: &Lost, told: &Told) -> Result<(), Failure> {
    warn!("no longer leading: {lost}");
    if told.0.get().is_some() {
        return Ok(());
    }
    let error = Command::new(std::env::current_exe()?).args(std::env::args_os().skip(1)).exec();
    Err(format!("no longer leading, and it cannot begin anew: {error}").into())
}
