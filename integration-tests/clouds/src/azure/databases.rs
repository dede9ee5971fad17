//! Databases: what PostgreSQL really has, with the character set and collation that were asked for.

use std::future::Future;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::below::{self, Below};
use super::flavour::OWN_DATABASES;
use super::operations::{self, Change, writable};
use super::server::Server;
use super::wire::{Refusal, Reply};
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

pub(super) async fn answer(call: Below<'_>) -> Result<Reply, Refusal> {
    let of = call.of(&call.inner.world())?.clone();
    if call.ask.method != "GET" {
        writable(&mut call.inner.world(), call.service, call.server, &["Ready"])?;
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
    match (call.ask.method.as_str(), call.name) {
        ("GET", None) => Ok(below::list(there.iter().map(|name| json(&of, name)))),
        ("GET", Some(name)) if is_there(name) => Ok(Reply::ok(json(&of, name))),
        ("GET", Some(name)) => {
            let (kind, server) = (call.service.kind(), call.server);
            let message = format!("The Resource '{kind}/{server}/databases/{name}' was not found.");
            Err(Refusal::new(404, "ResourceNotFound", message))
        }
        ("PUT", Some(name)) => {
            let asked = call.ask.json::<Body>()?.properties.unwrap_or_default();
            let wanted = check(&of, name, asked, &there)?;
            change(call, create(behind, name.to_owned(), of.admin, wanted))
        }
        ("DELETE", Some(name)) if !is_there(name) => Ok(Reply::empty(204)),
        ("DELETE", Some(name)) if OWN_DATABASES.contains(&name) => {
            let message = format!("The database '{name}' belongs to the service and cannot be dropped.");
            Err(Refusal::new(400, "OperationNotAllowedOnSystemDatabase", message))
        }
        ("DELETE", Some(name)) => change(call, drop(behind, name.to_owned())),
        _ => Err(Below::wrong_method("Databases")),
    }
}

/// PostgreSQL knows it, whoever made or dropped it.
async fn existing(behind: Option<&postgres::Server>) -> Result<Vec<String>, Refusal> {
    let Some(behind) = behind else { return Ok(Vec::new()) };
    let rows = behind
        .ask("postgres", "SELECT datname FROM pg_catalog.pg_database WHERE NOT datistemplate ORDER BY 1")
        .await
        .map_err(Refusal::internal)?;
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

fn change(
    call: Below<'_>,
    work: impl Future<Output = Result<Change, Refusal>> + Send + 'static,
) -> Result<Reply, Refusal> {
    let mut world = call.inner.world();
    let of = writable(&mut world, call.service, call.server, &["Ready"])?;
    let job = call.inner.begin(of, Some("Updating"), Some("Ready"));
    Ok(call.inner.accept(&mut world, call.ask, call.target, job, work))
}

async fn create(
    behind: Option<Arc<postgres::Server>>,
    name: String,
    owner: String,
    wanted: (String, String),
) -> Result<Change, Refusal> {
    if let Some(behind) = behind
        && !existing(Some(&behind)).await?.contains(&name)
    {
        let create = format!("CREATE DATABASE {} OWNER {}", quoted(&name), quoted(&owner));
        behind.sql("postgres", &create).await.map_err(Refusal::internal)?;
    }
    Ok(operations::change(move |of| {
        of.databases.insert(name.clone(), wanted);
        of.shown = Some(json(of, &name));
    }))
}

async fn drop(behind: Option<Arc<postgres::Server>>, name: String) -> Result<Change, Refusal> {
    if let Some(behind) = behind {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname";
        let end = format!("{end} = {}", postgres::text(&name));
        behind.sql("postgres", &end).await.map_err(Refusal::internal)?;
        let drop = format!("DROP DATABASE IF EXISTS {}", quoted(&name));
        behind.sql("postgres", &drop).await.map_err(Refusal::internal)?;
    }
    Ok(operations::change(move |of| {
        of.databases.remove(&name);
    }))
}

fn described(of: &Server, name: &str) -> (String, String) {
    of.databases.get(name).cloned().unwrap_or_else(|| (CHARSET.to_owned(), COLLATION.to_owned()))
}

fn json(of: &Server, name: &str) -> Value {
    let (charset, collation) = described(of, name);
    below::json(of, "databases", name, json!({"charset": charset, "collation": collation}))
}
