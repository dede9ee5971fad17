//! The calls that change a server of either service.

use std::future::Future;
use std::sync::Arc;

use super::below::Below;
use super::operations::{self, Change, Job, change, failure, writable};
use super::server::{Server, Service};
use super::target::Target;
use super::wire::{Ask, Refusal, Reply};
use super::{CREATION, Inner, flexible, settings, single};
use crate::postgres::{self, Error};

pub(super) fn write(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    service: Service,
    name: &str,
) -> Result<Reply, Refusal> {
    let key = (service, name.to_lowercase());
    let group = target.group.clone().unwrap_or_default();
    let at = inner.world().servers.get(&key).map(|it| it.group.clone());
    let here = at.as_ref().is_some_and(|at| at.eq_ignore_ascii_case(&group));
    match (ask.method.as_str(), service) {
        ("PUT" | "PATCH", Service::Flexible) if here => flexible::update(inner, ask, target, name),
        ("PUT" | "PATCH", Service::Single) if here => single::update(inner, ask, target, name),
        ("PUT", _) if at.is_some() => {
            let message = format!("Specified server name '{name}' is already used.");
            Err(Refusal::new(409, "ServerNameAlreadyExists", message))
        }
        ("PUT", Service::Flexible) => flexible::create(inner, ask, target, name),
        ("PUT", Service::Single) => single::create(inner, ask, target, name),
        ("PATCH", _) => Err(operations::not_found(service, name)),
        ("DELETE", _) if here => delete(inner, ask, target, service, name),
        ("DELETE", _) => Ok(Reply::empty(204)),
        _ => Err(Refusal::new(405, "MethodNotAllowed", "Servers do not know this method.")),
    }
}

/// A server in the group that the call names. What is left to be said is up to the service.
pub(super) fn planned(inner: &Inner, target: &Target, service: Service, name: &str, admin: &str) -> Server {
    let group = target.group.clone().unwrap_or_default();
    let group = inner.world().groups.get(&group.to_lowercase()).cloned().unwrap_or(group);
    Server { group, ..Server::empty(service, name, admin, inner.clock.now().to_string(), inner.id()) }
}

/// Begins a creation; `made` makes what stands behind.
pub(super) fn begin(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    mut server: Server,
    made: impl Future<Output = Result<Change, Error>> + Send + 'static,
) -> Reply {
    let mut world = inner.world();
    let fails = world.failing_creations > 0;
    world.failing_creations = world.failing_creations.saturating_sub(1);
    let mut job = inner.begin(&mut server, Some("Provisioning"), Some("Ready"));
    (job.creates, job.lasts) = (true, inner.pace * CREATION);
    world.servers.insert(job.server.clone(), server);
    let work = async move { if fails { Err(failure()) } else { made.await.map_err(Refusal::internal) } };
    inner.accept(&mut world, ask, target, job, work)
}

fn delete(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    service: Service,
    name: &str,
) -> Result<Reply, Refusal> {
    let mut world = inner.world();
    // Only a flexible server can be stopped.
    let states = ["Ready", "Stopped", "Disabled", "Inaccessible"];
    let server = writable(&mut world, service, name, &states)?;
    server.remember(ask.version());
    let job = inner.begin(server, Some("Dropping"), None);
    let work = async { Ok(change(|_| ())) };
    Ok(inner.accept(&mut world, ask, target, job, work))
}

/// Restart, start, stop.
pub(super) fn power(call: Below<'_>, what: &str) -> Result<Reply, Refusal> {
    if !call.ask.body.is_empty() {
        let body: serde_json::Map<String, serde_json::Value> = call.ask.json()?;
        if body.get("restartWithFailover").is_some_and(|it| *it != serde_json::Value::Bool(false)) {
            return Err(Refusal::not_simulated("A restart with failover"));
        }
    }
    let (from, during, then) = match what {
        "restart" => ("Ready", "Restarting", "Ready"),
        "stop" => ("Ready", "Stopping", "Stopped"),
        _ => ("Stopped", "Starting", "Ready"),
    };
    let mut world = call.inner.world();
    let server = writable(&mut world, call.service, call.server, &[from])?;
    server.remember(call.ask.version());
    let behind = server.behind.clone();
    let job: Job = call.inner.begin(server, Some(during), Some(then));
    let stops = what != "start";
    let starts = what != "stop";
    let work = switched(behind, stops, starts);
    Ok(call.inner.accept(&mut world, call.ask, call.target, job, work))
}

async fn switched(
    behind: Option<Arc<postgres::Server>>,
    stops: bool,
    starts: bool,
) -> Result<Change, Refusal> {
    if let Some(behind) = behind {
        if stops {
            behind.stop().await.map_err(Refusal::internal)?;
        }
        if starts {
            behind.start().await.map_err(Refusal::internal)?;
        }
    }
    Ok(change(move |it| {
        if starts {
            settings::restarted(&mut it.settings);
        }
    }))
}
