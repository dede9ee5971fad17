//! A leader that is alive and well loses its lease: it stops before the other one begins.

use std::time::{Duration, Instant};

use hcpg::api::PostgreSQLServer;
use integration_tests::control_plane::AuditEvent;
use integration_tests::operator::{Account, OPERATOR_NAMESPACE, install_account};
use integration_tests::world::{Story, TEAM, database_object, secret_of};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::rbac::v1::Role;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use super::ledger::{Ledger, with_team_that_logs};
use super::wire::Wire;
use super::{
    FIRST, LEASE, LEASE_NAME, Replicas, SECOND, TURN, exactly_one_of_each, is_lease, replicas, reset,
    settled, stands_by,
};

/// How long a leader acts after its last renewal, and what a request needs to get there.
const ACTS: SignedDuration = SignedDuration::from_millis(LEASE as i64 * 2000 / 3 + 500);
/// The pause between two renewals, and what a machine under load may add.
const NOTICES: SignedDuration = SignedDuration::from_millis(LEASE as i64 * 200 + 1500);

#[tokio::test]
async fn one_that_may_not_renew_stops_before_the_other_begins() {
    loses_its_right("leader-forbidden", async |_: &Api<Lease>| {}).await;
}

#[tokio::test]
async fn a_lease_that_is_deleted_is_nobodys_until_its_holder_has_stopped() {
    // Its holder cannot even read any more that it is gone.
    let delete = async |leases: &Api<Lease>| {
        leases.delete(LEASE_NAME, &DeleteParams::default()).await.unwrap();
    };
    loses_its_right("leader-deleted", delete).await;
}

/// The leader's account may not touch leases any more, and otherwise may do all it could, in the middle of its work.
async fn loses_its_right(name: &str, and: impl AsyncFnOnce(&Api<Lease>)) {
    let _turn = TURN.lock().await;
    let both = replicas().await;
    let story = with_team_that_logs(both.world.story(name).await).await;
    let leases: Api<Lease> = Api::namespaced(story.client.clone(), OPERATOR_NAMESPACE);
    let cut = async || {
        take_right(&story, &both.leader.account).await;
        and(&leases).await;
    };
    let heal = async || install_account(&story.client, both.leader.account).await.unwrap();
    one_after_the_other(&both, &story, cut, heal).await;
    story.delete::<PostgreSQLServer>(TEAM).await;
}

#[tokio::test]
async fn one_that_hears_nothing_stops_before_the_other_begins() {
    let _turn = TURN.lock().await;
    let both = replicas().await;
    // The one that stands by gets its way to the API server replaced, and becomes the leader.
    let deaf = both.standby.operator;
    let kubeconfig = deaf.folder().join("kubeconfig");
    let direct = std::fs::read_to_string(&kubeconfig).unwrap();
    let port = both.world.api_server_port();
    let wire = Wire::to(port);
    let there = |port: u16| format!("https://127.0.0.1:{port}");
    assert!(direct.contains(&there(port)));
    deaf.sigterm().await.unwrap();
    std::fs::write(&kubeconfig, direct.replace(&there(port), &there(wire.port()))).unwrap();
    deaf.start_again().await.unwrap();
    both.leader.operator.sigterm().await.unwrap();
    both.taken_over(Instant::now()).await;
    both.leader.operator.start_again().await.unwrap();
    let both = Replicas { world: both.world, leader: both.standby, standby: both.leader };

    let story = with_team_that_logs(both.world.story("leader-deaf").await).await;
    one_after_the_other(&both, &story, async || wire.cut(), async || wire.mend()).await;
    story.delete::<PostgreSQLServer>(TEAM).await;
    deaf.sigterm().await.unwrap();
    std::fs::write(&kubeconfig, direct).unwrap();
    deaf.start_again().await.unwrap();
}

/// The leader is cut off in the middle of its work. It stops, then the other one begins; healed, the first stands by.
async fn one_after_the_other(
    both: &Replicas,
    story: &Story<'_>,
    cut: impl AsyncFnOnce(),
    heal: impl AsyncFnOnce(),
) {
    let (leader, standby) = (both.leader, both.standby);
    let (pid, logged) = (leader.operator.pid(), leader.operator.log().len());
    let began = Timestamp::now();
    story.patch::<PostgreSQLServer>(TEAM, reset()).await;
    cut().await;
    let more = work_until(story, async || standby.operator.leads().await.unwrap()).await;
    heal().await;
    stands_by(story, leader.operator, logged).await;
    assert_eq!(leader.operator.pid(), pid, "it was never down");
    let log = leader.operator.log().split_off(logged);
    assert!(log.contains("no longer leading: the lease was not renewed in time"));

    let old = both.world.writes_of(&leader.account).await;
    let new = since_then(both.world.writes_of(&standby.account).await, began);
    let renewed = old.iter().filter(|write| is_lease(write) && is_done(write)).map(at).max().unwrap();
    let taken = new.iter().filter(|write| is_lease(write) && is_done(write)).map(at).min().unwrap();
    assert!(taken.duration_since(renewed) >= SignedDuration::from_secs(LEASE as i64), "{renewed} {taken}");
    let last = old.iter().filter(|write| !is_lease(write)).map(at).max().unwrap();
    assert!(last.duration_since(renewed) <= ACTS, "it acted until {last}, and had renewed at {renewed}");
    assert!(last < taken, "it acted until {last}, and the other one has led since {taken}");
    println!(
        "it acted until {:.1} s after its last renewal, the other one began after {:.1} s",
        last.duration_since(renewed).as_secs_f32(),
        taken.duration_since(renewed).as_secs_f32(),
    );
    let early = new.iter().find(|write| !is_lease(write) && at(write) < taken);
    assert!(early.is_none(), "{early:#?}");
    exactly_one_of_each(story).await;
    assert_eq!(Ledger::of(story).with_creations_taken_up(&more), Ledger::once(&more, &[], 1));
}

/// Work comes all the time: while one leads, while nobody does, and when the next one does. All of it is done in the
/// end; the answer is the databases.
async fn work_until(story: &Story<'_>, holds: impl AsyncFn() -> bool) -> Vec<String> {
    let since = Instant::now();
    let mut more = Vec::new();
    while !holds().await {
        if since.elapsed() > Duration::from_secs(40) {
            panic!("nobody leads: {}", story.describe().await);
        }
        if more.len() < 12 {
            let name = format!("more{}", more.len());
            story.try_apply(database_object(&name, TEAM, &secret_of(&name))).await.unwrap();
            more.push(name);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for name in &more {
        story.database_ready(name).await;
    }
    settled(story).await;
    more
}

#[tokio::test]
async fn a_lease_that_is_taken_by_hand_is_noticed_and_waited_for() {
    let _turn = TURN.lock().await;
    let both = replicas().await;
    let story = with_team_that_logs(both.world.story("leader-taken").await).await;
    let leases: Api<Lease> = Api::namespaced(story.client.clone(), OPERATOR_NAMESPACE);
    let somebody = json!({"spec": {"holderIdentity": "somebody-else"}});
    let (meddled, logged) = (Timestamp::now(), both.leader.operator.log().len());
    leases.patch(LEASE_NAME, &PatchParams::default(), &Patch::Merge(somebody)).await.unwrap();
    story.patch::<PostgreSQLServer>(TEAM, reset()).await;
    let more = work_until(&story, async || leads_again(&both, meddled).await).await;
    let log = both.leader.operator.log().split_off(logged);
    assert!(log.contains("no longer leading: the lease is held by \"somebody-else\""));

    let writes = writes_of_both(&both, meddled).await;
    let taken = writes.iter().filter(|write| is_lease(write) && is_done(write)).map(at).min().unwrap();
    assert!(taken.duration_since(meddled) >= SignedDuration::from_secs(LEASE as i64), "{meddled} {taken}");
    let between: Vec<&AuditEvent> = writes
        .iter()
        .filter(|write| !is_lease(write) && at(write) < taken)
        .filter(|write| at(write).duration_since(meddled) > NOTICES)
        .collect();
    assert!(between.is_empty(), "{between:#?}");
    exactly_one_of_each(&story).await;
    assert_eq!(Ledger::of(&story).with_creations_taken_up(&more), Ledger::once(&more, &[], 1));
    story.delete::<PostgreSQLServer>(TEAM).await;
}

/// Whether one of them has got the lease since.
async fn leads_again(both: &Replicas, meddled: Timestamp) -> bool {
    let writes = writes_of_both(both, meddled).await;
    writes.iter().any(|write| is_lease(write) && is_done(write))
}

async fn writes_of_both(both: &Replicas, since: Timestamp) -> Vec<AuditEvent> {
    let mut writes = both.world.writes_of(&FIRST).await;
    writes.extend(both.world.writes_of(&SECOND).await);
    since_then(writes, since)
}

fn since_then(mut writes: Vec<AuditEvent>, since: Timestamp) -> Vec<AuditEvent> {
    writes.retain(|write| at(write) > since);
    writes
}

fn at(write: &AuditEvent) -> Timestamp {
    write.request_received_timestamp.parse().unwrap()
}

fn is_done(write: &AuditEvent) -> bool {
    write.code().is_some_and(|code| code < 300)
}

/// Nothing with leases any more.
async fn take_right(story: &Story<'_>, account: &Account<'_>) {
    let roles: Api<Role> = Api::namespaced(story.client.clone(), account.namespace);
    let mut role = roles.get(account.name).await.unwrap();
    let rules = role.rules.as_mut().unwrap();
    let before = rules.len();
    rules.retain(|rule| !rule.resources.iter().flatten().any(|resource| resource == "leases"));
    assert_eq!(rules.len(), before - 1);
    roles.replace(account.name, &PostParams::default(), &role).await.unwrap();
}
