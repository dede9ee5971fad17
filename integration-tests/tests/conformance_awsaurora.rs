//! The conformance suite on the backend `awsaurora`: the simulated Aurora over its wire protocol, with real PostgreSQL servers.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use integration_tests::aws::with_credentials;

#[test]
fn life() {
    with_credentials("inside::life");
}

#[test]
fn faults() {
    with_credentials("inside::faults");
}

#[test]
fn wire() {
    with_credentials("inside::wire");
}

#[test]
fn states() {
    with_credentials("inside::states");
}

#[test]
fn kills() {
    with_credentials("inside::kills");
}

/// With credentials in the environment.
mod inside {
    use integration_tests::conformance::aws::pages;
    use integration_tests::conformance::{Aws, check, suite};

    /// The one thing that goes otherwise there.
    const CREATIONS: &str = " A creation that
fails is one of the cluster's member: the member is replaced, and the cluster stays.";

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "run by the test of the same name"]
    async fn life() {
        suite::life(Aws::aurora().await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "run by the test of the same name"]
    async fn faults() {
        let faults = suite::faults(Aws::aurora().await).await;
        let page = pages::backend("awsaurora", "Aurora");
        check("docs/faults-awsaurora.md", &[(suite::BACKEND, &page, "fault · call")], &faults);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "run by the test of the same name"]
    async fn wire() {
        let wire = suite::wire(Aws::aurora().await).await;
        let page = pages::wire("Aurora");
        check("docs/faults-awsaurora-wire.md", &[(suite::WIRE, &page, "fault · call of AWS")], &wire);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "run by the test of the same name"]
    async fn states() {
        let states = suite::states(Aws::aurora().await, None).await;
        let page = pages::states("clusters", "Aurora", CREATIONS);
        check("docs/misfortunes-awsaurora.md", &[(suite::STATES, &page, "what happens")], &states);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "run by the test of the same name"]
    async fn kills() {
        suite::kills(Aws::aurora().await).await;
    }
}
