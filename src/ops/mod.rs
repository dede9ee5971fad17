//! What operating the operator takes: logs, metrics, health, the lease, the command line.

pub mod cli;
mod health;
mod http;
mod leader;
mod metrics;
mod telemetry;

pub use health::{Heartbeat, Pulse, Readiness};
pub use http::{HttpError, HttpServer, Probes};
pub use leader::{Election, LeaseTimes, Lost};
pub use metrics::{Metrics, MetricsError};
pub use telemetry::{LogFormat, TelemetryError, init};
