//! The conformance suite on the backend `azurepostgresflexible`: a simulated Azure, with real PostgreSQL servers.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

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
    check("docs/faults-azureflexible.md", &[(suite::BACKEND, BACKEND, "fault · call")], &faults);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wire() {
    let azure = AzureFlexible::new().await;
    let wire = suite::wire(azure.clone()).await;
    azure.judge(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("oav"));
    check("docs/faults-azureflexible-wire.md", &[(suite::WIRE, WIRE, "fault · call of Azure")], &wire);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states() {
    let states = suite::states(AzureFlexible::new().await, None).await;
    check("docs/misfortunes-azureflexible.md", &[(suite::STATES, STATES, "what happens")], &states);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills() {
    suite::kills(AzureFlexible::new().await).await;
}

const BACKEND: &str = "
# Every fault at every call of the backend `azurepostgresflexible`

As [faults.md](faults.md), with a simulated Azure and the real PostgreSQL servers behind it in place of the backend `local`.
The faults stand between the operator and the backend.

";

const WIRE: &str = "
# Every fault on the wire to Azure

Each row is one fault at one call to the resource manager; each column is something a user asks for. One server with one
database goes through all columns and meets the fault at every call that the column is sure to make, the first time each.

* **ready**: the fault was met, and afterwards everything is Ready with what was asked for in force: exactly one server,
  logins that work with the published Secrets, no password pending.
* **gone**: the fault was met, and afterwards nothing is left.
* ·: that call does not occur in that column.

";

const STATES: &str = "
# What happens to servers on Azure behind the operator's back

As [misfortunes.md](misfortunes.md), with a simulated Azure. PostgreSQL that is killed is started again by Azure itself.

";
