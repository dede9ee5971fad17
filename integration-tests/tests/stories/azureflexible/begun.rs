//! What was begun and failed while no operator ran.

use hcpg::api::{Condition, PostgreSQLServer, ServerStatus};
use integration_tests::azure::Cloud;
use integration_tests::world::Story;
use serde_json::json;

use super::objects::{BACKEND, server};

/// What the simulated service says of an operation that failed.
const REASON: &str = "InternalServerError";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_an_operation_failed_is_told_by_an_operator_that_did_not_begin_it() {
    let cloud = Cloud::start().await;
    let world = cloud.world(&[(BACKEND, &json!({}))], json!({})).await;
    let story = world.story("begun").await;
    let name = format!("{}-main", story.namespace);

    // Its creation is accepted, and fails after the operator was killed.
    cloud.azure().clock().hold();
    cloud.azure().fail_creations(1);
    story.try_apply(server("main", json!({}))).await.unwrap();
    let url = is_kept(&story, "creating the server").await;
    assert!(url.starts_with(&format!("{}/", cloud.azure().endpoint())), "{url}");
    world.operator.sigkill();
    cloud.azure().clock().run();
    story
        .eventually("the creation has failed", async || cloud.azure().server(&name).is_none().then_some(()))
        .await;
    world.operator.start_again().await.unwrap();
    is_told(&story, "creating the server").await;
    story.server_ready("main").await;
    is_over(&story).await;

    // So is a change of the server.
    cloud.azure().clock().hold();
    cloud.azure().fail_operations(1);
    story.patch::<PostgreSQLServer>("main", json!({"spec": {"size": {"storageGB": 64}}})).await;
    is_kept(&story, "changing the server").await;
    world.operator.sigkill();
    cloud.azure().clock().run();
    let rests = || cloud.azure().server(&name).is_some_and(|server| server.state == "Ready");
    story.eventually("the change has failed", async || rests().then_some(())).await;
    assert_eq!(cloud.azure().server(&name).unwrap().storage.size, 32);
    world.operator.start_again().await.unwrap();
    is_told(&story, "changing the server").await;
    story
        .eventually("it is changed", async || (cloud.azure().server(&name)?.storage.size == 64).then_some(()))
        .await;
    story.server_ready("main").await;
    is_over(&story).await;

    // So is its deletion: it was never told before, since the next attempt forgot it.
    cloud.azure().clock().hold();
    cloud.azure().fail_operations(1);
    story.delete::<PostgreSQLServer>("main").await;
    is_kept(&story, "deleting the server").await;
    world.operator.sigkill();
    cloud.azure().clock().run();
    story.eventually("the deletion has failed", async || rests().then_some(())).await;
    world.operator.start_again().await.unwrap();
    is_told(&story, "deleting the server").await;
    story.gone::<PostgreSQLServer>("main").await;
    assert!(cloud.azure().server(&name).is_none());
    cloud.judge(env!("CARGO_TARGET_TMPDIR"));
}

/// The URL at which it is asked about, as it stands in the status.
async fn is_kept(story: &Story<'_>, kind: &str) -> String {
    let what = format!("is kept: {kind}");
    let of = |status: &ServerStatus| {
        let operation = status.operation.as_ref()?;
        (operation.kind == kind && !operation.id.is_empty()).then(|| operation.id.clone())
    };
    let found = |server: &PostgreSQLServer| server.status.as_ref().and_then(of);
    let server = story.server_where("main", &what, |server| found(server).is_some()).await;
    found(&server).unwrap()
}

/// A condition says what failed, and why.
async fn is_told(story: &Story<'_>, kind: &str) {
    let tells = |one: &Condition| one.message.contains(kind) && one.message.contains(REASON);
    let what = format!("tells of {kind}");
    story
        .server_where("main", &what, |server| {
            server.status.as_ref().is_some_and(|status| status.conditions.iter().any(tells))
        })
        .await;
}

async fn is_over(story: &Story<'_>) {
    story
        .server_where("main", "has nothing under way", |server| {
            server.status.as_ref().is_some_and(|status| status.operation.is_none())
        })
        .await;
}
