//! Tests of flexible servers without Azure.

#![allow(clippy::unwrap_used)]

mod differences;
mod writes;

use serde_json::{Value, json};

use super::super::super::{DesiredServer, ServerFacts, Settings};
use super::super::model::{Configuration, FirewallRule};
use super::super::testing::{identity, owner, sentence, spec};
use super::super::{fields, firewall, parameters, rules as common};
use super::model::Server;
use super::rules;
use crate::api::PostgreSQLServerSpec;
use crate::config::AzureFlexibleConfig;

/// A configuration with what each needs and `more`.
fn config(more: Value) -> AzureFlexibleConfig {
    super::super::testing::section(more)
}

/// A server as the original made it: its tags, its Sunday.
fn server() -> Server {
    serde_json::from_value(json!({
        "id": "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/flexibleServers/team-orders",
        "name": "team-orders",
        "location": "West Europe",
        "tags": {
            "hybridcloud-postgresql-operator:namespace": "team",
            "hybridcloud-postgresql-operator:name": "orders",
            "cost": "42",
        },
        "sku": {"name": "Standard_D2ds_v4", "tier": "GeneralPurpose"},
        "systemData": {"createdAt": "2026-01-01T00:00:00Z"},
        "properties": {
            "state": "Ready", "version": "16", "minorVersion": "4",
            "fullyQualifiedDomainName": "team-orders.postgres.database.azure.com",
            "administratorLogin": "postgres",
            "storage": {"storageSizeGB": 128, "autoGrow": "Disabled", "tier": "P10", "iops": 500},
            "backup": {"backupRetentionDays": 14, "geoRedundantBackup": "Disabled"},
            "network": {"publicNetworkAccess": "Enabled"},
            "highAvailability": {"mode": "Disabled", "state": "NotEnabled"},
            "maintenanceWindow": {"customWindow": "Enabled", "dayOfWeek": 0, "startHour": 3, "startMinute": 0},
        },
    }))
    .unwrap()
}

fn parameter(name: &str, value: &str, default: &str, more: Value) -> Value {
    let mut properties = json!({
        "value": value, "defaultValue": default, "dataType": "Integer", "isDynamicConfig": true,
        "isReadOnly": false, "isConfigPendingRestart": false, "source": "system-default",
    });
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"name": name, "properties": properties})
}

/// The facts of a server, its parameters and the rules of its firewall.
fn facts(server: &Server, parameters: &[Value], rules: &[(&str, &str, &str)]) -> ServerFacts {
    let mut settings: Settings = common::found(server);
    rules::note(&mut settings, server);
    let configurations: Vec<Configuration> = serde_json::from_value(json!(parameters)).unwrap();
    parameters::note(&mut settings, &configurations);
    let rules = rules.iter().map(|(name, start, end)| {
        json!({"name": name, "properties": {"startIpAddress": start, "endIpAddress": end}})
    });
    let rules: Vec<FirewallRule> = serde_json::from_value(rules.collect()).unwrap();
    firewall::note(&mut settings, &rules);
    ServerFacts { settings, ..ServerFacts::default() }
}

/// What differs between the spec and a server like [`server`], in sentences; restarts are marked.
fn told(config: &AzureFlexibleConfig, spec: &PostgreSQLServerSpec, facts: &ServerFacts) -> Vec<String> {
    let owner = owner();
    let differences = rules::differences(&DesiredServer::new(&owner, spec), config, facts);
    differences.iter().map(sentence).collect()
}
