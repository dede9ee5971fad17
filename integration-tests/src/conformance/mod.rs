//! One suite for every backend, and a decorator that puts faults between it and the operator.
//!
//! * [`Subject`]: what a backend brings along: [`Local`], [`Aws`], [`AzureFlexible`], [`AzureSingle`].
//! * [`Faulty`]: around any backend, with [`Faults`]: which calls meet which fault, and what became of every call.
//! * [`SqlFaults`]: between the operator and PostgreSQL.
//! * [`Effects`]: the points at which the operator may be killed.
//! * [`Bench`]: a real control plane with the controllers in this process, with the chart's rights only.
//! * [`suite`]: the cases. A backend's test calls [`suite::life`], [`suite::faults`] and [`suite::kills`].
//!
//! This is for tests: what goes wrong panics, with all there is to know about it.

mod api_faults;
mod askers;
pub mod aws;
pub mod azure;
mod bench;
mod case;
mod census;
mod controllers;
mod course;
mod effects;
mod faults;
mod faulty;
mod flow;
mod local;
mod outcomes;
mod sql;
mod subject;
pub mod suite;
mod table;
mod watch_faults;

pub use api_faults::{ApiFault, ApiFaults, Target};
pub use askers::Asker;
pub use aws::Aws;
pub use azure::{AzureFlexible, AzureSingle};
pub use bench::Bench;
pub use case::Case;
pub use course::Course;
pub use effects::{Effects, Moment, Point};
pub use faults::{Answer, Call, Fault, Faults, Operation};
pub use faulty::Faulty;
pub use flow::Flow;
pub use local::Local;
pub use outcomes::{Outcome, Outcomes};
pub use sql::{SqlFault, SqlFaults, SqlPoint};
pub use subject::{Drift, Shown, Subject, Update};
pub use table::{Chapter, check};
pub use watch_faults::WatchFaults;

/// The result, or the end of the test.
#[track_caller]
fn done<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// What the API server says. A question of our own that did not get through is asked again: it changes nothing, and a
/// machine under load closes connections that nobody has used for a while.
async fn read<T>(ask: impl AsyncFn() -> kube::Result<T>) -> T {
    for _ in 0..5 {
        match ask().await {
            Err(kube::Error::Service(_) | kube::Error::HyperError(_)) => tokio::time::sleep(PAUSE).await,
            answer => return done(answer),
        }
    }
    done(ask().await)
}

/// Between two questions that did not get through.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);
