//! What is refused, and the sentence that says what to do instead.

use crate::world::{database, server, world};

/// Specs of servers, and parts of the messages about them.
const SERVERS: &[(&str, &[&str])] = &[
    ("{}", &["spec.credentialsSecret: Required value"]),
    ("null", &["spec is required"]),
    (
        "{credentialsSecret: Team_Foo}",
        &["spec.credentialsSecret", "'Team_Foo' is not a valid name for a Secret: use lower-case letters"],
    ),
    ("{credentialsSecret: ''}", &["'' is not a valid name for a Secret"]),
    ("{credentialsSecret: -a}", &["'-a' is not a valid name"]),
    ("{credentialsSecret: a..b}", &["'a..b' is not a valid name"]),
    ("{credentialsSecret: a, version: 17}", &["spec.version", "must be of type string"]),
    ("{credentialsSecret: a, size: {storageGB: 0}}", &["spec.size.storageGB", "greater than or equal to 1"]),
    ("{credentialsSecret: a, size: {cpu: 0}}", &["spec.size.cpu", "greater than or equal to 1"]),
    ("{credentialsSecret: a, size: {cpu: 0.5}}", &["spec.size.cpu", "must be of type integer"]),
    (
        "{credentialsSecret: a, size: {storageGB: 10, maxStorageGB: 9}}",
        &["spec.size.maxStorageGB", "maxStorageGB must not be less than storageGB"],
    ),
    ("{credentialsSecret: a, backup: {retentionDays: -1}}", &["spec.backup.retentionDays", "0"]),
    (
        "{credentialsSecret: a, maintenance: {window: {weekday: Wednesday, starttime: '03:00'}}}",
        &["spec.maintenance.window.weekday", "'Wednesday' is not a weekday: use Mon, Tue, Wed"],
    ),
    (
        "{credentialsSecret: a, maintenance: {window: {weekday: Wed, starttime: '24:00'}}}",
        &["spec.maintenance.window.starttime", "'24:00' is not a time", "for example 03:00"],
    ),
    (
        "{credentialsSecret: a, maintenance: {window: {weekday: Wed, starttime: 3am}}}",
        &["'3am' is not a time"],
    ),
    (
        "{credentialsSecret: a, network: {firewallRules: [{name: a, startIp: 1.2.3.4, endIp: 1.2.3.400}]}}",
        &["spec.network.firewallRules[0].endIp", "'1.2.3.400' is not an IPv4 address"],
    ),
    (
        "{credentialsSecret: a, network: {firewallRules: [{name: a, startIp: '2001:db8::1', endIp: 1.2.3.4}]}}",
        &["spec.network.firewallRules[0].startIp", "'2001:db8::1' is not an IPv4 address"],
    ),
    (
        "{credentialsSecret: a, network: {firewallRules: [{name: a, startIp: 1.2.3.4, endIp: 1.2.3.3}]}}",
        &["spec.network.firewallRules[0].endIp", "endIp 1.2.3.3 comes before startIp 1.2.3.4"],
    ),
    (
        "{credentialsSecret: a, network: {firewallRules: [{name: a, startIp: 1.2.3.4, endIp: 1.2.3.4}, \
         {name: a, startIp: 1.2.3.5, endIp: 1.2.3.5}]}}",
        &["spec.network.firewallRules", "names of firewall rules must be unique"],
    ),
    (
        "{credentialsSecret: a, extensions: ['a;b']}",
        &["spec.extensions[0]", "'a;b' is not a name of an extension"],
    ),
    ("{credentialsSecret: a, serverParameters: {a: {b: c}}}", &["spec.serverParameters.a"]),
    ("{credentialsSecret: a, serverParameters: {a: {}}}", &["spec.serverParameters.a"]),
    ("{credentialsSecret: a, serverParameters: {a: [b]}}", &["spec.serverParameters.a"]),
    ("{credentialsSecret: a, serverParameters: {a: []}}", &["spec.serverParameters.a"]),
    (
        "{credentialsSecret: a, deletionPolicy: Keep}",
        &["spec.deletionPolicy", "\"Keep\": supported values: \"Delete\", \"Snapshot\", \"Retain\""],
    ),
    (
        "{credentialsSecret: a, changeWindow: Later}",
        &["spec.changeWindow", "supported values: \"Immediate\", \"Maintenance\""],
    ),
];

/// Specs of databases, and parts of the messages about them.
const DATABASES: &[(&str, &[&str])] = &[
    ("{credentialsSecret: a}", &["spec.serverRef: Required value"]),
    ("{serverRef: {name: a}}", &["spec.credentialsSecret: Required value"]),
    (
        "{serverRef: {name: Team}, credentialsSecret: a}",
        &["spec.serverRef.name", "'Team' is not a valid name of a PostgreSQLServer"],
    ),
    (
        "{serverRef: {name: a}, credentialsSecret: a, database: {extensions: [hstore, '\"uuid-ossp\"']}}",
        &[
            "spec.database.extensions[1]",
            "'\"uuid-ossp\"' is not a name of an extension: write it without quotes",
        ],
    ),
    (
        "{serverRef: {name: a}, credentialsSecret: a, database: {extensions: ['x; DROP DATABASE y']}}",
        &["'x; DROP DATABASE y' is not a name of an extension"],
    ),
];

#[tokio::test]
async fn bad_servers_are_refused_with_a_sentence_that_helps() {
    let world = world().await;
    for (spec, parts) in SERVERS {
        refused(spec, &world.judge(&server("a", spec)), parts);
    }
}

#[tokio::test]
async fn bad_databases_are_refused_with_a_sentence_that_helps() {
    let world = world().await;
    for (spec, parts) in DATABASES {
        refused(spec, &world.judge(&database("a", spec)), parts);
    }
}

#[tokio::test]
async fn a_database_cannot_move_to_another_server() {
    let world = world().await;
    world.create(&database("moving", "{serverRef: {name: first}, credentialsSecret: a}"));
    let patch = r#"{"spec": {"serverRef": {"name": "second"}}}"#;
    let said = world.kubectl(&["patch", "pgdb", "moving", "--type=merge", "--patch", patch], "");
    refused(patch, &said, &["spec.serverRef.name", "stays on server 'first'; to have one on 'second'"]);
    let patch = r#"{"spec": {"credentialsSecret": "b", "serverRef": {"name": "first"}}}"#;
    let said = world.kubectl(&["patch", "pgdb", "moving", "--type=merge", "--patch", patch], "");
    assert!(said.ok, "{}", said.err);
}

fn refused(what: &str, said: &crate::world::Said, parts: &[&str]) {
    assert!(!said.ok, "{what} was let in");
    for part in parts {
        assert!(said.err.contains(part), "{what}: {part} is not in {}", said.err);
    }
}
