//! Objects are deleted, in every order and at every moment, and nothing of them is left.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hcpg::api::{Phase, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::world::{Credentials, SharedWorld, Story, secret_of};
use kube::ResourceExt;
use serde_json::json;
use tokio_postgres::Client;

static WORLD: SharedWorld = SharedWorld::new();

/// What belongs to objects that are about to be deleted.
struct Remains {
    uids: Vec<String>,
    secrets: Vec<String>,
    folder: PathBuf,
    postmaster: i32,
}

impl Remains {
    /// Of a server and its databases, once all are ready.
    async fn of(story: &Story<'_>, server: &str, databases: &[&str]) -> Self {
        let mut uids = vec![story.server_ready(server).await.uid().unwrap()];
        let mut secrets = vec![secret_of(server)];
        for database in databases {
            uids.push(story.database_ready(database).await.uid().unwrap());
            secrets.push(secret_of(database));
        }
        let local = story.local_server(server);
        Self { uids, secrets, folder: local.folder().to_owned(), postmaster: local.postmaster().unwrap() }
    }

    /// No password, no Secret, no folder, no process.
    async fn are_gone(&self, story: &Story<'_>) {
        assert!(!self.folder.exists(), "{} is left", self.folder.display());
        assert!(!runs(self.postmaster), "PostgreSQL {} still runs", self.postmaster);
        for secret in &self.secrets {
            assert!(story.secret(secret).await.is_none(), "the Secret {secret} is left");
        }
        for uid in &self.uids {
            assert!(!story.has_pending_password(uid).await, "a pending password of {uid} is left");
        }
    }
}

/// Whether that process runs; a dead one that nobody has reaped yet has no working directory.
fn runs(pid: i32) -> bool {
    std::fs::read_link(Path::new("/proc").join(pid.to_string()).join("cwd")).is_ok()
}

async fn names(client: &Client, query: &str) -> Vec<String> {
    client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

const ROLES: &str = "SELECT rolname::text FROM pg_roles ORDER BY 1";
const DATABASES: &str = "SELECT datname::text FROM pg_database ORDER BY 1";

#[tokio::test]
async fn the_database_goes_first_and_then_the_server() {
    let story = WORLD.get().await.story("order").await;
    story.plain_server("main").await;
    story.server_ready("main").await;
    let superuser = story.local_server("main").superuser("postgres").await.unwrap();
    let before = (names(&superuser, ROLES).await, names(&superuser, DATABASES).await);

    story.plain_database("app", "main").await;
    let remains = Remains::of(&story, "main", &["app"]).await;
    story.delete::<PostgreSQLDatabase>("app").await;
    story.gone::<PostgreSQLDatabase>("app").await;
    assert_eq!((names(&superuser, ROLES).await, names(&superuser, DATABASES).await), before);
    assert!(story.secret(&secret_of("app")).await.is_none());
    assert!(story.secret(&secret_of("main")).await.is_some());
    drop(superuser);

    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLServer>("main").await;
    remains.are_gone(&story).await;
}

#[tokio::test]
async fn a_server_waits_for_its_databases() {
    let story = WORLD.get().await.story("patience").await;
    story.plain_server("main").await;
    story.plain_database("app", "main").await;
    let remains = Remains::of(&story, "main", &["app"]).await;

    story.delete::<PostgreSQLServer>("main").await;
    let condition = story.server_stalled("main", Reason::DatabasesExist).await;
    assert!(condition.message.ends_with(": app"), "{}", condition.message);
    // Until then the application works on.
    let lasting = Duration::from_secs(3);
    story
        .all_the_time("the database can be used", lasting, async || {
            story.credentials(&secret_of("app")).await.connect().await.is_ok()
        })
        .await;

    story.delete::<PostgreSQLDatabase>("app").await;
    story.gone::<PostgreSQLDatabase>("app").await;
    story.gone::<PostgreSQLServer>("main").await;
    remains.are_gone(&story).await;
}

#[tokio::test]
async fn everything_is_deleted_at_once() {
    let story = WORLD.get().await.story("all").await;
    story.plain_server("main").await;
    story.plain_database("app", "main").await;
    story.plain_database("other", "main").await;
    let remains = Remains::of(&story, "main", &["app", "other"]).await;
    let everything = ["delete", "pg,pgdb", "--all", "--timeout=90s", "-n", &story.namespace];
    story.world.kubectl(&everything).await;
    story.gone::<PostgreSQLServer>("main").await;
    remains.are_gone(&story).await;
}

#[tokio::test]
async fn deleted_as_soon_as_it_is_applied() {
    let story = WORLD.get().await.story("regret").await;
    story.plain_server("main").await;
    story.plain_database("app", "main").await;
    let uids = [story.server("main").await.uid(), story.database("app").await.uid()];
    story.delete::<PostgreSQLServer>("main").await;
    story.delete::<PostgreSQLDatabase>("app").await;
    nothing_was_made(&story, uids).await;
}

#[tokio::test]
async fn deleted_while_the_server_is_being_created() {
    let story = WORLD.get().await.story("second-thoughts").await;
    story.plain_server("main").await;
    story.plain_database("app", "main").await;
    let uids = [story.server("main").await.uid(), story.database("app").await.uid()];
    let begun = |server: &PostgreSQLServer| {
        server.status.as_ref().is_some_and(|status| status.phase == Some(Phase::Provisioning))
    };
    story.server_where("main", "is being created", begun).await;
    story.delete::<PostgreSQLServer>("main").await;
    story.delete::<PostgreSQLDatabase>("app").await;
    nothing_was_made(&story, uids).await;
}

#[tokio::test]
async fn deleted_while_the_database_is_being_created() {
    let story = WORLD.get().await.story("third-thoughts").await;
    story.plain_server("main").await;
    let server = story.server_ready("main").await;
    story.plain_database("app", "main").await;
    let begun = |database: &PostgreSQLDatabase| {
        let phase = database.status.as_ref().and_then(|status| status.phase);
        phase.is_some_and(|phase| phase != Phase::Pending)
    };
    let database = story.database_where("app", "is being created", begun).await;
    story.delete::<PostgreSQLDatabase>("app").await;
    story.gone::<PostgreSQLDatabase>("app").await;
    let superuser = story.local_server("main").superuser("postgres").await.unwrap();
    assert!(!names(&superuser, ROLES).await.contains(&"app".to_owned()));
    assert!(!names(&superuser, DATABASES).await.contains(&"app".to_owned()));
    drop(superuser);
    story.delete::<PostgreSQLServer>("main").await;
    nothing_was_made(&story, [server.uid(), database.uid()]).await;
}

async fn nothing_was_made(story: &Story<'_>, uids: [Option<String>; 2]) {
    story.gone::<PostgreSQLDatabase>("app").await;
    story.gone::<PostgreSQLServer>("main").await;
    // Nor does anything come later that was under way.
    let lasting = Duration::from_secs(2);
    story.all_the_time("no server", lasting, async || !story.has_local_server("main")).await;
    for secret in ["main", "app"].map(secret_of) {
        assert!(story.secret(&secret).await.is_none(), "the Secret {secret} is left");
    }
    for uid in uids {
        assert!(!story.has_pending_password(&uid.unwrap()).await, "a pending password is left");
    }
}

#[tokio::test]
async fn deleted_in_the_middle_of_a_password_reset() {
    let story = WORLD.get().await.story("reset").await;
    story.plain_server("main").await;
    story.plain_database("app", "main").await;
    let remains = Remains::of(&story, "main", &["app"]).await;
    // Reads of the roles go on, so that logins work, but nobody changes one.
    let superuser = story.local_server("main").superuser("postgres").await.unwrap();
    superuser.batch_execute("BEGIN; LOCK TABLE pg_authid IN SHARE MODE").await.unwrap();
    let please = json!({"metadata": {"labels": {"operator/action": "reset-password"}}});
    story.patch::<PostgreSQLDatabase>("app", please).await;
    let resets = |database: &PostgreSQLDatabase| {
        database.status.as_ref().is_some_and(|status| status.phase == Some(Phase::ResettingPassword))
    };
    story.database_where("app", "resets its password", resets).await;
    story
        .eventually("a password is pending", async || {
            story.has_pending_password(&remains.uids[1]).await.then_some(())
        })
        .await;

    story.delete::<PostgreSQLDatabase>("app").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    superuser.batch_execute("COMMIT").await.unwrap();
    story.gone::<PostgreSQLDatabase>("app").await;
    assert!(!names(&superuser, ROLES).await.contains(&"app".to_owned()));
    assert!(!names(&superuser, DATABASES).await.contains(&"app".to_owned()));
    drop(superuser);

    // And the same for the server: its database is gone, it need not wait.
    let please = json!({"metadata": {"labels": {"operator/action": "reset-password"}}});
    story.patch::<PostgreSQLServer>("main", please).await;
    story.delete::<PostgreSQLServer>("main").await;
    story.gone::<PostgreSQLServer>("main").await;
    remains.are_gone(&story).await;
}

#[tokio::test]
async fn a_database_in_use_is_dropped_with_its_role_and_all_its_rights() {
    let story = WORLD.get().await.story("in-use").await;
    story.plain_server("main").await;
    story.server_ready("main").await;
    story.plain_database("neighbour", "main").await;
    story.database_ready("neighbour").await;
    let main = story.credentials(&secret_of("main")).await;
    let admin = main.connect().await.unwrap();
    admin.batch_execute("CREATE DATABASE elsewhere").await.unwrap();
    let elsewhere = Credentials { dbname: "elsewhere".to_owned(), ..main }.connect().await.unwrap();
    let neighbour = story.credentials(&secret_of("neighbour")).await.connect().await.unwrap();
    let before = names(&admin, ROLES).await;

    story.plain_database("app", "main").await;
    story.database_ready("app").await;
    let client = story.credentials(&secret_of("app")).await.connect().await.unwrap();
    client.batch_execute("CREATE TABLE t AS SELECT 1 AS x; BEGIN; SELECT * FROM t").await.unwrap();
    // Rights and possessions outside its own database.
    let given = "CREATE TABLE kept AS SELECT 7 AS x; GRANT SELECT ON kept TO app;
        CREATE SCHEMA apps AUTHORIZATION app; CREATE TABLE apps.mine AS SELECT 8 AS x;
        ALTER TABLE apps.mine OWNER TO app; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app;
        GRANT ALL ON DATABASE elsewhere TO app";
    elsewhere.batch_execute(given).await.unwrap();
    let shared = "CREATE TABLE kept AS SELECT 9 AS x; GRANT SELECT ON kept TO app;
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app; GRANT CONNECT ON DATABASE neighbour TO app";
    neighbour.batch_execute(shared).await.unwrap();

    story.delete::<PostgreSQLDatabase>("app").await;
    story.gone::<PostgreSQLDatabase>("app").await;
    assert!(client.query("SELECT * FROM t", &[]).await.is_err(), "the session goes on");
    assert_eq!(names(&admin, ROLES).await, before);
    // What stood outside its database is nobody's loss.
    for (client, table, value) in
        [(&elsewhere, "kept", 7), (&elsewhere, "apps.mine", 8), (&neighbour, "kept", 9)]
    {
        let row = client.query_one(&format!("SELECT x FROM {table}"), &[]).await.unwrap();
        assert_eq!(row.get::<_, i32>(0), value);
    }
    // A right of a role that is gone would show as its number.
    let rights = "SELECT coalesce(datacl::text, '') FROM pg_database
        UNION ALL SELECT coalesce(relacl::text, '') FROM pg_class WHERE relname = 'kept'
        UNION ALL SELECT defaclacl::text FROM pg_default_acl";
    for client in [&elsewhere, &neighbour] {
        for right in names(client, rights).await {
            let grantees = right.trim_matches(['{', '}']).split(',').filter_map(|one| one.split('=').next());
            let gone = |name: &str| name == "app" || name.starts_with(|first: char| first.is_ascii_digit());
            assert!(!grantees.into_iter().any(gone), "a right is left: {right}");
        }
    }
}

#[tokio::test]
async fn a_database_with_things_of_other_roles_in_it_is_dropped() {
    let story = WORLD.get().await.story("others").await;
    story.plain_server("main").await;
    story.plain_database("app", "main").await;
    story.plain_database("neighbour", "main").await;
    story.database_ready("neighbour").await;
    story.database_ready("app").await;
    let superuser = story.local_server("main").superuser("app").await.unwrap();
    let things = "CREATE ROLE stranger; CREATE SCHEMA theirs AUTHORIZATION stranger;
        CREATE TABLE theirs.t (); ALTER TABLE theirs.t OWNER TO stranger;
        CREATE TABLE public.n (); ALTER TABLE public.n OWNER TO neighbour";
    superuser.batch_execute(things).await.unwrap();
    // The administrator may not end the session of a superuser.
    drop(superuser);

    story.delete::<PostgreSQLDatabase>("app").await;
    story.gone::<PostgreSQLDatabase>("app").await;
    let superuser = story.local_server("main").superuser("postgres").await.unwrap();
    let roles = names(&superuser, ROLES).await;
    assert!(roles.contains(&"stranger".to_owned()) && roles.contains(&"neighbour".to_owned()), "{roles:?}");
    assert!(!roles.contains(&"app".to_owned()), "{roles:?}");
    assert!(!names(&superuser, DATABASES).await.contains(&"app".to_owned()));
    story.credentials(&secret_of("neighbour")).await.connect().await.unwrap();
}
