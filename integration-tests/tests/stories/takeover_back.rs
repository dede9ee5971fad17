//! Going back to the original operator, by the commands of the documentation, and forth again.

use std::collections::BTreeSet;

use hcpg::api::names::ORIGINAL_FINALIZER;
use hcpg::secrets::{ORIGINAL_KEYS, field};
use integration_tests::operator::project_file;
use integration_tests::world::{APP, APP_LOGIN, Story, TEAM, TEAM_LOGIN, World};
use serde_json::Value;

/// The commands on the page.
fn documented() -> String {
    let page = std::fs::read_to_string(project_file("docs/going-back.md")).unwrap();
    let (_, rest) = page.split_once("```sh\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

async fn stored(story: &Story<'_>, kind: &str, name: &str) -> Value {
    let json = story.world.kubectl(&["--namespace", &story.namespace, "get", kind, name, "-o", "json"]).await;
    serde_json::from_str(&json).unwrap()
}

/// Finalizer and status are as the original leaves them.
fn is_the_originals(object: &Value, reason: &str) {
    assert_eq!(object["metadata"]["finalizers"], serde_json::json!([ORIGINAL_FINALIZER]));
    let status = object["status"].as_object().unwrap();
    let keys: BTreeSet<&str> = status.keys().map(String::as_str).collect();
    assert_eq!(keys, BTreeSet::from(["backend", "deployment"]), "{status:#?}");
    assert_eq!(status["backend"], "local");
    assert_eq!(
        (&status["deployment"]["status"], &status["deployment"]["reason"]),
        (&"finished".into(), &reason.into())
    );
    let keys: BTreeSet<&str> = status["deployment"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, BTreeSet::from(["status", "reason", "latest-update"]));
}

#[tokio::test]
async fn the_original_finds_everything_as_it_would_have_left_it() {
    let world = World::start().await;
    // One team that this operator has made, one that it has taken over.
    let made = world.story("made").await.with_team().await;
    let teams = world.left_by_the_original(&["taken"], async |_, _, _| {}).await;
    world.operator.start_again().await.unwrap();
    let (namespace, before) = &teams["taken"];
    let taken = world.story_again_in(namespace).await;
    taken.team_ready().await;
    let (team, app) = (made.team_login().await, made.app_login().await);
    world.operator.sigterm().await.unwrap();

    world.shell(&documented()).await;
    for (story, logins) in [(&made, [&team, &app]), (&taken, [&before.team, &before.app])] {
        is_the_originals(&stored(story, "postgresqlservers", TEAM).await, "Database server created");
        is_the_originals(&stored(story, "postgresqldatabases", APP).await, "Database created");
        for (name, login) in [TEAM_LOGIN, APP_LOGIN].into_iter().zip(logins) {
            let secret = story.secret(name).await.unwrap();
            assert_eq!(secret.metadata.labels.clone().unwrap_or_default().len(), 0, "{name}");
            assert_eq!(secret.metadata.annotations.clone().unwrap_or_default().len(), 0, "{name}");
            let port = login.port.to_string();
            let values =
                [&login.username, &login.password, &login.dbname, &login.host, &port, &login.sslmode];
            for (key, value) in ORIGINAL_KEYS.into_iter().zip(values) {
                assert_eq!(field(&secret, key).as_ref(), Some(value), "{name}: {key}");
            }
        }
    }
    taken.was_only_read(before).await;

    // And forth again: a second time is like the first.
    world.operator.start_again().await.unwrap();
    taken.team_ready().await;
    made.team_ready().await;
    taken.was_only_read(before).await;
    assert_eq!(made.app_login().await.password, app.password);
    let server = made.server(TEAM).await;
    assert_eq!(server.status.unwrap().adopted_generation, server.metadata.generation);
}
