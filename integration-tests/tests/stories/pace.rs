//! Who waits for something slow neither asks all the time nor holds up anybody else.

use std::time::{Duration, Instant};

use hcpg::api::{ConditionStatus, ConditionType, Phase, PostgreSQLServer};
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{Story, TEAM, World, server_condition};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

async fn passes(story: &Story<'_>, kind: &str) -> f64 {
    let labels = [("kind", kind)];
    story.world.operator.metric("hcpg_reconcile_duration_seconds_count", &labels).await.unwrap()
}

#[tokio::test]
async fn a_server_that_cannot_serve_is_asked_less_and_less_often() {
    let world = World::start().await;
    let story = world.story("unusable").await.with_team().await;
    let server = story.local_server(TEAM);
    // Without this file PostgreSQL refuses to start.
    let (file, aside) =
        (server.folder().join("pgdata/PG_VERSION"), server.folder().join("pgdata/PG_VERSION.aside"));
    std::fs::rename(&file, &aside).unwrap();
    kill(Pid::from_raw(server.postmaster().unwrap()), Signal::SIGINT).unwrap();
    let touch = json!({"metadata": {"annotations": {"story/touch": "1"}}});
    story.patch::<PostgreSQLServer>(TEAM, touch).await;
    let not_ready = |server: &PostgreSQLServer| {
        server_condition(server, ConditionType::Ready)
            .is_some_and(|ready| ready.status == ConditionStatus::False)
    };
    story.server_where(TEAM, "is not ready", not_ready).await;

    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = (passes(&story, "server").await, passes(&story, "database").await);
    tokio::time::sleep(Duration::from_secs(20)).await;
    let after = (passes(&story, "server").await, passes(&story, "database").await);
    let often = (after.0 - before.0, after.1 - before.1);
    assert!(often.0 <= 6.0 && often.1 <= 6.0, "looks in 20 s at server and database: {often:?}");

    // Whoever mends it and says so is not kept waiting.
    std::fs::rename(&aside, &file).unwrap();
    let touch = json!({"metadata": {"annotations": {"story/touch": "2"}}});
    story.patch::<PostgreSQLServer>(TEAM, touch).await;
    story.team_ready().await;
}

#[tokio::test]
async fn a_slow_server_does_not_hold_up_the_databases_of_others() {
    let options =
        OperatorOptions { config: json!({"reconcile": {"concurrency": 2}}), ..OperatorOptions::default() };
    let world = World::start_with(options).await;
    let story = world.story("slow").await;
    story.plain_server("slow").await;
    story.plain_server("fast").await;
    story.server_ready("slow").await;
    story.server_ready("fast").await;

    // Nothing can be created on this one, and whoever tries waits.
    let superuser = story.local_server("slow").superuser("postgres").await.unwrap();
    superuser.batch_execute("BEGIN; LOCK TABLE pg_database IN EXCLUSIVE MODE").await.unwrap();
    for number in 0..4 {
        story.plain_database(&format!("slow{number}"), "slow").await;
    }
    // What one transaction sees of others' activity does not change.
    let watcher = story.local_server("slow").superuser("postgres").await.unwrap();
    let waiting =
        "SELECT count(*)::int FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CREATE DATABASE%'";
    story
        .eventually("somebody waits", async || {
            let count: i32 = watcher.query_one(waiting, &[]).await.unwrap().get(0);
            (count > 0).then_some(())
        })
        .await;

    let since = Instant::now();
    story.plain_database("quick", "fast").await;
    story.database_ready("quick").await;
    let took = since.elapsed();
    for number in 0..4 {
        let slow = story.database(&format!("slow{number}")).await;
        assert_ne!(slow.status.unwrap().phase, Some(Phase::Ready), "the other one was slow all the time");
    }
    assert!(took < Duration::from_secs(10), "{took:?}");

    superuser.batch_execute("ROLLBACK").await.unwrap();
    for number in 0..4 {
        story.database_ready(&format!("slow{number}")).await;
    }
}
