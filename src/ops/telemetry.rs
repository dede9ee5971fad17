//! Logs.

use std::io::IsTerminal;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{ParseError, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// Libraries that log at `info` or `debug` what is of interest only when they are looked into themselves.
const NOISY: &str = "kube_client=warn,kube_runtime=warn,tower=warn,hyper=warn,hyper_util=warn,h2=warn,rustls=warn,\
                     tokio_postgres=warn";

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people in a terminal, else JSON.
    #[default]
    Auto,
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

/// Why logs could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `RUST_LOG` cannot be read.
    #[error("RUST_LOG is set to {value:?}, which is not a list like info,hcpg=debug: {source}")]
    Filter {
        /// The value.
        value: String,
        /// Why.
        source: ParseError,
    },
    /// Logs were set up before.
    #[error("logs were set up before: {0}")]
    Twice(#[from] TryInitError),
}

/// Sets up logs to the standard error stream, for the whole process.
///
/// `RUST_LOG` says what is logged; without it everything from `default_level` on, and of the libraries only warnings.
/// Secrets never are.
pub fn init(format: LogFormat, default_level: Level) -> Result<(), TelemetryError> {
    let filter = filter(std::env::var("RUST_LOG").ok(), default_level)?;
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if is_json(format, terminal) {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .finish()
            .with(filter_fn(may_be_told))
            .try_init()?;
    } else {
        builder.with_ansi(terminal).finish().with(filter_fn(may_be_told)).try_init()?;
    }
    Ok(())
}

/// Whatever `RUST_LOG` says: the driver logs the text of statements, in which passwords or their verifiers stand, and
/// the client logs the whole of an answer it cannot read, which may be a Secret.
fn may_be_told(metadata: &Metadata<'_>) -> bool {
    let (target, level) = (metadata.target(), *metadata.level());
    !(target.starts_with("tokio_postgres") && level >= Level::DEBUG
        || target.starts_with("kube_client::client") && level == Level::WARN)
}

fn is_json(format: LogFormat, terminal: bool) -> bool {
    match format {
        LogFormat::Auto => !terminal,
        LogFormat::Human => false,
        LogFormat::Json => true,
    }
}

fn filter(variable: Option<String>, default_level: Level) -> Result<EnvFilter, TelemetryError> {
    let value = match variable {
        Some(value) if !value.trim().is_empty() => value,
        _ => format!("{default_level},{NOISY}"),
    };
    EnvFilter::try_new(&value).map_err(|source| TelemetryError::Filter { value, source })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn people_get_text_in_a_terminal_and_machines_get_json() {
        assert!(is_json(LogFormat::Auto, false) && !is_json(LogFormat::Auto, true));
        assert!(is_json(LogFormat::Json, true) && !is_json(LogFormat::Human, false));
    }

    #[test]
    fn the_libraries_are_quiet_unless_asked() {
        let text = filter(None, Level::INFO).unwrap().to_string();
        assert!(text.contains("kube_runtime=warn") && text.contains("info"), "{text}");
        assert_eq!(filter(Some("  ".to_owned()), Level::INFO).unwrap().to_string(), text);
        assert_eq!(
            filter(Some("kube_runtime=trace".to_owned()), Level::INFO).unwrap().to_string(),
            "kube_runtime=trace"
        );
    }

    #[test]
    fn a_wrong_filter_is_refused() {
        let error = filter(Some("hcpg=loud".to_owned()), Level::INFO).unwrap_err();
        assert!(error.to_string().contains("hcpg=loud"), "{error}");
    }
}
