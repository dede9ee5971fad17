//! A label that stands in Git comes back after every reset; it must not renew the password for ever.

use std::time::Duration;

use hcpg::api::PostgreSQLDatabase;
use hcpg::api::names::{ACTION, RESET_PASSWORD_AT};
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{APP, Credentials, SharedWorld, Story};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use serde_json::{Value, json};

static WORLD: SharedWorld = SharedWorld::with(|| OperatorOptions {
    config: json!({"reconcile": {"label_reset_interval_seconds": 3600}}),
    ..OperatorOptions::default()
});

async fn metadata(story: &Story<'_>, change: Value) {
    story.patch::<PostgreSQLDatabase>(APP, json!({ "metadata": change })).await;
}

async fn has_no_label(story: &Story<'_>) {
    let done = |database: &PostgreSQLDatabase| !database.labels().contains_key(ACTION);
    story.database_where(APP, "has lost its label", done).await;
}

/// A label that was followed once, and stands there again.
async fn throttled(name: &str) -> (Story<'static>, Credentials) {
    let story = WORLD.get().await.story(name).await.with_team().await;
    metadata(&story, json!({"labels": {ACTION: "reset-password"}})).await;
    has_no_label(&story).await;
    let login = story.app_login().await;
    metadata(&story, json!({"labels": {ACTION: "reset-password"}})).await;
    story
        .database_where(APP, "says that the reset waits, and what to do instead", |database| {
            let differences = database.status.as_ref().map_or(&[][..], |status| &status.differences);
            differences.iter().any(|one| one.contains("ResetThrottled") && one.contains(RESET_PASSWORD_AT))
        })
        .await;
    (story, login)
}

#[tokio::test]
async fn a_label_that_comes_back_waits_and_the_annotation_does_not() {
    let (story, login) = throttled("again").await;
    let same = async || story.app_login().await == login;
    story.all_the_time("the password stays", Duration::from_secs(3), same).await;
    login.connect().await.unwrap();
    assert!(story.database(APP).await.labels().contains_key(ACTION), "the request is not forgotten");
    story.database_ready(APP).await;

    metadata(&story, json!({"annotations": {RESET_PASSWORD_AT: Timestamp::now().to_string()}})).await;
    has_no_label(&story).await;
    let database = story.database_ready(APP).await;
    assert_eq!(database.status.unwrap().differences, Vec::<String>::new());
    assert!(login.is_refused().await.unwrap());
    story.app_login().await.connect().await.unwrap();
}

#[tokio::test]
async fn a_time_that_comes_earlier_than_the_waiting_label_counts() {
    let (story, login) = throttled("earlier").await;
    let at = Timestamp::now() + SignedDuration::from_secs(4);
    metadata(&story, json!({"annotations": {RESET_PASSWORD_AT: at.to_string()}})).await;
    story
        .eventually("the password is another one", async || {
            (story.app_login().await.password != login.password).then_some(())
        })
        .await;
    assert!(Timestamp::now() > at);
    has_no_label(&story).await;
    story.database_ready(APP).await;
    story.app_login().await.connect().await.unwrap();
}
