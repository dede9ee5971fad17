//! The cases. Each is one function that tells what has to hold.

mod api;
mod backend;
mod changes;
mod chaos;
mod databases;
mod deletion;
mod kills;
mod life;
mod lost;
mod matrix;
mod sql;
mod states;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;

use super::bench::{Bench, Named};
use super::case::{Case, PATIENCE};
use super::subject::Subject;

pub use matrix::{API, BACKEND, WATCHES, faults, watches};
pub use sql::{SQL, sql};
pub use states::{STATES, states};
pub use wire::{WIRE, wire};

/// Everything that a server goes through when nothing goes wrong but what users and hosts do.
pub async fn life(subject: Arc<dyn Subject>) {
    let bench = Bench::start(subject).await;
    let failing = case(&bench, "failed-creation", lost::a_failed_creation_is_tried_again).await;
    let mut cases = vec![
        case(&bench, "create", life::a_new_server_is_used_with_the_secret_alone).await,
        case(&bench, "idle", life::a_pass_with_nothing_to_do_writes_nothing).await,
        case(&bench, "updates", changes::every_update_comes_into_force).await,
        case(&bench, "reset", life::a_reset_replaces_the_password).await,
        case(&bench, "late-password", life::a_password_that_comes_late_is_set_once).await,
        case(&bench, "password-drift", changes::a_password_changed_by_hand_is_put_back).await,
        case(&bench, "databases", databases::a_database_lives_and_goes).await,
        case(&bench, "order", databases::a_server_waits_for_its_databases).await,
        case(&bench, "delete", deletion::a_deleted_server_leaves_nothing).await,
        case(&bench, "delete-early", deletion::a_server_deleted_while_it_is_made_leaves_nothing).await,
        case(&bench, "retain", deletion::a_retained_server_stays_with_its_secret).await,
        case(&bench, "vanished", lost::a_vanished_server_is_not_replaced_unasked).await,
    ];
    for drift in bench.subject.drifts() {
        let name = format!("drift-{}", drift.name.replace(' ', "-"));
        let case = bench.case(&name).await;
        cases.push((name, changes::drift_is_put_right(case, drift).boxed_local()));
    }
    bench.run("life", first_creation_fails(&bench, failing, cases).await).await;
    let again = case(&bench, "restart", life::a_restart_writes_nothing).await;
    bench.run("after a restart", vec![again]).await;
}

/// Kills the operator on both sides of every effect of creation, reset and deletion.
pub async fn kills(subject: Arc<dyn Subject>) {
    let bench = Bench::start(subject).await;
    kills::at_every_point(&bench).await;
}

/// The first case's creation fails. It is told to the next creation, whosever that is, so the others begin after it.
async fn first_creation_fails(bench: &Arc<Bench>, first: Named, others: Vec<Named>) -> Vec<Named> {
    bench.subject.fail_next_creation().await;
    let after = |(name, case): Named| {
        let subject = bench.subject.clone();
        let waits = async move {
            let since = Instant::now();
            while !subject.has_failed_creation() {
                assert!(since.elapsed() < PATIENCE, "the first creation has not failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            case.await;
        };
        (name, waits.boxed_local())
    };
    std::iter::once(first).chain(others.into_iter().map(after)).collect()
}

async fn case<F>(bench: &Arc<Bench>, name: &str, story: impl FnOnce(Case) -> F) -> Named
where
    F: Future<Output = ()> + 'static,
{
    (name.to_owned(), story(bench.case(name).await).boxed_local())
}
