//! The door: TLS, faults, the log.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper_util::rt::TokioIo;
use rcgen::SanType;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::target::Target;
use super::wire::{Ask, Refusal, Reply};
use super::{AUTHORITY, Inner, entra, route};
use crate::faults::Kind;
use crate::postgres::{Error, Pool};

type Body = BoxBody<Bytes, io::Error>;

/// One call, as it arrived and was answered. Passwords are left out, and what Entra is told and tells.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Call {
    /// Method and types, for example `PUT flexibleServers/firewallRules`, `LIST flexibleServers`, `GET operations`.
    pub action: String,
    /// The server's name, in lower case.
    pub id: String,
    /// GET, PUT, …
    pub method: String,
    /// Path and query.
    pub url: String,
    /// The permission that it needs, as role definitions name it; none: no resource was named.
    pub permission: Option<String>,
    /// The request's `content-type`.
    pub content_type: Option<String>,
    /// The request's body.
    pub body: Option<Value>,
    /// When it was answered, by the simulator's clock.
    pub at: String,
    /// The HTTP status of the answer; 0: there was none.
    pub status: u16,
    /// The answer's headers.
    pub answer_headers: Vec<(String, String)>,
    /// The answer's body.
    pub answer: Option<Value>,
    /// A fault was the answer, or spoilt it.
    pub faulty: bool,
}

impl Call {
    /// Whether it asks for a change.
    #[must_use]
    pub fn is_write(&self) -> bool {
        self.method != "GET" && self.permission.is_some()
    }
}

pub(super) struct Door {
    pub(super) endpoint: String,
    socket: TcpListener,
    acceptor: TlsAcceptor,
}

impl Door {
    pub(super) async fn open(pool: &Pool) -> Result<Self, Error> {
        let socket = TcpListener::bind("127.0.0.1:0").await.map_err(Error::io("bind", "127.0.0.1"))?;
        let port = socket.local_addr().map_err(Error::io("bind", "127.0.0.1"))?.port();
        let local = "localhost".try_into().map_err(Error::Certificate)?;
        let names = vec![SanType::DnsName(local), SanType::IpAddress([127, 0, 0, 1].into())];
        let (certificate, key) = pool.authorities().issue_for(AUTHORITY, "localhost", names)?;
        Ok(Self {
            endpoint: format!("https://localhost:{port}"),
            socket,
            acceptor: acceptor(&certificate, &key)?,
        })
    }

    pub(super) async fn listen(self, inner: Arc<Inner>) {
        while let Ok((stream, _)) = self.socket.accept().await {
            let (inner, acceptor) = (inner.clone(), self.acceptor.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = hyper::service::service_fn(move |request| serve(inner.clone(), request));
                // An error is a connection that was closed, by the client or by a fault.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }
}

/// TLS with this certificate and key.
pub(super) fn acceptor(certificate: &str, key: &str) -> Result<TlsAcceptor, Error> {
    let config = || -> Result<rustls::ServerConfig, Box<dyn std::error::Error>> {
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider);
        Ok(builder
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?)
    };
    let config = config().map_err(|error| Error::Tls(error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(inner: Arc<Inner>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let ask = Ask::new(&parts, body);
    let target = Target::parse(&ask);
    let (action, id) = match &target {
        Ok(target) => (target.action(&ask.method), inner.id_of(target)),
        Err(_) if ask.segments.last().is_some_and(|last| last == "token") => {
            ("POST token".to_owned(), String::new())
        }
        Err(_) => (format!("{} other", ask.method), String::new()),
    };
    let fault = inner.faults.take(&action, &id);
    let reply = match &fault {
        Some(Kind::Reset | Kind::Hang) => None,
        Some(Kind::Error(status, code)) => {
            Some(Refusal::new(*status, code, "A fault that a test asked for.").reply())
        }
        Some(Kind::ExpiredToken) => {
            Some(Refusal::new(401, "ExpiredAuthenticationToken", "The access token has expired.").reply())
        }
        _ => Some(perform(&inner, &ask, &target).await),
    };
    if let Some(Kind::Eventual(reads)) = fault {
        inner.world().hide_changes(&id, reads);
    }
    let reply = reply.map(|reply| stamped(&inner, reply));
    let answered = reply.clone().filter(|_| fault != Some(Kind::Lost));
    let call = call(&ask, &target, action, id, answered.as_ref(), fault.is_some());
    inner.calls().push(Call { at: inner.clock.now().to_string(), ..call });
    if fault == Some(Kind::Hang) {
        // Longer than any client waits.
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let reply = answered.ok_or_else(|| io::Error::other("a fault closes the connection"))?;
    response(reply, fault.as_ref())
}

async fn perform(inner: &Arc<Inner>, ask: &Ask, target: &Result<Target, Refusal>) -> Reply {
    if let Some(reply) = entra::answer(inner, ask) {
        return reply;
    }
    let left = match inner.budget().as_mut().map(|it| it.take(&ask.method, inner.clock.now())) {
        Some(Err(seconds)) => {
            let message = format!(
                "Number of requests for the subscription exceeded the limit; try again after '{seconds}' seconds."
            );
            let refusal = Refusal::new(429, "SubscriptionRequestsThrottled", message);
            return remaining(refusal.reply_after(seconds), &ask.method, 0);
        }
        Some(Ok(left)) => left,
        // Any number that looks like plenty.
        None => 199,
    };
    let answer = match target {
        Ok(target) => route::answer(inner, ask, target).await,
        Err(refusal) => Err(refusal.clone()),
    };
    remaining(answer.unwrap_or_else(|refusal| refusal.reply()), &ask.method, left)
}

/// How many calls of this kind are left [D].
fn remaining(reply: Reply, method: &str, left: u32) -> Reply {
    let name = match method {
        "GET" => "x-ms-ratelimit-remaining-subscription-reads",
        "DELETE" => "x-ms-ratelimit-remaining-subscription-deletes",
        _ => "x-ms-ratelimit-remaining-subscription-writes",
    };
    reply.header(name, left)
}

/// The headers that every answer of Resource Manager has [D].
fn stamped(inner: &Inner, reply: Reply) -> Reply {
    let id = inner.id();
    let reply = reply.header("x-ms-request-id", &id).header("x-ms-correlation-request-id", id);
    reply.header("cache-control", "no-cache")
}

fn call(
    ask: &Ask,
    target: &Result<Target, Refusal>,
    action: String,
    id: String,
    reply: Option<&Reply>,
    faulty: bool,
) -> Call {
    let named = target.as_ref().ok();
    let headers = reply.map(|reply| reply.headers.as_slice()).unwrap_or_default();
    Call {
        action,
        id,
        method: ask.method.clone(),
        url: ask.url.clone(),
        permission: named.map(|target| target.permission(&ask.method)),
        content_type: ask.header("content-type").map(str::to_owned),
        body: named.and_then(|_| ask.shown()),
        at: String::new(),
        status: reply.map_or(0, |reply| reply.status),
        answer_headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        answer: reply.filter(|_| named.is_some()).and_then(|reply| reply.body.clone()),
        faulty,
    }
}

fn response(reply: Reply, fault: Option<&Kind>) -> io::Result<Response<Body>> {
    let text = reply.body.map(|body| body.to_string());
    let mut response = Response::builder()
        .status(StatusCode::from_u16(reply.status).map_err(io::Error::other)?)
        .header("content-type", "application/json; charset=utf-8");
    for (name, value) in reply.headers {
        response = response.header(name, HeaderValue::from_str(&value).map_err(io::Error::other)?);
    }
    let bytes = Bytes::from(text.unwrap_or_default());
    let body = match fault {
        Some(Kind::Truncated) => {
            // Also of an empty body the promised bytes are missing.
            response = response.header("content-length", bytes.len() + 1);
            let half = bytes.slice(..bytes.len() / 2);
            let broken = io::Error::other("a fault breaks the answer off");
            BodyExt::boxed(StreamBody::new(futures::stream::iter([Ok(Frame::data(half)), Err(broken)])))
        }
        Some(Kind::SlowDrip(time)) => {
            response = response.header("content-length", bytes.len());
            BodyExt::boxed(StreamBody::new(drip(bytes, *time)))
        }
        _ => BodyExt::boxed(Full::new(bytes).map_err(|never| match never {})),
    };
    response.body(body).map_err(io::Error::other)
}

/// In ten pieces, over so long a time.
fn drip(bytes: Bytes, time: Duration) -> impl Stream<Item = io::Result<Frame<Bytes>>> + Send + Sync {
    let size = (bytes.len() / 10).max(1);
    let pieces: Vec<Bytes> = bytes.chunks(size).map(Bytes::copy_from_slice).collect();
    let pause = time / u32::try_from(pieces.len()).unwrap_or(1).max(1);
    futures::stream::unfold(pieces.into_iter(), move |mut pieces| async move {
        tokio::time::sleep(pause).await;
        pieces.next().map(|piece| (Ok(Frame::data(piece)), pieces))
    })
}
