//! A size becomes server parameters, by one restart.

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use integration_tests::world::{SharedWorld, TEAM, answer, says, server_condition};
use serde_json::json;

static WORLD: SharedWorld = SharedWorld::new();

#[tokio::test]
async fn a_size_and_libraries_come_by_one_restart_and_the_storage_in_use_is_told() {
    let story = WORLD.get().await.story("sizes").await.with_team().await;
    let used = story
        .server_where(TEAM, "tells how much storage is used", |server| {
            server.status.as_ref().and_then(|status| status.server.as_ref()?.storage_used_gb).is_some()
        })
        .await;
    assert_eq!(used.status.unwrap().server.unwrap().storage_used_gb, Some(1));
    let server = story.local_server(TEAM);
    let started = story.started_at().await;
    let spec = json!({
        "size": {"memoryMB": 512, "cpu": 4, "storageGB": 5, "class": "large"},
        "extensions": ["pg_stat_statements"],
    });
    story.patch::<PostgreSQLServer>(TEAM, json!({ "spec": spec })).await;
    let seen = story
        .server_where(TEAM, "is in sync, but for what the backend does not do", |server| {
            let synced = server_condition(server, ConditionType::Synced);
            let observed = server.status.as_ref().and_then(|status| status.observed_generation);
            observed == server.metadata.generation
                && says(synced, ConditionStatus::True, Reason::InSync, "the condition Limited names the rest")
        })
        .await;
    let limited = server_condition(&seen, ConditionType::Limited);
    assert!(says(limited, ConditionStatus::True, Reason::NotSupported, "size.class"), "{limited:?}");
    let login = story.team_login().await.connect().await.unwrap();
    let values = "SELECT string_agg(name || '=' || current_setting(name), ' ' ORDER BY name) FROM pg_settings
                  WHERE name IN ('shared_buffers', 'max_connections', 'work_mem', 'max_parallel_workers',
                                 'shared_preload_libraries')";
    assert_eq!(
        answer(&login, values).await.unwrap(),
        "max_connections=50 max_parallel_workers=4 shared_buffers=128MB shared_preload_libraries=pg_stat_statements \
         work_mem=4MB"
    );
    assert_ne!(story.started_at().await, started);
    // Its log begins anew with every start; it would tell of a second one's end.
    let starts = server.log().matches("ready to accept connections").count();
    assert_eq!(starts, 1);
    let status = seen.status.unwrap().server.unwrap();
    assert_eq!((status.size.as_deref(), status.storage_gb), (Some("128MB shared buffers"), Some(5)));
}
