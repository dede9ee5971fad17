//! Everything that is simulated, once, before the official judge: `oav` with Azure's own Swagger.

use std::path::Path;

use crate::client::{Client, server, single};
use clouds::azure::contract::{Verdict, judge};
use clouds::azure::{SUBSCRIPTION, Simulator};
use serde_json::{Value, json};

const SHOP: &str = "flexibleServers/shop";
const SUBNET: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s";

/// Each call that a flexible server knows, well-formed.
async fn flexible(client: &Client<'_>) {
    client.created("shop").await;
    client.get(SHOP).await;
    client.get("flexibleServers").await;
    let subscription = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.DBforPostgreSQL");
    client.get(&format!("{subscription}/flexibleServers")).await;
    let question = json!({"name": "shop", "type": "Microsoft.DBforPostgreSQL/flexibleServers"});
    client.call("POST", &format!("{subscription}/checkNameAvailability"), Some(question)).await;
    client.get("flexibleServers/nobody").await;
    client.done("PATCH", SHOP, Some(json!({"tags": {"a": "b"}, "properties": {
        "storage": {"storageSizeGB": 64, "autoGrow": "Enabled"}, "administratorLoginPassword": "Second-password-2",
        "highAvailability": {"mode": "ZoneRedundant"}, "backup": {"backupRetentionDays": 14},
        "maintenanceWindow": {"customWindow": "Enabled", "dayOfWeek": 3, "startHour": 2, "startMinute": 0}}})))
        .await;
    client.get(SHOP).await;
    client.call("PATCH", SHOP, Some(json!({"properties": {"storage": {"storageSizeGB": 32}}}))).await;
    let rule = format!("{SHOP}/firewallRules/office");
    let range = json!({"properties": {"startIpAddress": "10.0.0.1", "endIpAddress": "10.0.0.9"}});
    let accepted = client.call("PUT", &rule, Some(range)).await;
    client.call("PATCH", SHOP, Some(json!({"tags": {}}))).await;
    client.polled(&accepted).await;
    client.get(&rule).await;
    client.get(&format!("{SHOP}/firewallRules")).await;
    client.done("DELETE", &rule, None).await;
    client.call("DELETE", &rule, None).await;
    let setting = format!("{SHOP}/configurations/max_connections");
    let value = json!({"properties": {"value": "77", "source": "user-override"}});
    client.done("PUT", &setting, Some(value.clone())).await;
    client.done("PATCH", &setting, Some(value)).await;
    client.get(&setting).await;
    client.get(&format!("{SHOP}/configurations")).await;
    client.done("POST", &format!("{SHOP}/restart"), None).await;
    client.done("POST", &format!("{SHOP}/stop"), None).await;
    client.done("POST", &format!("{SHOP}/start"), None).await;
    client.done("PUT", &format!("{SHOP}/backups/before"), None).await;
    client.get(&format!("{SHOP}/backups/before")).await;
    client.get(&format!("{SHOP}/backups")).await;
    client.done("DELETE", &format!("{SHOP}/backups/before"), None).await;
    let database = format!("{SHOP}/databases/orders");
    let properties = json!({"properties": {"charset": "UTF8", "collation": "en_US.utf8"}});
    client.done("PUT", &database, Some(properties)).await;
    client.get(&database).await;
    client.get(&format!("{SHOP}/databases")).await;
    client.done("DELETE", &database, None).await;
    let lock = format!(
        "{}/providers/Microsoft.Authorization/locks/l?api-version=2020-05-01",
        Simulator::server_id("shop")
    );
    client.call("PUT", &lock, Some(json!({"properties": {"level": "CanNotDelete", "notes": "n"}}))).await;
    client.get(&lock).await;
    client.call("DELETE", SHOP, None).await;
    client.call("DELETE", &lock, None).await;
    client.done("DELETE", SHOP, None).await;
    client.call("DELETE", SHOP, None).await;
}

/// The same for a single server.
async fn of_single(client: &Client<'_>) {
    const SHOP: &str = "servers/shop";
    client.done("PUT", SHOP, Some(single())).await;
    client.get(SHOP).await;
    client.get("servers").await;
    client.get("servers/nobody").await;
    let changed = json!({"properties": {"administratorLoginPassword": "Second-password-2", "storageProfile":
        {"storageMB": 204_800}}, "tags": {"a": "b"}});
    client.done("PATCH", SHOP, Some(changed)).await;
    client.get(SHOP).await;
    let range = json!({"properties": {"startIpAddress": "10.0.0.1", "endIpAddress": "10.0.0.9"}});
    let subnet =
        json!({"properties": {"virtualNetworkSubnetId": SUBNET, "ignoreMissingVnetServiceEndpoint": true}});
    let value = json!({"properties": {"value": "77", "source": "user-override"}});
    let database = json!({"properties": {"charset": "UTF8", "collation": "English_United States.1252"}});
    for (kind, name, body, goes) in [
        ("firewallRules", "office", range, true),
        ("virtualNetworkRules", "net", subnet, true),
        ("configurations", "max_connections", value, false),
        ("databases", "orders", database, true),
    ] {
        let path = format!("{SHOP}/{kind}/{name}");
        client.done("PUT", &path, Some(body)).await;
        client.get(&path).await;
        client.get(&format!("{SHOP}/{kind}")).await;
        if goes {
            client.done("DELETE", &path, None).await;
            client.call("DELETE", &path, None).await;
        }
    }
    client.done("POST", &format!("{SHOP}/restart"), None).await;
    network(client).await;
    client.done("DELETE", SHOP, None).await;
    client.call("DELETE", SHOP, None).await;
}

/// What the original made around a single server.
async fn network(client: &Client<'_>) {
    let at =
        Simulator::server_id("").replace("Microsoft.DBforPostgreSQL/flexibleServers/", "Microsoft.Network");
    let endpoint = format!("{at}/privateEndpoints/shop?api-version=2024-01-01");
    let server = Simulator::server_id("shop").replace("flexibleServers", "servers");
    let body = json!({"location": "westeurope", "properties": {
        "subnet": {"id": SUBNET},
        "privateLinkServiceConnections": [{"name": "link-shop", "properties":
            {"privateLinkServiceId": server, "groupIds": ["postgresqlServer"]}}],
    }});
    let made = client.call("PUT", &endpoint, Some(body)).await;
    assert_eq!((made.status, client.polled(&made).await["status"].as_str()), (201, Some("Succeeded")));
    let seen = client.get(&endpoint).await.body;
    assert_eq!(seen["properties"]["provisioningState"], "Succeeded");
    let connected = client.get("servers/shop").await.body;
    assert_eq!(connected["properties"]["privateEndpointConnections"].as_array().map(Vec::len), Some(1));

    let zone = format!("{at}/privateDnsZones/postgres.database.azure.com");
    let (record, zone) =
        (format!("{zone}/A/shop?api-version=2024-06-01"), format!("{zone}?api-version=2024-06-01"));
    let address = &seen["properties"]["customDnsConfigs"][0]["ipAddresses"][0];
    let body = json!({"properties": {"ttl": 30, "aRecords": [{"ipv4Address": address}]}});
    assert_eq!(client.call("PUT", &record, Some(body.clone())).await.status, 404);
    assert_eq!(client.call("PUT", &zone, Some(json!({"location": "global"}))).await.status, 201);
    assert_eq!(client.call("PUT", &record, Some(body)).await.status, 201);
    assert_eq!(client.get(&record).await.body["properties"]["ttl"], 30);
    assert_eq!(client.call("DELETE", &zone, None).await.status, 409);
    assert_eq!(client.call("DELETE", &record, None).await.status, 200);
    assert_eq!(client.call("DELETE", &record, None).await.status, 204);
    assert_eq!(client.call("DELETE", &zone, None).await.status, 200);
    client.done("DELETE", &endpoint, None).await;
    assert_eq!(client.get(&endpoint).await.status, 404);
}

#[tokio::test]
async fn requests_and_answers_keep_to_the_official_contract() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oav");
    // The judge takes longest to read the Swagger, hence it is asked once.
    let mut traffic = Vec::new();
    for version in ["2025-08-01", "2024-08-01", "2017-12-01"] {
        let simulator = Simulator::start().await.unwrap();
        let client = Client { version, ..Client::new(&simulator).await };
        simulator.open_single_servers(true);
        if version == "2017-12-01" {
            of_single(&client).await
        } else {
            flexible(&client).await
        }
        traffic.extend(simulator.traffic());
    }
    match judge(&traffic, &folder).unwrap() {
        Verdict::NotJudged(why) => println!("skipped: {why}"),
        Verdict::Judged(count, findings) => {
            assert_eq!(findings, Vec::<String>::new());
            assert!(count >= 90, "only {count} exchanges were judged");
            println!("{count} exchanges judged, no finding");
        }
    }
}

#[test]
fn the_judge_finds_what_is_wrong() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oav");
    let exchange = |body: Value, status: &str| {
        let id = Simulator::server_id("shop");
        json!({
            "liveRequest": {"method": "PUT", "url": format!("https://management.azure.com{id}?api-version=2025-08-01"),
                "headers": {"content-type": "application/json"}, "body": body},
            "liveResponse": {"statusCode": status, "headers": {"content-type": "application/json",
                "location": "https://x", "azure-asyncoperation": "https://x", "retry-after": "1"}},
        })
    };
    let mut read_only = server();
    read_only["properties"]["state"] = json!("Ready");
    let traffic =
        [exchange(read_only, "202"), exchange(server(), "204"), exchange(json!({"sku": {}}), "202")];
    match judge(&traffic, &folder).unwrap() {
        Verdict::NotJudged(why) => println!("skipped: {why}"),
        Verdict::Judged(count, findings) => {
            assert_eq!(count, 3);
            assert!(findings.len() >= 3, "{findings:?}");
        }
    }
}
