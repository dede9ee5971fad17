//! What happens to servers behind the operator's back while something is asked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use super::first_creation_fails;
use crate::conformance::bench::Bench;
use crate::conformance::case::{SECRET, SERVER};
use crate::conformance::faults::Operation;
use crate::conformance::flow::{DATABASE, Flow};
use crate::conformance::outcomes::{Outcome, Outcomes};
use crate::conformance::{Case, Course, Subject};
use crate::world::{database_condition, server_condition};

/// The chapter of the table.
pub const STATES: &str = "states";

/// How long a full disk lasts.
const FULL_FOR: Duration = Duration::from_secs(4);
/// What cannot be done without room.
const NEEDS_ROOM: [Flow; 4] =
    [Flow::CreateServer, Flow::UpdateServer, Flow::ConfigureServer, Flow::CreateDatabase];
/// How long it is watched that nothing is done.
const WATCHED_FOR: Duration = Duration::from_secs(2);

/// One server per misfortune, which happens to it in every flow.
///
/// `small_disk` is a subject whose disk can be filled; all its servers suffer from it, so it has a control plane of its
/// own.
pub async fn states(subject: Arc<dyn Subject>, small_disk: Option<Arc<dyn Subject>>) -> Outcomes {
    let bench = Bench::start(subject).await;
    let failing = ("failed creation".to_owned(), failed(bench.case("failed-creation").await).boxed_local());
    let cases = vec![
        ("killed".to_owned(), killed(bench.case("killed").await).boxed_local()),
        ("vanished".to_owned(), vanished(bench.case("vanished").await).boxed_local()),
        ("replaced".to_owned(), replaced(bench.case("replaced").await).boxed_local()),
    ];
    bench.run("states", first_creation_fails(&bench, failing, cases).await).await;
    let outcomes = bench.outcomes.clone();
    if let Some(subject) = small_disk {
        let bench = Bench::start(subject).await;
        let case = bench.case("disk-full").await;
        let outcomes = outcomes.clone();
        bench.run("full disk", vec![("disk full".to_owned(), disk_full(case, outcomes).boxed_local())]).await;
    }
    outcomes
}

fn note(case: &Case, row: &str, flow: Flow, outcome: Outcome) {
    case.bench.outcomes.note(STATES, row, flow, outcome);
}

async fn failed(case: Case) {
    Flow::CreateServer.begin(&case).await;
    Course::default().ends_well(&case, Flow::CreateServer).await;
    assert!(case.bench.subject.has_failed_creation(), "a creation has failed");
    note(&case, "provisioning failed", Flow::CreateServer, Outcome::Ready);
    case.deleted().await;
}

async fn killed(case: Case) {
    let mut course = Course::default();
    for flow in Flow::iter() {
        flow.begin(&case).await;
        let seen = async || {
            let there = !case.bench.subject.servers(&case.namespace).await.is_empty();
            (there && case.bench.subject.crash(&case.namespace, SERVER).await).then_some(())
        };
        // Until its next look the operator does not know that the server was killed, and `Ready` may be from before.
        let back = async || case.credentials_of(SECRET).await?.connect().await.ok().map(drop);
        match flow {
            Flow::CreateServer => {
                case.until("it was killed", seen).await;
                case.until("it runs again", back).await;
            }
            // It may have gone already.
            Flow::DeleteServer => drop(seen().await),
            _ => {
                assert!(seen().await.is_some(), "{flow:?}: it was running");
                case.until("it runs again", back).await;
            }
        }
        course.ends_well(&case, flow).await;
        note(&case, "PostgreSQL killed", flow, Outcome::of(flow));
    }
}

async fn vanished(case: Case) {
    let mut course = Course::default();
    for flow in Flow::iter() {
        let created = case.effects(Operation::Create);
        if flow == Flow::CreateServer {
            flow.begin(&case).await;
            case.server_where("was seen", has_uid).await;
        }
        let before = case.calls().len();
        case.bench.subject.vanish(&case.namespace, SERVER).await;
        if flow != Flow::CreateServer {
            flow.begin(&case).await;
        }
        if flow == Flow::DeleteServer {
            course.ends_well(&case, flow).await;
            note(&case, "server vanished", flow, Outcome::Gone);
            return;
        }
        look(&case).await;
        case.server_where("is lost", |server| stalls(server, Reason::ServerLost)).await;
        // One that is still being made may be worked on until it is known that it has vanished.
        let before = if flow == Flow::CreateServer { case.calls().len() } else { before };
        tokio::time::sleep(WATCHED_FOR).await;
        let now = case.effects(Operation::Create).saturating_sub(usize::from(flow == Flow::CreateServer));
        assert_eq!(now, created, "{flow:?}: nothing took its place: {}", case.told());
        assert!(case.bench.subject.servers(&case.namespace).await.is_empty(), "{flow:?}");
        not_written(&case, before, flow);
        case.change(recreate()).await;
        case.server_where("is there again", |server| !stalls(server, Reason::ServerLost) && has_uid(server))
            .await;
        case.ready().await;
        if case.database(DATABASE).await.is_some() {
            recreated(&case, flow).await;
        }
        course.ends_anew(&case, flow).await;
        note(&case, "server vanished", flow, Outcome::Told);
    }
}

/// The database went with its server; it is lost as well, unless it was never made.
async fn recreated(case: &Case, flow: Flow) {
    if flow == Flow::DeleteDatabase {
        return;
    }
    let lost = |database: &PostgreSQLDatabase| {
        database_condition(database, ConditionType::Stalled)
            .is_some_and(|it| it.status == ConditionStatus::True && it.reason == Reason::DatabaseLost)
    };
    if flow != Flow::CreateDatabase {
        case.until("the database is lost", async || case.database(DATABASE).await.filter(lost)).await;
        case.patch::<PostgreSQLDatabase>(DATABASE, recreate()).await;
        case.until("it is there again", async || case.database(DATABASE).await.filter(|it| !lost(it))).await;
    }
    case.database_ready(DATABASE).await;
}

async fn replaced(case: Case) {
    let mut course = Course::default();
    Flow::CreateServer.begin(&case).await;
    course.ends_well(&case, Flow::CreateServer).await;
    for flow in Flow::iter().skip(1) {
        let before = case.calls().len();
        case.bench.subject.exchange(&case.namespace, SERVER).await;
        if flow.is_of_database() {
            look(&case).await;
        } else {
            flow.begin(&case).await;
        }
        if flow == Flow::DeleteServer {
            case.gone::<PostgreSQLServer>(SERVER).await;
            not_written(&case, before, flow);
            assert_eq!(
                case.bench.subject.servers(&case.namespace).await.len(),
                1,
                "it is not ours to delete"
            );
            note(&case, "server replaced", flow, Outcome::Left);
            return;
        }
        case.server_where("was replaced", |server| stalls(server, Reason::ServerReplaced)).await;
        if flow.is_of_database() {
            flow.begin(&case).await;
        }
        tokio::time::sleep(WATCHED_FOR).await;
        not_written(&case, before, flow);
        case.bench.subject.exchange(&case.namespace, SERVER).await;
        look(&case).await;
        course.ends_well(&case, flow).await;
        note(&case, "server replaced", flow, Outcome::Told);
    }
}

/// No call has asked the backend for a change since then.
fn not_written(case: &Case, before: usize, flow: Flow) {
    let calls = case.calls();
    let written: Vec<_> = calls.iter().skip(before).filter(|call| call.operation.is_write()).collect();
    assert!(written.is_empty(), "{flow:?}: {written:?}");
}

async fn disk_full(case: Case, outcomes: Outcomes) {
    let mut course = Course::default();
    for flow in Flow::iter() {
        assert!(case.bench.subject.fill_disk().await, "there is a small disk");
        flow.begin(&case).await;
        let suffers = suffers(&case).await;
        case.bench.subject.free_disk().await;
        assert!(
            suffers.is_some() || !NEEDS_ROOM.contains(&flow),
            "{flow:?}: there was room: {}",
            case.told()
        );
        course.ends_well(&case, flow).await;
        eprintln!("          {flow:?} on a full disk: {suffers:?}");
        outcomes.note(STATES, "disk full", flow, Outcome::of(flow));
    }
}

/// As long as the disk is full: what was told about it.
async fn suffers(case: &Case) -> Option<String> {
    let since = Instant::now();
    let mut told = None;
    while since.elapsed() < FULL_FOR {
        let server = case.api::<PostgreSQLServer>().get_opt(SERVER).await.ok().flatten();
        let server = server.and_then(|server| Some(server.status?.conditions)).unwrap_or_default();
        let database = case.database(DATABASE).await;
        let database = database.and_then(|database| Some(database.status?.conditions)).unwrap_or_default();
        let mut all = server.into_iter().chain(database).map(|condition| condition.message);
        told = told.or_else(|| all.find(|message| message.contains("No space left")));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    told
}

/// Has the server looked at now.
async fn look(case: &Case) {
    let now = jiff::Timestamp::now().to_string();
    case.change(json!({"metadata": {"annotations": {"look": now}}})).await;
}

fn recreate() -> Value {
    json!({"metadata": {"annotations": {"operator/action": "recreate"}}})
}

fn has_uid(server: &PostgreSQLServer) -> bool {
    server.status.as_ref().and_then(|status| status.server.as_ref()?.uid.as_ref()).is_some()
}

pub(super) fn stalls(server: &PostgreSQLServer, reason: Reason) -> bool {
    server_condition(server, ConditionType::Stalled)
        .is_some_and(|it| it.status == ConditionStatus::True && it.reason == reason)
}
