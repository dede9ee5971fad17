//! The conformance suite on the backend `local`, with real PostgreSQL servers.

use integration_tests::conformance::{Local, suite};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn life() {
    suite::life(Local::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults() {
    suite::faults(Local::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills() {
    suite::kills(Local::new()).await;
}
