//! `footprint`: what the operator costs while nothing happens.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{Story, World, is_ready};
use kube::api::ListParams;
use serde_json::json;

/// What is measured.
#[derive(Args)]
pub struct Load {
    /// How many databases.
    #[arg(long, default_value_t = 100)]
    databases: usize,
    /// How many servers they are spread over.
    #[arg(long, default_value_t = 2)]
    servers: usize,
    /// For how many seconds requests are counted; less than `resync` and a fifth shows only a part of a round.
    #[arg(long, default_value_t = 720)]
    seconds: u64,
    /// `reconcile.resync_seconds`.
    #[arg(long, default_value_t = 600)]
    resync: u64,
}

/// Makes a throw-away world, waits until everything is ready, and prints memory and requests while it is idle.
pub async fn measure(load: &Load) {
    let reconcile = json!({"resync_seconds": load.resync, "poll_seconds": 5, "backoff_max_seconds": 300});
    let options = OperatorOptions {
        config: json!({"reconcile": reconcile}),
        log: "info".to_owned(),
        ..OperatorOptions::default()
    };
    let world = World::start_with(options).await;
    let empty = memory(&world);
    let story = world.story("footprint").await;
    let since = Instant::now();
    for number in 0..load.servers.max(1) {
        story.apply(&server(number)).await;
    }
    for number in 0..load.databases {
        story.apply(&database(number, number % load.servers.max(1))).await;
    }
    loop {
        let ready = databases_ready(&story).await;
        eprintln!(
            "{ready} of {} databases are ready after {:.0} s",
            load.databases,
            since.elapsed().as_secs_f32()
        );
        if ready >= load.databases {
            break;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    eprintln!("counting requests for {} s", load.seconds);
    // What follows from the last one's becoming ready is not idleness.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = world.operator_events().await.len();
    tokio::time::sleep(Duration::from_secs(load.seconds)).await;
    let events = world.operator_events().await.split_off(before);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for event in events.iter().filter(|event| event.stage == "ResponseComplete") {
        let resource = event.object_ref.as_ref().map_or("", |object| object.resource.as_str());
        *counts.entry(format!("{} {resource}", event.verb)).or_default() += 1;
    }
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    println!("build                  {build}");
    println!("servers, databases     {}, {}", load.servers.max(1), load.databases);
    println!("memory without objects {empty}");
    println!("memory now, and peak   {}", memory(&world));
    let per_minute = |count: usize| count as f64 * 60.0 / load.seconds as f64;
    println!("requests per minute    {:.1}", per_minute(counts.values().sum()));
    for (what, count) in counts {
        println!("  {what:20} {:.1}", per_minute(count));
    }
}

fn server(number: usize) -> String {
    format!(
        "apiVersion: hybridcloud.maibornwolff.de/v1alpha1\nkind: PostgreSQLServer\nmetadata:\n  name: server-{number}\n\
         spec:\n  size: {{cpu: 1, memoryMB: 512, storageGB: 1}}\n  credentialsSecret: server-{number}-credentials\n"
    )
}

fn database(number: usize, server: usize) -> String {
    format!(
        "apiVersion: hybridcloud.maibornwolff.de/v1alpha1\nkind: PostgreSQLDatabase\nmetadata:\n  name: app-{number}\n\
         spec:\n  serverRef: {{name: server-{server}}}\n  credentialsSecret: app-{number}-credentials\n"
    )
}

async fn databases_ready(story: &Story<'_>) -> usize {
    let Ok(databases) = story.databases().list(&ListParams::default()).await else { return 0 };
    let ready = databases.iter().filter(|database| {
        database.status.as_ref().is_some_and(|status| {
            let generation = database.metadata.generation;
            is_ready(generation, status.observed_generation, status.phase, &status.conditions)
        })
    });
    ready.count()
}

/// Resident memory of the operator's process, now and at most.
fn memory(world: &World) -> String {
    let Some(pid) = world.operator.pid() else { return "the operator does not run".to_owned() };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let megabytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or_default();
        format!("{:.1} MB", kilobytes / 1024.0)
    };
    format!("{} (peak {})", megabytes("VmRSS:"), megabytes("VmHWM:"))
}
