//! The sections of clouds and charts.

use rstest::rstest;

use super::super::*;
use super::{MINIMAL, accepted, lines, refused};

/// The warnings of a configuration with these sections besides the local one.
fn warned(sections: &str) -> Vec<String> {
    lines(&accepted(&format!("{MINIMAL}{sections}"), &[]).warnings)
}

fn backends(sections: &str) -> Backends {
    accepted(&format!("{MINIMAL}{sections}"), &[]).config.backends
}

const AZURE: &str =
    "  azure: {subscription_id: s, location: l, resource_group: g, name_pattern: '{namespace}-{name}'}\n";

#[test]
fn the_shared_section_counts_key_by_key_where_the_own_one_is_silent() {
    let all = backends(
        "  aws: {region: eu-central-1, subnet_group: s, deletion_protection: true, availability_zone: z, network: {public_access: true}, tags: {a: b}}
  awsrds: {region: eu-west-1, deletion_protection: false, network: {}, subnet_group: null, assume_role_arn: '', classes: {big: {instance_type: x}}}
",
    );
    let rds = all.awsrds.unwrap();
    assert_eq!((rds.aws.region.as_str(), rds.aws.subnet_group.as_str()), ("eu-west-1", "s"));
    assert!(!rds.aws.deletion_protection && rds.aws.network.public_access);
    assert_eq!(rds.aws.tags["a"], "b");
    assert_eq!(rds.availability_zone.as_deref(), Some("z"), "the zone of RDS may be shared");
    assert_eq!(rds.classes["big"].storage_type, RdsStorage::Gp2);
}

#[test]
fn an_empty_text_in_the_own_section_is_silent_too() {
    let all = backends(
        "  aws: {region: r, subnet_group: s, assume_role_arn: a}\n  awsrds: {region: '', assume_role_arn: ''}\n",
    );
    let rds = all.awsrds.unwrap();
    assert_eq!((rds.aws.region.as_str(), rds.aws.assume_role_arn.as_deref()), ("r", Some("a")));
}

#[test]
fn what_only_the_own_section_may_say_is_not_shared_and_a_warning_says_so() {
    let sections = AZURE.replace('}', ", availability_zone: '3', api_version: v}").replace(
        "{namespace, availability_zone: '3', api_version: v}-{name, availability_zone: '3', api_version: v}",
        "{namespace}-{name}",
    ) + "  azurepostgresflexible: {}\n";
    let Loaded { config, warnings } = accepted(&format!("{MINIMAL}{sections}"), &[]);
    let flexible = config.backends.azurepostgresflexible.unwrap();
    assert_eq!((flexible.availability_zone.as_str(), flexible.azure.api_version.as_deref()), ("1", None));
    let said = lines(&warnings);
    assert_eq!(said.len(), 2, "{said:#?}");
    for (line, key) in said.iter().zip(["availability_zone", "api_version"]) {
        assert!(
            line.ends_with(&format!(
                "backends.azure.{key}: found an unknown key, expected it in the section of a backend \
                 (azurepostgres, azurepostgresflexible), where alone it counts; ignored"
            )),
            "{line}"
        );
    }
}

#[test]
fn a_wrong_value_in_a_shared_section_is_reported_once_where_it_stands() {
    let yaml = format!(
        "{MINIMAL}  aws: {{region: r, subnet_group: s, deletion_protection: perhaps, regin: x}}\n  awsrds: {{}}\n  awsaurora: {{}}\n"
    );
    assert_eq!(
        refused(&yaml, &[]),
        [
            "config.yaml:5:58: backends.aws.deletion_protection: found \"perhaps\", expected true or false",
            "config.yaml:5:67: backends.aws.regin: found an unknown key (did you mean region?), expected one of: \
             admin_username, assume_role_arn, availability_zone, availability_zones, ca_certificate, call_budget, deletion_policy, \
             deletion_protection, endpoint, extra_ca_file, name_overrides, name_pattern, network, parameters, region, \
             sts_endpoint, subnet_group, tags, taken_over_deletion_policy, vpc_security_group_ids; ignored",
        ]
    );
}

#[test]
fn an_unused_section_may_lack_what_is_required_and_is_left_out_then() {
    let Loaded { config, warnings } = accepted(&format!("{MINIMAL}  awsrds: {{region: r}}\n"), &[]);
    assert_eq!(config.backends.awsrds, None);
    assert_eq!(
        lines(&warnings),
        ["config.yaml:5:11: backends.awsrds.subnet_group: found nothing, expected a text, here or as \
             backends.aws.subnet_group; the section is not used"]
    );
}

#[test]
fn passwords_are_no_longer_than_aurora_takes_them_where_it_is_used() {
    let of = |backend: &str, length: u8| {
        format!(
            "backend: {backend}\nsecurity: {{password_length: {length}}}\nbackends:\n  aws: {{region: r, subnet_group: s}}\n  \
             awsrds: {{}}\n  awsaurora: {{}}\n"
        )
    };
    let findings = refused(&of("awsaurora", 42), &[]);
    assert!(
        findings.iter().any(|line| line.contains("password_length: found 42, expected 41")),
        "{findings:#?}"
    );
    accepted(&of("awsaurora", 41), &[]);
    accepted(&of("awsrds", 42), &[]);
}

#[test]
fn a_selected_backend_needs_only_the_shared_section_and_what_is_required() {
    let findings = refused("backend: awsaurora\nbackends:\n  aws: {region: r}\n", &[]);
    assert!(
        findings.contains(
            &"config.yaml:3:8: backends.awsaurora.subnet_group: found nothing, expected a text, here or as \
              backends.aws.subnet_group"
                .to_owned()
        ),
        "{findings:#?}"
    );
    assert!(!findings.iter().any(|line| line.contains("expected a section")), "{findings:#?}");
}

#[test]
fn the_region_of_aurora_is_its_own_then_that_of_rds_as_in_the_original_then_the_shared_one() {
    let of = |sections: &str| {
        let Loaded { config, warnings } = accepted(&format!("{MINIMAL}{sections}"), &[]);
        (config.backends.awsaurora.unwrap().aws.region, warnings.len())
    };
    let aws = "  aws: {region: shared, subnet_group: s}\n";
    let rds = "  awsrds: {region: rds}\n";
    assert_eq!(of(&format!("{aws}{rds}  awsaurora: {{region: own}}\n")), ("own".to_owned(), 0));
    assert_eq!(of(&format!("{aws}{rds}  awsaurora: {{}}\n")), ("rds".to_owned(), 1));
    assert_eq!(of(&format!("{aws}  awsaurora: {{}}\n")), ("shared".to_owned(), 0));
}

#[test]
fn azure_takes_a_zone_as_text_or_section_and_addresses_in_both_spellings() {
    let sections = AZURE.to_owned()
        + "  azurepostgresflexible:
    dns_zone: x.postgres.database.azure.com
    virtual_network: v
    subnet: s
    parameters: {network: {firewall_rules: [{name: a, start_ip: 10.0.0.1, endIp: 10.0.0.2}]}}
  azurepostgres: {parameters: {infrastructure_encryption: Enabled}}
";
    let all = backends(&sections);
    let flexible = all.azurepostgresflexible.unwrap();
    assert_eq!(flexible.dns_zone.unwrap().name, "x.postgres.database.azure.com");
    assert_eq!(flexible.parameters.network.firewall_rules[0].start_ip.to_string(), "10.0.0.1");
    assert_eq!(all.azurepostgres.unwrap().parameters.infrastructure_encryption, Switch::Enabled);
}

#[test]
fn a_key_that_a_variable_sets_is_known_by_it() {
    let yaml =
        format!("{MINIMAL}{AZURE}  azurepostgresflexible: {{dns_zone: a.postgres.database.azure.com}}\n");
    let variables = [
        ("HYBRIDCLOUD_BACKENDS_AZUREPOSTGRESFLEXIBLE_DNS_ZONE_RESOURCE_GROUP", "zones"),
        ("HYBRIDCLOUD_BACKENDS_AZURE_CPU_LIMIT", "-1"),
        ("HYBRIDCLOUD_BACKENDS_AZURE_EXTRA_CA_FILE", "/nowhere/ca.pem"),
    ];
    let findings = refused(&yaml, &variables);
    assert_eq!(
        findings[0],
        "HYBRIDCLOUD_BACKENDS_AZURE_CPU_LIMIT: backends.azure.cpu_limit: found -1, expected a whole number from 0 to 4294967295"
    );
    assert!(
        findings[1].starts_with(
            "HYBRIDCLOUD_BACKENDS_AZURE_EXTRA_CA_FILE: backends.azure.extra_ca_file: found \"/nowhere/ca.pem\", which cannot be read"
        ),
        "{findings:#?}"
    );
    let config = accepted(&yaml, &variables[..1]).config;
    let zone = config.backends.azurepostgresflexible.unwrap().dns_zone.unwrap();
    assert_eq!(
        (zone.name.as_str(), zone.resource_group.as_deref()),
        ("a.postgres.database.azure.com", Some("zones"))
    );
}

#[rstest]
#[case(
    "aws",
    "awsrds: {default_class: bog, classes: {big: {instance_type: x}}}",
    "backends.awsrds.default_class: found \"bog\" (did you mean big?), expected one of the classes: big"
)]
#[case(
    "aws",
    "awsrds: {classes: {big: {instance_type: x, iops: 3000}}}",
    "backends.awsrds.classes.big.iops: found 3000, expected storage_type io1, io2 or gp3 with it: gp2 has none"
)]
#[case(
    "aws",
    "awsaurora: {classes: {s: {instance_type: db.serverless, scaling_configuration: {min_capacity: 2, max_capacity: 1}}}}",
    "backends.awsaurora.classes.s.scaling_configuration.max_capacity: found 1, expected at least 2, the min_capacity"
)]
#[case(
    "aws",
    "awsaurora: {classes: {s: {instance_type: db.serverless, scaling_configuration: {max_capacity: 1.3}}}}",
    "backends.awsaurora.classes.s.scaling_configuration.max_capacity: found 1.3, expected a multiple of 0.5"
)]
#[case(
    "aws",
    "awsrds: {endpoint: 'https://me:secret@rds.local'}",
    "backends.awsrds.endpoint: found \"https://***@rds.local\", expected no user name and no password in it"
)]
#[case(
    "aws",
    "awsrds: {endpoint: rds.local}",
    "backends.awsrds.endpoint: found \"rds.local\", expected an address that begins with https:// or http://"
)]
#[case(
    "aws",
    "awsrds: {name_overrides: [{namespace: a, name: b, aws_identifier: x}, {namespace: a, name: c, aws_identifier: x}]}",
    "backends.awsrds.name_overrides[1].aws_identifier: found \"x\" again, expected a server for each object"
)]
#[case(
    "aws",
    "awsrds: {name_pattern: db}",
    "backends.awsrds.name_pattern: found \"db\", expected {name} in it, or all objects would share one server"
)]
#[case(
    "azure",
    "azurepostgresflexible: {parameters: {network: {firewall_rules: [{name: r, startIp: 10.0.0.9, endIp: 10.0.0.1}]}}}",
    "backends.azurepostgresflexible.parameters.network.firewall_rules[0].endIp: found 10.0.0.1, expected at least 10.0.0.9, the startIp"
)]
#[case(
    "azure",
    "azurepostgresflexible: {network: {allowed_firewall_ranges: [10.0.0.0/33]}}",
    "backends.azurepostgresflexible.network.allowed_firewall_ranges[0]: found \"10.0.0.0/33\", expected IPv4 addresses in CIDR notation, for example 10.1.0.0/16"
)]
#[case(
    "azure",
    "azurepostgresflexible: {network: {public_access: false}}",
    "backends.azurepostgresflexible.network.public_access: found false, expected virtual_network, subnet and dns_zone with it: private servers stand there"
)]
#[case(
    "azure",
    "azurepostgres: {subnet: s}",
    "backends.azurepostgres.virtual_network: found nothing, expected the network of the subnet"
)]
#[case(
    "azure",
    "azurepostgres: {deletion_policy: Snapshot}",
    "backends.azurepostgres.deletion_policy: found \"Snapshot\", expected Delete or Retain: on Azure, backups of a server go with it"
)]
#[case(
    "azure",
    "azurepostgresflexible: {taken_over_deletion_policy: Snapshot}",
    "backends.azurepostgresflexible.taken_over_deletion_policy: found \"Snapshot\", expected Delete or Retain: on Azure, backups of a server go with it"
)]
#[case(
    "azure",
    "azurepostgres: {network: {create_private_endpoint: true}}",
    "backends.azurepostgres.network.create_private_endpoint: found true, expected virtual_network and subnet with it: the endpoint stands there"
)]
#[case(
    "azure",
    "azurepostgres: {parameters: {infrastructure_encryption: enabled}}",
    "backends.azurepostgres.parameters.infrastructure_encryption: found \"enabled\" (did you mean Enabled?), expected one of: Enabled, Disabled"
)]
#[case(
    "azure",
    "azurepostgres: {parameters: {network: {firewall_rules: [{name: r, startIp: '::1', endIp: 10.0.0.1}]}}}",
    "backends.azurepostgres.parameters.network.firewall_rules[0].startIp: found \"::1\", expected an IPv4 address"
)]
#[case(
    "azure",
    "helmyugabyte: {default_class: big, replicas_master: 0}",
    "backends.helmyugabyte.default_class: found \"big\", expected a class, but there are no classes"
)]
fn values_that_do_not_go_together_are_refused(
    #[case] cloud: &str,
    #[case] section: &str,
    #[case] expected: &str,
) {
    let shared = if cloud == "aws" { "  aws: {region: r, subnet_group: s}\n" } else { AZURE };
    let findings = refused(&format!("{MINIMAL}{shared}  {section}\n"), &[]);
    assert!(findings.iter().any(|line| line.ends_with(expected)), "{expected}\nis not in\n{findings:#?}");
    assert!(!format!("{findings:?}").contains("secret"));
}

#[rstest]
#[case("deletion_policy")]
#[case("taken_over_deletion_policy")]
fn no_section_on_azure_asks_for_a_snapshot_and_none_is_forbidden_to_keep_servers(#[case] key: &str) {
    let of = |policy: &str| {
        let shared = AZURE.replace("  azure: {", &format!("  azure: {{{key}: {policy}, "));
        format!("{MINIMAL}{shared}  azurepostgres: {{}}\n  azurepostgresflexible: {{}}\n")
    };
    let findings = refused(&of("Snapshot"), &[]);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(findings[0].contains(&format!(" backends.azure.{key}: found \"Snapshot\"")), "{findings:#?}");
    for policy in ["Delete", "Retain"] {
        accepted(&of(policy), &[]);
    }
}

#[test]
fn keys_without_effect_and_a_zone_without_a_subnet_are_warned_about() {
    let said = warned(&format!(
        "{AZURE}  helmbitnami: {{admin_username: me}}\n  azurepostgresflexible: {{dns_zone: z.postgres.database.azure.com}}\n"
    ));
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said[0].ends_with(
        "backends.helmbitnami.admin_username: found \"me\", expected it left out, since it has no effect any more"
    ));
    assert!(said[1].contains("backends.azurepostgresflexible.dns_zone.name: found a zone without a subnet"));
}

#[test]
fn what_was_resolved_is_read_as_the_same_from_its_own_words() {
    let yaml = format!(
        "{MINIMAL}{AZURE}  aws: {{region: r, subnet_group: s, tags: {{a: b}}}}\n  awsrds: {{}}\n  awsaurora: {{classes: {{s: {{instance_type: db.serverless, scaling_configuration: {{}}}}}}}}\n  azurepostgres: {{}}\n  azurepostgresflexible: {{}}\n  helmbitnami: {{}}\n  helmyugabyte: {{}}\n"
    );
    let config = accepted(&yaml, &[]).config;
    assert!(
        ["awsrds", "awsaurora", "azurepostgres", "azurepostgresflexible", "helmbitnami", "helmyugabyte"]
            .iter()
            .all(|name| config.backends.has_section(name))
    );
    let words = serde_json::to_string_pretty(&config).unwrap();
    assert_eq!(accepted(&words, &[]).config, config, "{words}");
}

#[test]
fn every_finding_is_reported_also_where_a_whole_section_cannot_be_read() {
    let findings = refused(
        "backend: local\nbackends:\n  local: {port_first: 5}\n  aws: {region: r, subnet_group: s}\n  awsrds: {endpoint: x}\n",
        &[],
    );
    let keys = ["backends.local.data_dir:", "backends.local.port_first:", "backends.awsrds.endpoint:"];
    assert!(keys.iter().all(|key| findings.iter().any(|line| line.contains(key))), "{findings:#?}");
    assert_eq!(findings.len(), 3, "{findings:#?}");
}
