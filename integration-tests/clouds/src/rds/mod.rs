//! Amazon RDS for PostgreSQL, as far as a DB instance's life goes: see `README.md` for what is and is not simulated.

mod actions;
mod instance;
mod wire;

pub use instance::Instance;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::faults::{Faults, Kind};
use crate::postgres::{Error, Pool};
use crate::rds_flavour::{AUTHORITIES, RDS};
use wire::{Form, Refusal};

pub(super) const AUTHORITY: &str = AUTHORITIES[1];

/// One call, as it arrived. Passwords are left out.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Call {
    /// For example `CreateDBInstance`.
    pub action: String,
    /// `DBInstanceIdentifier`, if one was sent.
    pub id: String,
    /// The region it was signed for.
    pub region: String,
    /// All other fields.
    pub fields: BTreeMap<String, String>,
    /// The HTTP status of the answer; 0: there was none.
    pub status: u16,
}

/// A simulated RDS; ends when it is dropped, with its servers.
pub struct Simulator {
    inner: Arc<Inner>,
    endpoint: String,
    listener: tokio::task::JoinHandle<()>,
}

pub(super) struct Inner {
    pub(super) pool: Pool,
    pub(super) clock: Clock,
    pub(super) pace: Duration,
    faults: Faults,
    log: Mutex<Vec<Call>>,
    world: Mutex<World>,
    made: std::sync::atomic::AtomicU64,
}

#[derive(Default)]
pub(super) struct World {
    pub(super) instances: BTreeMap<String, Instance>,
    /// Final snapshots: identifier → the instance as it was.
    pub(super) snapshots: BTreeMap<String, Instance>,
    pub(super) subnet_groups: Vec<String>,
    pub(super) failing_creations: u32,
}

impl Simulator {
    /// Starts one on a port of loopback; each state of an instance lasts for a fifth of a second.
    pub async fn start() -> Result<Self, Error> {
        Self::with_pace(Duration::from_millis(200)).await
    }

    /// Each state of an instance lasts for at least so long by the simulator's clock.
    pub async fn with_pace(pace: Duration) -> Result<Self, Error> {
        let socket = TcpListener::bind("127.0.0.1:0").await.map_err(Error::io("bind", "127.0.0.1"))?;
        let address = socket.local_addr().map_err(Error::io("bind", "127.0.0.1"))?;
        let inner = Arc::new(Inner {
            pool: Pool::new(&RDS, &AUTHORITIES)?,
            clock: Clock::default(),
            pace,
            faults: Faults::default(),
            log: Mutex::default(),
            world: Mutex::new(World { subnet_groups: vec!["default".to_owned()], ..World::default() }),
            made: std::sync::atomic::AtomicU64::new(1),
        });
        let serving = inner.clone();
        let listener = tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let inner = serving.clone();
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(move |request| serve(inner.clone(), request));
                    // An error is a connection that was closed, by the client or by a fault.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(Self { inner, endpoint: format!("http://{address}"), listener })
    }

    /// The URL for `AWS_ENDPOINT_URL_RDS`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The certificate authorities of the servers.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.inner.pool.authorities().bundle()
    }

    /// The faults of calls.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// All calls so far.
    #[must_use]
    pub fn log(&self) -> Vec<Call> {
        self.inner.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The instance as the service knows it.
    #[must_use]
    pub fn instance(&self, id: &str) -> Option<Instance> {
        self.inner.world().instances.get(id).cloned()
    }

    /// All instances as the service knows them.
    #[must_use]
    pub fn instances(&self) -> Vec<Instance> {
        self.inner.world().instances.values().cloned().collect()
    }

    /// Ends the PostgreSQL behind an instance as a crash would; the service starts it again. False where none runs.
    pub fn crash(&self, id: &str) -> bool {
        let server = self.inner.world().instances.get(id).and_then(|instance| instance.server.clone());
        let Some(server) = server.filter(|server| server.runs()) else { return false };
        server.kill();
        let inner = self.inner.clone();
        tokio::spawn(async move {
            while server.runs() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            inner.state_lasts().await;
            // It is tried again by nobody: whatever waits for it says so.
            let _ = server.start().await;
        });
        true
    }

    /// How many of the creations that shall fail are still to come.
    #[must_use]
    pub fn creations_to_fail(&self) -> u32 {
        self.inner.world().failing_creations
    }

    /// Changes an instance behind everybody's back; its record only, not the server behind.
    pub fn drift(&self, id: &str, change: impl FnOnce(&mut Instance)) {
        if let Some(instance) = self.inner.world().instances.get_mut(id) {
            change(instance);
        }
    }

    /// The instance is gone, without a call.
    pub fn vanish(&self, id: &str) {
        self.inner.world().instances.remove(id);
    }

    /// The next so many creations end in `failed`.
    pub fn fail_creations(&self, times: u32) {
        self.inner.world().failing_creations = times;
    }

    /// One more subnet group; at first there is `default`.
    pub fn add_subnet_group(&self, name: &str) {
        self.inner.world().subnet_groups.push(name.to_owned());
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.listener.abort();
        self.inner.world().instances.clear();
    }
}

impl Inner {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn number(&self) -> u64 {
        self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }

    /// Until the state has lasted long enough by our clock.
    pub(super) async fn state_lasts(&self) {
        let begin = self.clock.now();
        while self.clock.now().duration_since(begin).unsigned_abs() < self.pace {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn serve(inner: Arc<Inner>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let region = region(request.headers());
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let form = Form::parse(&body);
    let action = form.get("Action").unwrap_or_default().to_owned();
    let id = form.get("DBInstanceIdentifier").unwrap_or_default().to_lowercase();
    let fault = inner.faults.take(&action, &id);
    let number = inner.number();
    let request_id = format!("00000000-0000-4000-8000-{number:012x}");
    let (status, text) = match (&fault, &region) {
        (Some(Kind::Reset | Kind::Hang), _) => (0, String::new()),
        (Some(Kind::Error(status, code)), _) => {
            (*status, wire::error(*status, code, "A fault that a test asked for.", &request_id))
        }
        (_, None) => (
            403,
            wire::error(
                403,
                "MissingAuthenticationToken",
                "The request is not signed with SigV4.",
                &request_id,
            ),
        ),
        _ => match actions::perform(&inner, &form) {
            Ok(result) => (200, wire::answer(&action, &result, &request_id)),
            Err(Refusal(status, code, message)) => (status, wire::error(status, code, &message, &request_id)),
        },
    };
    let lost = fault == Some(Kind::Lost);
    let mut fields = form.0;
    fields.retain(|name, _| !name.contains("Password"));
    let call = Call {
        action,
        id,
        region: region.unwrap_or_default(),
        fields,
        status: if lost { 0 } else { status },
    };
    inner.log.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    if fault == Some(Kind::Hang) {
        // Longer than any client waits.
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    if lost || status == 0 {
        return Err(io::Error::other("a fault closes the connection"));
    }
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = http::StatusCode::from_u16(status).map_err(io::Error::other)?;
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/xml"));
    Ok(response)
}

/// From `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/rds/aws4_request, …`. Signatures are not checked.
fn region(headers: &http::HeaderMap) -> Option<String> {
    let text = headers.get("authorization")?.to_str().ok()?;
    let credential = text.strip_prefix("AWS4-HMAC-SHA256 ")?.split("Credential=").nth(1)?;
    let mut parts = credential.split([',', ' ']).next()?.split('/');
    let region = parts.nth(2)?.to_owned();
    (parts.next()? == "rds").then_some(region)
}
