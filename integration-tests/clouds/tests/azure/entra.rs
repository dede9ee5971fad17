//! Tokens: who gets one, for how long, and what for.

use std::time::Duration;

use crate::client::{Client, VERSION, send, token};
use clouds::azure::{SUBSCRIPTION, Simulator};

#[tokio::test]
async fn a_token_is_given_for_the_right_secret_or_federated_token_only() {
    let simulator = Simulator::start().await.unwrap();
    let secret = simulator.client_secret();
    assert_eq!(token(&simulator, &[("client_secret", &secret)]).await.body["token_type"], "Bearer");
    let refused = token(&simulator, &[("client_secret", "guess")]).await;
    assert_eq!((refused.status, refused.body["error"].as_str()), (401, Some("invalid_client")));

    let kind = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let federated = simulator.federated_token();
    assert_eq!(token(&simulator, &[kind, ("client_assertion", &federated)]).await.status, 200);
    let rotated = simulator.rotate_federated_token();
    assert_eq!(token(&simulator, &[kind, ("client_assertion", &federated)]).await.status, 401);
    assert_eq!(token(&simulator, &[kind, ("client_assertion", &rotated)]).await.status, 200);

    let path = format!("/msi/token?api-version=2019-08-01&resource={}", simulator.endpoint());
    let head = format!("x-identity-header: {secret}\r\n");
    assert_eq!(send(&simulator, "GET", &path, &head, "").await.unwrap().status, 200);
    assert_eq!(send(&simulator, "GET", &path, "x-identity-header: guess\r\n", "").await.unwrap().status, 401);
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_answered() {
    let simulator = Simulator::start().await.unwrap();
    let path = format!(
        "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.DBforPostgreSQL/flexibleServers?api-version={VERSION}"
    );
    let answer = send(&simulator, "GET", &path, "", "").await.unwrap();
    assert_eq!((answer.status, answer.code()), (401, "AuthenticationFailed"));
    let answer = send(&simulator, "GET", &path, "authorization: Bearer guess\r\n", "").await.unwrap();
    assert_eq!((answer.status, answer.code()), (401, "InvalidAuthenticationToken"));

    simulator.set_token_life(Duration::from_secs(60));
    let client = Client::new(&simulator).await;
    assert_eq!(client.get(&path).await.status, 200);
    simulator.clock().turn(Duration::from_secs(61));
    let answer = client.get(&path).await;
    assert_eq!((answer.status, answer.code()), (401, "ExpiredAuthenticationToken"));
    assert!(answer.header("www-authenticate").is_some_and(|it| it.contains("invalid_token")));
}

#[tokio::test]
async fn a_role_allows_what_it_names_and_nothing_else() {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::new(&simulator).await;
    simulator.allow(Some(&["Microsoft.DBforPostgreSQL/flexibleServers/read"]));
    assert_eq!(client.get("flexibleServers/nobody").await.code(), "ResourceNotFound");
    let answer = client.call("PUT", "flexibleServers/shop", Some(crate::client::server())).await;
    assert_eq!((answer.status, answer.code()), (403, "AuthorizationFailed"));
    assert!(simulator.server("shop").is_none());
}
