//! The driver alone: a subject that sees what the test says, and an API server of one object.

#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::{LazyLock, Mutex};

use async_trait::async_trait;
use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use kube::runtime::events::Reporter;
use serde_json::{Value, json};

use super::*;
use crate::api::{Condition, PostgreSQLServer, PostgreSQLServerSpec, ServerStatus};
use crate::backend::Backends;
use crate::config::Config;
use crate::controller::events::Recorder;
use crate::controller::settled::{Login, Memory};
use crate::controller::subject::Note;
use crate::fsm::CredentialsAction;
use crate::fsm::server::{ServerAction, ServerMachine, ServerTrigger};
use crate::ops::Metrics;

/// What a test has made of its object, by uid.
static WORLDS: LazyLock<Mutex<std::collections::HashMap<String, Arc<Mutex<Server>>>>> =
    LazyLock::new(Mutex::default);

/// The object as it stands in the API server, and what was asked.
struct Server {
    object: Value,
    /// What the subject will see, one look after the other.
    sees: VecDeque<ServerTrigger>,
    /// Requests that are not about events, and actions.
    log: Vec<String>,
    /// Somebody else writes the object right after this line.
    meddles_after: Option<&'static str>,
    /// What is settled is remembered.
    remembers: bool,
    /// Each look: whether it began with what is remembered.
    looks: Vec<bool>,
}

impl Server {
    fn say(&mut self, line: &str) {
        self.log.push(line.to_owned());
        if self.meddles_after.take_if(|after| *after == line).is_some() {
            self.next_version();
        }
    }

    fn version(&self) -> Value {
        self.object["metadata"]["resourceVersion"].clone()
    }

    fn next_version(&mut self) {
        let version: u64 = self.version().as_str().unwrap().parse().unwrap();
        self.object["metadata"]["resourceVersion"] = json!((version + 1).to_string());
    }

    fn answer(&mut self, method: &Method, path: &str, body: &Value) -> (u16, Value) {
        let refused = |code: u16| (code, json!({"kind": "Status", "code": code, "status": "Failure"}));
        if path.contains("/events") {
            return (201, body.clone());
        }
        match *method {
            Method::GET => {
                self.say("read");
                (200, self.object.clone())
            }
            Method::PATCH if path.ends_with("/status") => {
                if body["metadata"]["resourceVersion"] != self.version() {
                    self.say("status refused");
                    return refused(409);
                }
                self.object["status"] = body["status"].clone();
                self.next_version();
                let answer = self.object.clone();
                let phase = body["status"]["phase"].as_str().unwrap().to_owned();
                self.say(&format!("status {phase}"));
                (200, answer)
            }
            Method::PATCH => {
                let patch: json_patch::Patch = serde_json::from_value(body.clone()).unwrap();
                if json_patch::patch(&mut self.object, &patch).is_err() {
                    self.say("finalizer refused");
                    return refused(422);
                }
                self.next_version();
                let answer = self.object.clone();
                self.say("finalizer");
                (200, answer)
            }
            _ => panic!("{method} {path}"),
        }
    }
}

/// One object, and the operator's memory of it.
struct World {
    api: Arc<Mutex<Server>>,
    context: Arc<Context>,
}

impl World {
    /// The object is in `phase` and ours, unless it has none.
    fn new(uid: &str, phase: Option<Phase>, sees: &[ServerTrigger]) -> Self {
        let mut object = PostgreSQLServer::new("a", PostgreSQLServerSpec::default());
        object.metadata.namespace = Some("team".to_owned());
        object.metadata.uid = Some(uid.to_owned());
        object.metadata.resource_version = Some("1".to_owned());
        object.metadata.generation = Some(1);
        object.metadata.finalizers = phase.map(|_| vec![crate::api::names::FINALIZER.to_owned()]);
        object.status = phase.map(|phase| ServerStatus { phase: Some(phase), ..ServerStatus::default() });
        let api = Arc::new(Mutex::new(Server {
            object: serde_json::to_value(object).unwrap(),
            sees: sees.iter().copied().collect(),
            log: Vec::new(),
            meddles_after: None,
            remembers: false,
            looks: Vec::new(),
        }));
        WORLDS.lock().unwrap().insert(uid.to_owned(), api.clone());
        let server = api.clone();
        let client = Client::new(
            tower::service_fn(move |request: Request<Body>| {
                let server = server.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    let body = body.collect_bytes().await?;
                    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                    let (code, answer) =
                        server.lock().unwrap().answer(&parts.method, parts.uri.path(), &body);
                    let mut response = Response::new(Body::from(serde_json::to_vec(&answer)?));
                    *response.status_mut() = StatusCode::from_u16(code)?;
                    Ok::<_, Box<dyn std::error::Error + Send + Sync>>(response)
                }
            }),
            "team",
        );
        let config: Config = serde_json::from_value(json!({"backend": "local"})).unwrap();
        let reporter = Reporter { controller: "any".to_owned(), instance: None };
        let context = Context::new(
            client.clone(),
            Arc::new(config),
            Backends::new("local", &[], Vec::new()),
            Arc::new(Metrics::new().unwrap()),
            Recorder::new(client, reporter),
            "operator",
            Vec::new(),
        );
        Self { api, context: Arc::new(context) }
    }

    /// The object as the watch has it once it has heard of everything.
    fn kept(&self) -> Arc<PostgreSQLServer> {
        Arc::new(serde_json::from_value(self.api.lock().unwrap().object.clone()).unwrap())
    }

    /// A pass that begins with this; the answer is what happened, and when the next look is due.
    async fn pass(&self, kept: Arc<PostgreSQLServer>) -> (Vec<String>, Action) {
        let Ok(action) = reconcile::<Probe>(kept, self.context.clone()).await;
        (std::mem::take(&mut self.api.lock().unwrap().log), action)
    }

    fn meddles_after(&self, line: &'static str) {
        self.api.lock().unwrap().meddles_after = Some(line);
    }

    fn sees(&self, trigger: ServerTrigger) {
        self.api.lock().unwrap().sees.push_back(trigger);
    }

    /// Whether each look since the last time began with what is remembered.
    fn looks(&self) -> Vec<bool> {
        std::mem::take(&mut self.api.lock().unwrap().looks)
    }
}

/// What a look sees, and whether it began with what is remembered.
struct Seen {
    trigger: ServerTrigger,
    remembered: bool,
}

fn world_of(object: &PostgreSQLServer) -> Arc<Mutex<Server>> {
    WORLDS.lock().unwrap()[object.metadata.uid.as_deref().unwrap()].clone()
}

/// Sees what the test says, and does nothing but to write down what it should.
struct Probe;

#[async_trait]
impl Subject for Probe {
    type Object = PostgreSQLServer;
    type Machine = ServerMachine;
    type Observation = Seen;
    type Status = ServerStatus;

    fn settled() -> ServerTrigger {
        ServerTrigger::Settled
    }
    fn status(object: &PostgreSQLServer) -> Option<&ServerStatus> {
        object.status.as_ref()
    }
    fn phase(object: &PostgreSQLServer) -> Phase {
        object.status.as_ref().and_then(|status| status.phase).unwrap_or_default()
    }
    fn phase_since(_: &PostgreSQLServer) -> Option<Timestamp> {
        None
    }
    fn conditions(_: &PostgreSQLServer) -> &[Condition] {
        &[]
    }
    async fn observe(
        context: &Context,
        object: &PostgreSQLServer,
        _: Option<Box<Secret>>,
    ) -> Result<Seen, Failure> {
        let wishes = context.settled.wishes(object, ());
        let remembered = context.settled.find(object.metadata.uid.as_deref().unwrap(), wishes).is_some();
        let world = world_of(object);
        let mut world = world.lock().unwrap();
        world.looks.push(remembered);
        let trigger = world.sees.pop_front().unwrap_or(ServerTrigger::Settled);
        Ok(Seen { trigger, remembered })
    }
    fn written(_: Seen) -> Option<Box<Secret>> {
        None
    }
    fn is_remembered(seen: &Seen) -> bool {
        seen.remembered
    }
    fn memory(context: &Context, object: &PostgreSQLServer, _: &Seen) -> Option<Memory> {
        let wishes = context.settled.wishes(object, ());
        let memory = Memory { wishes, login: Login::Unknown, database: None };
        world_of(object).lock().unwrap().remembers.then_some(memory)
    }
    fn is_paused(_: &Seen) -> bool {
        false
    }
    fn classify(_: &PostgreSQLServer, seen: &Seen) -> ServerTrigger {
        seen.trigger
    }
    fn describe(_: &Context, pass: &Pass<'_, Self>) -> ServerStatus {
        ServerStatus { phase: Some(pass.phase), ..ServerStatus::default() }
    }
    fn describe_unobserved(
        _: &Context,
        object: &PostgreSQLServer,
        _: &Failure,
        _: Timestamp,
    ) -> ServerStatus {
        object.status.clone().unwrap_or_default()
    }
    async fn act(
        _: &Context,
        object: &PostgreSQLServer,
        _: &mut Seen,
        _: ServerTrigger,
        action: ServerAction,
    ) -> Result<Vec<Note>, Failure> {
        world_of(object).lock().unwrap().say(ServerMachine::action_name(action));
        Ok(Vec::new())
    }
    fn is_change(_: ServerAction) -> bool {
        false
    }
    fn is_of_credentials(action: ServerAction) -> bool {
        matches!(action, ServerAction::Credentials(action) if action != CredentialsAction::ReleaseFinalizer)
    }
    fn changes_object(action: ServerAction) -> bool {
        matches!(action, ServerAction::Credentials(action) if action.changes_object())
    }
    fn pace(_: &Context, _: &PostgreSQLServer, _: &Seen, _: ServerTrigger) -> Duration {
        REGULAR
    }
}

const REGULAR: Duration = Duration::from_secs(600);
const PUBLISH: [&str; 4] = ["PublishCredentials", "ClearRequest", "DropPending", "RemoveFormerSecret"];

fn lines(parts: &[&[&str]]) -> Vec<String> {
    parts.concat().iter().map(|line| (*line).to_owned()).collect()
}

#[tokio::test]
async fn what_is_only_known_to_us_is_followed_at_once_and_nothing_is_read_again() {
    let world = World::new("chain", Some(Phase::Provisioning), &[ServerTrigger::Unpublished]);
    let (log, action) = world.pass(world.kept()).await;
    assert_eq!(log, lines(&[&["status Configuring"], &PUBLISH, &["status Ready"]]));
    assert_eq!(action, Action::requeue(REGULAR));
}

#[tokio::test]
async fn somebody_who_writes_between_two_transitions_of_a_pass_ends_it_before_any_effect() {
    let sees = [ServerTrigger::Unpublished, ServerTrigger::ResetRequested];
    let world = World::new("meddled", Some(Phase::Provisioning), &sees);
    world.meddles_after("RemoveFormerSecret");
    let (log, action) = world.pass(world.kept()).await;
    assert_eq!(log, lines(&[&["status Configuring"], &PUBLISH, &["status refused"]]));
    assert_ne!(action, Action::requeue(REGULAR));

    // The store may not know yet who it was.
    world.sees(ServerTrigger::ResetRequested);
    let (log, _) = world.pass(world.kept()).await;
    assert_eq!(log[..3], ["read", "status ResettingPassword", "StorePassword"]);
}

#[tokio::test]
async fn an_object_that_is_still_as_it_was_left_is_not_read() {
    let world = World::new("left", Some(Phase::Ready), &[]);
    let kept = world.kept();
    for _ in 0..3 {
        let (log, action) = world.pass(kept.clone()).await;
        assert_eq!((log.len(), action), (0, Action::requeue(REGULAR)), "{log:?}");
    }
    // Somebody writes, and the watch has told.
    world.api.lock().unwrap().next_version();
    assert_eq!(world.pass(world.kept()).await.0, ["read"]);
    // Or it has not told of what we have seen.
    assert_eq!(world.pass(kept).await.0, ["read"]);
}

#[tokio::test]
async fn a_plan_that_follows_from_a_kept_object_is_recorded_against_its_version() {
    let world = World::new("overtaken", Some(Phase::Ready), &[ServerTrigger::ResetRequested]);
    let kept = world.kept();
    world.api.lock().unwrap().next_version();
    let (log, _) = world.pass(kept.clone()).await;
    assert_eq!(log, ["status refused"], "nothing is done on the word of a store that lags behind");
    assert_eq!(world.pass(kept).await.0, ["read"], "nor is it believed again");
}

#[tokio::test]
async fn where_nothing_has_to_be_recorded_a_kept_object_leads_to_no_effect_but_to_a_look() {
    let sees = [ServerTrigger::Differs, ServerTrigger::Differs];
    let world = World::new("unrecorded", Some(Phase::Provisioning), &sees);
    let (log, action) = world.pass(world.kept()).await;
    assert!(log.is_empty(), "{log:?}");
    assert_ne!(action, Action::requeue(REGULAR));
    assert_eq!(world.pass(world.kept()).await.0, ["read", "UpdateServer"]);
}

#[tokio::test]
async fn a_first_pass_holds_the_object_in_the_version_in_which_it_was_seen() {
    let world = World::new("first", None, &[ServerTrigger::Absent]);
    let kept = world.kept();
    let (log, _) = world.pass(kept).await;
    assert_eq!(log, ["finalizer", "status Provisioning", "StorePassword", "CreateServer"]);

    let world = World::new("first-overtaken", None, &[ServerTrigger::Absent]);
    let kept = world.kept();
    world.api.lock().unwrap().next_version();
    assert_eq!(world.pass(kept).await.0, ["finalizer refused"]);
}

/// A settled object of which that is remembered.
async fn settled(uid: &str) -> World {
    let world = World::new(uid, Some(Phase::Ready), &[]);
    world.api.lock().unwrap().remembers = true;
    assert!(world.pass(world.kept()).await.0.is_empty());
    assert_eq!(world.looks(), [false]);
    assert!(world.pass(world.kept()).await.0.is_empty());
    assert_eq!(world.looks(), [true], "from what is remembered follows that there is nothing to do");
    world
}

#[tokio::test]
async fn what_a_remembered_look_lacks_is_looked_for_without_memory_before_anything_follows_from_it() {
    let all =
        [ServerTrigger::Absent, ServerTrigger::Lost, ServerTrigger::ResetRequested, ServerTrigger::Gone];
    for trigger in all {
        let world = settled(&format!("lacks-{}", name_of::<Probe>(trigger))).await;
        // A listing that lacks the server; a look of its own finds it.
        world.sees(trigger);
        let (log, action) = world.pass(world.kept()).await;
        assert!(log.is_empty(), "{trigger:?}: {log:?}");
        assert_eq!(action, Action::requeue(REGULAR));
        assert_eq!(world.looks(), [true, false], "{trigger:?}");
        // And that is remembered again.
        world.pass(world.kept()).await;
        assert_eq!(world.looks(), [true]);
    }
}

#[tokio::test]
async fn what_a_look_without_memory_sees_is_what_is_done() {
    let world = settled("second-look").await;
    world.sees(ServerTrigger::Absent);
    world.sees(ServerTrigger::ResetRequested);
    let (log, _) = world.pass(world.kept()).await;
    assert_eq!(log, ["status ResettingPassword", "StorePassword", "status Ready"]);
    assert_eq!(world.looks()[..2], [true, false]);
}

#[tokio::test]
async fn whoever_was_lost_in_both_looks_is_not_remembered() {
    let world = settled("lost").await;
    for _ in 0..2 {
        world.sees(ServerTrigger::Lost);
    }
    world.pass(world.kept()).await;
    assert_eq!(world.looks(), [true, false]);
    world.sees(ServerTrigger::Lost);
    world.pass(world.kept()).await;
    assert_eq!(world.looks(), [false]);
}
