//! Flexible servers on the simulated Azure, with the operator as its own process: a hundred of them taken over and at
//! rest, one through its life with the documented role, and what else becomes of them.

mod begun;
mod guarded;
mod logins;
mod objects;
mod private;
mod takeover;

use std::collections::BTreeSet;
use std::time::Duration;

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use integration_tests::azure::Cloud;
use integration_tests::operator::project_file;
use integration_tests::world::{Story, says, server_condition};
use serde_json::{Value, json};

use objects::{BACKEND, left_by_the_original, server};

/// So many servers are at rest.
const SERVERS: usize = 100;
/// Seconds between two looks: as many as a busy machine needs for all of them. With less, who comes late is never served.
const RESYNC: u64 = 30;
const MARK: &str = "hybridcloud-postgresql-operator:marked-for-deletion";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_servers_of_the_original_are_taken_over_and_looked_at_without_a_write() {
    let cloud = Cloud::start().await;
    let world =
        cloud.world(&[(BACKEND, &json!({}))], json!({"resync_seconds": RESYNC, "login_seconds": 600})).await;
    let story = world.story("idle").await;
    story.try_apply(server("first", json!({}))).await.unwrap();
    story.server_ready("first").await;
    let login = story.credentials("first-login").await;
    world.operator.sigterm().await.unwrap();

    // One PostgreSQL stands behind all of them. The original made a Sunday of every day.
    // (It locked servers, too; here is no lock.)
    let first = format!("{}-first", story.namespace);
    for number in 1..SERVERS {
        let name = format!("s{number}");
        let tag = |tag: &str| format!("hybridcloud-postgresql-operator:{tag}");
        let tags = [(tag("namespace"), story.namespace.clone()), (tag("name"), name.clone())];
        let twin = format!("{}-{name}", story.namespace);
        cloud.azure().twin(&first, &twin, tags.into());
        cloud.azure().drift(&twin, |server| {
            server.window.custom = true;
            (server.window.day, server.window.hour) = (0, 3);
        });
        let wednesday =
            json!({"spec": {"maintenance": {"window": {"weekday": "Wed", "starttime": "03:00"}}}});
        left_by_the_original(&story, &name, wednesday, &login).await;
    }
    let begin = cloud.azure().log().len();
    world.operator.start_again().await.unwrap();
    for number in 1..SERVERS {
        let told = "maintenance.window: Sun 03:00, asked for Wed 03:00";
        let taken = story
            .server_where(&format!("s{number}"), "is taken over, and its Sunday told", |server| {
                let ready = server_condition(server, ConditionType::Ready);
                let synced = server_condition(server, ConditionType::Synced);
                ready.is_some_and(|ready| ready.status == ConditionStatus::True)
                    && says(synced, ConditionStatus::False, Reason::TakenOver, told)
            })
            .await;
        assert_eq!(taken.status.unwrap().adopted_generation, taken.metadata.generation);
    }
    tokio::time::sleep(Duration::from_secs(2 * RESYNC)).await;
    let calls = cloud.calls_since(begin);
    let writes: Vec<_> = calls.iter().filter(|call| call.is_write()).collect();
    println!("{SERVERS} servers: {} calls, {} of them writes", calls.len(), writes.len());
    assert!(!calls.is_empty(), "they are looked at");
    assert!(writes.is_empty(), "neither taking over nor looking writes: {writes:?}");
    cloud.judge(env!("CARGO_TARGET_TMPDIR"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_lives_with_the_documented_role_waits_for_its_lock_and_goes() {
    let cloud = Cloud::start().await;
    let more = json!({"network": {"allow_azure_services": true}, "tags": {"team": "{namespace}"}});
    let world = cloud.world(&[(BACKEND, &more)], json!({})).await;
    let story = world.story("life").await;
    let name = format!("{}-main", story.namespace);
    let allowed = allowed();
    cloud.azure().allow(Some(&allowed.iter().map(String::as_str).collect::<Vec<_>>()));

    story.try_apply(server("main", json!({"spec": {"extensions": ["hstore"]}}))).await.unwrap();
    story.server_ready("main").await;
    assert_eq!(shown(&story, "SHOW azure.extensions").await, "hstore,pg_cron,pg_stat_statements");
    assert_eq!(cloud.count("POST flexibleServers/restart"), 0, "nothing needed one");

    // Two static parameters, one restart; one that there is not; and back to the default.
    let parameters =
        json!({"spec": {"serverParameters": {"max_connections": 80, "max_worker_processes": 12}}});
    story.patch::<PostgreSQLServer>("main", parameters).await;
    story
        .eventually("they are in force", async || {
            (shown(&story, "SHOW max_connections").await == "80").then_some(())
        })
        .await;
    story.server_ready("main").await;
    assert_eq!(cloud.count("POST flexibleServers/restart"), 1, "one restart");
    story.patch::<PostgreSQLServer>("main", json!({"spec": {"serverParameters": {"work_men": 1}}})).await;
    story
        .server_where("main", "tells what is meant", |server| {
            let synced = server_condition(server, ConditionType::Synced);
            says(synced, ConditionStatus::False, Reason::NotApplied, "did you mean work_mem?")
        })
        .await;
    let nulls = json!({"work_men": null, "max_connections": null, "max_worker_processes": null});
    story.patch::<PostgreSQLServer>("main", json!({"spec": {"serverParameters": nulls}})).await;
    story
        .eventually("they are the defaults again", async || {
            (shown(&story, "SHOW max_connections").await != "80").then_some(())
        })
        .await;

    // A rule comes and goes; one of somebody else stays.
    let rule = json!([{"name": "office", "startIp": "192.0.2.1", "endIp": "192.0.2.9"}]);
    story.patch::<PostgreSQLServer>("main", json!({"spec": {"network": {"firewallRules": rule}}})).await;
    let has = |rule: &str| cloud.azure().server(&name).is_some_and(|server| server.rules.contains_key(rule));
    story.eventually("the rule is there", async || has("office").then_some(())).await;
    let portal = ([198, 51, 100, 7].into(), [198, 51, 100, 7].into());
    cloud.azure().drift(&name, |server| {
        server.rules.insert("portal".to_owned(), portal);
    });
    story.patch::<PostgreSQLServer>("main", json!({"spec": {"network": null}})).await;
    story.eventually("the rule is gone", async || (!has("office")).then_some(())).await;
    story.server_ready("main").await;
    assert!(has("portal") && has("AllowAllWindowsAzureIps"));

    // The right day, a new version, and a tag of somebody else that stays.
    cloud.azure().drift(&name, |server| drop(server.tags.insert("cost".to_owned(), "42".to_owned())));
    let wednesday = json!({"window": {"weekday": "Wed", "starttime": "04:30"}});
    let change = json!({"spec": {"maintenance": wednesday, "version": "18", "size": {"storageGB": 60}}});
    story.patch::<PostgreSQLServer>("main", change).await;
    story
        .eventually("all is changed", async || {
            let it = cloud.azure().server(&name)?;
            let window = (it.window.custom, it.window.day, it.window.hour, it.window.minute);
            (window == (true, 3, 4, 30) && it.version == "18" && it.storage.size == 64).then_some(())
        })
        .await;
    story.server_ready("main").await;
    assert_eq!(cloud.azure().server(&name).unwrap().tags.get("cost").map(String::as_str), Some("42"));

    // With a lock it stays, and the object with it, and says so.
    cloud.azure().lock(&name);
    story.delete::<PostgreSQLServer>("main").await;
    story
        .server_where("main", "is protected", |server| {
            let stalled = server_condition(server, ConditionType::Stalled);
            says(stalled, ConditionStatus::True, Reason::Protected, "remove the lock")
        })
        .await;
    cloud.azure().unlock(&name);
    story.patch::<PostgreSQLServer>("main", json!({"metadata": {"annotations": {"look": "again"}}})).await;
    story.gone::<PostgreSQLServer>("main").await;
    assert!(cloud.azure().server(&name).is_none() && story.secret("main-login").await.is_none());

    let called: BTreeSet<String> =
        cloud.azure().log().into_iter().filter_map(|call| call.permission).collect();
    let (outside, unused): (Vec<_>, Vec<_>) =
        (called.difference(&allowed).collect(), allowed.difference(&called).collect());
    assert!(outside.is_empty(), "the role lacks {outside:?}");
    // For services that answer by Location alone.
    assert_eq!(
        unused,
        ["Microsoft.DBforPostgreSQL/locations/operationResults/read"],
        "it allows what is never called"
    );
    cloud.judge(env!("CARGO_TARGET_TMPDIR"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_only_marked_stays_and_is_the_same_one_for_the_next_object() {
    let cloud = Cloud::start().await;
    let world = cloud.world(&[(BACKEND, &json!({"server_delete_fake": true}))], json!({})).await;
    let story = world.story("fake").await;
    let name = format!("{}-main", story.namespace);
    story.try_apply(server("main", json!({}))).await.unwrap();
    story.server_ready("main").await;
    let before = cloud.azure().server(&name).unwrap();
    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLServer>("main").await;
    let left = cloud.azure().server(&name).unwrap();
    assert_eq!(left.tags.get(MARK).map(String::as_str), Some("yes"));
    story.try_apply(server("main", json!({}))).await.unwrap();
    story.server_ready("main").await;
    let again = cloud.azure().server(&name).unwrap();
    assert_eq!((again.created, again.tags.contains_key(MARK)), (before.created, false));
    cloud.judge(env!("CARGO_TARGET_TMPDIR"));
}

async fn shown(story: &Story<'_>, query: &str) -> String {
    let Ok(client) = story.credentials("main-login").await.connect().await else { return String::new() };
    client.query_one(query, &[]).await.map(|row| row.get(0)).unwrap_or_default()
}

/// What the documented role allows.
fn allowed() -> BTreeSet<String> {
    let text = std::fs::read_to_string(project_file("docs/azure-role.json")).unwrap();
    let role: Value = serde_json::from_str(&text).unwrap();
    role["Actions"].as_array().unwrap().iter().map(|action| action.as_str().unwrap().to_owned()).collect()
}
