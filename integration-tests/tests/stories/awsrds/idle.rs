//! A hundred servers at rest, on RDS and on Aurora: what taking them over and looking at them costs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clouds::rds::Simulator;
use integration_tests::world::World;
use serde_json::{Value, json};

use super::cloud::{Cloud, SERVERS, is_read, left_by_the_original};

/// Seconds between two looks; the least that the configuration takes.
const RESYNC: u64 = 10;

/// Which servers are at rest, and how they are counted.
pub struct Idle {
    /// The backend.
    pub backend: &'static str,
    /// The object of one.
    pub server: fn(&str, Value) -> Value,
    /// Shows what stands behind one of them under another name, with these tags, too.
    pub twin: fn(&Simulator, &str, &str, BTreeMap<String, String>),
    /// How many rounds are watched.
    pub rounds: u64,
    /// How many listings are read in each of them, of a hundred things each.
    pub listings: usize,
}

/// How the operator is configured for it.
pub fn reconcile() -> Value {
    json!({"resync_seconds": RESYNC, "login_seconds": 600})
}

/// They are taken over without a write, and looked at by reads that all of them share.
pub async fn is_quiet(cloud: &Cloud, world: &World, idle: Idle) {
    let story = world.story("idle").await;
    story.try_apply((idle.server)("first", json!({}))).await.unwrap();
    story.server_ready("first").await;
    let login = story.credentials("first-login").await;
    world.operator.sigterm().await.unwrap();

    // One PostgreSQL stands behind all of them, under a hundred names.
    let first = format!("{}-first", story.namespace);
    for number in 1..SERVERS {
        let name = format!("s{number}");
        let tag = |tag: &str| format!("hybridcloud-postgresql-operator:{tag}");
        let tags = [(tag("namespace"), story.namespace.clone()), (tag("name"), name.clone())];
        (idle.twin)(&cloud.0, &first, &format!("{}-{name}", story.namespace), tags.into());
        left_by_the_original(&story, idle.backend, (idle.server)(&name, json!({})), &login).await;
    }
    let begin = cloud.0.log().len();
    world.operator.start_again().await.unwrap();
    for number in 1..SERVERS {
        let taken = story.server_ready(&format!("s{number}")).await;
        assert_eq!(taken.status.unwrap().adopted_generation, taken.metadata.generation);
    }
    let after_takeover = cloud.calls_since(begin);
    assert!(after_takeover.iter().all(is_read), "taking over writes nothing: {after_takeover:?}");

    // Every object has been settled once before the rounds are counted.
    tokio::time::sleep(Duration::from_secs(2 * RESYNC)).await;
    let (begin, since) = (cloud.0.log().len(), Instant::now());
    tokio::time::sleep(Duration::from_secs(idle.rounds * RESYNC)).await;
    let calls = cloud.calls_since(begin);
    let rounds = since.elapsed().as_secs().div_ceil(RESYNC) + 1;
    println!("{SERVERS} servers, {rounds} rounds: {} calls", calls.len());
    assert!(!calls.is_empty(), "they are looked at");
    assert!(calls.iter().all(is_read), "at rest nothing is written: {calls:?}");
    let (direct, listings): (Vec<_>, Vec<_>) = calls.iter().partition(|call| !call.id.is_empty());
    assert!(direct.is_empty(), "what is as it was needs no look of its own: {direct:?}");
    let pages = (idle.listings * SERVERS.div_ceil(100)) as u64;
    assert!(listings.len() as u64 <= rounds * pages, "{} listings in {rounds} rounds", listings.len());
}
