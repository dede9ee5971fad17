//! Private endpoints and private DNS, as far as they belong to a server: kept, and gone when they are deleted. Nothing is
//! routed through them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::server::Service;
use super::target::Target;
use super::wire::{Ask, Refusal, Reply};
use super::{Inner, SUBSCRIPTION, World, rules};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Endpoint {
    location: Option<String>,
    #[serde(default)]
    tags: Value,
    properties: EndpointProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EndpointProperties {
    subnet: Id,
    private_link_service_connections: Vec<Connection>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Connection {
    name: String,
    properties: ConnectionProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConnectionProperties {
    private_link_service_id: String,
    group_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Zone {
    location: String,
    #[serde(default)]
    tags: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    properties: RecordProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecordProperties {
    ttl: u32,
    a_records: Vec<Address>,
}

#[derive(Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Address {
    ipv4_address: std::net::Ipv4Addr,
}

pub(super) fn answer(inner: &Arc<Inner>, ask: &Ask, target: &Target) -> Result<Reply, Refusal> {
    let (mut world, path) = (inner.world(), target.path());
    if target.is_collection() {
        return match ask.method.as_str() {
            "GET" => Ok(list(&world, &path)),
            _ => Err(wrong_method()),
        };
    }
    let there = world.documents.get(&path).cloned();
    match (ask.method.as_str(), target.types.as_slice()) {
        ("GET", _) => there.map(Reply::ok).ok_or_else(|| missing(target)),
        ("DELETE", _) if there.is_none() => Ok(Reply::empty(204)),
        ("PUT", ["privateEndpoints"]) => {
            let (document, leads_to) = endpoint(&world, target, ask.json()?)?;
            let location = document["location"].as_str().unwrap_or_default().to_owned();
            world.documents.insert(path.clone(), document.clone());
            let reply = Reply::new(if there.is_some() { 200 } else { 201 }, document);
            let id = id(&world, target);
            let effect = move |world: &mut World| {
                if let Some(document) = world.documents.get_mut(&path) {
                    document["properties"]["provisioningState"] = json!("Succeeded");
                }
                if let Some(server) = world.servers.get_mut(&leads_to)
                    && !server.private_endpoints.contains(&id)
                {
                    server.private_endpoints.push(id);
                }
            };
            Ok(inner.accept_other(&mut world, ask, target, reply, &location, effect))
        }
        ("DELETE", ["privateEndpoints"]) => {
            let location =
                there.and_then(|it| it["location"].as_str().map(str::to_owned)).unwrap_or_default();
            let id = id(&world, target);
            let effect = move |world: &mut World| {
                world.documents.remove(&path);
                for server in world.servers.values_mut() {
                    server.private_endpoints.retain(|it| *it != id);
                }
            };
            Ok(inner.accept_other(&mut world, ask, target, Reply::empty(202), &location, effect))
        }
        ("PUT", ["privateDnsZones"]) => {
            let asked: Zone = ask.json()?;
            if asked.location != "global" {
                return Err(Refusal::invalid("The location of a private DNS zone is 'global'."));
            }
            let mut document =
                json!({"location": "global", "properties": {"provisioningState": "Succeeded"}});
            if asked.tags.is_object() {
                document["tags"] = asked.tags;
            }
            Ok(stored(&mut world, target, document))
        }
        ("PUT", ["privateDnsZones", "A"]) => {
            let asked = ask.json::<Record>()?.properties;
            let zone = path.split("/a/").next().unwrap_or_default();
            if !world.documents.contains_key(zone) {
                return Err(Refusal::new(
                    404,
                    "ParentResourceNotFound",
                    "The private DNS zone was not found.",
                ));
            }
            let names = &target.names;
            let fqdn = format!("{}.{}.", names[1], names[0]);
            let properties = json!({"ttl": asked.ttl, "aRecords": asked.a_records, "fqdn": fqdn,
                "isAutoRegistered": false});
            Ok(stored(&mut world, target, json!({"properties": properties})))
        }
        ("DELETE", ["privateDnsZones", "A"]) => {
            world.documents.remove(&path);
            Ok(Reply::empty(200))
        }
        ("DELETE", ["privateDnsZones"]) => {
            let inside = format!("{path}/");
            if world.documents.keys().any(|it| it.starts_with(&inside)) {
                let message = "The private DNS zone has record sets and cannot be deleted.";
                return Err(Refusal::new(409, "CannotDeleteResource", message));
            }
            world.documents.remove(&path);
            Ok(Reply::empty(200))
        }
        _ => Err(wrong_method()),
    }
}

fn wrong_method() -> Refusal {
    Refusal::new(405, "MethodNotAllowed", "This part of Microsoft.Network is not simulated.")
}

fn missing(target: &Target) -> Refusal {
    let message = format!("The Resource '{}' was not found.", target.path());
    Refusal::new(404, "ResourceNotFound", message)
}

fn list(world: &World, path: &str) -> Reply {
    let inside = format!("{path}/");
    let direct = |it: &&String| it.strip_prefix(&inside).is_some_and(|rest| !rest.contains('/'));
    let value: Vec<&Value> =
        world.documents.iter().filter(|(it, _)| direct(it)).map(|(_, document)| document).collect();
    Reply::ok(json!({"value": value}))
}

fn id(world: &World, target: &Target) -> String {
    let group = target.group.as_deref().unwrap_or_default();
    let group = world.groups.get(&group.to_lowercase()).map_or(group, String::as_str);
    let rest: String =
        target.types.iter().zip(&target.names).map(|(kind, name)| format!("/{kind}/{name}")).collect();
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Network{rest}")
}

/// Fills in what every resource has, and keeps it.
fn stored(world: &mut World, target: &Target, mut document: Value) -> Reply {
    document["id"] = json!(id(world, target));
    document["name"] = json!(target.names.last());
    document["type"] = json!(format!("Microsoft.Network/{}", target.types.join("/")));
    let before = world.documents.insert(target.path(), document.clone());
    Reply::new(if before.is_some() { 200 } else { 201 }, document)
}

/// The endpoint while it is made, and the server that it leads to.
fn endpoint(world: &World, target: &Target, asked: Endpoint) -> Result<(Value, (Service, String)), Refusal> {
    let location = rules::location(asked.location.as_deref())?.replace(' ', "").to_lowercase();
    if !asked.properties.subnet.id.to_lowercase().contains("/subnets/") {
        return Err(Refusal::invalid("The subnet of a private endpoint is missing."));
    }
    let [connection] = asked.properties.private_link_service_connections.as_slice() else {
        return Err(Refusal::not_simulated("A private endpoint with other than one connection"));
    };
    let leads_to = &connection.properties.private_link_service_id;
    let server = world.servers.iter().find(|(_, it)| it.id().eq_ignore_ascii_case(leads_to));
    let (key, server) = server
        .ok_or_else(|| Refusal::new(400, "LinkedInvalidPropertyId", format!("'{leads_to}' is no server.")))?;
    if connection.properties.group_ids != ["postgresqlServer"] {
        return Err(Refusal::invalid("The group id of a server is 'postgresqlServer'."));
    }
    let address = server.reached_at().map(|ip| ip.to_string()).unwrap_or_default();
    let mut document = json!({
        "id": id(world, target),
        "name": target.names.last(),
        "type": "Microsoft.Network/privateEndpoints",
        "location": location,
        "properties": {
            "provisioningState": "Updating",
            "subnet": {"id": asked.properties.subnet.id},
            "privateLinkServiceConnections": [{
                "name": connection.name,
                "properties": {
                    "privateLinkServiceId": leads_to,
                    "groupIds": connection.properties.group_ids,
                    "privateLinkServiceConnectionState":
                        {"status": "Approved", "description": "Auto-approved", "actionsRequired": "None"},
                },
            }],
            "manualPrivateLinkServiceConnections": [],
            "customDnsConfigs": [{
                "fqdn": format!("{}.postgres.database.azure.com", server.name),
                "ipAddresses": [address],
            }],
        },
    });
    if asked.tags.is_object() {
        document["tags"] = asked.tags;
    }
    Ok((document, key.clone()))
}
