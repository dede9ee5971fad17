//! Any JSON as an object of both kinds, and what the local backend makes of it.
#![no_main]

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::OnceLock;

use hcpg::api::{PostgreSQLDatabase, PostgreSQLServer, PostgreSQLServerSpec};
use hcpg::backend::local::fuzzing;
use hcpg::backend::{DesiredServer, LocalBackend, Owner, ServerBackend, ServerFacts};
use hcpg::config::LocalConfig;
use hcpg::postgres::{database_name_for, original_database_name_for};
use hcpg_fuzz::conf;
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The longest names that Kubernetes allows, and the dash between them.
const LONGEST_IDENTITY: usize = 63 + 1 + 253;

/// It looks for the installed PostgreSQL once; nothing is ever made in its folder.
fn backend() -> &'static LocalBackend {
    static BACKEND: OnceLock<LocalBackend> = OnceLock::new();
    BACKEND.get_or_init(|| {
        let config: LocalConfig =
            serde_json::from_value(json!({"data_dir": "/nonexistent/hcpg-fuzz"})).unwrap();
        LocalBackend::new(config).unwrap()
    })
}

fuzz_target!(|data: &[u8]| {
    let Ok(found) = serde_json::from_slice::<Value>(data) else { return };
    let object = |kind: &str| {
        let name = found.get("name").and_then(Value::as_str).unwrap_or("name");
        let version = "hybridcloud.maibornwolff.de/v1alpha1";
        json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": found})
    };
    for value in [found.clone(), object("PostgreSQLServer")] {
        if let Some(server) = survives::<PostgreSQLServer>(value) {
            let metadata = &server.metadata;
            let word = |word: &Option<String>| word.clone().unwrap_or_default();
            check_names(&word(&metadata.namespace), &word(&metadata.name));
            check_backend(&server);
        }
    }
    for value in [found.clone(), object("PostgreSQLDatabase")] {
        if let Some(database) = survives::<PostgreSQLDatabase>(value) {
            let metadata = &database.metadata;
            check_names("team", metadata.name.as_deref().unwrap_or_default());
        }
    }
});

/// What can be read is written and read again as the same.
fn survives<T: Serialize + DeserializeOwned>(value: Value) -> Option<T> {
    let first: T = serde_json::from_value(value).ok()?;
    let written = serde_json::to_value(&first).unwrap();
    let second: T =
        serde_json::from_value(written.clone()).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(serde_json::to_value(&second).unwrap(), written);
    Some(first)
}

/// Whatever an object is called: a legal name of a database, and folders that stay where they belong.
fn check_names(namespace: &str, name: &str) {
    if let Ok(database) = database_name_for(name, &["postgres"]) {
        assert!((1..=63).contains(&database.len()), "{database:?}");
        assert!(!database.chars().any(char::is_control), "{database:?}");
        assert!(!["postgres", "template0", "template1"].contains(&database.as_str()));
        assert!(!hcpg_fuzz::is_kubernetes_name(name) || !database.contains(['/', '"', '\'', '\\']));
    }
    assert!(original_database_name_for(name).len() <= 63);

    let owner = Owner { namespace: namespace.to_owned(), name: name.to_owned(), uid: "uid".to_owned() };
    let Ok(identity) = backend().identity(&owner) else { return };
    if hcpg_fuzz::is_kubernetes_name(namespace) && hcpg_fuzz::is_kubernetes_name(name) {
        assert!((1..=LONGEST_IDENTITY).contains(&identity.name.len()), "{}", identity.name);
        assert!(!identity.name.contains(['/', '\0']) && !identity.name.contains(".."), "{}", identity.name);
        assert!(!identity.name.chars().any(char::is_control), "{}", identity.name);
    }
    for folder in fuzzing::folders(&identity.name) {
        let below = folder.strip_prefix(Path::new("/data")).expect("below the data folder");
        let parts: Vec<Component<'_>> = below.components().collect();
        let [Component::Normal(part)] = parts.as_slice() else { panic!("{}", folder.display()) };
        let part = part.to_str().unwrap();
        assert!(part.len() <= 40, "{part}");
        assert!(part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)), "{part}");
    }
}

/// A spec is judged without a panic; what is accepted comes into PostgreSQL's files as exactly that.
fn check_backend(server: &PostgreSQLServer) {
    let owner = Owner { namespace: "team".to_owned(), name: "main".to_owned(), uid: "uid".to_owned() };
    let desired = DesiredServer::new(&owner, &server.spec);
    let verdict = backend().validate(&desired);
    if let Err(rejections) = &verdict {
        assert!(!rejections.is_empty());
        for rejection in rejections {
            assert!(!rejection.field.is_empty() && !rejection.message.is_empty(), "{rejection:?}");
        }
    }
    let (parameters, text) = fuzzing::parameters(&server.spec);
    match conf::settings(&text) {
        Ok(read) => assert_eq!(read, parameters, "{text}"),
        Err(line) => panic!("PostgreSQL cannot read {line:?}"),
    }
    assert_eq!(fuzzing::parameters_read(&text), parameters, "{text}");

    // A server that is as asked has no differences, and a fresh one has one for each parameter.
    let facts = |spec: &PostgreSQLServerSpec| {
        let mut settings = BTreeMap::from([("power".to_owned(), "running".to_owned())]);
        settings.extend(
            fuzzing::parameters(spec).0.into_iter().map(|(name, value)| (format!("parameter.{name}"), value)),
        );
        ServerFacts { settings, ..ServerFacts::default() }
    };
    let plain = PostgreSQLServerSpec::default();
    let of_parameters = |facts: &ServerFacts| {
        let differences = backend().differences(&desired, facts);
        assert!(differences.iter().all(|difference| !difference.sentence().is_empty()));
        differences.iter().filter(|one| one.field.starts_with("parameter.")).count()
    };
    assert_eq!(of_parameters(&facts(&server.spec)), 0);
    assert_eq!(of_parameters(&facts(&plain)), parameters.len());
}
