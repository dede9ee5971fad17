//! What is sent, what is refused before anything is sent, and what stays hidden.

use rstest::rstest;

use super::super::{requests, validate};
use super::*;
use crate::secrets::Password;

fn created(config: &AzureFlexibleConfig, spec: &PostgreSQLServerSpec) -> Value {
    let (owner, password) = (owner(), Password::new("s3cret"));
    let (identity, desired) = (identity(), DesiredServer::new(&owner, spec));
    let own = requests::create(&identity, &desired, config).unwrap();
    let body = super::super::super::requests::create(own, &identity, &desired, &config.azure, &password);
    assert!(!format!("{body:?}").contains("s3cret"));
    serde_json::to_value(body).unwrap()
}

fn changed(config: &AzureFlexibleConfig, spec: &PostgreSQLServerSpec) -> Option<Value> {
    let owner = owner();
    let desired = DesiredServer::new(&owner, spec);
    let differences = rules::differences(&desired, config, &facts(&server(), &[], &[]));
    let body = requests::change(&desired, config, &server(), &differences);
    body.map(|body| serde_json::to_value(body).unwrap())
}

#[test]
fn a_new_server_is_what_the_spec_says_and_the_configuration_besides() {
    let config =
        config(json!({"tags": {"team": "{namespace}"}, "parameters": {"backup_retention_days": 10}}));
    let spec = spec(json!({
        "version": "17", "size": {"cpu": 4, "storageGB": 100, "storageAutoGrow": true},
        "backup": {"geoRedundant": true}, "highavailability": {"enabled": true},
        "maintenance": {"window": {"weekday": "Wed", "starttime": "04:30"}},
    }));
    let expected = json!({
        "location": "westeurope",
        "sku": {"name": "Standard_D4ds_v4", "tier": "GeneralPurpose"},
        "tags": {
            "hybridcloud-postgresql-operator:name": "orders",
            "hybridcloud-postgresql-operator:namespace": "team",
            "hybridcloud-postgresql-operator:uid": "uid-1",
            "team": "team",
        },
        "properties": {
            "createMode": "Create",
            "version": "17",
            "administratorLogin": "postgres",
            "administratorLoginPassword": "s3cret",
            "availabilityZone": "1",
            "storage": {"storageSizeGB": 128, "autoGrow": "Enabled"},
            "backup": {"backupRetentionDays": 10, "geoRedundantBackup": "Enabled"},
            "network": {"publicNetworkAccess": "Enabled"},
            "highAvailability": {"mode": "ZoneRedundant", "standbyAvailabilityZone": "2"},
            "maintenanceWindow": {"customWindow": "Enabled", "dayOfWeek": 3, "startHour": 4, "startMinute": 30},
        },
    });
    assert_eq!(created(&config, &spec), expected);
}

#[test]
fn a_private_server_is_in_its_subnet_and_its_zone_with_a_group_of_its_own() {
    let config = config(json!({
        "network": {"public_access": false}, "virtual_network": "vnet", "subnet": "databases",
        "dns_zone": {"name": "x.postgres.database.azure.com", "resource_group": "dns"},
    }));
    let expected = json!({
        "delegatedSubnetResourceId":
            "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/databases",
        "privateDnsZoneArmResourceId":
            "/subscriptions/sub/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/x.postgres.database.azure.com",
    });
    assert_eq!(created(&config, &spec(json!({})))["properties"]["network"], expected);
}

#[test]
fn a_change_names_what_changes_and_keeps_tags_and_disk_of_others() {
    let config = config(json!({"tags": {"team": "{namespace}"}}));
    let spec = spec(json!({"size": {"storageGB": 256}, "version": "17"}));
    let change = changed(&config, &spec).unwrap();
    assert_eq!(change["properties"], json!({"storage": {"storageSizeGB": 256, "autoGrow": "Disabled"}}));
    assert_eq!(
        (change["tags"]["cost"].as_str(), change["tags"]["team"].as_str()),
        (Some("42"), Some("team"))
    );
    assert!(change.get("location").is_none() && change.get("sku").is_none());
}

#[test]
fn an_upgrade_stands_alone_and_no_difference_makes_no_request() {
    let change = changed(&config(json!({})), &spec(json!({"version": "17"})));
    assert_eq!(change, Some(json!({"properties": {"createMode": "Update", "version": "17"}})));
    assert_eq!(changed(&config(json!({})), &spec(json!({}))), None);
}

#[rstest]
#[case(json!({"backup": {"retentionDays": 3}}), "backup.retentionDays")]
#[case(json!({"version": "9.6"}), "version")]
#[case(json!({"version": "seventeen"}), "version")]
#[case(json!({"deletionPolicy": "Snapshot"}), "deletionPolicy")]
#[case(json!({"maintenance": {"window": {"weekday": "Someday", "starttime": "03:00"}}}), "maintenance.window")]
#[case(json!({"size": {"storageGB": 40000}}), "size.storageGB")]
#[case(json!({"size": {"class": "tiny"}, "highavailability": {"enabled": true}}), "highavailability.enabled")]
fn what_cannot_be_is_refused_with_its_field(#[case] asked: Value, #[case] field: &str) {
    let classes = json!({
        "classes": {"tiny": {"name": "Standard_B1ms", "tier": "Burstable"}}, "default_class": "tiny",
    });
    let refused = validate::validate(&config(classes), &spec(asked)).unwrap_err();
    assert_eq!(refused.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), [field]);
}

#[test]
fn a_private_server_without_a_network_in_the_configuration_is_refused() {
    let private = config(json!({"network": {"public_access": false}, "subnet": "databases"}));
    let refused = validate::validate(&private, &spec(json!({}))).unwrap_err();
    assert!(refused[0].message.contains("virtual_network, dns_zone"), "{refused:?}");
}

#[test]
fn what_is_rounded_or_has_no_effect_is_told() {
    let owner = owner();
    let spec = spec(json!({
        "size": {"storageGB": 100}, "serverParameters": {"shared_preload_libraries": "pgaudit"},
    }));
    let told = validate::unsupported(&config(json!({})), &DesiredServer::new(&owner, &spec));
    let fields: Vec<&str> = told.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["serverParameters.shared_preload_libraries", "size.storageGB"]);
    assert!(told[1].message.contains("128 GB"), "{told:?}");
}
