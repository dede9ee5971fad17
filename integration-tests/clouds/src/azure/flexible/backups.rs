//! Backups on demand: a record, nothing can be restored from it.

use serde_json::{Value, json};

use crate::azure::below::{self, Below};
use crate::azure::server::Server;
use crate::azure::wire::{Refusal, Reply};

pub(in crate::azure) fn answer(call: Below<'_>) -> Result<Reply, Refusal> {
    let mut world = call.inner.world();
    let of = call.of(&world)?;
    let missing = |name: &str| {
        let message = format!("The backup '{name}' of '{}' was not found.", call.server);
        Refusal::new(404, "ResourceNotFound", message)
    };
    match (call.ask.method.as_str(), call.name) {
        ("GET", None) => Ok(below::list(of.backups.iter().map(|(name, it)| json(of, name, it)))),
        ("GET", Some(name)) => {
            of.backups.get(name).map(|it| Reply::ok(json(of, name, it))).ok_or_else(|| missing(name))
        }
        ("PUT", Some(name)) => {
            if of.backups.contains_key(name) {
                let message = format!("The backup '{name}' exists already.");
                return Err(Refusal::new(409, "BackupAlreadyExists", message));
            }
            let (name, clock) = (name.to_owned(), call.inner.clock.clone());
            call.record(&mut world, move |of| {
                let it = (clock.now().to_string(), true);
                of.shown = Some(json(of, &name, &it));
                of.backups.insert(name, it);
            })
        }
        ("DELETE", Some(name)) => match of.backups.get(name) {
            None => Ok(Reply::empty(204)),
            Some((_, false)) => Err(Refusal::invalid("A backup of the service cannot be deleted.")),
            Some(_) => {
                let name = name.to_owned();
                call.record(&mut world, move |of| drop(of.backups.remove(&name)))
            }
        },
        _ => Err(Below::wrong_method("Backups")),
    }
}

fn json(of: &Server, name: &str, (completed, on_demand): &(String, bool)) -> Value {
    let (kind, source) =
        if *on_demand { ("Customer On-Demand", "Customer Initiated") } else { ("Full", "Automatic") };
    let properties = json!({"backupType": kind, "completedTime": completed, "source": source});
    below::json(of, "backups", name, properties)
}
