//! The operator's side: its controllers in this process, and nothing else.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::Arc;

use hcpg::backend::{self, ServerBackend};
use hcpg::config::{Config, Loaded};
use hcpg::controller::{self, Clients, Settings};
use hcpg::ops::{Heartbeat, Metrics, Readiness};
use tokio::sync::{mpsc, watch};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::Failure;
use super::memory::{Memory, MemoryBackend};
use super::samples::Samples;
use crate::operator::OPERATOR_NAMESPACE;

/// The question for the passes so far.
pub(super) const PEEK: &str = "peek";
/// The same, and the passes begin anew.
pub(super) const TAKE: &str = "take";

/// Runs the controllers until the standard input ends. `memory` holds the settings of the memory backend, if it is used.
pub async fn serve(config: PathBuf, memory: Option<PathBuf>) -> Result<(), Failure> {
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return Err("another TLS provider was installed before".into());
    }
    let passes = Samples::default();
    log(passes.clone())?;
    let Loaded { config, .. } = Config::load(&config, std::iter::empty())?;
    let memory = match memory {
        Some(file) => {
            let settings: Memory = serde_json::from_slice(&std::fs::read(file)?)?;
            Some(Arc::new(MemoryBackend::start(settings).await?))
        }
        None => None,
    };
    let backends = match &memory {
        Some(memory) => vec![memory.clone() as Arc<dyn ServerBackend>],
        None => backend::all(&config.backends)?,
    };
    let metrics = Arc::new(Metrics::new()?);
    let settings = Settings {
        watch_namespaces: Vec::new(),
        clients: Clients::of(kube::Config::infer().await?)?,
        config: Arc::new(config),
        file: None,
        backends,
        metrics: metrics.clone(),
        operator_namespace: OPERATOR_NAMESPACE.to_owned(),
        instance: None,
        heartbeat: Heartbeat::default(),
        readiness: Readiness::default(),
    };
    let (stop, stopped) = watch::channel(false);
    let controllers = tokio::spawn(controller::run(settings, stopped));
    let mut questions = questions();
    while let Some(question) = questions.recv().await {
        let mut told = if question == TAKE { passes.take() } else { passes.peek() };
        told.ready = ready(&metrics)?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&told)?)?;
        out.flush()?;
    }
    let _ = stop.send(true);
    controllers.await?;
    memory.map_or(Ok(()), |memory| memory.save())
}

/// As the product logs, and besides that the passes are measured.
fn log(passes: Samples) -> Result<(), Failure> {
    let quiet =
        "info,kube_client=warn,kube_runtime=warn,tower=warn,hyper=warn,rustls=warn,tokio_postgres=warn";
    let filter = EnvFilter::try_new(std::env::var("RUST_LOG").unwrap_or_else(|_| quiet.to_owned()))?;
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        .with_filter(filter);
    tracing_subscriber::registry().with(lines).with(passes.with_filter(EnvFilter::new("info"))).try_init()?;
    Ok(())
}

/// The lines of the standard input; a thread of its own, since reading it blocks.
fn questions() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Transitions to `Ready` so far.
fn ready(metrics: &Metrics) -> Result<f64, Failure> {
    let text = metrics.gather()?;
    let lines = text.lines().filter(|line| line.starts_with("hcpg_transitions_total{"));
    let to_ready = lines.filter(|line| line.contains("to=\"Ready\""));
    Ok(to_ready.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
}
