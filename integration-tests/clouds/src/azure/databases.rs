//! Databases: what PostgreSQL really has, with the character set and collation that were asked for.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Inner;
use super::flavour::OWN_DATABASES;
use super::operations::{self, Change, change, writable};
use super::server::{Server, Service};
use super::target::Target;
use super::wire::{Ask, Refusal, Reply};
use crate::postgres::{self, name as quoted};

/// What a database gets if nothing is asked for, and what those of the service have [D].
const CHARSET: &str = "UTF8";
const COLLATION: &str = "en_US.utf8";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    properties: Option<Properties>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Properties {
    charset: Option<String>,
    collation: Option<String>,
}

pub(super) async fn answer(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    service: Service,
    server: &str,
    database: Option<&&str>,
) -> Result<Reply, Refusal> {
    let key = (service, server.to_lowercase());
    let of = inner.world().servers.get(&key).cloned();
    let of = of.ok_or_else(|| operations::not_found(service, server))?;
    if ask.method != "GET" {
        writable(&mut inner.world(), service, server, &["Ready"])?;
    }
    let behind = of.behind.clone();
    let there = match existing(behind.as_deref()).await {
        Ok(there) => there,
        // It is down: what was last known.
        Err(_) => {
            OWN_DATABASES.iter().map(|it| (*it).to_owned()).chain(of.databases.keys().cloned()).collect()
        }
    };
    let is_there = |name: &str| there.iter().any(|it| it == name);
    match (ask.method.as_str(), database) {
        ("GET", None) => {
            let all: Vec<Value> = there.iter().map(|name| json(&of, name)).collect();
            Ok(Reply::ok(json!({"value": all})))
        }
        ("GET", Some(name)) if is_there(name) => Ok(Reply::ok(json(&of, name))),
        ("GET", Some(name)) => {
            let message =
                format!("The Resource '{}/{server}/databases/{name}' was not found.", service.kind());
            Err(Refusal::new(404, "ResourceNotFound", message))
        }
        ("PUT", Some(name)) => {
            let asked = ask.json::<Body>()?.properties.unwrap_or_default();
            let wanted = check(&of, name, asked, &there)?;
            create(inner, ask, target, &key, (*name).to_owned(), wanted, behind)
        }
        ("DELETE", Some(name)) if !is_there(name) => Ok(Reply::empty(204)),
        ("DELETE", Some(name)) if OWN_DATABASES.contains(name) => {
            let message = format!("The database '{name}' belongs to the service and cannot be dropped.");
            Err(Refusal::new(400, "OperationNotAllowedOnSystemDatabase", message))
        }
        ("DELETE", Some(name)) => drop(inner, ask, target, &key, (*name).to_owned(), behind),
        _ => Err(Refusal::new(405, "MethodNotAllowed", "Databases do not know this method.")),
    }
}

/// PostgreSQL knows it, whoever made or dropped it.
async fn existing(behind: Option<&postgres::Server>) -> Result<Vec<String>, Refusal> {
    let Some(behind) = behind else { return Ok(Vec::new()) };
    let rows = behind
        .ask("postgres", "SELECT datname FROM pg_catalog.pg_database WHERE NOT datistemplate ORDER BY 1")
        .await
        .map_err(|error| Refusal::new(500, "InternalServerError", error.to_string()))?;
    Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
}

/// Character set and collation that it gets. Those of an existing database cannot be changed [K].
fn check(of: &Server, name: &str, asked: Properties, there: &[String]) -> Result<(String, String), Refusal> {
    if name.is_empty() || name.len() > 63 || name.starts_with("pg_") || name.starts_with("azure_") {
        return Err(Refusal::invalid(format!("'{name}' is not a valid name of a database.")));
    }
    let charset = asked.charset.unwrap_or_else(|| CHARSET.to_owned());
    if !["utf8", "utf-8"].contains(&charset.to_lowercase().as_str()) {
        return Err(Refusal::not_simulated(&format!("The character set '{charset}'")));
    }
    let collation = asked.collation.unwrap_or_else(|| COLLATION.to_owned());
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_. ".contains(c);
    if collation.is_empty() || !collation.chars().all(legal) {
        return Err(Refusal::invalid(format!("'{collation}' is not a valid collation.")));
    }
    if there.iter().any(|it| it == name) {
        let (_, present) = described(of, name);
        if !present.eq_ignore_ascii_case(&collation) {
            let message = format!(
                "The database '{name}' exists with the collation '{present}', which cannot be changed."
            );
            return Err(Refusal::new(409, "DatabaseAlreadyExists", message));
        }
    }
    Ok((charset, collation))
}

fn create(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    key: &(Service, String),
    name: String,
    wanted: (String, String),
    behind: Option<Arc<postgres::Server>>,
) -> Result<Reply, Refusal> {
    let mut world = inner.world();
    let of = writable(&mut world, key.0, &key.1, &["Ready"])?;
    let job = inner.begin(of, Some("Updating"), Some("Ready"));
    let owner = of.admin.clone();
    let work = async move {
        if let Some(behind) = behind
            && !existing(Some(&behind)).await?.contains(&name)
        {
            let create = format!("CREATE DATABASE {} OWNER {}", quoted(&name), quoted(&owner));
            sql(&behind, &create).await?;
        }
        let done: Change = change(move |of| {
            of.databases.insert(name.clone(), wanted);
            of.shown = Some(json(of, &name));
        });
        Ok(done)
    };
    Ok(inner.accept(&mut world, ask, target, job, work))
}

fn drop(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    key: &(Service, String),
    name: String,
    behind: Option<Arc<postgres::Server>>,
) -> Result<Reply, Refusal> {
    let mut world = inner.world();
    let of = writable(&mut world, key.0, &key.1, &["Ready"])?;
    let job = inner.begin(of, Some("Updating"), Some("Ready"));
    let work = async move {
        if let Some(behind) = behind {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname";
            sql(&behind, &format!("{end} = {}", postgres::text(&name))).await?;
            sql(&behind, &format!("DROP DATABASE IF EXISTS {}", quoted(&name))).await?;
        }
        let done: Change = change(move |of| {
            of.databases.remove(&name);
        });
        Ok(done)
    };
    Ok(inner.accept(&mut world, ask, target, job, work))
}

async fn sql(behind: &postgres::Server, statement: &str) -> Result<(), Refusal> {
    behind
        .sql("postgres", statement)
        .await
        .map_err(|error| Refusal::new(500, "InternalServerError", error.to_string()))
}

fn described(of: &Server, name: &str) -> (String, String) {
    of.databases.get(name).cloned().unwrap_or_else(|| (CHARSET.to_owned(), COLLATION.to_owned()))
}

fn json(of: &Server, name: &str) -> Value {
    let (charset, collation) = described(of, name);
    json!({
        "id": format!("{}/databases/{name}", of.id()),
        "name": name,
        "type": format!("{}/databases", of.service.kind()),
        "properties": {"charset": charset, "collation": collation},
    })
}
