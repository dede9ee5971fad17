//! The life of a flexible server, over the wire.

use crate::client::{Client, PASSWORD, server};
use clouds::azure::Simulator;
use serde_json::json;

const SHOP: &str = "flexibleServers/shop";

#[tokio::test]
async fn a_server_is_created_changed_and_deleted() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    let accepted = client.call("PUT", SHOP, Some(server())).await;
    assert_eq!((accepted.status, accepted.body.is_null()), (202, true));
    assert!(accepted.header("location").is_some() && accepted.header("retry-after").is_some());
    let seen = client.get(SHOP).await.body;
    assert_eq!(seen["properties"]["state"], "Provisioning");
    assert!(seen["properties"]["fullyQualifiedDomainName"].is_null());
    let busy = client.call("PATCH", SHOP, Some(json!({"tags": {}}))).await;
    assert_eq!((busy.status, busy.code()), (409, "ServerIsBusy"));
    assert_eq!(client.polled(&accepted).await["status"], "Succeeded");

    let seen = client.get(SHOP).await.body;
    let (properties, address) = (&seen["properties"], simulator.postgres("shop").unwrap().ip().to_string());
    assert_eq!(properties["state"], "Ready");
    assert_eq!(properties["fullyQualifiedDomainName"], address);
    assert_eq!((&seen["location"], &properties["storage"]["tier"]), (&json!("West Europe"), &json!("P4")));
    let session = client.login("shop", "app_admin", PASSWORD, "postgres").await.unwrap();
    let row = session
        .query_one(
            "SELECT rolsuper, pg_has_role('azure_pg_admin', 'member') FROM pg_roles WHERE rolname = user",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((row.get::<_, bool>(0), row.get::<_, bool>(1)), (false, true));

    // A new password is in force when the operation has ended, and not before it is said to be.
    let body = json!({"properties": {"administratorLoginPassword": "Second-password-2"}});
    assert_eq!(client.done("PATCH", SHOP, Some(body)).await["status"], "Succeeded");
    assert!(client.login("shop", "app_admin", PASSWORD, "postgres").await.is_err());
    client.login("shop", "app_admin", "Second-password-2", "postgres").await.unwrap();

    let grown = json!({"properties": {"storage": {"storageSizeGB": 64}}, "tags": {"b": "c"}});
    client.done("PATCH", SHOP, Some(grown)).await;
    let seen = client.get(SHOP).await.body;
    assert_eq!(
        (&seen["properties"]["storage"]["storageSizeGB"], &seen["tags"]),
        (&json!(64), &json!({"b": "c"}))
    );
    let shrunk = json!({"properties": {"storage": {"storageSizeGB": 32}}});
    assert_eq!(client.call("PATCH", SHOP, Some(shrunk)).await.status, 400);

    assert_eq!(client.done("DELETE", SHOP, None).await["status"], "Succeeded");
    let gone = client.get(SHOP).await;
    assert_eq!((gone.status, gone.code()), (404, "ResourceNotFound"));
    assert_eq!(client.call("DELETE", SHOP, None).await.status, 204);
    let log = serde_json::to_string(&simulator.log()).unwrap();
    assert!(
        log.contains("administratorLoginPassword") && !log.contains("password-2") && !log.contains(PASSWORD)
    );
}

#[tokio::test]
async fn parameters_take_effect_at_once_or_with_a_restart() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    client.created("shop").await;
    let shown = async |name: &str| {
        let session = client.login("shop", "app_admin", PASSWORD, "postgres").await.unwrap();
        session.query_one(&format!("SHOW {name}"), &[]).await.unwrap().get::<_, String>(0)
    };
    let put = async |name: &str, value: &str| {
        let body = json!({"properties": {"value": value, "source": "user-override"}});
        client.call("PUT", &format!("{SHOP}/configurations/{name}"), Some(body)).await
    };
    client.polled(&put("work_mem", "8192").await).await;
    assert_eq!(shown("work_mem").await, "8MB");

    client.polled(&put("max_connections", "77").await).await;
    let seen = client.get(&format!("{SHOP}/configurations/max_connections")).await.body;
    let properties = &seen["properties"];
    assert_eq!((&properties["value"], &properties["source"]), (&json!("77"), &json!("user-override")));
    assert_eq!(
        (&properties["isDynamicConfig"], &properties["isConfigPendingRestart"]),
        (&json!(false), &json!(true))
    );
    assert_ne!(shown("max_connections").await, "77");
    assert_eq!(client.done("POST", &format!("{SHOP}/restart"), None).await["status"], "Succeeded");
    assert_eq!(shown("max_connections").await, "77");
    let seen = client.get(&format!("{SHOP}/configurations/max_connections")).await.body;
    assert_eq!(seen["properties"]["isConfigPendingRestart"], false);

    assert_eq!(put("work_mem", "many").await.code(), "InvalidParameterValue");
    assert_eq!(put("no_such_thing", "1").await.status, 404);
    assert_eq!(put("data_directory", "/").await.code(), "ConfigurationReadOnly");
    let reset = json!({"properties": {"source": "system-default"}});
    client.done("PATCH", &format!("{SHOP}/configurations/work_mem"), Some(reset)).await;
    assert_eq!(shown("work_mem").await, "4MB");
    let all = client.get(&format!("{SHOP}/configurations")).await.body;
    assert!(all["value"].as_array().unwrap().len() > 200);
}

#[tokio::test]
async fn only_extensions_on_the_list_can_be_created() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    client.created("shop").await;
    client.done("PUT", &format!("{SHOP}/databases/orders"), Some(json!({"properties": {}}))).await;
    let create = async |name: &str| {
        let session = client.login("shop", "app_admin", PASSWORD, "orders").await.unwrap();
        session.batch_execute("SET azure.extensions = 'citext,hstore,pg_stat_statements'").await.unwrap();
        session.batch_execute(&format!("CREATE EXTENSION {name}")).await
    };
    let refused = create("citext").await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("is not allow-listed"), "{refused:?}");
    let body = json!({"properties": {"value": "CITEXT, hstore", "source": "user-override"}});
    client.done("PUT", &format!("{SHOP}/configurations/azure.extensions"), Some(body)).await;
    let seen = client.get(&format!("{SHOP}/configurations/azure.extensions")).await.body;
    assert_eq!(seen["properties"]["value"], "citext,hstore");
    create("citext").await.unwrap();
    assert!(create("pg_trgm").await.is_err());
    // The library comes with the restart that everybody needs; the service has more than PostgreSQL.
    let body = json!({"properties": {"value": "pg_stat_statements,vector", "source": "user-override"}});
    client.done("PUT", &format!("{SHOP}/configurations/azure.extensions"), Some(body)).await;
    let session = client.login("shop", "app_admin", PASSWORD, "orders").await.unwrap();
    let available = "SELECT FROM pg_available_extensions WHERE name = 'vector'";
    if session.query_opt(available, &[]).await.unwrap().is_none() {
        println!("skipped: this PostgreSQL's extensions lie elsewhere, or it is older than 13");
        return;
    }
    create("pg_stat_statements").await.unwrap();
    create("vector").await.unwrap();
}

#[tokio::test]
async fn databases_are_those_that_postgresql_has() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    client.created("shop").await;
    let path = format!("{SHOP}/databases/orders");
    assert_eq!(client.get(&path).await.status, 404);
    let body = json!({"properties": {"charset": "UTF8", "collation": "de_DE.utf8"}});
    client.done("PUT", &path, Some(body)).await;
    assert_eq!(client.get(&path).await.body["properties"]["collation"], "de_DE.utf8");
    let session = client.login("shop", "app_admin", PASSWORD, "orders").await.unwrap();
    session.batch_execute("CREATE DATABASE by_sql").await.unwrap();
    assert_eq!(client.get(&format!("{SHOP}/databases/by_sql")).await.status, 200);
    let other = json!({"properties": {"collation": "en_US.utf8"}});
    assert_eq!(client.call("PUT", &path, Some(other)).await.status, 409);
    client.done("DELETE", &path, None).await;
    assert!(client.login("shop", "app_admin", PASSWORD, "orders").await.is_err());
    assert_eq!(client.call("DELETE", &path, None).await.status, 204);
    assert_eq!(client.call("DELETE", &format!("{SHOP}/databases/postgres"), None).await.status, 400);
}

#[tokio::test]
async fn a_new_major_version_has_what_the_old_one_held() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    client.created("shop").await;
    client.done("PUT", &format!("{SHOP}/databases/orders"), Some(json!({"properties": {}}))).await;
    let session = client.login("shop", "app_admin", PASSWORD, "orders").await.unwrap();
    session.batch_execute("CREATE TABLE orders AS SELECT 7 AS number").await.unwrap();
    drop(session);
    let address = simulator.postgres("shop").unwrap().ip();
    let status = client.done("PATCH", SHOP, Some(json!({"properties": {"version": "16"}}))).await;
    assert_eq!(status["status"], "Succeeded", "{status}");
    assert_eq!(client.get(SHOP).await.body["properties"]["version"], "16");
    let postgres = simulator.postgres("shop").unwrap();
    assert_eq!((postgres.ip(), postgres.asked_major()), (address, 16));
    let session = client.login("shop", "app_admin", PASSWORD, "orders").await.unwrap();
    let row = session.query_one("SELECT number FROM orders", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 7);
    let refused = session.batch_execute("CREATE EXTENSION citext").await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("is not allow-listed"), "{refused:?}");
}

#[tokio::test]
async fn a_standby_comes_and_goes() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    client.created("shop").await;
    let body = |mode: &str| json!({"properties": {"highAvailability": {"mode": mode}}});
    let states = async || {
        let seen = client.get(SHOP).await.body;
        let ha = &seen["properties"]["highAvailability"];
        (ha["state"].as_str().unwrap().to_owned(), ha["standbyAvailabilityZone"].as_str().map(str::to_owned))
    };
    let accepted = client.call("PATCH", SHOP, Some(body("ZoneRedundant"))).await;
    assert_eq!(states().await, ("CreatingStandby".to_owned(), None));
    client.polled(&accepted).await;
    assert_eq!(states().await, ("Healthy".to_owned(), Some("2".to_owned())));
    simulator.fail_operations(1);
    assert_eq!(client.done("PATCH", SHOP, Some(body("Disabled"))).await["status"], "Failed");
    assert_eq!(states().await, ("Healthy".to_owned(), Some("2".to_owned())));
    client.done("PATCH", SHOP, Some(body("Disabled"))).await;
    assert_eq!(states().await, ("NotEnabled".to_owned(), None));
}

#[tokio::test]
async fn firewall_rules_and_locks() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    client.created("shop").await;
    let rule = format!("{SHOP}/firewallRules/office");
    let range = json!({"properties": {"startIpAddress": "10.0.0.1", "endIpAddress": "10.0.0.9"}});
    client.done("PUT", &rule, Some(range)).await;
    assert_eq!(client.get(&rule).await.body["properties"]["endIpAddress"], "10.0.0.9");
    assert_eq!(client.get(&format!("{SHOP}/firewallRules")).await.body["value"].as_array().unwrap().len(), 1);

    let id = Simulator::server_id("shop");
    let lock = format!("{id}/providers/Microsoft.Authorization/locks/DoNotDeleteLock?api-version=2020-05-01");
    let body = json!({"properties": {"level": "CanNotDelete", "notes": "no"}});
    assert_eq!(client.call("PUT", &lock, Some(body.clone())).await.status, 201);
    assert_eq!(client.call("PUT", &lock, Some(body)).await.status, 200);
    for path in [SHOP, rule.as_str()] {
        let locked = client.call("DELETE", path, None).await;
        assert_eq!((locked.status, locked.code()), (409, "ScopeLocked"), "{path}");
    }
    client.done("PATCH", SHOP, Some(json!({"tags": {"x": "y"}}))).await;
    assert_eq!(client.call("DELETE", &lock, None).await.status, 200);
    client.done("DELETE", &rule, None).await;
    client.done("DELETE", SHOP, None).await;
}
