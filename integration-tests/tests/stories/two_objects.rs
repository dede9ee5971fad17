//! Many objects at once: one server, twenty databases, all written in the same second and deleted in another.

use std::time::Instant;

use futures::future::join_all;
use hcpg::api::{PostgreSQLDatabase, PostgreSQLServer};
use integration_tests::world::{SharedWorld, Story};
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::{Value, json};

static WORLD: SharedWorld = SharedWorld::new();

const SERVER: &str = "shared";
const DATABASES: usize = 20;

#[tokio::test]
async fn twenty_databases_at_once() {
    let story = WORLD.get().await.story("twenty").await;
    let names: Vec<String> = (0..DATABASES).map(|number| format!("app-{number}")).collect();

    let since = Instant::now();
    story.try_apply(server()).await.unwrap();
    for answer in join_all(names.iter().map(|name| story.try_apply(database(name)))).await {
        answer.unwrap();
    }
    story.server_ready(SERVER).await;
    println!("the server is ready after {:.1} s", since.elapsed().as_secs_f32());
    for name in &names {
        story.database_ready(name).await;
    }
    println!("{DATABASES} databases are ready after {:.1} s", since.elapsed().as_secs_f32());

    // Each has its own database, and can use it.
    let logins = names.iter().map(async |name| {
        let credentials = story.credentials(&format!("{name}-credentials")).await;
        assert_eq!(credentials.dbname, name.replace('-', "_"));
        credentials.connect().await.unwrap().batch_execute("CREATE TABLE mine ()").await.unwrap();
    });
    join_all(logins).await;
    assert_eq!(databases_in_postgres(&story).await, DATABASES);
    let warnings = warnings(&story).await;
    println!("{} warnings: {warnings:#?}", warnings.len());
    assert!(warnings.len() <= DATABASES / 4, "{warnings:#?}");

    let since = Instant::now();
    join_all(names.iter().map(|name| story.delete::<PostgreSQLDatabase>(name))).await;
    for name in &names {
        story.gone::<PostgreSQLDatabase>(name).await;
    }
    println!("{DATABASES} databases are gone after {:.1} s", since.elapsed().as_secs_f32());
    assert_eq!(databases_in_postgres(&story).await, 0);
    let superuser = story.local_server(SERVER).superuser("postgres").await.unwrap();
    let roles = superuser.query("SELECT 1 FROM pg_roles WHERE rolname LIKE 'app%'", &[]).await.unwrap();
    assert!(roles.is_empty());
    drop(superuser);

    story.delete::<PostgreSQLServer>(SERVER).await;
    story.gone::<PostgreSQLServer>(SERVER).await;
    assert!(!story.has_local_server(SERVER));
    let secrets = story.secrets().list(&ListParams::default()).await.unwrap();
    let secrets: Vec<String> = secrets.iter().map(ResourceExt::name_any).collect();
    assert_eq!(secrets, Vec::<String>::new());
}

fn server() -> Value {
    json!({
        "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
        "kind": "PostgreSQLServer",
        "metadata": {"name": SERVER},
        "spec": {"size": {"cpu": 1, "memoryMB": 512, "storageGB": 1}, "credentialsSecret": "shared-credentials"},
    })
}

fn database(name: &str) -> Value {
    json!({
        "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
        "kind": "PostgreSQLDatabase",
        "metadata": {"name": name},
        "spec": {"serverRef": {"name": SERVER}, "credentialsSecret": format!("{name}-credentials")},
    })
}

async fn databases_in_postgres(story: &Story<'_>) -> usize {
    let superuser = story.local_server(SERVER).superuser("postgres").await.unwrap();
    superuser.query("SELECT 1 FROM pg_database WHERE datname LIKE 'app%'", &[]).await.unwrap().len()
}

async fn warnings(story: &Story<'_>) -> Vec<String> {
    let events = story.api::<Event>().list(&ListParams::default()).await.unwrap();
    let warnings = events.into_iter().filter(|event| event.type_.as_deref() == Some("Warning"));
    warnings
        .map(|event| {
            let text = |part: Option<String>| part.unwrap_or_default();
            format!("{} {}: {}", text(event.involved_object.name), text(event.reason), text(event.message))
        })
        .collect()
}
