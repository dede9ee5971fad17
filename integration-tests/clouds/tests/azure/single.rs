//! What is left of single servers, over the wire.

use crate::client::{Client, PASSWORD, single};
use clouds::azure::Simulator;
use serde_json::json;
use tokio_postgres::config::SslMode;

const SHOP: &str = "servers/shop";
const VERSION: &str = "2017-12-01";

#[tokio::test]
async fn nothing_new_is_made_of_the_retired_service() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client { version: VERSION, ..Client::new(&simulator).await };
    let refused = client.call("PUT", SHOP, Some(single())).await;
    assert_eq!((refused.status, refused.code()), (400, "ServiceRetired"));
    assert_eq!(client.get("servers").await.body, json!({"value": []}));
    let newer = format!(
        "{}?api-version=2025-08-01",
        Simulator::server_id("shop").replace("flexibleServers", "servers")
    );
    assert_eq!(client.get(&newer).await.code(), "NoRegisteredProviderFound");
}

#[tokio::test]
async fn a_left_over_server_is_logged_into_with_its_name_changed_and_deleted() {
    let simulator = Simulator::start().await.unwrap();
    simulator.open_single_servers(true);
    let client = Client { version: VERSION, ..Client::new(&simulator).await };
    let accepted = client.call("PUT", SHOP, Some(single())).await;
    assert_eq!((accepted.status, client.get(SHOP).await.status), (202, 404));
    assert_eq!(client.polled(&accepted).await["status"], "Succeeded");
    let seen = client.get(SHOP).await.body;
    let properties = &seen["properties"];
    assert_eq!(
        (&properties["userVisibleState"], &properties["storageProfile"]["storageMB"]),
        (&json!("Ready"), &json!(102_400))
    );
    assert_eq!((&seen["sku"]["capacity"], &seen["location"]), (&json!(2), &json!("westeurope")));
    let host = properties["fullyQualifiedDomainName"].as_str().unwrap().to_owned();

    let login = async |user: &str, password: &str| client.login_at(&host, user, password, "postgres").await;
    let session = login("app_admin@shop", PASSWORD).await.unwrap();
    let row = session.query_one("SELECT current_user::text", &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "app_admin");
    let refused = login("app_admin", PASSWORD).await.err().unwrap();
    assert!(refused.as_db_error().unwrap().message().contains("username@hostname"), "{refused:?}");
    assert!(login("app_admin@other", PASSWORD).await.is_err());
    session.batch_execute("CREATE ROLE team LOGIN PASSWORD 'of-the-team'").await.unwrap();
    login(&format!("team@{host}"), "of-the-team").await.unwrap();
    let mut plain = tokio_postgres::Config::new();
    plain.host(&host).user("app_admin@shop").password(PASSWORD).dbname("postgres").ssl_mode(SslMode::Disable);
    let refused = plain.connect(tokio_postgres::NoTls).await.err().expect("refused without TLS");
    assert!(refused.as_db_error().unwrap().message().contains("SSL connection is required"));

    let body = json!({"properties": {"administratorLoginPassword": "Second-password-2",
        "storageProfile": {"storageMB": 204_800}}, "tags": {"b": "c"}});
    assert_eq!(client.done("PATCH", SHOP, Some(body)).await["status"], "Succeeded");
    assert!(login("app_admin@shop", PASSWORD).await.is_err());
    login("app_admin@shop", "Second-password-2").await.unwrap();
    let shrunk = json!({"properties": {"storageProfile": {"storageMB": 102_400}}});
    assert_eq!(client.call("PATCH", SHOP, Some(shrunk)).await.code(), "StorageShrinkNotSupported");

    let body = json!({"properties": {"value": "pg_stat_statements", "source": "user-override"}});
    client.done("PUT", &format!("{SHOP}/configurations/shared_preload_libraries"), Some(body)).await;
    client.done("POST", &format!("{SHOP}/restart"), None).await;
    login("app_admin@shop", "Second-password-2").await.unwrap();
    client.done("DELETE", SHOP, None).await;
    assert_eq!(client.get(SHOP).await.status, 404);
    assert!(login("app_admin@shop", "Second-password-2").await.is_err());
}
