//! What the shape of single values cannot say about the sections of clouds and charts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::Path;

use super::finding::Severity;
use super::model::Config;
use super::tree::quoted;
use super::validate::Checks;
use super::{
    AWS_DEFAULT_CLASS, AuroraConfig, AwsConfig, AzureConfig, AzureFirewallRule, AzureFlexibleConfig,
    AzureNetwork, AzureSingleConfig, RdsConfig, RdsStorage,
};
use crate::api::DeletionPolicy;

/// The instance type whose size Aurora chooses by load.
const SERVERLESS: &str = "db.serverless";
/// Aurora takes no longer password of its administrator.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html> (`MasterUserPassword`)
const LONGEST_PASSWORD: usize = 41;
/// What the name of a private zone of flexible servers ends in.
/// <https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-networking-private>
const ZONE: &str = "postgres.database.azure.com";

impl Checks<'_, '_> {
    /// Every section of a cloud or a chart, in use or not.
    pub(super) fn clouds(&mut self, config: &Config) {
        let backends = &config.backends;
        if let Some(rds) = &backends.awsrds {
            self.rds(rds, config.allows("awsrds"));
        }
        if let Some(aurora) = &backends.awsaurora {
            self.aurora(aurora, config.allows("awsaurora"));
            let length = config.security.password_length;
            if config.allows("awsaurora") && length > LONGEST_PASSWORD {
                let expected = format!("{LONGEST_PASSWORD} at most, since Aurora takes no longer ones");
                self.error("security.password_length", length.to_string(), expected);
            }
        }
        if let Some(single) = &backends.azurepostgres {
            self.single(single, config.allows("azurepostgres"));
        }
        if let Some(flexible) = &backends.azurepostgresflexible {
            self.flexible(flexible, config.allows("azurepostgresflexible"));
        }
        if let Some(helm) = &backends.helmbitnami {
            self.default_class("backends.helmbitnami", helm.default_class.as_deref(), &helm.classes);
        }
        if let Some(helm) = &backends.helmyugabyte {
            self.default_class("backends.helmyugabyte", helm.default_class.as_deref(), &helm.classes);
        }
    }

    fn rds(&mut self, rds: &RdsConfig, in_use: bool) {
        let section = "backends.awsrds";
        self.aws(section, &rds.aws, in_use);
        self.default_class(section, without_own(&rds.default_class), &rds.classes);
        for (name, class) in &rds.classes {
            if class.iops > 0 && class.storage_type == RdsStorage::Gp2 {
                let key = format!("{section}.classes.{name}.iops");
                let expected = "storage_type io1, io2 or gp3 with it: gp2 has none";
                self.error(&key, class.iops.to_string(), expected);
            }
        }
    }

    fn aurora(&mut self, aurora: &AuroraConfig, in_use: bool) {
        let section = "backends.awsaurora";
        self.aws(section, &aurora.aws, in_use);
        self.default_class(section, without_own(&aurora.default_class), &aurora.classes);
        for (name, class) in &aurora.classes {
            let key = format!("{section}.classes.{name}.scaling_configuration");
            let Some(scaling) = class.scaling_configuration else { continue };
            let (least, most) = (scaling.min_capacity, scaling.max_capacity);
            if least > most {
                self.error(
                    &format!("{key}.max_capacity"),
                    most.to_string(),
                    format!("at least {least}, the min_capacity"),
                );
            }
            for (part, capacity) in [("min_capacity", least), ("max_capacity", most)] {
                if (capacity * 2.0).fract() != 0.0 {
                    self.error(&format!("{key}.{part}"), capacity.to_string(), "a multiple of 0.5");
                }
            }
            if class.instance_type != SERVERLESS {
                let found = format!("it with the instance type {}", quoted(&class.instance_type));
                self.report(
                    Severity::Warning,
                    &key,
                    found,
                    format!("the instance type {SERVERLESS}; ignored"),
                );
            }
        }
    }

    fn aws(&mut self, section: &str, aws: &AwsConfig, in_use: bool) {
        self.pattern(&format!("{section}.name_pattern"), &aws.name_pattern);
        let overrides = aws.name_overrides.iter();
        let overrides = overrides.map(|one| (&*one.namespace, &*one.name, &*one.aws_identifier)).collect();
        self.overrides(section, "aws_identifier", overrides);
        self.filled(&format!("{section}.admin_username"), &aws.admin_username);
        self.address(&format!("{section}.endpoint"), aws.endpoint.as_deref());
        self.address(&format!("{section}.sts_endpoint"), aws.sts_endpoint.as_deref());
        self.certificates(section, aws.extra_ca_file.as_deref(), in_use);
    }

    fn azure(&mut self, section: &str, azure: &AzureConfig, in_use: bool) {
        self.pattern(&format!("{section}.name_pattern"), &azure.name_pattern);
        let overrides = azure.name_overrides.iter();
        let overrides = overrides.map(|one| (&*one.namespace, &*one.name, &*one.azure_name)).collect();
        self.overrides(section, "azure_name", overrides);
        self.filled(&format!("{section}.admin_username"), &azure.admin_username);
        self.address(&format!("{section}.authority_host"), azure.authority_host.as_deref());
        self.address(
            &format!("{section}.resource_manager_endpoint"),
            azure.resource_manager_endpoint.as_deref(),
        );
        self.certificates(section, azure.extra_ca_file.as_deref(), in_use);
        if azure.subnet.is_some() && azure.virtual_network.is_none() {
            let expected = "the network of the subnet";
            self.error(&format!("{section}.virtual_network"), "nothing", expected);
        }
        let policies = [
            ("deletion_policy", Some(azure.deletion_policy)),
            ("taken_over_deletion_policy", azure.taken_over_deletion_policy),
        ];
        for (key, policy) in policies {
            if policy == Some(DeletionPolicy::Snapshot) {
                let expected = "Delete or Retain: on Azure, backups of a server go with it";
                self.error(&format!("{section}.{key}"), quoted("Snapshot"), expected);
            }
        }
    }

    fn single(&mut self, single: &AzureSingleConfig, in_use: bool) {
        let section = "backends.azurepostgres";
        self.azure(section, &single.azure, in_use);
        self.default_class(section, single.default_class.as_deref(), &single.classes);
        self.firewall(section, &single.network.azure, &single.parameters.azure.network.firewall_rules);
        if single.network.create_private_endpoint && single.azure.subnet.is_none() {
            let key = format!("{section}.network.create_private_endpoint");
            self.error(&key, "true", "virtual_network and subnet with it: the endpoint stands there");
        }
    }

    fn flexible(&mut self, flexible: &AzureFlexibleConfig, in_use: bool) {
        let section = "backends.azurepostgresflexible";
        self.azure(section, &flexible.azure, in_use);
        self.default_class(section, flexible.default_class.as_deref(), &flexible.classes);
        self.firewall(section, &flexible.network, &flexible.parameters.network.firewall_rules);
        let is_private = flexible.network.public_access == Some(false);
        let subnet = flexible.azure.subnet.is_some();
        if is_private && (!subnet || flexible.dns_zone.is_none()) {
            let expected = "virtual_network, subnet and dns_zone with it: private servers stand there";
            self.error(&format!("{section}.network.public_access"), "false", expected);
        }
        let Some(zone) = &flexible.dns_zone else { return };
        let key = format!("{section}.dns_zone.name");
        if !zone.name.ends_with(ZONE) {
            self.report(Severity::Warning, &key, quoted(&zone.name), format!("a name that ends in {ZONE}"));
        }
        if !subnet && !is_private {
            let expected = "virtual_network and subnet with it; without them the zone has no effect";
            self.report(Severity::Warning, &key, "a zone without a subnet", expected);
        }
    }

    fn firewall(&mut self, section: &str, network: &AzureNetwork, rules: &[AzureFirewallRule]) {
        let mut names = BTreeSet::new();
        for (index, rule) in rules.iter().enumerate() {
            let key = format!("{section}.parameters.network.firewall_rules[{index}]");
            if rule.start_ip > rule.end_ip {
                let expected = format!("at least {}, the startIp", rule.start_ip);
                self.error(&format!("{key}.endIp"), rule.end_ip.to_string(), expected);
            }
            if !names.insert(&rule.name) {
                self.error(&format!("{key}.name"), quoted(&rule.name), "each name once");
            }
        }
        for (index, range) in network.allowed_firewall_ranges.iter().enumerate() {
            if !is_range(range) {
                let key = format!("{section}.network.allowed_firewall_ranges[{index}]");
                let expected = "IPv4 addresses in CIDR notation, for example 10.1.0.0/16";
                self.error(&key, quoted(range), expected);
            }
        }
    }

    /// Without a class of that name, an object that names an unknown one would have none at all.
    fn default_class<T>(&mut self, section: &str, name: Option<&str>, classes: &BTreeMap<String, T>) {
        let Some(name) = name.filter(|name| !classes.contains_key(*name)) else { return };
        let known: Vec<&str> = classes.keys().map(String::as_str).collect();
        let meant = super::path::did_you_mean(name, known.iter().copied());
        let expected = match known.as_slice() {
            [] => "a class, but there are no classes".to_owned(),
            known => format!("one of the classes: {}", known.join(", ")),
        };
        self.error(&format!("{section}.default_class"), format!("{}{meant}", quoted(name)), expected);
    }

    /// Two objects that get the same server would destroy each other's passwords.
    fn overrides(&mut self, section: &str, server: &str, overrides: Vec<(&str, &str, &str)>) {
        let (mut objects, mut servers) = (BTreeSet::new(), BTreeSet::new());
        for (index, (namespace, name, identifier)) in overrides.into_iter().enumerate() {
            let key = format!("{section}.name_overrides[{index}]");
            if !objects.insert((namespace, name)) {
                self.error(&format!("{key}.name"), format!("{namespace}/{name} again"), "each object once");
            }
            if !servers.insert(identifier) {
                let expected = "a server for each object";
                self.error(&format!("{key}.{server}"), format!("{} again", quoted(identifier)), expected);
            }
        }
    }

    fn filled(&mut self, key: &str, text: &str) {
        if text.is_empty() || text.contains(char::is_control) {
            self.error(key, quoted(text), "at least one character, and no control characters");
        }
    }

    fn address(&mut self, key: &str, address: Option<&str>) {
        let Some(address) = address else { return };
        let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        match host {
            Some(host) if host.contains('@') => {
                self.error(key, quoted(address), "no user name and no password in it");
            }
            Some(host) if !host.is_empty() && !address.contains(char::is_whitespace) => {}
            _ => self.error(key, quoted(address), "an address that begins with https:// or http://"),
        }
    }

    /// A section that is not in use may name what is not there.
    fn certificates(&mut self, section: &str, file: Option<&Path>, in_use: bool) {
        let Some(file) = file else { return };
        let found = match std::fs::read_to_string(file) {
            Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => return,
            Ok(_) => format!("{}, which holds no certificate", quoted(&file.to_string_lossy())),
            Err(error) => format!("{}, which cannot be read ({error})", quoted(&file.to_string_lossy())),
        };
        let severity = if in_use { Severity::Error } else { Severity::Warning };
        let expected = "a file with certificates in PEM format";
        self.report(severity, &format!("{section}.extra_ca_file"), found, expected);
    }
}

/// The class that is always there needs no definition.
fn without_own(name: &str) -> Option<&str> {
    Some(name).filter(|name| *name != AWS_DEFAULT_CLASS)
}

fn is_range(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, bits)| {
        address.parse::<Ipv4Addr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= 32)
    })
}
