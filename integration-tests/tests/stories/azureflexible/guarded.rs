//! Servers that the operator itself locks.

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use integration_tests::azure::Cloud;
use integration_tests::world::{says, server_condition};
use serde_json::json;

use super::objects::{BACKEND, server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_gets_its_lock_again_and_waits_for_somebody_to_lift_it_before_it_goes() {
    let cloud = Cloud::start().await;
    let world = cloud.world(&[(BACKEND, &json!({"lock_from_deletion": true}))], json!({})).await;
    let story = world.story("guarded").await;
    let name = format!("{}-main", story.namespace);
    let locked = || cloud.azure().locks(&name).contains(&"donotdeletelock".to_owned());
    story.try_apply(server("main", json!({}))).await.unwrap();
    story.server_ready("main").await;
    assert!(locked(), "{:?}", cloud.azure().locks(&name));

    // Whoever lifts it by hand while the object is there finds it again.
    cloud.azure().unlock(&name);
    story.patch::<PostgreSQLServer>("main", json!({"metadata": {"annotations": {"look": "again"}}})).await;
    story.eventually("it is locked again", async || locked().then_some(())).await;
    story.server_ready("main").await;

    story.delete::<PostgreSQLServer>("main").await;
    story
        .server_where("main", "is protected by the operator's own lock", |server| {
            let stalled = server_condition(server, ConditionType::Stalled);
            says(stalled, ConditionStatus::True, Reason::Protected, "DoNotDeleteLock")
        })
        .await;
    assert_eq!(cloud.count("DELETE flexibleServers"), 0, "what is known to be locked is not tried");
    cloud.azure().unlock(&name);
    story
        .patch::<PostgreSQLServer>("main", json!({"metadata": {"annotations": {"look": "once more"}}}))
        .await;
    story.gone::<PostgreSQLServer>("main").await;
    assert!(cloud.azure().server(&name).is_none() && !locked());
    cloud.judge(env!("CARGO_TARGET_TMPDIR"));
}
