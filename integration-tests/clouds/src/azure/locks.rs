//! Management locks: on a resource, a group or the subscription, inherited by everything below [D].

use serde::Deserialize;
use serde_json::{Value, json};

use super::World;
use super::target::Target;
use super::wire::{Ask, Refusal, Reply};

/// A lock.
#[derive(Clone, Debug)]
pub(super) struct Lock {
    level: Level,
    notes: Option<String>,
    /// As it was asked for, for its id.
    scope: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
enum Level {
    CanNotDelete,
    ReadOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Properties {
    level: Level,
    notes: Option<String>,
    #[serde(rename = "owners")]
    _owners: Option<serde::de::IgnoredAny>,
}

impl World {
    /// Somebody locks a server of the first resource group against deletion.
    pub(super) fn lock(&mut self, scope: &str) {
        let lock = Lock { level: Level::CanNotDelete, notes: None, scope: scope.to_owned() };
        self.locks.entry(scope.to_lowercase()).or_default().insert("byhand".to_owned(), lock);
    }
}

pub(super) fn answer(world: &mut World, ask: &Ask, target: &Target) -> Result<Reply, Refusal> {
    if target.types.as_slice() != ["locks"] {
        return Err(Refusal::not_simulated("This part of Microsoft.Authorization"));
    }
    scope_exists(world, target)?;
    let at = world.locks.get(&target.scope);
    match (ask.method.as_str(), target.names.first()) {
        ("GET", None) => {
            let inherited = world.locks.iter().filter(|(scope, _)| covers(scope, &target.scope));
            let all: Vec<Value> =
                inherited.flat_map(|(_, locks)| locks.iter()).map(|(name, lock)| json(name, lock)).collect();
            Ok(Reply::ok(json!({"value": all})))
        }
        ("GET", Some(name)) => match at.and_then(|locks| locks.get(&name.to_lowercase())) {
            Some(lock) => Ok(Reply::ok(json(name, lock))),
            None => Err(Refusal::new(404, "LockNotFound", format!("The lock '{name}' could not be found."))),
        },
        ("PUT", Some(name)) => {
            let properties = ask.json::<Body>()?.properties;
            if properties.notes.as_ref().is_some_and(|notes| notes.len() > 512) {
                return Err(Refusal::invalid("The notes of a lock have at most 512 characters."));
            }
            let path = ask.url.split('?').next().unwrap_or_default().replace("//", "/");
            let end = path.to_lowercase().rfind("/providers/microsoft.authorization").unwrap_or_default();
            let lock =
                Lock { level: properties.level, notes: properties.notes, scope: path[..end].to_owned() };
            let body = json(name, &lock);
            let locks = world.locks.entry(target.scope.clone()).or_default();
            let before = locks.insert(name.to_lowercase(), lock);
            Ok(Reply::new(if before.is_some() { 200 } else { 201 }, body))
        }
        ("DELETE", Some(name)) => {
            let locks = world.locks.get_mut(&target.scope);
            let removed = locks.and_then(|locks| locks.remove(&name.to_lowercase()));
            Ok(Reply::empty(if removed.is_some() { 200 } else { 204 }))
        }
        _ => Err(Refusal::new(405, "MethodNotAllowed", "Locks do not know this method.")),
    }
}

/// A lock can only lie on what there is.
fn scope_exists(world: &World, target: &Target) -> Result<(), Refusal> {
    if !target.scope.contains("/providers/") {
        return Ok(());
    }
    let there = world.servers.values().any(|server| {
        let id = server.id().to_lowercase();
        target.scope == id || target.scope.starts_with(&format!("{id}/"))
    });
    if there || world.documents.contains_key(&target.scope) {
        return Ok(());
    }
    Err(Refusal::new(404, "ResourceNotFound", format!("The Resource '{}' was not found.", target.scope)))
}

fn covers(scope: &str, path: &str) -> bool {
    path == scope || path.starts_with(&format!("{scope}/"))
}

/// Whether a lock forbids this write.
pub(super) fn check(world: &World, target: &Target, method: &str) -> Result<(), Refusal> {
    let path = target.path();
    for (scope, locks) in world.locks.iter().filter(|(scope, _)| covers(scope, &path)) {
        let forbids = |lock: &Lock| method == "DELETE" || lock.level == Level::ReadOnly;
        if locks.values().any(forbids) {
            let what = if method == "DELETE" { "delete" } else { "write" };
            let message = format!(
                "The scope '{path}' cannot perform {what} operation because following scope(s) are locked: '{scope}'. \
                 Please remove the lock and try again."
            );
            return Err(Refusal::new(409, "ScopeLocked", message));
        }
    }
    Ok(())
}

fn json(name: &str, lock: &Lock) -> Value {
    let mut properties = json!({"level": lock.level});
    if let Some(notes) = &lock.notes {
        properties["notes"] = json!(notes);
    }
    json!({
        "id": format!("{}/providers/Microsoft.Authorization/locks/{name}", lock.scope),
        "name": name,
        "type": "Microsoft.Authorization/locks",
        "properties": properties,
    })
}
