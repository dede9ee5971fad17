//! Which call goes where, after what Resource Manager itself checks: token, rights, version, group, locks.

use std::sync::Arc;

use serde_json::json;

use super::below::Below;
use super::server::Service;
use super::target::Target;
use super::wire::{Ask, Refusal, Reply};
use super::{
    Inner, SUBSCRIPTION, World, databases, firewall, flexible, locks, network, operations, servers, settings,
    single,
};

/// Versions of the API. Their differences are simulated only as far as `azure.md` says.
const FLEXIBLE: &[&str] = &["2024-08-01", "2025-08-01", "2026-10-01"];
const SINGLE: &[&str] = &["2017-12-01"];
const DNS: &[&str] = &["2018-09-01", "2020-06-01", "2024-06-01"];
const NETWORK: &[&str] = &["2024-01-01", "2024-07-01"];
const LOCKS: &[&str] = &["2016-09-01", "2020-05-01"];

pub(super) async fn answer(inner: &Arc<Inner>, ask: &Ask, target: &Target) -> Result<Reply, Refusal> {
    inner.tokens().check(ask, inner.clock.now(), &target.permission(&ask.method))?;
    version(ask, target)?;
    if target.subscription != SUBSCRIPTION {
        let message = format!("The subscription '{}' could not be found.", target.subscription);
        return Err(Refusal::new(404, "SubscriptionNotFound", message));
    }
    if let Some(group) = &target.group
        && !inner.world().groups.contains_key(&group.to_lowercase())
    {
        let message = format!("Resource group '{group}' could not be found.");
        return Err(Refusal::new(404, "ResourceGroupNotFound", message));
    }
    if target.namespace == "Microsoft.Authorization" {
        return locks::answer(&mut inner.world(), ask, target);
    }
    if ask.method != "GET" {
        locks::check(&inner.world(), target, &ask.method)?;
    }
    let polls = target.types.first() == Some(&"locations");
    if target.namespace == "Microsoft.Network" && !polls {
        return network::answer(inner, ask, target);
    }
    let names: Vec<&str> = target.names.iter().map(String::as_str).collect();
    match (target.types.as_slice(), names.as_slice()) {
        (["locations", kind @ ("azureAsyncOperation" | "operationResults")], [_, id]) => {
            let world = inner.world();
            match (ask.method.as_str(), *kind) {
                ("GET", "azureAsyncOperation") => operations::status(&world, id),
                ("GET", _) => operations::result(&world, ask, id, inner.endpoint()),
                _ => Err(wrong_method(ask)),
            }
        }
        (["checkNameAvailability"], []) if ask.method == "POST" => name_availability(inner, ask),
        (["flexibleServers", rest @ ..], names) => {
            below(inner, ask, target, Service::Flexible, rest, names).await
        }
        (["servers", rest @ ..], names) => below(inner, ask, target, Service::Single, rest, names).await,
        _ => Err(wrong_method(ask)),
    }
}

/// A service's servers, and what is below one of them.
async fn below(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    service: Service,
    types: &[&str],
    names: &[&str],
) -> Result<Reply, Refusal> {
    let method = ask.method.as_str();
    let Some((name, below)) = names.split_first() else {
        return match (method, types) {
            ("GET", []) => list(inner, ask, target, service),
            _ => Err(wrong_method(ask)),
        };
    };
    if types.is_empty() {
        return match method {
            "GET" => get(inner, ask, target, service, name),
            _ => servers::write(inner, ask, target, service, name),
        };
    }
    // What is below a server is there only if the server is, in this group.
    exists(&inner.world(), target, service, name)?;
    let call = Below { inner, ask, target, service, server: name, name: below.first().copied() };
    match (types, below) {
        (["firewallRules"], _) => firewall::answer(call),
        (["configurations"], _) => settings::answer(call),
        (["databases"], _) => databases::answer(call).await,
        (["backups"], _) if service == Service::Flexible => flexible::backups(call),
        (["virtualNetworkRules"], _) if service == Service::Single => single::network_rules(call),
        (["restart"], []) if method == "POST" => servers::power(call, "restart"),
        ([what @ ("start" | "stop")], []) if method == "POST" && service == Service::Flexible => {
            servers::power(call, what)
        }
        _ => Err(wrong_method(ask)),
    }
}

fn wrong_method(ask: &Ask) -> Refusal {
    let message = format!("{} {} is not simulated.", ask.method, ask.url);
    Refusal::new(405, "MethodNotAllowed", message)
}

fn version(ask: &Ask, target: &Target) -> Result<(), Refusal> {
    let Some(version) = ask.query.get("api-version") else {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(Refusal::new(400, "MissingApiVersionParameter", message));
    };
    let known: &[&[&str]] = match (target.namespace.as_str(), target.types.first()) {
        ("Microsoft.Authorization", _) => &[LOCKS],
        ("Microsoft.Network", Some(&"privateDnsZones")) => &[DNS],
        ("Microsoft.Network", _) => &[NETWORK],
        (_, Some(&"servers")) => &[SINGLE],
        (_, Some(&"locations")) => &[FLEXIBLE, SINGLE],
        _ => &[FLEXIBLE],
    };
    if known.iter().any(|known| known.contains(&version.as_str())) {
        return Ok(());
    }
    let message = format!(
        "No registered resource provider found for namespace '{}' and API version '{version}'.",
        target.namespace
    );
    Err(Refusal::new(400, "NoRegisteredProviderFound", message))
}

fn in_group(target: &Target, group: &str) -> bool {
    target.group.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(group))
}

fn exists(world: &World, target: &Target, service: Service, name: &str) -> Result<(), Refusal> {
    let found = world.servers.get(&(service, name.to_lowercase()));
    match found {
        Some(server) if in_group(target, &server.group) => Ok(()),
        _ => Err(operations::not_found(service, name)),
    }
}

fn get(inner: &Inner, ask: &Ask, target: &Target, service: Service, name: &str) -> Result<Reply, Refusal> {
    let mut world = inner.world();
    exists(&world, target, service, name)?;
    let server = world.servers.get_mut(&(service, name.to_lowercase()));
    let seen = server.and_then(|server| {
        let seen = server.seen(ask.version());
        server.stale_reads = server.stale_reads.saturating_sub(1);
        seen
    });
    seen.map(Reply::ok).ok_or_else(|| operations::not_found(service, name))
}

/// By resource group or subscription, in pages.
fn list(inner: &Inner, ask: &Ask, target: &Target, service: Service) -> Result<Reply, Refusal> {
    let world = inner.world();
    let after = ask.query.get("$skiptoken").map(String::as_str).unwrap_or_default();
    let mut found = world.servers.iter().filter(|((of, name), server)| {
        *of == service && in_group(target, &server.group) && name.as_str() > after
    });
    let page: Vec<_> = found.by_ref().take(world.page.unwrap_or(usize::MAX)).collect();
    let value: Vec<_> = page.iter().filter_map(|(_, server)| server.seen(ask.version())).collect();
    let mut body = json!({"value": value});
    if let (Some(_), Some(((_, last), _))) = (found.next(), page.last()) {
        let path = ask.url.split('?').next().unwrap_or_default();
        let query = format!("api-version={}&%24skiptoken={last}", ask.version());
        body["nextLink"] = json!(format!("{}{path}?{query}", inner.endpoint()));
    }
    Ok(Reply::ok(body))
}

#[derive(serde::Deserialize)]
struct NameQuestion {
    name: String,
    r#type: Option<String>,
}

fn name_availability(inner: &Inner, ask: &Ask) -> Result<Reply, Refusal> {
    let asked: NameQuestion = ask.json()?;
    let taken = inner.world().servers.contains_key(&(Service::Flexible, asked.name.to_lowercase()));
    let kind = asked.r#type.unwrap_or_else(|| Service::Flexible.kind().to_owned());
    let mut body = json!({"name": asked.name, "type": kind, "nameAvailable": !taken});
    if taken {
        body["reason"] = json!("AlreadyExists");
        body["message"] = json!("Specified server name is already used.");
    }
    Ok(Reply::ok(body))
}
