//! Server parameters of extensions, and which extensions databases may create.

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::world::{
    APP, SharedWorld, Story, TEAM, answer, database_condition, says, server_condition,
};
use serde_json::{Value, json};

static WORLD: SharedWorld = SharedWorld::new();

async fn edit(story: &Story<'_>, spec: Value) {
    story.patch::<PostgreSQLServer>(TEAM, json!({ "spec": spec })).await;
}

async fn in_sync(story: &Story<'_>) {
    story
        .server_where(TEAM, "is in sync in its present generation", |server| {
            let synced = server_condition(server, ConditionType::Synced);
            let observed = server.status.as_ref().and_then(|status| status.observed_generation);
            observed == server.metadata.generation && says(synced, ConditionStatus::True, Reason::InSync, "")
        })
        .await;
}

async fn shown(story: &Story<'_>, parameter: &str) -> String {
    let login = story.team_login().await.connect().await.unwrap();
    answer(&login, &format!("SELECT current_setting('{parameter}')")).await.unwrap()
}

#[tokio::test]
async fn a_parameter_of_an_extension_is_in_force_when_the_status_says_so() {
    let story = WORLD.get().await.story("extension-parameter").await.with_team().await;
    let started = story.started_at().await;
    // The library and its parameter come by one restart.
    edit(
        &story,
        json!({"extensions": ["pg_stat_statements"], "serverParameters": {"pg_stat_statements.max": 200}}),
    )
    .await;
    in_sync(&story).await;
    assert_eq!(shown(&story, "pg_stat_statements.max").await, "200");
    let restarted = story.started_at().await;
    assert_ne!(restarted, started);

    // Alone it needs one, too.
    edit(&story, json!({"serverParameters": {"pg_stat_statements.max": 300}})).await;
    in_sync(&story).await;
    assert_eq!(shown(&story, "pg_stat_statements.max").await, "300");
    assert_ne!(story.started_at().await, restarted);

    let restarted = story.started_at().await;
    edit(&story, json!({"serverParameters": {"pg_stat_statements.track": "all"}})).await;
    in_sync(&story).await;
    story
        .eventually("track is set", async || {
            (shown(&story, "pg_stat_statements.track").await == "all").then_some(())
        })
        .await;
    assert_eq!(story.started_at().await, restarted);
}

#[tokio::test]
async fn databases_create_only_extensions_that_their_server_lists() {
    let story = WORLD.get().await.story("listed").await.with_team().await;
    edit(&story, json!({"extensions": ["hstore"]})).await;
    let wanted = json!({"spec": {"database": {"extensions": ["hstore", "citext"]}}});
    story.patch::<PostgreSQLDatabase>(APP, wanted).await;
    story
        .database_where(APP, "says which extension is not listed", |database| {
            let synced = database_condition(database, ConditionType::Synced);
            says(
                synced,
                ConditionStatus::False,
                Reason::NotApplied,
                "citext not in spec.extensions of the PostgreSQLServer",
            )
        })
        .await;
    let login = story.app_login().await.connect().await.unwrap();
    let installed =
        "SELECT string_agg(extname, ',' ORDER BY extname) FROM pg_extension WHERE extname <> 'plpgsql'";
    // The condition says it before the other one is created.
    story
        .eventually("hstore is there, alone", async || {
            (answer(&login, installed).await.as_deref() == Some("hstore")).then_some(())
        })
        .await;

    edit(&story, json!({"extensions": ["hstore", "citext"]})).await;
    story
        .database_where(APP, "is in sync", |database| {
            says(
                database_condition(database, ConditionType::Synced),
                ConditionStatus::True,
                Reason::InSync,
                "",
            )
        })
        .await;
    story
        .eventually("both are there", async || {
            (answer(&login, installed).await.as_deref() == Some("citext,hstore")).then_some(())
        })
        .await;
}
