//! Somebody changes something behind the operator's back, and it is put right by itself at the next look.

use std::time::Duration;

use hcpg::api::ConditionStatus::{False, True};
use hcpg::api::{ConditionType, Reason};
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{
    APP, APP_LOGIN, Credentials, SharedWorld, Story, TEAM, TEAM_LOGIN, answer, database_condition, says,
    server_condition,
};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

static WORLD: SharedWorld = SharedWorld::with(|| OperatorOptions {
    config: json!({"reconcile": {"resync_seconds": 10}}),
    ..OperatorOptions::default()
});

async fn story(name: &str) -> Story<'static> {
    WORLD.get().await.story(name).await.with_team().await
}

/// Waits until PostgreSQL gives this answer.
async fn becomes(story: &Story<'_>, dbname: &str, sql: &str, wanted: &str) {
    let what = format!("{sql} gives {wanted}");
    story
        .eventually(&what, async || (story.ask(dbname, sql).await.as_deref() == Some(wanted)).then_some(()))
        .await;
}

/// Waits until these credentials log in.
async fn log_in_again(story: &Story<'_>, login: &Credentials) {
    story.eventually("they log in again", async || login.connect().await.ok().map(drop)).await;
}

/// Waits until the Secret holds credentials that log in and are others than these.
async fn others(story: &Story<'_>, secret: &str, than: &Credentials) -> Credentials {
    story
        .eventually("there are other credentials, and they log in", async || {
            let found = story.secrets().get_opt(secret).await.unwrap();
            let login = found.as_ref().and_then(Credentials::from_secret)?;
            (login.password != than.password && login.connect().await.is_ok()).then_some(login)
        })
        .await
}

async fn secret(story: &Story<'_>, name: &str) -> Secret {
    story.secrets().get(name).await.unwrap()
}

#[tokio::test]
async fn a_database_that_was_opened_to_everybody_is_closed_again() {
    let story = story("public").await;
    let open = "SELECT has_database_privilege('public', 'app', 'CONNECT')";
    story.by_hand("postgres", "GRANT CONNECT ON DATABASE app TO PUBLIC").await;
    assert_eq!(story.ask("postgres", open).await.unwrap(), "true");
    becomes(&story, "postgres", open, "false").await;
    story.database_ready(APP).await;
    story.app_login().await.connect().await.unwrap();
}

#[tokio::test]
async fn a_database_gets_its_owner_its_rights_and_its_extensions_back() {
    let story = story("owner").await;
    let extensions = json!({"spec": {"database": {"extensions": ["hstore"]}}});
    story.patch::<hcpg::api::PostgreSQLDatabase>(APP, extensions).await;
    story.database_ready(APP).await;
    for damage in [
        "DROP EXTENSION hstore",
        "ALTER DATABASE app OWNER TO postgres",
        "REVOKE ALL ON SCHEMA public FROM app",
    ] {
        story.by_hand(APP, damage).await;
    }
    becomes(&story, APP, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'app'", "app")
        .await;
    becomes(&story, APP, "SELECT count(*) FROM pg_extension WHERE extname = 'hstore'", "1").await;
    becomes(&story, APP, "SELECT has_schema_privilege('app', 'public', 'CREATE')", "true").await;
    story.database_ready(APP).await;
    let login = story.app_login().await.connect().await.unwrap();
    login.batch_execute("CREATE TABLE notes (attributes hstore)").await.unwrap();
}

#[tokio::test]
async fn the_published_password_of_a_role_is_put_back_in_force() {
    let story = story("role-password").await;
    let before = secret(&story, APP_LOGIN).await;
    let login = story.app_login().await;
    story.by_hand("postgres", "ALTER ROLE app PASSWORD 'changed by hand'").await;
    assert!(login.is_refused().await.unwrap());
    log_in_again(&story, &login).await;
    story.database_ready(APP).await;
    assert_eq!(secret(&story, APP_LOGIN).await.metadata.resource_version, before.metadata.resource_version);
}

#[tokio::test]
async fn the_published_password_of_the_administrator_is_put_back_in_force() {
    let story = story("admin-password").await;
    let before = secret(&story, TEAM_LOGIN).await;
    let (team, app) = (story.team_login().await, story.app_login().await);
    story.by_hand("postgres", "ALTER ROLE postgres PASSWORD 'changed by hand'").await;
    assert!(team.is_refused().await.unwrap());
    app.connect().await.unwrap();
    log_in_again(&story, &team).await;
    story.team_ready().await;
    assert_eq!(secret(&story, TEAM_LOGIN).await.metadata.resource_version, before.metadata.resource_version);
    assert_eq!(story.app_login().await, app);
}

#[tokio::test]
async fn a_role_that_may_not_log_in_may_again() {
    let story = story("nologin").await;
    let login = story.app_login().await;
    story.by_hand("postgres", "ALTER ROLE app NOLOGIN").await;
    assert!(login.is_refused().await.unwrap());
    log_in_again(&story, &login).await;
    story.database_ready(APP).await;
    assert_eq!(story.app_login().await, login);
}

#[tokio::test]
async fn an_administrator_that_may_not_log_in_is_told_of_until_somebody_lets_it() {
    let story = story("admin-nologin").await;
    let login = story.team_login().await;
    story.by_hand("postgres", "ALTER ROLE postgres NOLOGIN").await;
    assert!(login.is_refused().await.unwrap());
    story
        .server_where(TEAM, "is not ready, and says why", |server| {
            let ready = server_condition(server, ConditionType::Ready);
            says(ready, False, Reason::Unreachable, "not permitted to log in")
        })
        .await;
    story.by_hand("postgres", "ALTER ROLE postgres LOGIN").await;
    story.team_ready().await;
    assert_eq!(story.team_login().await, login);
}

#[tokio::test]
async fn a_deleted_secret_comes_back_with_a_new_password() {
    let story = story("secret-deleted").await;
    let (team, app) = (story.team_login().await, story.app_login().await);
    story.delete::<Secret>(APP_LOGIN).await;
    story.delete::<Secret>(TEAM_LOGIN).await;
    others(&story, TEAM_LOGIN, &team).await;
    others(&story, APP_LOGIN, &app).await;
    assert!(team.is_refused().await.unwrap());
    assert!(app.is_refused().await.unwrap());
    story.team_ready().await;
}

#[tokio::test]
async fn a_password_that_is_written_into_the_secret_becomes_the_one_in_force() {
    let story = story("secret-edited").await;
    for name in [APP_LOGIN, TEAM_LOGIN] {
        let before = story.credentials(name).await;
        story.patch::<Secret>(name, json!({"stringData": {"password": "chosen by the team"}})).await;
        let after = others(&story, name, &before).await;
        assert_eq!(after.password, "chosen by the team");
        assert!(before.is_refused().await.unwrap());
        story
            .eventually("the other keys say the same", async || {
                let secret = secret(&story, name).await;
                let uri = hcpg::secrets::field(&secret, "uri")?;
                uri.contains("chosen%20by%20the%20team").then_some(())
            })
            .await;
    }
    story.team_ready().await;
    assert_eq!(story.app_login().await.password, "chosen by the team");
}

#[tokio::test]
async fn keys_that_were_taken_out_of_the_secret_are_put_back() {
    let story = story("keys").await;
    for name in [APP_LOGIN, TEAM_LOGIN] {
        let before = secret(&story, name).await;
        let less =
            json!({"data": {"host": null, "uri": null, "ca.crt": null, "port": ByteString(b"1".to_vec())}});
        story.patch::<Secret>(name, less).await;
        story
            .eventually("everything is back", async || {
                (secret(&story, name).await.data == before.data).then_some(())
            })
            .await;
        story.credentials(name).await.connect().await.unwrap();
    }
    story.team_ready().await;
}

#[tokio::test]
async fn a_killed_postgresql_comes_back_with_its_data() {
    let story = story("killed").await;
    let login = story.app_login().await;
    let client = login.connect().await.unwrap();
    client.batch_execute("CREATE TABLE notes (text text); INSERT INTO notes VALUES ('kept')").await.unwrap();
    let killed = story.local_server(TEAM).postmaster().unwrap();
    kill(Pid::from_raw(killed), Signal::SIGKILL).unwrap();

    log_in_again(&story, &login).await;
    assert_ne!(story.local_server(TEAM).postmaster(), Some(killed));
    let client = login.connect().await.unwrap();
    assert_eq!(answer(&client, "SELECT text FROM notes").await.unwrap(), "kept");
    story.team_ready().await;
    assert_eq!(story.app_login().await, login, "nothing but the process was lost");
}

#[tokio::test]
async fn while_postgresql_cannot_run_ready_is_false() {
    let story = story("stopped").await;
    let login = story.app_login().await;
    let server = story.local_server(TEAM);
    // Without this file PostgreSQL refuses to start.
    let (file, aside) =
        (server.folder().join("pgdata/PG_VERSION"), server.folder().join("pgdata/PG_VERSION.aside"));
    std::fs::rename(&file, &aside).unwrap();
    kill(Pid::from_raw(server.postmaster().unwrap()), Signal::SIGINT).unwrap();
    story
        .server_where(TEAM, "is not ready", |server| {
            server_condition(server, ConditionType::Ready).is_some_and(|ready| ready.status == False)
        })
        .await;
    story
        .database_where(APP, "is not ready", |database| {
            database_condition(database, ConditionType::Ready).is_some_and(|ready| ready.status == False)
        })
        .await;
    story
        .all_the_time("Ready stays false", Duration::from_secs(3), async || {
            let server = story.server(TEAM).await;
            server_condition(&server, ConditionType::Ready).is_some_and(|ready| ready.status != True)
        })
        .await;
    std::fs::rename(&aside, &file).unwrap();
    story.team_ready().await;
    login.connect().await.unwrap();
}
