//! The conformance suite on the backend `azurepostgres`: a simulated Azure, with real PostgreSQL servers.

use integration_tests::conformance::azure::{Single, parts};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn life() {
    parts::life::<Single>(env!("CARGO_TARGET_TMPDIR")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults() {
    parts::faults::<Single>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wire() {
    parts::wire::<Single>(env!("CARGO_TARGET_TMPDIR")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states() {
    parts::states::<Single>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills() {
    parts::kills::<Single>().await;
}
