//! Backups on demand: a record, nothing can be restored from it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::azure::Inner;
use crate::azure::operations::{self, change, writable};
use crate::azure::server::{Server, Service};
use crate::azure::target::Target;
use crate::azure::wire::{Ask, Refusal, Reply};

const SERVICE: Service = Service::Flexible;

pub(in crate::azure) fn answer(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    server: &str,
    backup: Option<&&str>,
) -> Result<Reply, Refusal> {
    let mut world = inner.world();
    let of = world.servers.get(&(SERVICE, server.to_lowercase()));
    let of = of.ok_or_else(|| operations::not_found(SERVICE, server))?;
    let missing = |name: &str| {
        let message = format!("The backup '{name}' of '{server}' was not found.");
        Refusal::new(404, "ResourceNotFound", message)
    };
    match (ask.method.as_str(), backup) {
        ("GET", None) => {
            let all: Vec<Value> = of.backups.iter().map(|(name, it)| json(of, name, it)).collect();
            Ok(Reply::ok(json!({"value": all})))
        }
        ("GET", Some(name)) => {
            of.backups.get(*name).map(|it| Reply::ok(json(of, name, it))).ok_or_else(|| missing(name))
        }
        ("PUT", Some(name)) => {
            if of.backups.contains_key(*name) {
                let message = format!("The backup '{name}' exists already.");
                return Err(Refusal::new(409, "BackupAlreadyExists", message));
            }
            let of = writable(&mut world, SERVICE, server, &["Ready"])?;
            let job = inner.begin(of, Some("Updating"), Some("Ready"));
            let (name, clock) = ((*name).to_owned(), inner.clock.clone());
            let done = change(move |of| {
                let it = (clock.now().to_string(), true);
                of.shown = Some(json(of, &name, &it));
                of.backups.insert(name, it);
            });
            Ok(inner.accept(&mut world, ask, target, job, async move { Ok(done) }))
        }
        ("DELETE", Some(name)) => match of.backups.get(*name) {
            None => Ok(Reply::empty(204)),
            Some((_, false)) => Err(Refusal::invalid("A backup of the service cannot be deleted.")),
            Some(_) => {
                let of = writable(&mut world, SERVICE, server, &["Ready"])?;
                let job = inner.begin(of, Some("Updating"), Some("Ready"));
                let name = (*name).to_owned();
                let done = change(move |of| {
                    of.backups.remove(&name);
                });
                Ok(inner.accept(&mut world, ask, target, job, async move { Ok(done) }))
            }
        },
        _ => Err(Refusal::new(405, "MethodNotAllowed", "Backups do not know this method.")),
    }
}

fn json(of: &Server, name: &str, (completed, on_demand): &(String, bool)) -> Value {
    let (kind, source) =
        if *on_demand { ("Customer On-Demand", "Customer Initiated") } else { ("Full", "Automatic") };
    json!({
        "id": format!("{}/backups/{name}", of.id()),
        "name": name,
        "type": format!("{}/backups", of.service.kind()),
        "properties": {"backupType": kind, "completedTime": completed, "source": source},
    })
}
