//! The operator's binary is ended by SIGKILL between any two effects of any flow, and everything ends well.

use std::path::PathBuf;

use integration_tests::crash::{self, Effects, Flow};
use integration_tests::operator::{OperatorOptions, project_file};
use integration_tests::world::World;
use serde_json::json;
use strum::IntoEnumIterator;

/// Operators that are killed beside each other, each in a cluster of its own.
const WORLDS: usize = 2;
/// Set to go through all rounds, and to write the table instead of comparing it.
const WRITE: &str = "HCPG_WRITE_TABLES";
/// Without it only every so-manieth round is gone through.
const SAMPLE: usize = 5;

fn table() -> PathBuf {
    project_file("docs/crash-points.md")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_after_every_effect() {
    let options = || OperatorOptions {
        config: json!({"reconcile": {"label_reset_interval_seconds": 0, "poll_seconds": 1}}),
        ..OperatorOptions::default()
    };
    let mut worlds = Vec::new();
    for _ in 0..WORLDS {
        worlds.push(World::start_with(options()).await);
    }
    let stories = futures::future::join_all(worlds.iter().map(|world| world.story("first"))).await;
    futures::future::join_all(stories.iter().map(crash::warm_up)).await;
    let effects = crash::trace(&worlds[0].story("traced").await).await;
    let written = effects.table();
    if std::env::var_os(WRITE).is_none() {
        let committed = std::fs::read_to_string(table()).unwrap_or_default();
        assert_eq!(written, committed, "an effect is new or gone: run `make crash-table`");
    }
    let all = 0..Flow::iter().map(|flow| effects.points(flow).len()).max().unwrap();
    let rounds: Vec<usize> =
        if std::env::var_os(WRITE).is_some() { all.collect() } else { all.step_by(SAMPLE).collect() };
    let killers = worlds.iter().enumerate().map(|(number, world)| kill(world, number, &rounds, &effects));
    futures::future::join_all(killers).await;
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(table(), written).unwrap();
    }
}

/// Every so-manieth round is this world's.
async fn kill(world: &World, number: usize, rounds: &[usize], effects: &Effects) {
    for round in rounds.iter().copied().skip(number).step_by(WORLDS) {
        let story = world.story(&format!("round-{round}")).await;
        crash::round(&story, |flow| effects.points(flow).get(round).cloned()).await;
    }
}
