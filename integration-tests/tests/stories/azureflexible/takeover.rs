//! A server and a database with all that the original operator leaves: tags, lock, firewall rules, the Sunday it made of
//! every day, finalizers, annotations, Secrets, no marks in PostgreSQL.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use hcpg::api::names::ORIGINAL_FINALIZER;
use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::world::{
    Credentials, Story, answer, database_condition, database_object, says, server_condition,
};
use kube::ResourceExt;
use serde_json::{Value, json};

use super::cloud::{Cloud, server};

/// Seconds between two looks.
const RESYNC: u64 = 10;
/// The administrator's rule; the original left it with another end, which was changed in its configuration since.
const OFFICE: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 9)];
/// The user's.
const HOME: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
/// Everything in PostgreSQL that an operator writes.
const MARKS: &str = "SELECT concat(
    (SELECT string_agg(format('%s %s %s', classoid, objoid, description), ',' ORDER BY classoid, objoid)
        FROM pg_shdescription),
    (SELECT string_agg(format('%s %s %s', datname, datdba, datacl), ',' ORDER BY datname) FROM pg_database))";

fn asked() -> Value {
    json!({
        "maintenance": {"window": {"weekday": "Wed", "starttime": "03:00"}},
        "network": {"firewallRules": [{"name": "home", "startIp": HOME, "endIp": HOME}]},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_the_original_leaves_on_azure_is_taken_over_without_a_write_and_its_differences_are_told() {
    let cloud = Cloud::start().await;
    let more = json!({
        "lock_from_deletion": true,
        "parameters": {"network": {"firewall_rules": [
            {"name": "office", "startIp": OFFICE[0], "endIp": OFFICE[1]},
        ]}},
    });
    let world = cloud.world(more, json!({"resync_seconds": RESYNC})).await;
    let story = world.story("taken").await;
    let name = format!("{}-team", story.namespace);
    story.try_apply(server("team", json!({"spec": asked()}))).await.unwrap();
    story.try_apply(database_object("app", "team", "app-login")).await.unwrap();
    story.server_ready("team").await;
    story.database_ready("app").await;
    let (team, app) = (story.credentials("team-login").await, story.credentials("app-login").await);
    world.operator.sigterm().await.unwrap();
    as_the_original_left_it(&story, &cloud, &name, &team, &app).await;
    let marks = answer(&team.connect().await.unwrap(), MARKS).await;
    let begin = cloud.0.log().len();
    world.operator.start_again().await.unwrap();

    let told = [
        "firewall.office: 192.0.2.1 to 192.0.2.7, asked for 192.0.2.1 to 192.0.2.9",
        "maintenance.window: Sun 03:00, asked for Wed 03:00",
    ];
    let taken = story
        .server_where("team", "is taken over, and what differs is told", |server| {
            let ready = server_condition(server, ConditionType::Ready);
            let synced = server_condition(server, ConditionType::Synced);
            let is_told = |told: &&str| says(synced, ConditionStatus::False, Reason::TakenOver, told);
            ready.is_some_and(|ready| ready.status == ConditionStatus::True) && told.iter().all(is_told)
        })
        .await;
    let of_database = story
        .database_where("app", "is taken over", |database| {
            let ready = database_condition(database, ConditionType::Ready);
            ready.is_some_and(|ready| ready.status == ConditionStatus::True)
        })
        .await;
    tokio::time::sleep(Duration::from_secs(2 * RESYNC)).await;
    let calls = cloud.calls_since(begin);
    let writes: Vec<_> = calls.iter().filter(|call| call.is_write()).collect();
    println!("{} calls, {} of them writes", calls.len(), writes.len());
    assert!(!calls.is_empty() && writes.is_empty(), "{writes:?}");
    assert_eq!(answer(&team.connect().await.unwrap(), MARKS).await, marks, "nor to PostgreSQL");
    let status = taken.status.as_ref().unwrap();
    assert_eq!(status.adopted_generation, taken.metadata.generation);
    assert_eq!(status.differences, told.map(str::to_owned), "these and no other");
    assert_eq!(of_database.status.as_ref().unwrap().adopted_generation, of_database.metadata.generation);
    for finalizers in [taken.finalizers(), of_database.finalizers()] {
        assert_eq!(finalizers, [ORIGINAL_FINALIZER]);
    }
    for (secret, login) in [("team-login", &team), ("app-login", &app)] {
        assert_eq!(story.credentials(secret).await.password, login.password);
    }

    // From here on it is like any other: whoever asks for a change gets the rest with it.
    story.patch::<PostgreSQLServer>("team", json!({"spec": {"size": {"storageGB": 64}}})).await;
    story
        .eventually("all is as asked for", async || {
            let it = cloud.0.server(&name)?;
            let office = it.rules.get("office").is_some_and(|range| *range == (OFFICE[0], OFFICE[1]));
            (it.storage.size == 64 && it.window.day == 3 && office).then_some(())
        })
        .await;
    story.server_ready("team").await;
    cloud.judge();
}

/// The server, its database, the objects and the Secrets. No operator runs.
async fn as_the_original_left_it(
    story: &Story<'_>,
    cloud: &Cloud,
    name: &str,
    team: &Credentials,
    app: &Credentials,
) {
    assert_eq!(cloud.0.locks(name), ["donotdeletelock"], "the original's lock has the same name");
    let tags: BTreeMap<String, String> = [("namespace", story.namespace.as_str()), ("name", "team")]
        .map(|(tag, value)| (format!("hybridcloud-postgresql-operator:{tag}"), value.to_owned()))
        .into();
    cloud.0.drift(name, |server| {
        server.tags = tags;
        (server.window.day, server.window.hour) = (0, 3);
        server.rules.insert("office".to_owned(), (OFFICE[0], Ipv4Addr::new(192, 0, 2, 7)));
    });
    let admin = team.connect().await.unwrap();
    admin.batch_execute("COMMENT ON ROLE app IS NULL; COMMENT ON DATABASE app IS NULL").await.unwrap();

    let left = |finished: &str, handled: &Value| {
        json!({
            "metadata": {
                "finalizers": [ORIGINAL_FINALIZER],
                "annotations": {"kopf.zalando.org/last-handled-configuration": format!("{handled}\n")},
            },
            "status": {
                "backend": "azurepostgresflexible",
                "deployment": {
                    "status": "finished",
                    "reason": finished,
                    "latest-update": "2025-07-13T08:15:42.123456+00:00",
                },
            },
        })
    };
    let mut object = server("team", json!({"spec": asked()}));
    let handled = json!({"spec": object["spec"]});
    json_patch::merge(&mut object, &left("Database server created", &handled));
    let mut database = database_object("app", "team", "app-login");
    let handled = json!({"spec": database["spec"]});
    json_patch::merge(&mut database, &left("Database created", &handled));
    // First the database: its server is not let go before.
    story.store::<PostgreSQLDatabase>(database).await;
    story.store::<PostgreSQLServer>(object).await;
    story.store_secret("team-login", team).await;
    story.store_secret("app-login", app).await;
}
