//! What users have, and what we show them, is let in and can be read.

use std::fs;
use std::path::{Path, PathBuf};

use hcpg::api::{ParameterValue, PostgreSQLDatabase, PostgreSQLServer};
use serde_json::Value;

use crate::world::{Said, database, project, server, world};

#[tokio::test]
async fn what_the_original_shows_and_stores_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/original");
    assert_eq!(all_pass(&folder).await, 7);
}

#[tokio::test]
async fn every_example_passes() {
    assert!(all_pass(&project().join("examples")).await >= 8);
}

/// What the original's framework kept in the status, which its definitions admit and ours drop.
const KOPF: &str = "strict decoding error: unknown field \"status.kopf\"\n";

/// Judges every file with objects of ours, unknown fields included; the number of files.
async fn all_pass(folder: &Path) -> usize {
    let world = world().await;
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| fs::read_to_string(file).unwrap().contains("\nkind: PostgreSQL"));
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        if let Some((rest, _)) = text.split_once("\n  kopf:\n") {
            let said = world.judge(&text);
            assert!(said.err.ends_with(KOPF), "{}: nothing else is strange: {}", file.display(), said.err);
            assert!(world.judge(rest).ok, "{}: without it", file.display());
            continue;
        }
        let said = world.judge(&text);
        assert!(said.ok && said.err.is_empty(), "{}: {}", file.display(), said.err);
        for object in objects(&said) {
            readable(&object);
        }
    }
    files.len()
}

#[tokio::test]
async fn what_older_clusters_hold_passes() {
    let world = world().await;
    for spec in [
        "{credentialsSecret: a}",
        "{credentialsSecret: a, size: {storageGB: 1}}",
        "{credentialsSecret: a, size: {storageGB: 5, maxStorageGB: 5}}",
        "{credentialsSecret: a, backend: one-that-is-gone, version: '9.6'}",
        "{credentialsSecret: a, backup: {retentionDays: 0}}",
        "{credentialsSecret: a, maintenance: {window: {weekday: '0', starttime: '3:00'}}}",
        "{credentialsSecret: a, maintenance: {window: {weekday: sun, starttime: '23:59'}}}",
        "{credentialsSecret: a, network: {firewallRules: [{name: a, startIp: 0.0.0.0, endIp: 255.255.255.255}]}}",
        // Null in place of nothing.
        "{credentialsSecret: a, size: null, extensions: null, serverParameters: {a: null}, deletionPolicy: null}",
    ] {
        let said = world.judge(&server("a", spec));
        assert!(said.ok && said.err.is_empty(), "{spec}: {}", said.err);
        readable(&objects(&said)[0]);
    }
    for spec in [
        "{serverRef: {name: a}, credentialsSecret: a}",
        "{serverRef: {name: a}, credentialsSecret: a, database: null}",
        "{serverRef: {name: a}, credentialsSecret: a, database: {extensions: [uuid-ossp, pg_trgm]}}",
    ] {
        let said = world.judge(&database("a", spec));
        assert!(said.ok && said.err.is_empty(), "{spec}: {}", said.err);
        readable(&objects(&said)[0]);
    }
    // PostgreSQL's names are shorter than Kubernetes'; that is the operator's business.
    let long = "a".repeat(253);
    let said = world.judge(&database(&long, "{serverRef: {name: a}, credentialsSecret: a}"));
    assert!(said.ok, "{}", said.err);
}

#[tokio::test]
async fn server_parameters_are_text_numbers_and_booleans() {
    let spec = "{credentialsSecret: a, serverParameters: {a: on, b: 1_000, c: 1.5, d: 16MB, e: 'off'}}";
    let said = world().await.judge(&server("a", spec));
    assert!(said.ok, "{}", said.err);
    let read: PostgreSQLServer = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        read.spec.server_parameters.into_values().collect::<Vec<_>>(),
        [
            ParameterValue::Bool(true),
            ParameterValue::Integer(1000),
            ParameterValue::Number(1.5),
            ParameterValue::Text("16MB".to_owned()),
            ParameterValue::Text("off".to_owned()),
        ]
    );
}

#[tokio::test]
async fn unknown_fields_are_pruned_from_servers_and_kept_in_databases() {
    let world = world().await;
    let judge = |object: &str| {
        let arguments = ["create", "--dry-run=server", "--validate=false", "--output=json", "--filename=-"];
        objects(&world.kubectl(&arguments, object)).remove(0)
    };
    let pruned = judge(&server("a", "{credentialsSecret: a, colour: blue}"));
    assert_eq!(pruned["spec"]["colour"], Value::Null);
    let kept = judge(&database("a", "{credentialsSecret: a, serverRef: {name: a}, colour: blue}"));
    assert_eq!(kept["spec"]["colour"], "blue");
}

/// The objects kubectl has shown: one, or several documents one after the other.
fn objects(said: &Said) -> Vec<Value> {
    serde_json::Deserializer::from_str(&said.out).into_iter().map(Result::unwrap).collect()
}

fn readable(object: &Value) {
    let object = object.clone();
    match object["kind"].as_str() {
        Some("PostgreSQLServer") => drop(serde_json::from_value::<PostgreSQLServer>(object).unwrap()),
        Some("PostgreSQLDatabase") => drop(serde_json::from_value::<PostgreSQLDatabase>(object).unwrap()),
        kind => panic!("an object of kind {kind:?}"),
    }
}
