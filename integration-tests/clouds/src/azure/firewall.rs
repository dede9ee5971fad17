//! Firewall rules. They are kept and not enforced: everything comes from loopback.

use std::net::Ipv4Addr;

use serde::Deserialize;
use serde_json::{Value, json};

use super::below::{self, Below};
use super::operations::writable;
use super::server::Server;
use super::wire::{Refusal, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    properties: Range,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Range {
    start_ip_address: String,
    end_ip_address: String,
}

pub(super) fn answer(call: Below<'_>) -> Result<Reply, Refusal> {
    let mut world = call.inner.world();
    let of = call.of(&world)?;
    match (call.ask.method.as_str(), call.name) {
        ("GET", None) => Ok(below::list(of.rules.iter().map(|(name, range)| json(of, name, *range)))),
        ("GET", Some(rule)) => {
            let range = of.rules.get(rule).ok_or_else(|| missing(call, rule))?;
            Ok(Reply::ok(json(of, rule, *range)))
        }
        ("PUT", Some(rule)) => {
            let range = check(rule, &call.ask.json()?)?;
            if writable(&mut world, call.service, call.server, &["Ready"])?.subnet.is_some() {
                let message = "Firewall rules cannot be made for a server in a virtual network.";
                return Err(Refusal::new(400, "OperationNotAllowedForVnetServer", message));
            }
            let rule = rule.to_owned();
            call.record(&mut world, move |of| {
                of.shown = Some(json(of, &rule, range));
                of.rules.insert(rule, range);
            })
        }
        ("DELETE", Some(rule)) if !of.rules.contains_key(rule) => Ok(Reply::empty(204)),
        ("DELETE", Some(rule)) => {
            let rule = rule.to_owned();
            call.record(&mut world, move |of| {
                of.rules.remove(&rule);
            })
        }
        _ => Err(Below::wrong_method("Firewall rules")),
    }
}

fn missing(call: Below<'_>, rule: &str) -> Refusal {
    let (kind, server) = (call.service.kind(), call.server);
    let message = format!("The Resource '{kind}/{server}/firewallRules/{rule}' was not found.");
    Refusal::new(404, "ResourceNotFound", message)
}

fn check(name: &str, rule: &Rule) -> Result<(Ipv4Addr, Ipv4Addr), Refusal> {
    let legal = (1..=128).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !legal {
        return Err(Refusal::invalid(format!("'{name}' is not a valid name of a firewall rule.")));
    }
    let address =
        |text: &str| text.parse().map_err(|_| Refusal::invalid(format!("'{text}' is not an IPv4 address.")));
    let range: (Ipv4Addr, _) =
        (address(&rule.properties.start_ip_address)?, address(&rule.properties.end_ip_address)?);
    if range.0 > range.1 {
        return Err(Refusal::invalid("The first address of a range must not be after the last one."));
    }
    Ok(range)
}

fn json(of: &Server, name: &str, (start, end): (Ipv4Addr, Ipv4Addr)) -> Value {
    let properties = json!({"startIpAddress": start.to_string(), "endIpAddress": end.to_string()});
    below::json(of, "firewallRules", name, properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::a_range("office", "10.0.0.1", "10.0.0.9", true)]
    #[case::azure_services("AllowAllWindowsAzureIps", "0.0.0.0", "0.0.0.0", true)]
    #[case::backwards("office", "10.0.0.9", "10.0.0.1", false)]
    #[case::a_name_with_a_dot("my.office", "10.0.0.1", "10.0.0.9", false)]
    #[case::ipv6("office", "::1", "::1", false)]
    fn a_rule_is_a_name_and_a_range(
        #[case] name: &str,
        #[case] start: &str,
        #[case] end: &str,
        #[case] ok: bool,
    ) {
        let properties = Range { start_ip_address: start.into(), end_ip_address: end.into() };
        assert_eq!(check(name, &Rule { properties }).is_ok(), ok);
    }
}
