//! Further traces of the original operator: refused specs, its framework's notes, labels that were not followed yet,
//! Secrets that say less than they should or are named twice, names that PostgreSQL cut.

use std::collections::BTreeMap;

use hcpg::api::names::ACTION;
use hcpg::api::{
    ConditionStatus, ConditionType, DeploymentStatus, PostgreSQLDatabase, PostgreSQLServer, Reason,
};
use hcpg::secrets::field;
use integration_tests::world::{
    APP, APP_LOGIN, Before, Credentials, Story, TEAM, TEAM_LOGIN, World, database_condition, original, says,
    server_condition,
};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

struct Left {
    world: World,
    teams: BTreeMap<String, (String, Before)>,
}

static LEFT: OnceCell<Left> = OnceCell::const_new();

const NAMES: [&str; 7] =
    ["failed", "under-way", "labelled", "password-only", "shared", "server-s-own", "long"];
/// A second database of the original's, in the story of the shared Secret.
const OTHER: &str = "other";

/// An object's name that PostgreSQL cuts.
fn long() -> String {
    format!("long-{}", "n".repeat(65))
}

async fn left(name: &str) -> (Story<'static>, &'static Before) {
    let left = LEFT
        .get_or_init(|| async {
            let world = World::start().await;
            let teams = world.left_by_the_original(&NAMES, prepare).await;
            world.operator.start_again().await.unwrap();
            Left { world, teams }
        })
        .await;
    let (namespace, before) = &left.teams[name];
    (left.world.story_again_in(namespace).await, before)
}

async fn prepare(name: &str, story: &Story<'_>, before: &mut Before) {
    match name {
        "failed" => story.store::<PostgreSQLServer>(original("failed-server.yaml", &[])).await,
        "under-way" => {
            story.store::<PostgreSQLServer>(original("under-way-server.yaml", &[])).await;
            story.store::<PostgreSQLDatabase>(original("under-way-database.yaml", &[])).await;
        }
        "labelled" => {
            let mut server = original("stored-server.yaml", &[]);
            server["metadata"]["labels"] = json!({ACTION: "make-coffee"});
            story.store::<PostgreSQLServer>(server).await;
            let mut database = original("stored-database.yaml", &[]);
            database["metadata"]["labels"] = json!({ACTION: "reset-password"});
            story.store::<PostgreSQLDatabase>(database).await;
        }
        "password-only" => {
            for (secret, login) in [(TEAM_LOGIN, &before.team), (APP_LOGIN, &before.app)] {
                store_password_only(story, secret, &login.password).await;
            }
        }
        // The second to be handled took the first one's password and wrote its own names over the others.
        "shared" => {
            create_as_the_original(story, &before.team.username, OTHER, &before.app.password).await;
            store_database(story, OTHER, APP_LOGIN).await;
            let other =
                Credentials { username: OTHER.to_owned(), dbname: OTHER.to_owned(), ..before.app.clone() };
            story.store_secret(APP_LOGIN, &other).await;
        }
        // The database's credentials over the administrator's.
        "server-s-own" => {
            store_database(story, APP, TEAM_LOGIN).await;
            story.store_secret(TEAM_LOGIN, &before.app).await;
            story.secrets().delete(APP_LOGIN, &DeleteParams::default()).await.unwrap();
        }
        "long" => {
            let name = long().replace('-', "_");
            create_as_the_original(story, &before.team.username, &name[..63], &before.app.password).await;
            store_database(story, &long(), "long-login").await;
            // The original never heard of the cut.
            let whole = Credentials { username: name.clone(), dbname: name, ..before.app.clone() };
            story.store_secret("long-login", &whole).await;
        }
        other => unreachable!("{other}"),
    }
}

/// Database and role as the original makes them, with the administrator as the database's owner.
async fn create_as_the_original(story: &Story<'_>, admin: &str, name: &str, password: &str) {
    story.by_hand("postgres", &format!("CREATE DATABASE \"{name}\" OWNER \"{admin}\"")).await;
    story
        .by_hand(
            "postgres",
            &format!(
                "CREATE ROLE \"{name}\" LOGIN PASSWORD '{password}';
                REVOKE ALL ON DATABASE \"{name}\" FROM PUBLIC; GRANT ALL ON DATABASE \"{name}\" TO \"{name}\""
            ),
        )
        .await;
    story.by_hand(name, &format!("GRANT ALL ON SCHEMA public TO \"{name}\"")).await;
}

async fn store_database(story: &Story<'_>, name: &str, secret: &str) {
    let mut object = original("stored-database.yaml", &[]);
    object["metadata"]["name"] = json!(name);
    object["spec"]["credentialsSecret"] = json!(secret);
    story.store::<PostgreSQLDatabase>(object).await;
}

/// Somebody's Secret, from which the original took the password, and never wrote the rest.
async fn store_password_only(story: &Story<'_>, name: &str, password: &str) {
    story.secrets().delete(name, &DeleteParams::default()).await.unwrap();
    let secret = Secret {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        string_data: Some(BTreeMap::from([("password".to_owned(), password.to_owned())])),
        ..Secret::default()
    };
    story.secrets().create(&PostParams::default(), &secret).await.unwrap();
}

fn annotations_of_the_framework(annotations: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    let ours = annotations.iter().filter(|(name, _)| name.starts_with("kopf.zalando.org/"));
    ours.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The Secret as it was: nobody's mark came to it.
async fn is_untouched(story: &Story<'_>, secret: &str, keys: usize) {
    let secret = story.secret(secret).await.unwrap();
    assert_eq!(secret.data.map(|data| data.len()), Some(keys));
    assert_eq!(secret.metadata.labels, None);
}

async fn touch<K>(story: &Story<'_>, name: &str)
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + serde::de::DeserializeOwned
        + std::fmt::Debug,
{
    let now = jiff::Timestamp::now().to_string();
    story.patch::<K>(name, json!({"metadata": {"annotations": {"story/touch": now}}})).await;
}

#[tokio::test]
async fn a_server_whose_last_change_was_refused_is_taken_over_as_it_is() {
    let (story, before) = left("failed").await;
    let server = story.server_ready(TEAM).await;
    story.database_ready(APP).await;
    story.was_only_read(before).await;
    let status = server.status.unwrap();
    let deployment = status.deployment.unwrap();
    assert_eq!(deployment.status, Some(DeploymentStatus::Finished));
    assert_eq!(deployment.reason.as_deref(), Some("Database server created"));
    assert_eq!(status.adopted_generation, server.metadata.generation);
    assert_eq!(story.team_login().await.password, before.team.password);
    assert_eq!(story.app_login().await.password, before.app.password);
}

#[tokio::test]
async fn a_spec_that_was_refused_from_the_beginning_is_a_wish_like_any_other() {
    let (here, _) = left("failed").await;
    let story = here.world.story("refused").await;
    let mut server = original("failed-server.yaml", &[]);
    server["status"]["backend"] = Value::Null;
    // What the original called too small is fine here; what is wrong here, too, is told in the same place.
    server["spec"]["deletionPolicy"] = json!("Snapshot");
    story.store::<PostgreSQLServer>(server).await;
    let condition = story.server_stalled(TEAM, Reason::InvalidSpec).await;
    assert!(condition.message.contains("deletionPolicy"), "{}", condition.message);
    let deployment = story.server(TEAM).await.status.unwrap().deployment.unwrap();
    assert_eq!(deployment.status, Some(DeploymentStatus::Failed));
    assert_eq!(deployment.reason, Some(format!("Validation failed: {}", condition.message)));
    assert!(!story.has_local_server(TEAM));

    story.patch::<PostgreSQLServer>(TEAM, json!({"spec": {"deletionPolicy": null}})).await;
    let server = story.server_ready(TEAM).await;
    assert_eq!(server.status.unwrap().adopted_generation, None, "it was made, not taken over");
    story.team_login().await.connect().await.unwrap();
}

#[tokio::test]
async fn what_the_framework_noted_means_nothing_and_stays() {
    let (story, before) = left("under-way").await;
    let server = story.server_ready(TEAM).await;
    let database = story.database_ready(APP).await;
    story.was_only_read(before).await;
    for (annotations, file) in
        [(server.annotations(), "under-way-server.yaml"), (database.annotations(), "under-way-database.yaml")]
    {
        let written = original(file, &[])["metadata"]["annotations"].clone();
        let written: BTreeMap<String, String> = serde_json::from_value(written).unwrap();
        assert!(written.len() > 2);
        assert_eq!(annotations_of_the_framework(annotations), annotations_of_the_framework(&written));
    }
    assert_eq!(server.status.unwrap().deployment.unwrap().status, Some(DeploymentStatus::Finished));
    assert_eq!(story.team_login().await.password, before.team.password);
    assert_eq!(story.app_login().await.password, before.app.password);
}

#[tokio::test]
async fn a_label_that_was_not_followed_yet_is_followed_once_the_object_is_taken_over() {
    let (story, before) = left("labelled").await;
    let done = |database: &PostgreSQLDatabase| !database.labels().contains_key(ACTION);
    story.database_where(APP, "has lost its label", done).await;
    story.database_ready(APP).await;
    let login = story.app_login().await;
    assert_ne!(login.password, before.app.password);
    login.connect().await.unwrap();

    // The server's is no action: it is answered, and nothing else.
    let done = |server: &PostgreSQLServer| !server.labels().contains_key(ACTION);
    story.server_where(TEAM, "has lost its label", done).await;
    assert!(story.event(TEAM, Reason::UnknownAction).await.contains("make-coffee"));
    story.server_ready(TEAM).await;
    assert_eq!(story.team_login().await.password, before.team.password);
    assert_eq!(story.backend_traces().await.files, before.backend.files);
}

#[tokio::test]
async fn a_secret_with_nothing_but_a_password_is_nobodys() {
    let (story, before) = left("password-only").await;
    let condition = story.server_stalled(TEAM, Reason::SecretConflict).await;
    assert!(condition.message.contains(TEAM_LOGIN), "{}", condition.message);
    story
        .database_where(APP, "waits for its server", |database| {
            let synced = database_condition(database, ConditionType::Synced);
            says(synced, ConditionStatus::False, Reason::WaitingForServer, "has no credentials yet")
        })
        .await;
    story.was_only_read(before).await;
    for secret in [TEAM_LOGIN, APP_LOGIN] {
        is_untouched(&story, secret, 1).await;
    }

    // The remedy: the rest of what the original would have written.
    story.store_secret(TEAM_LOGIN, &before.team).await;
    touch::<PostgreSQLServer>(&story, TEAM).await;
    story.server_ready(TEAM).await;
    story.database_stalled(APP, Reason::NameConflict).await;
    is_untouched(&story, APP_LOGIN, 1).await;
    story.store_secret(APP_LOGIN, &before.app).await;
    touch::<PostgreSQLDatabase>(&story, APP).await;
    story.database_ready(APP).await;
    story.was_only_read(before).await;
    assert_eq!(story.app_login().await.password, before.app.password);
}

#[tokio::test]
async fn a_secret_that_two_databases_name_is_taken_by_the_one_it_speaks_of() {
    let (story, before) = left("shared").await;
    story.server_ready(TEAM).await;
    story.database_ready(OTHER).await;
    // Nothing logs in as the role of the other one.
    story.database_stalled(APP, Reason::NameConflict).await;
    story.was_only_read(before).await;
    let login = story.app_login().await;
    assert_eq!((login.username.as_str(), &login.password), (OTHER, &before.app.password));
    login.connect().await.unwrap();

    // The remedy: a Secret of its own, with its credentials as they were.
    story.store_secret("app-own", &before.app).await;
    story.patch::<PostgreSQLDatabase>(APP, json!({"spec": {"credentialsSecret": "app-own"}})).await;
    story.database_ready(APP).await;
    assert_eq!(story.credentials("app-own").await.password, before.app.password);
    assert_eq!(story.app_login().await, login);

    // Whoever goes takes only what is his.
    story.delete::<PostgreSQLDatabase>(APP).await;
    story.gone::<PostgreSQLDatabase>(APP).await;
    assert!(story.secret("app-own").await.is_none());
    login.connect().await.unwrap();
}

#[tokio::test]
async fn a_database_that_names_its_servers_secret_takes_nothing_and_both_say_so() {
    let (story, before) = left("server-s-own").await;
    let condition = story.server_stalled(TEAM, Reason::SecretConflict).await;
    assert!(condition.message.contains(TEAM_LOGIN), "{}", condition.message);
    let server = story.server(TEAM).await;
    let ready = server_condition(&server, ConditionType::Ready);
    assert!(says(ready, ConditionStatus::False, Reason::SecretConflict, TEAM_LOGIN), "{ready:?}");
    story
        .database_where(APP, "waits for its server", |database| {
            let synced = database_condition(database, ConditionType::Synced);
            says(synced, ConditionStatus::False, Reason::WaitingForServer, "has no credentials yet")
        })
        .await;
    story.was_only_read(before).await;
    is_untouched(&story, TEAM_LOGIN, 6).await;

    // The remedy: each its own again, as it was.
    story.store_secret(APP_LOGIN, &before.app).await;
    story.store_secret(TEAM_LOGIN, &before.team).await;
    story.patch::<PostgreSQLDatabase>(APP, json!({"spec": {"credentialsSecret": APP_LOGIN}})).await;
    touch::<PostgreSQLServer>(&story, TEAM).await;
    story.team_ready().await;
    assert_eq!(story.team_login().await.password, before.team.password);
    assert_eq!(story.app_login().await.password, before.app.password);
}

#[tokio::test]
async fn a_database_whose_name_postgresql_cut_is_found_under_what_was_left_of_it() {
    let (story, before) = left("long").await;
    let database = story.database_ready(&long()).await;
    story.was_only_read(before).await;
    let cut = long().replace('-', "_")[..63].to_owned();
    let pinned = database.status.unwrap().database.unwrap();
    assert_eq!(pinned.name.as_deref(), Some(cut.as_str()));
    let secret = story.secret("long-login").await.unwrap();
    assert_eq!(field(&secret, "password").as_ref(), Some(&before.app.password));
    let login = story.credentials("long-login").await;
    assert_eq!((login.dbname.as_str(), login.username.as_str()), (cut.as_str(), cut.as_str()));
    login.connect().await.unwrap();

    // A new one of a name that begins alike does not meet it.
    let alike = format!("{}-2", long());
    story.plain_database(&alike, TEAM).await;
    let new = story.database_ready(&alike).await.status.unwrap().database.unwrap();
    assert_ne!(new.name.as_deref(), Some(cut.as_str()));
    story.delete::<PostgreSQLDatabase>(&long()).await;
    story.gone::<PostgreSQLDatabase>(&long()).await;
    assert!(login.connect().await.is_err());
}
