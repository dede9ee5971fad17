//! Tests of single servers without Azure.

#![allow(clippy::unwrap_used)]

use rstest::rstest;
use serde_json::{Value, json};

use super::super::super::{DesiredServer, ServerBackend, ServerFacts, Settings};
use super::super::model::{Configuration, FirewallRule};
use super::super::testing::{identity, owner, section, sentence, spec, with};
use super::super::{Variables, firewall, parameters};
use super::model::{Endpoint, Record, Server};
use super::{SingleBackend, endpoint, requests, rules, validate};
use crate::api::PostgreSQLServerSpec;
use crate::config::AzureSingleConfig;
use crate::secrets::Password;

const ID: &str =
    "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/servers/team-orders";

fn config(more: Value) -> AzureSingleConfig {
    section(more)
}

/// A server as the original made it, with tags of others.
fn server(tags: Value) -> Server {
    let ours = json!({
        "hybridcloud-postgresql-operator:namespace": "team",
        "hybridcloud-postgresql-operator:name": "orders",
        "cost": "42",
    });
    let tags: Value = with(ours, tags);
    serde_json::from_value(json!({
        "id": ID,
        "name": "team-orders",
        "location": "westeurope",
        "tags": tags,
        "sku": {"name": "GP_Gen5_2", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 2},
        "properties": {
            "administratorLogin": "postgres", "version": "11", "sslEnforcement": "Enabled",
            "minimalTlsVersion": "TLSEnforcementDisabled", "userVisibleState": "Ready",
            "fullyQualifiedDomainName": "team-orders.postgres.database.azure.com",
            "publicNetworkAccess": "Enabled",
            "storageProfile": {
                "storageMB": 102_400, "backupRetentionDays": 14, "geoRedundantBackup": "Disabled",
                "storageAutogrow": "Disabled",
            },
        },
    }))
    .unwrap()
}

fn facts(server: &Server, preloaded: &str, rules: &[(&str, &str, &str)]) -> ServerFacts {
    let mut settings: Settings = super::super::rules::found(server);
    let configuration: Configuration = serde_json::from_value(json!({
        "name": "shared_preload_libraries",
        "properties": {"value": preloaded, "defaultValue": "", "dataType": "Set", "source": "system-default"},
    }))
    .unwrap();
    parameters::note(&mut settings, &[configuration]);
    let rules = rules.iter().map(|(name, start, end)| {
        json!({"name": name, "properties": {"startIpAddress": start, "endIpAddress": end}})
    });
    let rules: Vec<FirewallRule> = serde_json::from_value(rules.collect()).unwrap();
    firewall::note(&mut settings, &rules);
    ServerFacts { settings, ..ServerFacts::default() }
}

fn told(config: &AzureSingleConfig, spec: &PostgreSQLServerSpec, facts: &ServerFacts) -> Vec<String> {
    let owner = owner();
    let differences = rules::differences(&DesiredServer::new(&owner, spec), config, facts);
    differences.iter().map(sentence).collect()
}

fn created(config: &AzureSingleConfig, spec: &PostgreSQLServerSpec) -> Value {
    let (owner, password) = (owner(), Password::new("s3cret"));
    let (desired, now) = (DesiredServer::new(&owner, spec), "2026-01-02T03:04:05Z".parse().unwrap());
    let own = requests::create(&desired, config, now).unwrap();
    let body = super::super::requests::create(own, &identity(), &desired, &config.azure, &password);
    assert!(!format!("{body:?}").contains("s3cret"));
    serde_json::to_value(body).unwrap()
}

fn changed(config: &AzureSingleConfig, spec: &PostgreSQLServerSpec) -> Option<Value> {
    let (owner, server) = (owner(), server(json!({})));
    let desired = DesiredServer::new(&owner, spec);
    let differences = rules::differences(&desired, config, &facts(&server, "", &[]));
    let body = requests::change(&desired, config, &server, &differences);
    body.map(|body| serde_json::to_value(body).unwrap())
}

#[test]
fn a_server_of_the_original_differs_in_nothing_that_nobody_asks_for() {
    let facts = facts(&server(json!({})), "pgaudit", &[("portal", "1.1.1.1", "1.1.1.1")]);
    assert_eq!(told(&config(json!({})), &spec(json!({})), &facts), Vec::<String>::new());
}

#[rstest]
#[case::storage_in_steps(json!({"size": {"storageGB": 198}}), "storageGB: 100, asked for 200")]
#[case::growth(json!({"size": {"storageAutoGrow": true}}), "storageAutoGrow: Disabled, asked for Enabled")]
#[case::cores(
    json!({"size": {"cpu": 3}}),
    "sku: GP_Gen5_2 (GeneralPurpose), asked for GP_Gen5_4 (GeneralPurpose) [restart]"
)]
#[case::backups(json!({"backup": {"retentionDays": 7}}), "backup.retentionDays: 14, asked for 7")]
#[case::geo(
    json!({"backup": {"geoRedundant": true}}),
    "backup.geoRedundant: Disabled, asked for Enabled: it is fixed when the server is created [refused]"
)]
#[case::older(
    json!({"version": "10"}),
    "version: 11, asked for 10: single servers are not upgraded; move to a flexible server [refused]"
)]
#[case::newer_is_told_elsewhere(json!({"version": "17"}), "")]
#[case::a_rule(
    json!({"network": {"firewallRules": [{"name": "a", "startIp": "192.0.2.1", "endIp": "192.0.2.9"}]}}),
    "firewall.a: not set, asked for 192.0.2.1 to 192.0.2.9"
)]
#[case::an_extension_with_a_library(
    json!({"extensions": ["timescaledb", "hstore"]}),
    "parameter.shared_preload_libraries: , asked for timescaledb [restart]"
)]
fn what_is_asked_for_and_not_there_differs(#[case] asked: Value, #[case] expected: &str) {
    let told = told(&config(json!({})), &spec(asked), &facts(&server(json!({})), "", &[]));
    assert_eq!(told.join("; "), expected);
}

#[test]
fn storage_that_has_grown_is_left_alone() {
    let mut grown = server(json!({}));
    grown.properties.own.storage_profile.as_mut().unwrap().storage_mb = Some(204_800);
    let asked = spec(json!({"size": {"storageGB": 150}}));
    assert_eq!(told(&config(json!({})), &asked, &facts(&grown, "", &[])), Vec::<String>::new());
}

#[test]
fn public_access_follows_the_administrator_and_a_private_endpoint_closes_it() {
    let (spec, facts) = (spec(json!({})), facts(&server(json!({})), "", &[]));
    let told = |network: Value| told(&config(json!({"network": network})), &spec, &facts);
    assert_eq!(told(json!({"public_access": true})), Vec::<String>::new());
    let closes = ["network: public, asked for private"];
    assert_eq!(told(json!({"public_access": false})), closes);
    assert_eq!(told(json!({"create_private_endpoint": true})), closes);
    assert_eq!(told(json!({"create_private_endpoint": true, "public_access": true})), Vec::<String>::new());
}

#[test]
fn a_restart_is_due_as_long_as_the_server_says_so_and_once_made_interrupts_nobody_again() {
    let marked = server(json!({"hybridcloud-postgresql-operator:restart-due": "yes"}));
    let mut facts = facts(&marked, "pg_prewarm", &[]);
    let (config, spec) = (config(json!({})), spec(json!({"extensions": ["pg_prewarm"]})));
    let due = "restart: shared_preload_libraries waits for it, asked for done";
    assert_eq!(told(&config, &spec, &facts), [format!("{due} [restart]")]);
    facts.settings.insert(rules::RESTARTED.to_owned(), "yes".to_owned());
    assert_eq!(told(&config, &spec, &facts), [due]);
}

#[test]
fn the_restart_waits_until_the_libraries_are_set() {
    let marked = server(json!({"hybridcloud-postgresql-operator:restart-due": "yes"}));
    let told =
        told(&config(json!({})), &spec(json!({"extensions": ["pg_prewarm"]})), &facts(&marked, "", &[]));
    assert_eq!(told, ["parameter.shared_preload_libraries: , asked for pg_prewarm [restart]"]);
}

#[test]
fn rules_of_ours_go_and_those_of_others_stay() {
    let facts = facts(
        &server(json!({})),
        "",
        &[("ours", "192.0.2.1", "192.0.2.1"), ("portal", "192.0.2.2", "192.0.2.2")],
    );
    let (owner, spec, managed_rules) = (owner(), spec(json!({})), ["ours".to_owned()]);
    let desired = DesiredServer { managed_rules: &managed_rules, ..DesiredServer::new(&owner, &spec) };
    let differences = rules::differences(&desired, &config(json!({})), &facts);
    let told: Vec<String> = differences.iter().map(sentence).collect();
    assert_eq!(told, ["firewall.ours: 192.0.2.1 to 192.0.2.1, asked for its default"]);
}

#[test]
fn a_new_server_is_what_the_original_would_have_asked_for() {
    let config = config(json!({
        "tags": {"team": "{namespace}"},
        "parameters": {"backup_retention_days": 10, "infrastructure_encryption": "Enabled"},
    }));
    let spec = spec(json!({"version": "10", "size": {"cpu": 4, "storageGB": 100, "storageAutoGrow": true}}));
    let expected = json!({
        "location": "westeurope",
        "sku": {"name": "GP_Gen5_4", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 4},
        "tags": {
            "hybridcloud-postgresql-operator:created": "2026-01-02T03:04:05Z",
            "hybridcloud-postgresql-operator:name": "orders",
            "hybridcloud-postgresql-operator:namespace": "team",
            "hybridcloud-postgresql-operator:uid": "uid-1",
            "team": "team",
        },
        "properties": {
            "createMode": "Default",
            "version": "10.2",
            "administratorLogin": "postgres",
            "administratorLoginPassword": "s3cret",
            "sslEnforcement": "Enabled",
            "infrastructureEncryption": "Enabled",
            "publicNetworkAccess": "Enabled",
            "storageProfile": {
                "storageMB": 102_400, "storageAutogrow": "Enabled",
                "backupRetentionDays": 10, "geoRedundantBackup": "Disabled",
            },
        },
    });
    assert_eq!(created(&config, &spec), expected);
}

#[rstest]
#[case(None, "11")]
#[case(Some("latest"), "11")]
#[case(Some("17"), "11")]
#[case(Some("10.4"), "10.2")]
fn versions_become_what_the_original_made_of_them(#[case] asked: Option<&str>, #[case] expected: &str) {
    let spec = spec(asked.map_or_else(|| json!({}), |asked| json!({"version": asked})));
    assert_eq!(created(&config(json!({})), &spec)["properties"]["version"], expected);
}

#[test]
fn a_change_sends_the_whole_disk_and_keeps_the_tags_of_others() {
    let config = config(json!({"tags": {"team": "{namespace}"}, "network": {"public_access": false}}));
    let change = changed(&config, &spec(json!({"size": {"storageGB": 200, "cpu": 4}}))).unwrap();
    let properties = json!({
        "publicNetworkAccess": "Disabled",
        "storageProfile": {
            "storageMB": 204_800, "backupRetentionDays": 14, "geoRedundantBackup": "Disabled",
            "storageAutogrow": "Disabled",
        },
    });
    assert_eq!(change["properties"], properties);
    let sku = json!({"name": "GP_Gen5_4", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 4});
    assert_eq!(change["sku"], sku);
    assert_eq!(
        (change["tags"]["cost"].as_str(), change["tags"]["team"].as_str()),
        (Some("42"), Some("team"))
    );
    assert!(change.get("location").is_none());
    assert_eq!(changed(&self::config(json!({})), &spec(json!({}))), None);
}

#[rstest]
#[case(json!({"backup": {"retentionDays": 3}}), "backup.retentionDays")]
#[case(json!({"deletionPolicy": "Snapshot"}), "deletionPolicy")]
#[case(json!({"size": {"storageGB": 50}}), "size.storageGB")]
fn what_cannot_be_is_refused_with_its_field(#[case] asked: Value, #[case] field: &str) {
    let refused = validate::validate(&config(json!({})), &spec(asked)).unwrap_err();
    assert_eq!(refused.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), [field]);
}

#[test]
fn what_single_servers_do_not_have_is_told() {
    let spec = spec(json!({
        "version": "17", "highavailability": {"enabled": true}, "serverParameters": {"work_mem": "16MB"},
        "maintenance": {"window": {"weekday": "Wed", "starttime": "03:00"}},
        "network": {"firewallRules": [{"name": "a", "startIp": "192.0.2.1", "endIp": "192.0.2.9"}]},
    }));
    let fields = |network: Value| {
        let told = validate::unsupported(&config(json!({"network": network})), &spec);
        told.into_iter().map(|one| one.field).collect::<Vec<_>>()
    };
    let always = ["version", "highavailability.enabled", "maintenance.window", "serverParameters"];
    assert_eq!(fields(json!({})), always);
    assert_eq!(fields(json!({"public_access": false}))[4..], ["network.firewallRules"]);
}

#[test]
fn new_servers_are_made_only_where_the_administrator_says_that_they_can_be() {
    let backend = |more| SingleBackend::new(config(more), &Variables::default()).unwrap();
    let refused = backend(json!({})).creates().unwrap_err();
    assert!(
        refused.message.contains("azurepostgresflexible")
            && refused.message.contains("allow_retired_service")
    );
    assert_eq!(backend(json!({"allow_retired_service": true})).creates(), Ok(()));
}

#[test]
fn servers_of_one_name_are_told_apart_by_when_we_asked_for_them() {
    assert_eq!(server(json!({})).uid(), Some(ID.to_lowercase()));
    let ours = server(json!({"hybridcloud-postgresql-operator:created": "2026-01-02T03:04:05Z"}));
    assert_eq!(ours.uid().as_deref(), Some("2026-01-02T03:04:05Z"));
}

fn private_endpoint(connection: &str, to: &str) -> Endpoint {
    serde_json::from_value(json!({"properties": {
        "privateLinkServiceConnections":
            [{"name": connection, "properties": {"privateLinkServiceId": to}}],
        "customDnsConfigs": [{"fqdn": "x", "ipAddresses": ["10.0.0.4"]}],
    }}))
    .unwrap()
}

#[test]
fn an_endpoint_is_the_originals_only_with_its_connection_to_this_server() {
    let leads =
        |connection: &str, to: &str| endpoint::leads_to(&private_endpoint(connection, to), "team-orders", ID);
    assert!(leads("link-team-orders", &ID.to_uppercase()));
    assert!(!leads("by-hand", ID));
    assert!(!leads("link-team-orders", &format!("{ID}-2")));
    let none: Endpoint = serde_json::from_value(json!({})).unwrap();
    assert!(!endpoint::leads_to(&none, "team-orders", ID));
}

#[test]
fn a_name_is_the_endpoints_only_if_it_leads_nowhere_else() {
    let endpoint = private_endpoint("link-team-orders", ID);
    let names = |addresses: Value| {
        let record = json!({"properties": {"ttl": 30, "aRecords": addresses}});
        let record: Record = serde_json::from_value(record).unwrap();
        endpoint::names(&record, &endpoint)
    };
    assert!(names(json!([{"ipv4Address": "10.0.0.4"}])));
    assert!(!names(json!([{"ipv4Address": "10.0.0.4"}, {"ipv4Address": "10.0.0.5"}])));
    assert!(!names(json!([])));
}
