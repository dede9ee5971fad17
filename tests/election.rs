//! The election against an API server that refuses, hangs and forgets, and one whose Lease others meddle with.
//!
//! A program of its own: the fence is the whole process's, and other tests would stand still at it.

#![allow(clippy::unwrap_used)]

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hcpg::fence;
use hcpg::ops::{Election, Heartbeat, LeaseTimes, Lost, Metrics, Readiness};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

/// Seconds. The one that leads acts for two thirds of them, and renews every fifth.
const LEASE: u64 = 3;
const ACTING: Duration = Duration::from_secs(2);
const RENEWING: Duration = Duration::from_millis(600);
/// What a machine under load may add.
const SLACK: Duration = Duration::from_millis(800);

/// How the API server answers to writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Serves,
    /// 403, as when the right was taken away.
    Refuses,
    /// No answer to anything.
    Hangs,
    /// Does what it is told, once, and says that it failed.
    LosesAnswer,
}

/// An API server that knows nothing but one Lease.
#[derive(Clone)]
struct ApiServer(Arc<Mutex<Inner>>);

struct Inner {
    lease: Option<Value>,
    version: u64,
    mood: Mood,
    attempts: u32,
}

impl Inner {
    fn store(&mut self, mut lease: Value) -> Value {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease.clone());
        lease
    }
}

fn answer(code: StatusCode, reason: &str) -> Response {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "reason": reason, "message": format!("leases: {reason}"), "code": code.as_u16(),
    });
    (code, Json(status)).into_response()
}

impl ApiServer {
    /// With this Lease, and where it listens.
    async fn start(lease: Option<Value>) -> (Self, kube::Config) {
        let server =
            Self(Arc::new(Mutex::new(Inner { lease: None, version: 0, mood: Mood::Serves, attempts: 0 })));
        if let Some(lease) = lease {
            server.0.lock().unwrap().store(lease);
        }
        let all = "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases";
        let one = format!("{all}/{{name}}");
        let router = Router::new()
            .route(all, post(create))
            .route(&one, get(read).put(replace))
            .with_state(server.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (server, kube::Config::new(url.parse().unwrap()))
    }

    fn set(&self, mood: Mood) {
        self.0.lock().unwrap().mood = mood;
    }

    fn attempts(&self) -> u32 {
        self.0.lock().unwrap().attempts
    }

    fn delete(&self) {
        self.0.lock().unwrap().lease = None;
    }

    fn change(&self, change: impl FnOnce(&mut Value)) {
        let mut inner = self.0.lock().unwrap();
        let mut lease = inner.lease.clone().unwrap();
        change(&mut lease);
        inner.store(lease);
    }

    fn spec(&self) -> Value {
        self.0.lock().unwrap().lease.clone().unwrap()["spec"].clone()
    }

    /// The mood for one request; does not return where there is no answer.
    async fn mood(&self) -> Mood {
        let mood = self.0.lock().unwrap().mood;
        if mood == Mood::Hangs {
            std::future::pending::<()>().await;
        }
        mood
    }

    async fn write(&self, lease: Value) -> Response {
        self.0.lock().unwrap().attempts += 1;
        let mood = self.mood().await;
        if mood == Mood::Refuses {
            return answer(StatusCode::FORBIDDEN, "Forbidden");
        }
        let mut inner = self.0.lock().unwrap();
        let found = inner.lease.as_ref().map(|lease| lease["metadata"]["resourceVersion"].clone());
        let version = lease["metadata"].get("resourceVersion").cloned();
        match (&found, &version) {
            (None, Some(_)) => return answer(StatusCode::NOT_FOUND, "NotFound"),
            (Some(_), None) => return answer(StatusCode::CONFLICT, "AlreadyExists"),
            (found, version) if found != version => return answer(StatusCode::CONFLICT, "Conflict"),
            _ => {}
        }
        let stored = inner.store(lease);
        if mood == Mood::LosesAnswer {
            inner.mood = Mood::Serves;
            return answer(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
        }
        Json(stored).into_response()
    }
}

async fn create(State(server): State<ApiServer>, Json(lease): Json<Value>) -> Response {
    server.write(lease).await
}

async fn replace(
    State(server): State<ApiServer>,
    Path((_, _)): Path<(String, String)>,
    Json(lease): Json<Value>,
) -> Response {
    server.write(lease).await
}

async fn read(State(server): State<ApiServer>, Path((_, _)): Path<(String, String)>) -> Response {
    server.mood().await;
    let lease = server.0.lock().unwrap().lease.clone();
    lease.map_or_else(|| answer(StatusCode::NOT_FOUND, "NotFound"), |lease| Json(lease).into_response())
}

fn election_of(config: kube::Config, seconds: u64) -> Election {
    let pulse = Heartbeat::default().watch("election", Duration::from_secs(60));
    let metrics = Metrics::new().unwrap();
    Election::new(config, "system", "us".to_owned(), LeaseTimes::new(seconds), metrics, pulse).unwrap()
}

/// One that leads.
async fn leading(seconds: u64) -> (ApiServer, Election) {
    let (server, config) = ApiServer::start(None).await;
    let mut election = election_of(config, seconds);
    assert!(!fence::is_open(), "nothing is done before it is won");
    timeout(SLACK, election.win(&Readiness::default())).await.unwrap();
    assert!(fence::is_open());
    (server, election)
}

/// How it is lost, and after how long.
async fn lost(election: &mut Election) -> (Lost, Duration) {
    let since = Instant::now();
    let lost = timeout(Duration::from_secs(10), election.keep()).await.unwrap();
    assert!(!fence::is_open(), "{lost}: nothing may be done any more");
    (lost, since.elapsed())
}

/// Whether it still leads after so many seconds.
async fn keeps_it(election: &mut Election, seconds: u64) -> bool {
    timeout(Duration::from_secs(seconds), election.keep()).await.is_err() && fence::is_open()
}

fn held_by(holder: &str) -> Value {
    json!({
        "metadata": {"name": "hybrid-cloud-postgresql-operator", "namespace": "system"},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": LEASE},
    })
}

/// How long it takes until somebody who stands by leads, when this happens to the Lease after a second.
async fn won(lease: Option<Value>, happens: impl AsyncFnOnce(&ApiServer)) -> Duration {
    let (server, config) = ApiServer::start(lease).await;
    let mut election = election_of(config, LEASE);
    let since = Instant::now();
    let meddle = async {
        sleep(Duration::from_secs(1)).await;
        happens(&server).await;
    };
    let readiness = Readiness::default();
    let win = async {
        timeout(Duration::from_secs(20), election.win(&readiness)).await.unwrap();
        since.elapsed()
    };
    tokio::join!(win, meddle).0
}

#[tokio::test]
async fn who_leads_stops_in_time_and_who_stands_by_begins_in_time() {
    renewals_go_on().await;
    renewals_that_are_refused_end_it_in_time().await;
    silence_ends_it_in_time().await;
    what_passes_is_survived().await;
    what_others_do_to_the_lease_is_noticed_at_the_next_renewal().await;
    begins_when_the_one_before_has_stopped().await;
    gives_it_back().await;
}

async fn renewals_go_on() {
    let (server, mut election) = leading(LEASE).await;
    assert!(keeps_it(&mut election, LEASE).await, "longer than one renewal lasts");
    assert!(server.attempts() >= 4, "{}", server.attempts());
}

async fn renewals_that_are_refused_end_it_in_time() {
    let (server, mut election) = leading(LEASE).await;
    server.set(Mood::Refuses);
    let (lost, after) = lost(&mut election).await;
    assert_eq!(lost, Lost::Expired);
    assert!(after <= ACTING + SLACK / 4, "{after:?}: others may begin soon");
    assert!(after >= ACTING - SLACK, "{after:?}: it had time for another attempt");
    assert!(server.attempts() >= 3, "it was tried again: {}", server.attempts());
}

async fn silence_ends_it_in_time() {
    let (server, mut election) = leading(LEASE).await;
    server.set(Mood::Hangs);
    let (lost, after) = lost(&mut election).await;
    assert_eq!(lost, Lost::Expired);
    assert!(after <= ACTING + SLACK / 4, "{after:?}: an answer that does not come is not waited for");
}

async fn what_passes_is_survived() {
    // One refusal.
    let (server, mut election) = leading(LEASE).await;
    server.set(Mood::Refuses);
    let heal = async {
        sleep(RENEWING + RENEWING / 2).await;
        server.set(Mood::Serves);
    };
    let (kept, ()) = tokio::join!(keeps_it(&mut election, LEASE), heal);
    assert!(kept, "a renewal that failed");
    // A renewal that was written and said to have failed, and a label: both make another version.
    for meddle in
        [(|server: &ApiServer| server.set(Mood::LosesAnswer)) as fn(&ApiServer), |server: &ApiServer| {
            server.change(|lease| lease["metadata"]["labels"] = json!({"somebody": "elses"}))
        }]
    {
        // With more time between two attempts.
        let (server, mut election) = leading(2 * LEASE).await;
        meddle(&server);
        assert!(keeps_it(&mut election, 2 * LEASE).await, "it is ours still");
        assert_eq!(server.spec()["holderIdentity"], "us");
    }
}

async fn what_others_do_to_the_lease_is_noticed_at_the_next_renewal() {
    type Meddling = fn(&ApiServer);
    let cases: [(Meddling, Lost); 3] = [
        (ApiServer::delete, Lost::Gone),
        (|server: &ApiServer| server.change(|lease| lease["spec"]["holderIdentity"] = json!("")), Lost::Gone),
        (
            |server: &ApiServer| server.change(|lease| lease["spec"]["holderIdentity"] = json!("them")),
            Lost::Taken("them".to_owned()),
        ),
    ];
    for (meddle, expected) in cases {
        let (server, mut election) = leading(LEASE).await;
        meddle(&server);
        let (lost, after) = lost(&mut election).await;
        assert_eq!(lost, expected);
        assert!(after <= RENEWING + SLACK, "{after:?}");
    }
}

async fn begins_when_the_one_before_has_stopped() {
    let lease = Duration::from_secs(LEASE);
    let second = Duration::from_secs(1);
    let them = || Some(held_by("them"));
    let emptied =
        async |server: &ApiServer| server.change(|lease| lease["spec"]["holderIdentity"] = json!(""));
    let given_back = async |server: &ApiServer| {
        server.change(|lease| lease["spec"] = json!({"renewTime": "2026-01-01T00:00:00.000000Z"}));
    };
    let ours = Some(held_by("us"));
    let (none, same, silent, deleted, emptied, free) = tokio::join!(
        won(None, async |_: &ApiServer| {}),
        won(ours, async |_: &ApiServer| {}),
        won(them(), async |_: &ApiServer| {}),
        won(them(), async |server: &ApiServer| server.delete()),
        won(them(), emptied),
        won(them(), given_back),
    );
    assert!(none < SLACK, "{none:?}: nobody has ever led");
    assert!(same < SLACK, "{same:?}: it does not wait for itself");
    assert!(silent >= lease && silent < lease + second + SLACK, "{silent:?}: unheard of for one lease");
    assert!(deleted >= lease && deleted < lease + second + SLACK, "{deleted:?}: its holder may not know");
    assert!(emptied >= lease + second, "{emptied:?}: the same, from when it was last written");
    assert!(emptied < lease + 2 * second + SLACK, "{emptied:?}");
    assert!(free >= second && free < 2 * second + SLACK, "{free:?}: the holder has stopped");
}

async fn gives_it_back() {
    let (server, election) = leading(LEASE).await;
    election.release(SLACK).await;
    assert!(!fence::is_open());
    let spec = server.spec();
    assert!(spec.get("holderIdentity").is_none(), "{spec}");
    // Whoever finds it takes it at once.
    let found = json!({"metadata": held_by("")["metadata"], "spec": spec});
    let took = won(Some(found), async |_: &ApiServer| {}).await;
    assert!(took < SLACK, "{took:?}");

    // Whoever shall end does not wait for an answer that does not come.
    let (server, election) = leading(300).await;
    server.set(Mood::Hangs);
    let since = Instant::now();
    election.release(SLACK / 2).await;
    assert!(since.elapsed() < SLACK, "{:?}", since.elapsed());
}
