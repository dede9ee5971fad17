//! Somebody writes a password of his own into the Secret. It is put in force, unless the service does not take it.

use hcpg::api::{ConditionStatus, PostgreSQLServer, Reason};
use integration_tests::world::Story;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::awsrds::cloud::{Cloud, server};

const SECRET: &str = "main-login";

async fn write_password(story: &Story<'_>, password: &str) {
    let patch = Patch::Merge(json!({"stringData": {"password": password}}));
    story.secrets().patch(SECRET, &PatchParams::default(), &patch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_published_password_that_the_service_does_not_take_gives_way_to_a_new_one() {
    let cloud = Cloud::start().await;
    let world = cloud.world(json!({"poll_seconds": 1})).await;
    let story = world.story("published").await;
    story.try_apply(server("main", json!({}))).await.unwrap();
    story.server_ready("main").await;
    let before = story.credentials(SECRET).await;

    // One that it takes is put in force.
    write_password(&story, "Chosen-by-somebody-1").await;
    let touch = json!({"metadata": {"annotations": {"story/touch": "1"}}});
    story.patch::<PostgreSQLServer>("main", touch).await;
    let chosen = story
        .eventually("the chosen password logs in", async || {
            let login = story.credentials(SECRET).await;
            login.connect().await.ok().map(|_| login)
        })
        .await;
    assert_eq!(chosen.password, "Chosen-by-somebody-1");
    assert!(before.is_refused().await.unwrap());
    story.server_ready("main").await;

    // AWS takes none of fewer than eight characters. What else was asked for is done, too.
    write_password(&story, "short").await;
    story.patch::<PostgreSQLServer>("main", json!({"spec": {"size": {"storageGB": 30}}})).await;
    let refusal = story.event("main", Reason::Rejected).await;
    assert!(refusal.contains("not a valid password") && !refusal.contains("short"), "{refusal}");
    assert!(refusal.contains("a new password is set in place of the published one"), "{refusal}");
    let drawn = story
        .eventually("a new password logs in", async || {
            let login = story.credentials(SECRET).await;
            let works = login.password != "short" && login.connect().await.is_ok();
            works.then_some(login)
        })
        .await;
    assert_ne!(drawn.password, chosen.password);
    assert!(chosen.is_refused().await.unwrap());
    story
        .server_where("main", "has more storage", |server| {
            let pinned = server.status.as_ref().and_then(|status| status.server.as_ref());
            pinned.and_then(|pinned| pinned.storage_gb) == Some(30)
        })
        .await;
    let server = story.server_ready("main").await;
    let conditions = server.status.unwrap().conditions;
    assert!(
        conditions.iter().all(|one| one.reason != Reason::Rejected || one.status == ConditionStatus::False)
    );
    assert_eq!(story.credentials(SECRET).await, drawn, "once and not more");
}
