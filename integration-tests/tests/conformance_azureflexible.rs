//! The conformance suite on the backend `azurepostgresflexible`: a simulated Azure, with real PostgreSQL servers.

use integration_tests::conformance::azure::{Flexible, parts};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn life() {
    parts::life::<Flexible>(env!("CARGO_TARGET_TMPDIR")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults() {
    parts::faults::<Flexible>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wire() {
    parts::wire::<Flexible>(env!("CARGO_TARGET_TMPDIR")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states() {
    parts::states::<Flexible>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills() {
    parts::kills::<Flexible>().await;
}
