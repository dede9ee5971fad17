//! Nothing has changed, so nothing is written: not to the API server, not to PostgreSQL.

use std::time::Duration;

use hcpg::api::{PostgreSQLDatabase, PostgreSQLServer};
use integration_tests::control_plane::AuditEvent;
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{Story, World};
use serde_json::json;

/// A server that logs every statement and every login, with a database.
const OBJECTS: &str = "
apiVersion: hybridcloud.maibornwolff.de/v1alpha1
kind: PostgreSQLServer
metadata: {name: team}
spec:
  credentialsSecret: team-login
  serverParameters: {log_statement: all, log_connections: 'on', log_min_duration_statement: '-1'}
---
apiVersion: hybridcloud.maibornwolff.de/v1alpha1
kind: PostgreSQLDatabase
metadata: {name: app}
spec:
  serverRef: {name: team}
  credentialsSecret: app-login
  database: {extensions: [pgcrypto]}
";

/// How many passes found nothing to do.
async fn idle_passes(story: &Story<'_>, kind: &str) -> f64 {
    let labels = [("kind", kind), ("outcome", "settled")];
    story.world.operator.metric("hcpg_reconcile_duration_seconds_count", &labels).await.unwrap()
}

/// Whether the operator read one object, whatever there was.
fn is_single_read(event: &AuditEvent) -> bool {
    event.verb == "get" && event.stage == "ResponseComplete"
}

/// Whether all passes have come to rest: the number stays the same for a second.
async fn until_at_rest(story: &Story<'_>) {
    story
        .eventually("the operator is at rest", async || {
            let all = async || {
                story.world.operator.metric("hcpg_reconcile_duration_seconds_count", &[]).await.unwrap()
            };
            let before = all().await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            (all().await == before).then_some(())
        })
        .await;
}

#[tokio::test]
async fn passes_without_anything_to_do_only_read() {
    let world = World::start().await;
    let story = world.story("noop").await;
    story.apply(OBJECTS).await;
    story.server_ready("team").await;
    story.database_ready("app").await;
    until_at_rest(&story).await;
    let writes = world.operator_writes().await.len();
    let versions = (story.server("team").await, story.database("app").await);
    let secrets = async || {
        let versions = story.secrets().list(&Default::default()).await.unwrap();
        versions.items.into_iter().map(|secret| secret.metadata.resource_version).collect::<Vec<_>>()
    };
    let secrets_before = secrets().await;
    let offset = story.local_server("team").log().len();
    let reads = world.operator_events().await.iter().filter(|event| is_single_read(event)).count();
    let passes = async || (idle_passes(&story, "server").await, idle_passes(&story, "database").await);
    let passes_before = passes().await;

    for round in 0..3 {
        let before = (idle_passes(&story, "server").await, idle_passes(&story, "database").await);
        let touch = json!({"metadata": {"annotations": {"somebody-elses/annotation": format!("{round}")}}});
        story.patch::<PostgreSQLServer>("team", touch.clone()).await;
        story.patch::<PostgreSQLDatabase>("app", touch).await;
        story
            .eventually("both were looked at again", async || {
                let now = (idle_passes(&story, "server").await, idle_passes(&story, "database").await);
                (now.0 > before.0 && now.1 > before.1).then_some(())
            })
            .await;
    }
    until_at_rest(&story).await;

    let written = world.operator_writes().await.split_off(writes);
    assert!(written.is_empty(), "{written:#?}");
    // A server: itself, its Secret, its pending one. A database: also its server and that one's Secret.
    let passes = passes().await;
    let admitted = 3.0 * (passes.0 - passes_before.0) + 5.0 * (passes.1 - passes_before.1);
    let read = world.operator_events().await.iter().filter(|event| is_single_read(event)).count() - reads;
    assert!(read as f64 <= admitted, "{read} reads, {admitted} are enough");
    let now = (story.server("team").await, story.database("app").await);
    assert_eq!((now.0.status, now.1.status), (versions.0.status, versions.1.status));
    assert_eq!(secrets().await, secrets_before);

    let log = story.local_server("team").log();
    let statements = story.local_server("team").statements(offset);
    let reads = ["SELECT", "BEGIN", "ROLLBACK", "SET", "SHOW"];
    let others: Vec<_> = statements.iter().filter(|(verb, _)| !reads.contains(&verb.as_str())).collect();
    assert!(others.is_empty(), "{others:#?}");
    assert!(!statements.is_empty(), "the log tells statements:\n{}", &log[offset..]);
    assert!(log[offset..].contains("connection authorized: user=app"), "the database's login is checked");
}

#[tokio::test]
async fn a_login_that_worked_is_repeated_when_the_object_is_touched_and_not_at_every_look() {
    let config = json!({"reconcile": {"login_seconds": 3600, "resync_seconds": 10}});
    let world = World::start_with(OperatorOptions { config, ..OperatorOptions::default() }).await;
    let story = world.story("logins").await;
    story.apply(OBJECTS).await;
    story.server_ready("team").await;
    story.database_ready("app").await;
    until_at_rest(&story).await;
    let log = || story.local_server("team").log();
    let look_after = async |touch: bool, round: &str| {
        let (before, offset) = (idle_passes(&story, "database").await, log().len());
        if touch {
            let patch = json!({"metadata": {"annotations": {"somebody-elses/annotation": round}}});
            story.patch::<PostgreSQLDatabase>("app", patch).await;
        }
        story
            .eventually("the database was looked at", async || {
                (idle_passes(&story, "database").await > before).then_some(())
            })
            .await;
        until_at_rest(&story).await;
        log()[offset..].contains("connection authorized: user=app")
    };
    assert!(!look_after(false, "1").await, "the database logs in though nothing of it has changed");
    assert!(look_after(true, "2").await, "the database was touched");
    assert!(!look_after(false, "3").await, "the login is remembered again");
}

#[tokio::test]
async fn a_restart_of_the_operator_changes_nothing() {
    let world = World::start().await;
    let story = world.story("restart").await;
    story.apply(OBJECTS).await;
    story.server_ready("team").await;
    story.database_ready("app").await;
    until_at_rest(&story).await;
    let writes = world.operator_writes().await.len();
    let postmaster = story.local_server("team").postmaster();

    world.operator.restart().await.unwrap();
    story
        .eventually("both were looked at", async || {
            let done =
                idle_passes(&story, "server").await > 0.0 && idle_passes(&story, "database").await > 0.0;
            done.then_some(())
        })
        .await;
    until_at_rest(&story).await;

    let written = world.operator_writes().await.split_off(writes);
    assert!(written.is_empty(), "{written:#?}");
    assert_eq!(story.local_server("team").postmaster(), postmaster, "PostgreSQL went on");
}
