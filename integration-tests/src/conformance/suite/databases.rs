//! Databases on the server.

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use serde_json::json;

use crate::conformance::Case;
use crate::conformance::case::{SERVER, ask};
use crate::conformance::faults::Operation;
use crate::world::{Credentials, server_condition};

async fn credentials_of(case: &Case, name: &str) -> Credentials {
    let secret = case.secret(&format!("{name}-login")).await;
    match secret.as_ref().and_then(Credentials::from_secret) {
        Some(credentials) => credentials,
        None => panic!("the Secret of the database {name} holds no credentials"),
    }
}

async fn works(credentials: &Credentials) {
    match credentials.connect().await {
        Ok(client) => assert_eq!(ask(&client, "SELECT 1").await.as_deref(), Some("1")),
        Err(error) => panic!("the login of the database fails: {error}"),
    }
}

/// Made before its server is there, used, given a new password, dropped.
pub async fn a_database_lives_and_goes(case: Case) {
    case.create_database("shop").await;
    case.created(json!({})).await;
    case.database_ready("shop").await;
    let first = credentials_of(&case, "shop").await;
    works(&first).await;

    let label = json!({"metadata": {"labels": {"operator/action": "reset-password"}}});
    case.patch::<PostgreSQLDatabase>("shop", label).await;
    let second = case
        .until("the database has another password", async || {
            Some(credentials_of(&case, "shop").await).filter(|now| now.password != first.password)
        })
        .await;
    case.database_ready("shop").await;
    works(&second).await;
    assert!(first.is_refused().await.is_ok_and(|refused| refused), "the old password is refused");

    // The server's own new password does not trouble the database.
    case.reset().await;
    case.database_ready("shop").await;
    works(&second).await;

    case.delete::<PostgreSQLDatabase>("shop").await;
    case.gone::<PostgreSQLDatabase>("shop").await;
    assert!(case.secret("shop-login").await.is_none(), "its Secret is gone");
    let admin = case.login().await;
    let left = "SELECT (SELECT count(*) FROM pg_database WHERE datname = 'shop') \
                + (SELECT count(*) FROM pg_roles WHERE rolname = 'shop')";
    assert_eq!(ask(&admin, left).await.as_deref(), Some("0"), "neither database nor role is left");
    case.is_well().await;
}

/// The server goes last, and says what it waits for.
pub async fn a_server_waits_for_its_databases(case: Case) {
    case.created(json!({})).await;
    case.create_database("shop").await;
    case.database_ready("shop").await;
    case.delete::<PostgreSQLServer>(SERVER).await;
    case.server_where("waits for its databases", |server| {
        server_condition(server, ConditionType::Stalled).is_some_and(|stalled| {
            stalled.status == ConditionStatus::True && stalled.reason == Reason::DatabasesExist
        })
    })
    .await;
    works(&credentials_of(&case, "shop").await).await;
    assert_eq!(case.effects(Operation::Delete), 0, "{}", case.told());

    case.delete::<PostgreSQLDatabase>("shop").await;
    case.gone::<PostgreSQLDatabase>("shop").await;
    case.gone::<PostgreSQLServer>(SERVER).await;
    assert!(case.bench.subject.servers(&case.namespace).await.is_empty());
    assert_eq!(case.effects(Operation::Delete), 1, "{}", case.told());
}
