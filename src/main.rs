//! The operator binary.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use hcpg::backend;
use hcpg::config::{Config, Environment, Loaded, process_variables};
use hcpg::controller::{self, Clients, Settings};
use hcpg::ops::cli::{Cli, Command, RunOptions, check_config, crds, version};
use hcpg::ops::{Heartbeat, HttpServer, Metrics, Probes, Readiness, init};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{Level, info, warn};

// The one place where errors of all rooms meet; what they say is for the person who started the operator.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long what is under way may go on after the signal; the chart's grace period is a little longer.
const GRACE: Duration = Duration::from_secs(25);

fn main() -> ExitCode {
    #[cfg(feature = "failpoints")]
    let _scenario = hcpg::failpoints::scenario();
    let done = match Cli::parse().into_command() {
        Command::Run(options) => run(options),
        Command::CheckConfig { file } => {
            let report = check_config(&file, process_variables());
            return print(&report.text).map_or(ExitCode::FAILURE, |()| ExitCode::from(&report));
        }
        Command::Crds => crds().map_err(Failure::from).and_then(|text| print(&text)),
        Command::Version => print(&version()),
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
    let left = told.as_ref().map_or(Duration::ZERO, |told| GRACE.saturating_sub(told.elapsed()));
    runtime.shutdown_timeout(left);
    told.map(drop)
}

/// Runs until told to stop; the answer is when that was.
async fn serve(options: RunOptions) -> Result<Instant, Failure> {
    init(options.log_format, Level::INFO)?;
    // Before anything makes a TLS connection: with two providers in the tree rustls would not choose by itself.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return Err("another TLS provider was installed before".into());
    }
    let environment = Environment::from_variables(process_variables());
    let path = options.config.unwrap_or(environment.config_path);
    let Loaded { config, warnings } = Config::load(&path, process_variables())?;
    warnings.iter().for_each(|finding| warn!("{finding}"));
    let (heartbeat, readiness) = (Heartbeat::default(), Readiness::default());
    let metrics = Metrics::new()?;
    let probes =
        Probes { heartbeat: heartbeat.clone(), readiness: readiness.clone(), metrics: metrics.clone() };
    let server = HttpServer::bind(options.http_address, probes).await?;
    // Before the cluster is looked for: a wrong configuration is said wherever the operator is started.
    let backends = backend::all(&config.backends)?;
    info!(backend = config.backend, namespace = environment.operator_namespace, "configured");

    let (stop, stopped) = tokio::sync::watch::channel(false);
    let probes = tokio::spawn(server.serve(async move {
        let mut stopped = stopped;
        let _ = stopped.wait_for(|stop| *stop).await;
    }));
    let settings = Settings {
        clients: Clients::of(kube::Config::infer().await?)?,
        backends,
        config: Arc::new(config),
        metrics: Arc::new(metrics),
        operator_namespace: environment.operator_namespace,
        instance: std::env::var("KUBERNETES_POD_NAME").ok(),
        heartbeat,
        readiness,
    };
    let controllers = controller::run(settings, stop.subscribe());
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let told = std::sync::OnceLock::new();
    let overdue = async {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        let _ = told.set(Instant::now());
        info!("stopping: what is under way is finished first");
        let _ = stop.send(true);
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = controllers => {}
        () = overdue => warn!("stopped with work under way; it is taken up again at the next start"),
    }
    let _ = stop.send(true);
    probes.await??;
    Ok(told.get().copied().unwrap_or_else(Instant::now))
}
