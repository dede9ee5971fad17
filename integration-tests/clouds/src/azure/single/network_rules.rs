//! Rules for virtual networks. They are kept and not enforced.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::azure::below::{self, Below};
use crate::azure::server::Server;
use crate::azure::wire::{Refusal, Reply};

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

pub(in crate::azure) fn answer(call: Below<'_>) -> Result<Reply, Refusal> {
    let mut world = call.inner.world();
    let of = call.of(&world)?;
    match (call.ask.method.as_str(), call.name) {
        ("GET", None) => Ok(below::list(of.network_rules.iter().map(|(name, it)| json(of, name, it)))),
        ("GET", Some(rule)) => match of.network_rules.get(rule) {
            Some(it) => Ok(Reply::ok(json(of, rule, it))),
            None => {
                let server = call.server;
                let message = format!("The virtual network rule '{rule}' of '{server}' was not found.");
                Err(Refusal::new(404, "ResourceNotFound", message))
            }
        },
        ("PUT", Some(rule)) => {
            let asked = call.ask.json::<Rule>()?.properties;
            if !asked.virtual_network_subnet_id.to_lowercase().contains("/subnets/") {
                return Err(Refusal::invalid("virtualNetworkSubnetId is not the id of a subnet."));
            }
            let it = (asked.virtual_network_subnet_id, asked.ignore_missing_vnet_service_endpoint);
            let rule = rule.to_owned();
            call.record(&mut world, move |of| {
                of.shown = Some(json(of, &rule, &it));
                of.network_rules.insert(rule, it);
            })
        }
        ("DELETE", Some(rule)) if !of.network_rules.contains_key(rule) => Ok(Reply::empty(204)),
        ("DELETE", Some(rule)) => {
            let rule = rule.to_owned();
            call.record(&mut world, move |of| drop(of.network_rules.remove(&rule)))
        }
        _ => Err(Below::wrong_method("Virtual network rules")),
    }
}

fn json(of: &Server, name: &str, (subnet, ignore): &(String, bool)) -> Value {
    let properties = json!({
        "virtualNetworkSubnetId": subnet, "ignoreMissingVnetServiceEndpoint": ignore, "state": "Ready",
    });
    below::json(of, "virtualNetworkRules", name, properties)
}
