//! What belongs to somebody else is left alone, and the object that wanted it says so.

use std::collections::BTreeMap;
use std::time::Duration;

use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::control_plane::create_namespace;
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{
    SharedWorld, Story, database_condition, database_object, says, secret_of, server_object,
};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use serde_json::json;
use tokio_postgres::Client;

/// What nobody announces is found by looking again, here every ten seconds.
static WORLD: SharedWorld = SharedWorld::with(|| OperatorOptions {
    config: json!({"reconcile": {"resync_seconds": 10}}),
    ..OperatorOptions::default()
});

/// How long is watched that something does not happen.
const A_WHILE: Duration = Duration::from_secs(3);

/// A Secret that somebody made by hand; it even looks like credentials.
async fn foreign_secret(story: &Story<'_>, name: &str) -> Secret {
    let keys = ["username", "password", "dbname", "host", "port", "sslmode"];
    let secret = Secret {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        string_data: Some(BTreeMap::from(keys.map(|key| (key.to_owned(), format!("their {key}"))))),
        ..Secret::default()
    };
    story.secrets().create(&PostParams::default(), &secret).await.unwrap()
}

async fn remove_secret(story: &Story<'_>, name: &str) {
    story.secrets().delete(name, &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn nothing_is_created_whose_credentials_have_no_place() {
    let story = WORLD.get().await.story("no-place").await;
    let theirs = foreign_secret(&story, "main-credentials").await;
    story.plain_server("main").await;
    let condition = story.server_stalled("main", Reason::SecretConflict).await;
    assert!(condition.message.contains("main-credentials"), "{}", condition.message);
    story
        .all_the_time("nothing is created", A_WHILE, async || {
            !story.has_local_server("main") && story.server("main").await.finalizers().is_empty()
        })
        .await;

    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLServer>("main").await;
    assert_eq!(story.secret("main-credentials").await, Some(theirs));
}

#[tokio::test]
async fn everything_goes_on_once_the_foreign_secrets_are_gone() {
    let story = WORLD.get().await.story("goes-on").await;
    foreign_secret(&story, "main-credentials").await;
    let theirs = foreign_secret(&story, "app-credentials").await;
    story.plain_server("main").await;
    story.plain_database("app", "main").await;
    story.server_stalled("main", Reason::SecretConflict).await;

    remove_secret(&story, "main-credentials").await;
    story.server_ready("main").await;
    story.database_stalled("app", Reason::SecretConflict).await;
    let superuser = story.local_server("main").superuser("postgres").await.unwrap();
    assert!(of_app(&superuser).await.is_empty(), "something was made of a database without a place");
    assert_eq!(story.secret("app-credentials").await, Some(theirs));

    remove_secret(&story, "app-credentials").await;
    story.database_ready("app").await;
    story.credentials("app-credentials").await.connect().await.unwrap();
}

async fn of_app(superuser: &Client) -> Vec<String> {
    let query = "SELECT rolname::text FROM pg_roles WHERE rolname = 'app'
        UNION ALL SELECT datname::text FROM pg_database WHERE datname = 'app'";
    superuser.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_secret_that_took_the_place_of_ours_is_left_alone() {
    let story = WORLD.get().await.story("in-place").await;
    story.plain_server("main").await;
    story.plain_database("app", "main").await;
    story.server_ready("main").await;
    story.database_ready("app").await;
    let paused = |value| json!({"metadata": {"annotations": {"operator/paused": value}}});
    story.patch::<PostgreSQLServer>("main", paused(Some("true"))).await;
    story.patch::<PostgreSQLDatabase>("app", paused(Some("true"))).await;
    let mut theirs = Vec::new();
    for name in ["main-credentials", "app-credentials"] {
        remove_secret(&story, name).await;
        theirs.push(foreign_secret(&story, name).await);
    }
    story.patch::<PostgreSQLServer>("main", paused(None)).await;
    story.patch::<PostgreSQLDatabase>("app", paused(None)).await;
    story.server_stalled("main", Reason::SecretConflict).await;

    story.delete::<PostgreSQLDatabase>("app").await;
    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLDatabase>("app").await;
    story.gone::<PostgreSQLServer>("main").await;
    assert!(!story.has_local_server("main"));
    for secret in theirs {
        assert_eq!(story.secret(&secret.name_any()).await, Some(secret));
    }
}

#[tokio::test]
async fn the_first_server_keeps_a_secret_that_two_want() {
    let story = WORLD.get().await.story("two-servers").await;
    story.try_apply(server_object("first", "shared")).await.unwrap();
    story.server_ready("first").await;
    let secret = story.secret("shared").await;
    story.try_apply(server_object("second", "shared")).await.unwrap();
    let condition = story.server_stalled("second", Reason::SecretConflict).await;
    assert!(condition.message.contains("PostgreSQLServer first"), "{}", condition.message);
    assert!(!story.has_local_server("second"));
    story.delete::<PostgreSQLServer>("second").await;
    story.gone::<PostgreSQLServer>("second").await;
    assert_eq!(story.secret("shared").await, secret);
    story.server_ready("first").await;
}

#[tokio::test]
async fn a_database_does_not_take_the_secret_of_its_server_nor_of_another_database() {
    let story = WORLD.get().await.story("two-databases").await;
    story.try_apply(server_object("main", "of-main")).await.unwrap();
    story.try_apply(database_object("first", "main", "of-first")).await.unwrap();
    story.server_ready("main").await;
    story.database_ready("first").await;
    let taken = [("of-main", "PostgreSQLServer main"), ("of-first", "PostgreSQLDatabase first")];
    for (secret, owner) in taken {
        let before = story.secret(secret).await;
        story.try_apply(database_object("second", "main", secret)).await.unwrap();
        let condition = story.database_stalled("second", Reason::SecretConflict).await;
        assert!(condition.message.contains(owner), "{}", condition.message);
        story.delete::<PostgreSQLDatabase>("second").await;
        story.gone::<PostgreSQLDatabase>("second").await;
        assert_eq!(story.secret(secret).await, before);
    }
    story.database_ready("first").await;
    story.credentials("of-first").await.connect().await.unwrap();
}

#[tokio::test]
async fn of_two_databases_in_a_race_for_a_secret_one_gets_it() {
    let story = WORLD.get().await.story("race").await;
    story.plain_server("main").await;
    story.server_ready("main").await;
    let (one, two) = tokio::join!(
        story.try_apply(database_object("one", "main", "shared")),
        story.try_apply(database_object("two", "main", "shared")),
    );
    one.unwrap();
    two.unwrap();
    let winner = story.credentials("shared").await.dbname;
    let loser = if winner == "one" { "two" } else { "one" };
    story.database_ready(&winner).await;
    story.database_stalled(loser, Reason::SecretConflict).await;
    let secret = story.secret("shared").await;
    story.delete::<PostgreSQLDatabase>(loser).await;
    story.gone::<PostgreSQLDatabase>(loser).await;
    assert_eq!(story.secret("shared").await, secret);
    story.credentials("shared").await.connect().await.unwrap();
    let superuser = story.local_server("main").superuser("postgres").await.unwrap();
    let query = format!("SELECT 1 FROM pg_database WHERE datname = '{loser}'");
    assert!(superuser.query(&query, &[]).await.unwrap().is_empty(), "the loser's database is left");
}

/// Everything about role and database `taken` that an operator could change.
async fn taken(superuser: &Client) -> String {
    let query = "SELECT json_build_object(
        'roles', (SELECT json_agg(r) FROM (SELECT * FROM pg_authid WHERE rolname IN ('taken', 'someone') ORDER BY 1) r),
        'members', (SELECT json_agg(m) FROM pg_auth_members m WHERE roleid > 16383),
        'database', (SELECT json_agg(d) FROM (SELECT datname, datdba, datacl, datconnlimit, datallowconn,
            shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'taken') d),
        'comments', (SELECT json_agg(c) FROM pg_shdescription c WHERE objoid > 16383))::text";
    superuser.query_one(query, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_database_made_by_hand_is_left_alone() {
    let story = WORLD.get().await.story("by-hand").await;
    story.plain_server("main").await;
    story.server_ready("main").await;
    let local = story.local_server("main");
    let superuser = local.superuser("postgres").await.unwrap();
    superuser.batch_execute("CREATE ROLE someone").await.unwrap();
    superuser.batch_execute("CREATE DATABASE taken OWNER someone").await.unwrap();
    let inside = local.superuser("taken").await.unwrap();
    inside.batch_execute("CREATE TABLE precious AS SELECT 42 AS x").await.unwrap();
    refused(&story, &superuser, "database taken exists").await;
    let row = inside.query_one("SELECT x, relowner::regrole::text, relacl IS NULL FROM precious, pg_class WHERE relname = 'precious'", &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), (42, "hcpg_superuser", true));
}

#[tokio::test]
async fn a_role_made_by_hand_is_left_alone() {
    let story = WORLD.get().await.story("role-by-hand").await;
    story.plain_server("main").await;
    story.server_ready("main").await;
    let superuser = story.local_server("main").superuser("postgres").await.unwrap();
    superuser.batch_execute("CREATE ROLE taken LOGIN PASSWORD 'theirs'").await.unwrap();
    refused(&story, &superuser, "role taken exists").await;
}

/// The object `taken` has a condition that says what is in the way, and nothing is changed, then or on its deletion.
async fn refused(story: &Story<'_>, superuser: &Client, because: &str) {
    let before = taken(superuser).await;
    story.plain_database("taken", "main").await;
    let condition = story.database_stalled("taken", Reason::NameConflict).await;
    assert!(condition.message.contains(because), "{}", condition.message);
    story
        .all_the_time("nothing is changed", A_WHILE, async || {
            taken(superuser).await == before && story.secret(&secret_of("taken")).await.is_none()
        })
        .await;
    assert_eq!(story.database("taken").await.finalizers(), &[] as &[String]);
    story.delete::<PostgreSQLDatabase>("taken").await;
    story.gone::<PostgreSQLDatabase>("taken").await;
    assert_eq!(taken(superuser).await, before);
}

#[tokio::test]
async fn of_two_servers_with_one_name_the_first_is_untouched() {
    let story = WORLD.get().await.story("a").await;
    let client = story.client.clone();
    let namespace = format!("{}-b", story.namespace);
    create_namespace(&client, &namespace).await.unwrap();
    let other = Story { world: story.world, client, namespace };
    // {namespace}-{name} is the same for both.
    story.plain_server("b-c").await;
    let first = story.server_ready("b-c").await;
    let credentials = story.credentials(&secret_of("b-c")).await;
    other.plain_server("c").await;
    let condition = other.server_stalled("c", Reason::NotOurs).await;
    assert!(condition.message.contains(&format!("{}/b-c", story.namespace)), "{}", condition.message);
    assert!(other.secret(&secret_of("c")).await.is_none());
    other.delete::<PostgreSQLServer>("c").await;
    other.gone::<PostgreSQLServer>("c").await;

    let again = story.server_ready("b-c").await;
    assert_eq!(again.status.unwrap().server, first.status.unwrap().server);
    assert_eq!(story.credentials(&secret_of("b-c")).await, credentials);
    credentials.connect().await.unwrap();
}

#[tokio::test]
async fn a_server_in_another_ones_place_is_left_alone() {
    let story = WORLD.get().await.story("replaced").await;
    story.plain_server("main").await;
    story.plain_server("donor").await;
    let recorded = story.server_ready("main").await.status.unwrap().server.unwrap().uid;
    story.server_ready("donor").await;
    story.plain_database("app", "main").await;
    story.database_ready("app").await;
    let paused = |value| json!({"metadata": {"annotations": {"operator/paused": value}}});
    for name in ["main", "donor"] {
        story.patch::<PostgreSQLServer>(name, paused(Some("true"))).await;
        let is_paused = |server: &PostgreSQLServer| {
            let conditions = server.status.as_ref().map(|status| &status.conditions);
            conditions.is_some_and(|all| all.iter().any(|one| one.reason == Reason::PausedByUser))
        };
        story.server_where(name, "is paused", is_paused).await;
    }
    let (main, donor) = (story.local_server("main"), story.local_server("donor"));
    main.kill();
    donor.kill();
    std::fs::rename(main.folder().join("pgdata"), main.folder().join("away")).unwrap();
    std::fs::rename(donor.folder().join("pgdata"), main.folder().join("pgdata")).unwrap();
    story.patch::<PostgreSQLServer>("main", paused(None)).await;

    story.server_stalled("main", Reason::ServerReplaced).await;
    let words = "another server is in the place of the PostgreSQLServer main's";
    story
        .database_where("app", "waits for its server", |database| {
            let ready = database_condition(database, ConditionType::Ready);
            says(ready, ConditionStatus::False, Reason::WaitingForServer, words)
        })
        .await;
    let uid = async || story.server("main").await.status.unwrap().server.unwrap().uid;
    story
        .all_the_time("it is left alone", A_WHILE, async || !main.is_alive() && uid().await == recorded)
        .await;
    // Nor is it deleted: it is not the one that was meant. The database waits until its server goes, too.
    story.delete::<PostgreSQLDatabase>("app").await;
    story
        .all_the_time("the database is not given up", A_WHILE, async || {
            story.database("app").await.metadata.deletion_timestamp.is_some()
        })
        .await;
    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLDatabase>("app").await;
    assert!(main.folder().join("pgdata/PG_VERSION").is_file());
}
