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
    use integration_tests::conformance::{Aws, check, suite};

    use super::{BACKEND, STATES, WIRE};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "run by the test of the same name"]
    async fn life() {
        suite::life(Aws::aurora().await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "run by the test of the same name"]
    async fn faults() {
        let faults = suite::faults(Aws::aurora().await).await;
        check("docs/faults-awsaurora.md", &[(suite::BACKEND, BACKEND, "fault · call")], &faults);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "run by the test of the same name"]
    async fn wire() {
        let wire = suite::wire(Aws::aurora().await).await;
        check("docs/faults-awsaurora-wire.md", &[(suite::WIRE, WIRE, "fault · call of AWS")], &wire);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "run by the test of the same name"]
    async fn states() {
        let states = suite::states(Aws::aurora().await, None).await;
        check("docs/misfortunes-awsaurora.md", &[(suite::STATES, STATES, "what happens")], &states);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "run by the test of the same name"]
    async fn kills() {
        suite::kills(Aws::aurora().await).await;
    }
}

const BACKEND: &str = "
# Every fault at every call of the backend `awsaurora`

As [faults.md](faults.md), with a simulated Aurora and the real PostgreSQL servers behind it in place of the backend `local`.
The faults stand between the operator and the backend.

";

const WIRE: &str = "
# Every fault on the wire to Aurora

Each row is one fault at one call to AWS; each column is something a user asks for. One server with one database goes
through all columns and meets the fault at every call that the column is sure to make, the first time each.

* **ready**: the fault was met, and afterwards everything is Ready with what was asked for in force: exactly one server,
  the same one all the time, logins that work with the published Secrets, no password pending. A password that was to
  be reset is another one, and the one from before is refused; every other is what it was.
* **gone**: the fault was met, and afterwards nothing is left but the final snapshot.
* ·: the column is not sure to make that call, which met no fault there.

";

const STATES: &str = "
# What happens to clusters on Aurora behind the operator's back

As [misfortunes.md](misfortunes.md), with a simulated Aurora. PostgreSQL that is killed is started again by Aurora itself. A creation that
fails is one of the cluster's member: the member is replaced, and the cluster stays.

";
