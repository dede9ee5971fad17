//! The operator gets along with the chart's rules, and does not look where it has no business.

use hcpg::api::{PostgreSQLDatabase, PostgreSQLServer};
use integration_tests::control_plane::AuditEvent;
use integration_tests::world::World;
use serde_json::json;

fn is_about(event: &AuditEvent, resource: &str) -> bool {
    event.object_ref.as_ref().is_some_and(|object| object.resource == resource)
}

#[tokio::test]
async fn a_whole_life_within_the_charts_rules() {
    let world = World::start().await;
    let story = world.story("rights").await;
    story.apply_example("simple.yaml").await;
    story.server_ready("demoteam").await;
    story.database_ready("demoservice").await;

    for (kind, secret) in
        [("server", "demoteam-postgres-credentials"), ("database", "demoservice-postgres-credentials")]
    {
        let before = story.credentials(secret).await;
        let ask = json!({"metadata": {"labels": {"operator/action": "reset-password"}}});
        match kind {
            "server" => drop(story.patch::<PostgreSQLServer>("demoteam", ask).await),
            _ => drop(story.patch::<PostgreSQLDatabase>("demoservice", ask).await),
        }
        let changed = async || (story.credentials(secret).await.password != before.password).then_some(());
        story.eventually("the password is another one", changed).await;
        story.credentials(secret).await.connect().await.expect("it is in force");
        assert!(before.is_refused().await.unwrap(), "the one before is not");
    }
    story.server_ready("demoteam").await;
    story.database_ready("demoservice").await;
    story.delete::<PostgreSQLDatabase>("demoservice").await;
    story.gone::<PostgreSQLDatabase>("demoservice").await;
    story.delete::<PostgreSQLServer>("demoteam").await;
    story.gone::<PostgreSQLServer>("demoteam").await;
    assert!(!story.has_local_server("demoteam"), "the server went with its object");

    let events = world.operator_events().await;
    let forbidden: Vec<_> = events.iter().filter(|event| event.code() == Some(403)).collect();
    assert!(forbidden.is_empty(), "{forbidden:#?}");
    let secrets: Vec<_> = events.iter().filter(|event| is_about(event, "secrets")).collect();
    assert!(!secrets.is_empty());
    let nameless: Vec<_> = secrets
        .iter()
        .filter(|event| matches!(event.verb.as_str(), "list" | "watch" | "deletecollection"))
        .collect();
    assert!(nameless.is_empty(), "{nameless:#?}");
    // Users' objects are watched and patched; they are never made, replaced or deleted.
    let theirs =
        |event: &&AuditEvent| is_about(event, "postgresqlservers") || is_about(event, "postgresqldatabases");
    let odd: Vec<_> = events
        .iter()
        .filter(theirs)
        .filter(|event| !matches!(event.verb.as_str(), "get" | "list" | "watch" | "patch"))
        .collect();
    assert!(odd.is_empty(), "{odd:#?}");
    assert!(
        events.iter().any(|event| is_about(event, "events") && event.code() == Some(201)),
        "events are told"
    );
}
