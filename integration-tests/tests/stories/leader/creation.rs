//! The leader stands still in the middle of a server's creation, and goes on in the middle of the other's.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use hcpg::api::PostgreSQLServer;
use integration_tests::operator::OPERATOR_NAMESPACE;
use integration_tests::world::TEAM;

use super::ledger::{Ledger, TEAM_THAT_LOGS};
use super::{TURN, exactly_one_of_each, replicas, settled, stands_by, unfinished_folders};

/// A file that tells the folder of the first attempt from that of the second, which bears the same name.
const OF_THE_FIRST: &str = "of-the-first";

#[tokio::test]
async fn one_that_stood_still_in_a_creation_leaves_the_others_alone() {
    let _turn = TURN.lock().await;
    let both = replicas().await;
    let story = both.world.story("leader-still-create").await;
    let before = both.secrets_made(OPERATOR_NAMESPACE).await;
    story.apply(TEAM_THAT_LOGS).await;
    // While `initdb` works: in the moments in which the operator holds the lock of all folders, the other one would wait.
    let is_begun = |folder: &PathBuf| folder.join("pgdata/PG_VERSION").exists();
    let begun = story
        .eventually("the server is being made", async || {
            unfinished_folders(&story).into_iter().find(is_begun)
        })
        .await;
    let logged = both.leader.operator.log().len();
    // What it has begun outside of itself goes on.
    both.leader.operator.sigstop();
    std::fs::write(begun.join(OF_THE_FIRST), "").expect("it was stopped in the middle");
    both.taken_over(Instant::now()).await;
    let anew = |folder: &PathBuf| !folder.join(OF_THE_FIRST).exists();
    story
        .eventually("the other one makes it anew", async || {
            (unfinished_folders(&story).iter().any(anew) || story.has_local_server(TEAM)).then_some(())
        })
        .await;
    both.leader.operator.sigcont();
    stands_by(&story, both.leader.operator, logged).await;
    settled(&story).await;
    exactly_one_of_each(&story).await;
    assert_eq!(Ledger::of(&story), Ledger::once(&[], &[], 0));
    assert_eq!(both.secrets_made(OPERATOR_NAMESPACE).await - before, 2, "one password was drawn for each");
    assert_eq!(both.secrets_made(&story.namespace).await, 2);

    // What the one before may have left behind would have come by now.
    tokio::time::sleep(Duration::from_secs(2)).await;
    exactly_one_of_each(&story).await;
    story.delete::<PostgreSQLServer>(TEAM).await;
}
