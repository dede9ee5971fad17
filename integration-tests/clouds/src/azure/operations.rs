//! What takes time: accepted with 202, then polled [S][D].

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::server::{Server, Service};
use super::target::Target;
use super::wire::{Ask, Refusal, Reply};
use super::{Inner, World};

/// Seconds between polls that the service asks for; the real one says 10 to 30 [K].
const RETRY_AFTER: u32 = 1;

/// A long-running operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// The server's name, in lower case.
    pub(super) server: String,
    started: String,
    ended: Option<String>,
    /// None: it runs.
    outcome: Option<Result<Done, Refusal>>,
}

/// What its `Location` shows in the end.
#[derive(Clone, Debug)]
enum Done {
    Nothing,
    Resource(Value),
}

/// What changes with a server when the work is done.
pub(super) type Change = Box<dyn FnOnce(&mut Server) + Send>;

/// A change of the record only.
pub(super) fn change(how: impl FnOnce(&mut Server) + Send + 'static) -> Change {
    Box::new(how)
}

/// Which server an operation is about, and what becomes of it.
pub(super) struct Job {
    pub(super) server: (Service, String),
    pub(super) uid: String,
    pub(super) id: String,
    /// `Ready` again, `Stopped`; none: the server is gone.
    pub(super) then: Option<&'static str>,
    /// The server goes if it fails.
    pub(super) creates: bool,
    pub(super) lasts: Duration,
    /// The state to return to if it fails, its own and the standby's.
    pub(super) before: (String, String),
}

/// A server that takes writes: 409 while anything runs.
pub(super) fn writable<'a>(
    world: &'a mut World,
    service: Service,
    name: &str,
    states: &[&str],
) -> Result<&'a mut Server, Refusal> {
    let server = world.servers.get_mut(&(service, name.to_lowercase()));
    let server = server.ok_or_else(|| not_found(service, name))?;
    if server.busy.is_some() {
        let message = format!(
            "Cannot complete operation while server '{}' is busy processing another operation.",
            server.name
        );
        return Err(Refusal::new(409, "ServerIsBusy", message));
    }
    if !states.contains(&server.state.as_str()) {
        let message = format!(
            "The server '{}' is in the state '{}', which does not take this.",
            server.name, server.state
        );
        return Err(Refusal::new(409, "InvalidServerState", message));
    }
    Ok(server)
}

/// A server as it is, for reading.
pub(super) fn server<'a>(world: &'a World, service: Service, name: &str) -> Result<&'a Server, Refusal> {
    world.servers.get(&(service, name.to_lowercase())).ok_or_else(|| not_found(service, name))
}

/// ARM's own answer.
pub(super) fn not_found(service: Service, name: &str) -> Refusal {
    let message = format!("The Resource '{}/{name}' under resource group was not found.", service.kind());
    Refusal::new(404, "ResourceNotFound", message)
}

impl Inner {
    /// Begins something with a server: it is busy from now on, and shows this state.
    pub(super) fn begin(&self, server: &mut Server, state: Option<&str>, then: Option<&'static str>) -> Job {
        let id = self.id();
        server.busy = Some(id.clone());
        let before = (server.state.clone(), server.high_availability.state.clone());
        if let Some(state) = state {
            state.clone_into(&mut server.state);
        }
        let key = (server.service, server.name.to_lowercase());
        Job { server: key, uid: server.uid.clone(), id, then, creates: false, lasts: self.pace, before }
    }

    /// Does the work in the background, and answers that it was accepted.
    pub(super) fn accept(
        self: &Arc<Self>,
        world: &mut World,
        ask: &Ask,
        target: &Target,
        job: Job,
        work: impl Future<Output = Result<Change, Refusal>> + Send + 'static,
    ) -> Reply {
        let location = world.servers.get(&job.server).map(|server| server.location.clone());
        let operation = Operation {
            server: job.server.1.clone(),
            started: self.clock.now().to_string(),
            ended: None,
            outcome: None,
        };
        world.operations.insert(job.id.clone(), operation);
        let reply = self.polled(Reply::empty(202), ask, target, &location.unwrap_or_default(), &job.id);
        let fails = !job.creates && world.failing_operations > 0;
        if fails {
            world.failing_operations -= 1;
        }
        let inner = self.clone();
        tokio::spawn(async move {
            inner.lasts(job.lasts).await;
            let outcome = if fails { Err(failure()) } else { work.await };
            inner.finish(job, outcome);
        });
        reply
    }

    /// The same for what is no server: the effect is all that there is to do.
    pub(super) fn accept_other(
        self: &Arc<Self>,
        world: &mut World,
        ask: &Ask,
        target: &Target,
        reply: Reply,
        location: &str,
        effect: impl FnOnce(&mut World) + Send + 'static,
    ) -> Reply {
        let id = self.id();
        let started = self.clock.now().to_string();
        let operation = Operation { server: target.id(), started, ended: None, outcome: None };
        world.operations.insert(id.clone(), operation);
        let reply = self.polled(reply, ask, target, location, &id);
        let inner = self.clone();
        tokio::spawn(async move {
            inner.lasts(inner.pace).await;
            let mut world = inner.world();
            effect(&mut world);
            inner.end(&mut world, &id, Ok(Done::Nothing));
        });
        reply
    }

    /// Says where to poll.
    fn polled(&self, reply: Reply, ask: &Ask, target: &Target, location: &str, id: &str) -> Reply {
        let location = location.replace(' ', "").to_lowercase();
        let base = format!(
            "{}/subscriptions/{}/providers/{}/locations/{location}",
            self.endpoint(),
            target.subscription,
            target.namespace
        );
        let url = |kind: &str| format!("{base}/{kind}/{id}?api-version={}", ask.version());
        reply
            .header("azure-asyncoperation", url("azureAsyncOperation"))
            .header("location", url("operationResults"))
            .header("retry-after", RETRY_AFTER)
    }

    fn end(&self, world: &mut World, id: &str, outcome: Result<Done, Refusal>) {
        if let Some(operation) = world.operations.get_mut(id) {
            operation.ended = Some(self.clock.now().to_string());
            operation.outcome = Some(outcome);
        }
    }

    fn finish(&self, job: Job, outcome: Result<Change, Refusal>) {
        let mut world = self.world();
        let there = world.servers.get_mut(&job.server).filter(|server| server.uid == job.uid);
        let done = match (outcome, there) {
            (Ok(change), Some(server)) => {
                change(server);
                server.busy = None;
                if let Some(then) = job.then {
                    then.clone_into(&mut server.state);
                }
                Ok(server.shown.take().map_or(Done::Nothing, Done::Resource))
            }
            (Ok(_), None) => Err(Refusal::new(404, "ResourceNotFound", "The server is gone.")),
            (Err(refusal), Some(server)) => {
                server.busy = None;
                (server.state, server.high_availability.state) = job.before;
                Err(refusal)
            }
            (Err(refusal), None) => Err(refusal),
        };
        let gone = if done.is_ok() { job.then.is_none() } else { job.creates };
        if gone && world.servers.get(&job.server).is_some_and(|server| server.uid == job.uid) {
            world.remove(&job.server);
        }
        self.end(&mut world, &job.id, done);
    }
}

/// What a failed operation says.
pub(super) fn failure() -> Refusal {
    Refusal::new(200, "InternalServerError", "An unexpected error occured while processing the request.")
}

/// `Azure-AsyncOperation`: always 200 while the operation is known [D].
pub(super) fn status(world: &World, id: &str) -> Result<Reply, Refusal> {
    let operation = find(world, id)?;
    let mut body = json!({"name": id, "startTime": operation.started});
    let status = match &operation.outcome {
        None => "InProgress",
        Some(Ok(_)) => "Succeeded",
        Some(Err(refusal)) => {
            body["error"] = json!({"code": refusal.1, "message": refusal.2});
            "Failed"
        }
    };
    body["status"] = json!(status);
    match &operation.ended {
        Some(ended) => body["endTime"] = json!(ended),
        None => return Ok(Reply::ok(body).header("retry-after", RETRY_AFTER)),
    }
    Ok(Reply::ok(body))
}

/// `Location`: 202 while it runs, then the resource or nothing [D].
pub(super) fn result(world: &World, ask: &Ask, id: &str, endpoint: &str) -> Result<Reply, Refusal> {
    match find(world, id)?.outcome.clone() {
        None => Ok(Reply::empty(202)
            .header("location", format!("{endpoint}{}", ask.url))
            .header("retry-after", RETRY_AFTER)),
        Some(Ok(Done::Resource(resource))) => Ok(Reply::ok(resource)),
        Some(Ok(Done::Nothing)) => Ok(Reply::empty(204)),
        Some(Err(refusal)) => Err(Refusal(400, refusal.1, refusal.2)),
    }
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a Operation, Refusal> {
    world
        .operations
        .get(id)
        .ok_or_else(|| Refusal::new(404, "ResourceNotFound", format!("The operation '{id}' was not found.")))
}
