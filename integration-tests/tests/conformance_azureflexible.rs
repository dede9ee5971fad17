//! The conformance suite on the backend `azurepostgresflexible`: a simulated Azure, with real PostgreSQL servers.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use integration_tests::conformance::azure::pages;
use integration_tests::conformance::{AzureFlexible, check, suite};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn life() {
    let azure = AzureFlexible::new().await;
    suite::life(azure.clone()).await;
    azure.judge(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("oav"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults() {
    let faults = suite::faults(AzureFlexible::new().await).await;
    let page = pages::backend("azurepostgresflexible");
    check("docs/faults-azureflexible.md", &[(suite::BACKEND, &page, "fault · call")], &faults);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wire() {
    let azure = AzureFlexible::new().await;
    let wire = suite::wire(azure.clone()).await;
    azure.judge(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("oav"));
    let page = pages::wire("Azure");
    check("docs/faults-azureflexible-wire.md", &[(suite::WIRE, &page, "fault · call of Azure")], &wire);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states() {
    let states = suite::states(AzureFlexible::new().await, None).await;
    let page = pages::states("servers");
    check("docs/misfortunes-azureflexible.md", &[(suite::STATES, &page, "what happens")], &states);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills() {
    suite::kills(AzureFlexible::new().await).await;
}
