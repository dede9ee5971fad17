//! Rules for virtual networks. They are kept and not enforced.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::azure::Inner;
use crate::azure::operations::{self, change, writable};
use crate::azure::server::{Server, Service};
use crate::azure::target::Target;
use crate::azure::wire::{Ask, Refusal, Reply};

const SERVICE: Service = Service::Single;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Properties {
    virtual_network_subnet_id: String,
    #[serde(default)]
    ignore_missing_vnet_service_endpoint: bool,
}

pub(in crate::azure) fn answer(
    inner: &Arc<Inner>,
    ask: &Ask,
    target: &Target,
    server: &str,
    rule: Option<&&str>,
) -> Result<Reply, Refusal> {
    let mut world = inner.world();
    let of = world.servers.get(&(SERVICE, server.to_lowercase()));
    let of = of.ok_or_else(|| operations::not_found(SERVICE, server))?;
    match (ask.method.as_str(), rule) {
        ("GET", None) => {
            let all: Vec<Value> = of.network_rules.iter().map(|(name, it)| json(of, name, it)).collect();
            Ok(Reply::ok(json!({"value": all})))
        }
        ("GET", Some(rule)) => match of.network_rules.get(*rule) {
            Some(it) => Ok(Reply::ok(json(of, rule, it))),
            None => {
                let message = format!("The virtual network rule '{rule}' of '{server}' was not found.");
                Err(Refusal::new(404, "ResourceNotFound", message))
            }
        },
        ("PUT", Some(rule)) => {
            let asked = ask.json::<Rule>()?.properties;
            if !asked.virtual_network_subnet_id.to_lowercase().contains("/subnets/") {
                return Err(Refusal::invalid("virtualNetworkSubnetId is not the id of a subnet."));
            }
            let it = (asked.virtual_network_subnet_id, asked.ignore_missing_vnet_service_endpoint);
            let of = writable(&mut world, SERVICE, server, &["Ready"])?;
            let job = inner.begin(of, Some("Updating"), Some("Ready"));
            let rule = (*rule).to_owned();
            let done = change(move |of| {
                of.shown = Some(json(of, &rule, &it));
                of.network_rules.insert(rule, it);
            });
            Ok(inner.accept(&mut world, ask, target, job, async move { Ok(done) }))
        }
        ("DELETE", Some(rule)) if !of.network_rules.contains_key(*rule) => Ok(Reply::empty(204)),
        ("DELETE", Some(rule)) => {
            let of = writable(&mut world, SERVICE, server, &["Ready"])?;
            let job = inner.begin(of, Some("Updating"), Some("Ready"));
            let rule = (*rule).to_owned();
            let done = change(move |of| {
                of.network_rules.remove(&rule);
            });
            Ok(inner.accept(&mut world, ask, target, job, async move { Ok(done) }))
        }
        _ => Err(Refusal::new(405, "MethodNotAllowed", "Virtual network rules do not know this method.")),
    }
}

fn json(of: &Server, name: &str, (subnet, ignore): &(String, bool)) -> Value {
    json!({
        "id": format!("{}/virtualNetworkRules/{name}", of.id()),
        "name": name,
        "type": format!("{}/virtualNetworkRules", of.service.kind()),
        "properties": {"virtualNetworkSubnetId": subnet, "ignoreMissingVnetServiceEndpoint": ignore, "state": "Ready"},
    })
}
