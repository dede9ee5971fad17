//! The conformance suite on the backend `azurepostgres`: a simulated Azure, with real PostgreSQL servers.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use integration_tests::conformance::azure::pages;
use integration_tests::conformance::{AzureSingle, check, suite};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn life() {
    let azure = AzureSingle::new().await;
    suite::life(azure.clone()).await;
    azure.judge(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("oav"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults() {
    let faults = suite::faults(AzureSingle::new().await).await;
    let page = pages::backend("azurepostgres");
    check("docs/faults-azuresingle.md", &[(suite::BACKEND, &page, "fault · call")], &faults);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wire() {
    let azure = AzureSingle::new().await;
    let wire = suite::wire(azure.clone()).await;
    azure.judge(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("oav"));
    let page = pages::wire("Azure's single servers");
    check("docs/faults-azuresingle-wire.md", &[(suite::WIRE, &page, "fault · call of Azure")], &wire);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states() {
    let states = suite::states(AzureSingle::new().await, None).await;
    let page = pages::states("single servers");
    check("docs/misfortunes-azuresingle.md", &[(suite::STATES, &page, "what happens")], &states);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills() {
    suite::kills(AzureSingle::new().await).await;
}
