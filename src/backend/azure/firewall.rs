//! Rules of the firewall: which are asked for, and which may be. Pure.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::super::{FIREWALL_RULE as RULE, Rejection, Settings};
use super::model::{FirewallRule, Range};
use crate::api::PostgreSQLServerSpec;
use crate::config::{AzureFirewallRule, AzureNetwork, AzureParameters};

/// Says that the rules were read.
pub(super) const READ: &str = "firewall rules";

/// The service's name and range for "services on Azure, also those of others"
/// (<https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-firewall-rules>).
const AZURE_SERVICES: (&str, &str) = ("AllowAllWindowsAzureIps", "0.0.0.0 to 0.0.0.0");
/// Longest name of a rule (API reference, path parameter `firewallRuleName`).
const LONGEST: usize = 128;
const FIELD: &str = "network.firewallRules";

/// What the administrator says about rules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy<'a> {
    network: &'a AzureNetwork,
    always: &'a [AzureFirewallRule],
}

impl<'a> Policy<'a> {
    pub(super) fn new(network: &'a AzureNetwork, parameters: &'a AzureParameters) -> Self {
        Self { network, always: &parameters.network.firewall_rules }
    }

    /// Whether a rule that nobody asks for is to go. `ours`: those that we have set.
    pub(super) fn removes(&self, rule: &str, ours: &[String]) -> bool {
        self.network.exclusive_firewall_rules || ours.iter().any(|one| one == rule)
    }

    /// Rule → range, as asked for by the administrator and the user. The administrator's win.
    pub(super) fn asked(&self, spec: &PostgreSQLServerSpec) -> BTreeMap<String, String> {
        let users = spec.network.iter().flat_map(|network| &network.firewall_rules);
        let mut rules: BTreeMap<String, String> = users
            .filter(|rule| self.check(&rule.name, &rule.start_ip, &rule.end_ip).is_ok())
            .map(|rule| (rule.name.clone(), text(&rule.start_ip, &rule.end_ip)))
            .collect();
        for rule in self.always {
            rules.insert(rule.name.clone(), text(&rule.start_ip.to_string(), &rule.end_ip.to_string()));
        }
        if self.network.allow_azure_services {
            rules.insert(AZURE_SERVICES.0.to_owned(), AZURE_SERVICES.1.to_owned());
        }
        rules
    }

    /// What is wrong with the user's rules.
    pub(super) fn validate(&self, spec: &PostgreSQLServerSpec) -> Vec<Rejection> {
        let rules = spec.network.iter().flat_map(|network| &network.firewall_rules);
        let mut seen = Vec::new();
        rules
            .filter_map(|rule| {
                let flaw = self.check(&rule.name, &rule.start_ip, &rule.end_ip).err();
                let again = seen.contains(&&rule.name).then(|| "another rule has this name, too".to_owned());
                seen.push(&rule.name);
                let message = format!("{}: {}", rule.name, flaw.or(again)?);
                Some(Rejection { field: FIELD.to_owned(), message })
            })
            .collect()
    }

    fn check(&self, name: &str, start: &str, end: &str) -> Result<(), String> {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > LONGEST || !name.chars().all(legal) {
            return Err(format!("expected a name of 1 to {LONGEST} letters, digits, - and _"));
        }
        let reserved =
            self.always.iter().any(|rule| rule.name == name) || name.eq_ignore_ascii_case(AZURE_SERVICES.0);
        if reserved {
            return Err("the administrator decides on the rule of this name; use another one".to_owned());
        }
        let (Ok(first), Ok(last)) = (start.trim().parse::<Ipv4Addr>(), end.trim().parse::<Ipv4Addr>()) else {
            return Err(format!("found {start} and {end}, expected two IPv4 addresses"));
        };
        if first > last {
            return Err(format!("found {start} to {end}, expected the lower address first"));
        }
        let ranges = &self.network.allowed_firewall_ranges;
        if !ranges.is_empty() && !ranges.iter().any(|range| holds(range, first, last)) {
            return Err(format!("found {start} to {end}, expected a part of {}", ranges.join(" or ")));
        }
        Ok(())
    }
}

/// What a range is called among the facts.
pub(super) fn text(start: &str, end: &str) -> String {
    format!("{} to {}", start.trim(), end.trim())
}

/// And back.
pub(super) fn range(text: &str) -> Option<Range> {
    let (start, end) = text.split_once(" to ")?;
    Some(Range { start_ip_address: start.to_owned(), end_ip_address: end.to_owned() })
}

/// Puts the rules among the facts.
pub(super) fn note(found: &mut Settings, rules: &[FirewallRule]) {
    found.insert(READ.to_owned(), rules.len().to_string());
    for rule in rules {
        let range = &rule.properties;
        found.insert(format!("{RULE}{}", rule.name), text(&range.start_ip_address, &range.end_ip_address));
    }
}

/// Whether a range in CIDR notation holds all from `first` to `last`.
fn holds(range: &str, first: Ipv4Addr, last: Ipv4Addr) -> bool {
    let Some((address, bits)) = range.split_once('/') else { return false };
    let (Ok(address), Ok(bits)) = (address.parse::<Ipv4Addr>(), bits.parse::<u32>()) else { return false };
    let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or_default();
    let network = |address: Ipv4Addr| address.to_bits() & mask;
    network(first) == network(address) && network(last) == network(address)
}

#[cfg(test)]
mod tests {
    use super::super::testing::spec;
    use super::*;
    use serde_json::json;

    /// The sections `network` and `parameters` of a configuration.
    struct Config(AzureNetwork, AzureParameters);

    impl Config {
        fn policy(&self) -> Policy<'_> {
            Policy::new(&self.0, &self.1)
        }
    }

    fn config(keys: serde_json::Value) -> Config {
        let part = |key: &str| keys.get(key).cloned().unwrap_or_else(|| json!({}));
        Config(
            serde_json::from_value(part("network")).unwrap(),
            serde_json::from_value(part("parameters")).unwrap(),
        )
    }

    fn rules(rules: serde_json::Value) -> PostgreSQLServerSpec {
        spec(json!({"network": {"firewallRules": rules}}))
    }

    fn rule(name: &str, start: &str, end: &str) -> serde_json::Value {
        json!({"name": name, "startIp": start, "endIp": end})
    }

    #[test]
    fn the_users_rules_and_the_administrators_are_asked_for_together() {
        let config = config(json!({
            "network": {"allow_azure_services": true},
            "parameters": {"network": {"firewall_rules": [rule("office", "192.0.2.1", "192.0.2.9")]}},
        }));
        let asked = config.policy().asked(&rules(json!([rule("home", "198.51.100.7", "198.51.100.7")])));
        let asked: Vec<(&str, &str)> =
            asked.iter().map(|(name, range)| (name.as_str(), range.as_str())).collect();
        let expected = [
            ("AllowAllWindowsAzureIps", "0.0.0.0 to 0.0.0.0"),
            ("home", "198.51.100.7 to 198.51.100.7"),
            ("office", "192.0.2.1 to 192.0.2.9"),
        ];
        assert_eq!(asked, expected);
    }

    #[test]
    fn a_user_neither_takes_the_administrators_rule_nor_goes_beyond_the_ranges() {
        let config = config(json!({
            "network": {"allowed_firewall_ranges": ["192.0.2.0/24", "198.51.100.0/30"]},
            "parameters": {"network": {"firewall_rules": [rule("office", "192.0.2.1", "192.0.2.9")]}},
        }));
        for (name, start, end, told) in [
            ("office", "192.0.2.0", "192.0.2.255", "the administrator"),
            ("allowallwindowsazureips", "0.0.0.0", "0.0.0.0", "the administrator"),
            ("all", "0.0.0.0", "255.255.255.255", "expected a part of"),
            ("more", "198.51.100.0", "198.51.100.4", "expected a part of"),
            ("turned", "192.0.2.9", "192.0.2.1", "lower address first"),
            ("no addresses", "192.0.2.9", "192.0.2.9", "expected a name"),
            ("six", "::1", "::2", "IPv4"),
        ] {
            let spec = rules(json!([rule(name, start, end)]));
            let refused = config.policy().validate(&spec);
            assert!(refused.len() == 1 && refused[0].message.contains(told), "{name}: {refused:?}");
            assert!(!config.policy().asked(&spec).contains_key(name) || name == "office", "{name}");
        }
        let within = rules(json!([rule("a", "198.51.100.0", "198.51.100.3")]));
        assert_eq!(config.policy().validate(&within), vec![]);
    }

    #[test]
    fn a_rule_that_is_there_twice_is_told() {
        let twice = rules(json!([rule("a", "192.0.2.1", "192.0.2.1"), rule("a", "192.0.2.2", "192.0.2.2")]));
        assert_eq!(config(json!({})).policy().validate(&twice).len(), 1);
    }

    #[test]
    fn the_range_of_everything_holds_everything() {
        assert!(holds("0.0.0.0/0", Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST));
        assert!(holds("192.0.2.7/32", Ipv4Addr::new(192, 0, 2, 7), Ipv4Addr::new(192, 0, 2, 7)));
    }
}
