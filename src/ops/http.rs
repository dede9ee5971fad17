//! The operator's HTTP server: probes and metrics.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Heartbeat, Metrics, Readiness};

/// How long requests in flight may take once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Why there is no HTTP server.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address} for probes and metrics: {source}. Choose another with --http-address"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The server stopped by itself.
    #[error("the HTTP server for probes and metrics stopped: {0}")]
    Serve(#[from] std::io::Error),
}

/// What the HTTP server tells.
#[derive(Clone, Debug)]
pub struct Probes {
    /// For `/healthz`.
    pub heartbeat: Heartbeat,
    /// For `/readyz`.
    pub readiness: Readiness,
    /// For `/metrics`.
    pub metrics: Metrics,
}

/// A server that listens already.
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    probes: Probes,
}

impl HttpServer {
    /// Listens on the address; connections wait until [`HttpServer::serve`] is called.
    pub async fn bind(address: SocketAddr, probes: Probes) -> Result<Self, HttpError> {
        let listener =
            TcpListener::bind(address).await.map_err(|source| HttpError::Bind { address, source })?;
        Ok(Self { listener, probes })
    }

    /// The address, with the port that was found if the one asked for was 0.
    pub fn local_address(&self) -> Result<SocketAddr, HttpError> {
        Ok(self.listener.local_addr()?)
    }

    /// Answers until `shutdown` completes, and then for a moment more, for requests that are under way.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), HttpError> {
        let router = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(self.probes);
        let (stopping, mut stopped) = watch::channel(false);
        let signal = async move {
            shutdown.await;
            let _ = stopping.send(true);
        };
        // A client that never finishes its request must not keep the operator from stopping.
        let overdue = async move {
            if stopped.wait_for(|stopping| *stopping).await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            served = axum::serve(self.listener, router).with_graceful_shutdown(signal) => Ok(served?),
            () = overdue => Ok(()),
        }
    }
}

async fn healthz(State(probes): State<Probes>) -> Response {
    let stuck = probes.heartbeat.stuck();
    if stuck.is_empty() {
        return (StatusCode::OK, "ok\n").into_response();
    }
    let line = |(task, silence): &(String, Duration)| {
        format!("task {task} has not been seen for {} s\n", silence.as_secs())
    };
    (StatusCode::SERVICE_UNAVAILABLE, stuck.iter().map(line).collect::<String>()).into_response()
}

async fn readyz(State(probes): State<Probes>) -> Response {
    match probes.readiness.reason() {
        None => (StatusCode::OK, "ok\n").into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")).into_response(),
    }
}

async fn metrics(State(probes): State<Probes>) -> Response {
    match probes.metrics.gather() {
        Ok(text) => ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::*;

    struct Running {
        address: SocketAddr,
        probes: Probes,
        stop: oneshot::Sender<()>,
        server: JoinHandle<Result<(), HttpError>>,
    }

    async fn start() -> Running {
        let probes = Probes {
            heartbeat: Heartbeat::default(),
            readiness: Readiness::default(),
            metrics: Metrics::new().unwrap(),
        };
        let server = HttpServer::bind((Ipv4Addr::LOCALHOST, 0).into(), probes.clone()).await.unwrap();
        let address = server.local_address().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(server.serve(async move {
            let _ = stopped.await;
        }));
        Running { address, probes, stop, server }
    }

    /// The status line's code, and the whole answer.
    async fn ask(address: SocketAddr, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let code = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (code, answer)
    }

    #[tokio::test]
    async fn health_names_the_stuck_task() {
        let running = start().await;
        assert_eq!(ask(running.address, "/healthz").await.0, 200);
        let pulse = running.probes.heartbeat.watch("servers", Duration::ZERO);
        tokio::time::sleep(Duration::from_millis(2)).await;
        let (code, answer) = ask(running.address, "/healthz").await;
        assert_eq!(code, 503);
        assert!(answer.ends_with("task servers has not been seen for 0 s\n"), "{answer}");
        pulse.finish();
        assert_eq!(ask(running.address, "/healthz").await.0, 200);
    }

    #[tokio::test]
    async fn readiness_comes_with_a_reason_until_it_is_set() {
        let running = start().await;
        let (code, answer) = ask(running.address, "/readyz").await;
        assert_eq!(code, 503);
        assert!(answer.ends_with("not ready: starting\n"), "{answer}");
        running.probes.readiness.set_ready();
        assert_eq!(ask(running.address, "/readyz").await.0, 200);
    }

    #[tokio::test]
    async fn metrics_are_served_as_text() {
        let running = start().await;
        running.probes.metrics.transition("PostgreSQLServer", "Pending", "Provisioning", "Absent");
        let (code, answer) = ask(running.address, "/metrics").await;
        assert_eq!(code, 200);
        assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
        assert!(answer.contains("hcpg_transitions_total{"), "{answer}");
        assert_eq!(ask(running.address, "/elsewhere").await.0, 404);
    }

    #[tokio::test]
    async fn it_stops_when_asked_even_with_a_client_that_dawdles() {
        let running = start().await;
        let mut dawdler = TcpStream::connect(running.address).await.unwrap();
        dawdler.write_all(b"GET /healthz HT").await.unwrap();
        assert_eq!(ask(running.address, "/healthz").await.0, 200);
        running.stop.send(()).unwrap();
        tokio::time::timeout(GRACE + Duration::from_secs(5), running.server).await.unwrap().unwrap().unwrap();
        assert!(TcpStream::connect(running.address).await.is_err());
    }

    #[tokio::test]
    async fn an_address_in_use_is_a_clear_error() {
        let running = start().await;
        let error = HttpServer::bind(running.address, running.probes.clone()).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&running.address.to_string()) && text.contains("--http-address"), "{text}");
    }
}
