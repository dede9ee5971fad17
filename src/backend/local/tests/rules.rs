//! What is judged without a server.

use rstest::rstest;

use crate::api::{DeletionPolicy, HighAvailability, ParameterValue, PostgreSQLServerSpec};
use crate::backend::local::layout::short_id;
use crate::backend::local::process::complaint;
use crate::backend::{Change, DesiredServer, LocalBackend, ServerBackend, ServerFacts};
use crate::config::LocalConfig;

use super::host::{owner, spec_with};

fn backend(config: serde_json::Value) -> Result<LocalBackend, String> {
    let mut whole = serde_json::json!({"data_dir": "/nonexistent/data"});
    whole.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    let config: LocalConfig = serde_json::from_value(whole).unwrap();
    LocalBackend::new(config).map_err(|error| error.to_string())
}

fn rejected(spec: &PostgreSQLServerSpec) -> Vec<String> {
    let owner = owner("orders");
    let backend = backend(serde_json::json!({})).unwrap();
    let rejections = backend.validate(&DesiredServer::new(&owner, spec)).err().unwrap_or_default();
    rejections.into_iter().map(|rejection| rejection.field).collect()
}

#[rstest]
#[case(serde_json::json!({"data_dir": "relative"}), "data_dir")]
#[case(serde_json::json!({"data_dir": format!("/{}", "x".repeat(70))}), "70")]
#[case(serde_json::json!({"data_dir": "/a$b"}), "data_dir")]
#[case(serde_json::json!({"port_first": 9, "port_last": 8}), "port_last")]
#[case(serde_json::json!({"address": "0.0.0.0"}), "address")]
#[case(serde_json::json!({"admin_username": "pg_admin"}), "reserved")]
#[case(serde_json::json!({"name_pattern": "all"}), "name_pattern")]
#[case(serde_json::json!({"name_pattern": "{name}-{cluster}"}), "name_pattern")]
#[case(serde_json::json!({"bin_dir": "/nonexistent"}), "bin_dir")]
fn a_configuration_that_cannot_work_is_refused_with_its_key(
    #[case] config: serde_json::Value,
    #[case] names: &str,
) {
    let message = backend(config).unwrap_err();
    assert!(message.contains(names), "{message}");
}

#[rstest]
#[case("ssl")]
#[case("SSL_cert_file")]
#[case("listen_addresses")]
#[case("port")]
#[case("hba_file")]
#[case("archive_command")]
#[case("unix_socket_directories")]
#[case("password_encryption")]
#[case("include_dir")]
#[case("work_mem = 1 #")]
#[case("1work_mem")]
#[case("a.b.c")]
#[case("a.")]
#[case("a.1")]
#[case("")]
fn parameters_of_ours_and_no_parameters_at_all_are_refused(#[case] name: &str) {
    assert_eq!(rejected(&spec_with(&[(name, "x")])), [format!("serverParameters.{name}")]);
}

#[rstest]
#[case("shared_preload_libraries", "/tmp/evil")]
#[case("work_mem", "1'\ninclude '/etc/passwd")]
fn values_that_reach_further_are_refused(#[case] name: &str, #[case] value: &str) {
    assert_eq!(rejected(&spec_with(&[(name, value)])).len(), 1);
}

#[test]
fn only_what_would_be_dangerous_to_pass_over_is_refused() {
    let spec = PostgreSQLServerSpec {
        deletion_policy: Some(DeletionPolicy::Snapshot),
        version: Some("9".to_owned()),
        highavailability: Some(HighAvailability { enabled: Some(true) }),
        server_parameters: [("fsync".to_owned(), ParameterValue::Bool(false))].into(),
        ..PostgreSQLServerSpec::default()
    };
    assert_eq!(rejected(&spec), ["deletionPolicy", "version"]);
    let spec = PostgreSQLServerSpec { version: Some("latest".to_owned()), ..PostgreSQLServerSpec::default() };
    assert_eq!(rejected(&spec), Vec::<String>::new());
}

#[test]
fn what_is_not_done_here_is_told_and_does_not_stand_in_the_way() {
    let spec: PostgreSQLServerSpec = serde_json::from_value(serde_json::json!({
        "credentialsSecret": "any",
        "backup": {"retentionDays": 7},
        "highavailability": {"enabled": true},
        "extensions": ["hstore", "no-such-thing"],
        "size": {"class": "small", "cpu": 2, "memoryMB": 512, "storageGB": 1, "maxStorageGB": 9},
        "network": {"firewallRules": [{"name": "a", "startIp": "192.0.2.1", "endIp": "192.0.2.1"}]},
    }))
    .unwrap();
    assert_eq!(rejected(&spec), Vec::<String>::new());
    let (owner, backend) = (owner("orders"), backend(serde_json::json!({})).unwrap());
    let fields = |spec: &PostgreSQLServerSpec| -> Vec<String> {
        let told = backend.unsupported(&DesiredServer::new(&owner, spec));
        told.into_iter().map(|one| one.field).collect()
    };
    let all = [
        "extensions",
        "backup",
        "highavailability",
        "network.firewallRules",
        "size.class",
        "size.storageAutoGrow",
    ];
    assert_eq!(fields(&spec), all);
    assert_eq!(fields(&PostgreSQLServerSpec::default()), Vec::<String>::new());
}

#[test]
fn another_version_of_an_existing_server_is_refused() {
    let owner = owner("orders");
    let facts = ServerFacts {
        settings: [("power", "running"), ("version", "14")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        ..ServerFacts::default()
    };
    let backend = backend(serde_json::json!({})).unwrap();
    let spec = PostgreSQLServerSpec { version: Some("15".to_owned()), ..PostgreSQLServerSpec::default() };
    let differences = backend.differences(&DesiredServer::new(&owner, &spec), &facts);
    assert_eq!(differences.len(), 1);
    assert!(matches!(differences[0].change, Change::Refused { .. }));
}

#[test]
fn folder_names_are_short_stable_and_different() {
    assert_eq!(short_id("shop-orders"), short_id("shop-orders"));
    assert_eq!(short_id("shop-orders").len(), 12);
    assert_ne!(short_id("shop-orders"), short_id("shop-order"));
    // Servers are found under this name for ever.
    assert_eq!(short_id(""), "9ce48422e8d7");
}

#[test]
fn a_complaint_names_the_fault_and_repeats_no_statement() {
    let log = "2026-01-01 00:00:00.000 UTC [7] FATAL:  could not bind\n\
               2026-01-01 00:00:00.000 UTC [7] STATEMENT:  ALTER ROLE x PASSWORD 'secret'\n";
    assert_eq!(complaint(log), "FATAL:  could not bind");
    assert_eq!(complaint("only\nthis\n"), "only; this");
}

#[test]
fn programs_are_found_by_a_pattern_and_a_missing_version_is_told_with_those_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let real = backend(serde_json::json!({})).unwrap().local.installs.choose(None).unwrap().clone();
    for version in ["a", "b"] {
        let bin = folder.path().join(version).join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        for name in ["initdb", "pg_ctl", "postgres"] {
            let shown = match version {
                "a" => format!("exec '{}' \"$@\"", real.program(name).display()),
                _ => "[ $1 = --version ] && echo postgres \\(PostgreSQL\\) 9.6.24; true".to_owned(),
            };
            std::fs::write(bin.join(name), format!("#!/bin/sh\n{shown}\n")).unwrap();
            std::fs::set_permissions(bin.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o755))
                .unwrap();
        }
    }
    let (a, b) = (folder.path().join("a/bin"), folder.path().join("b/bin"));
    let pattern = folder.path().join("*/bin");
    for written in [pattern.display().to_string(), format!("{}:{}", b.display(), a.display())] {
        let backend = backend(serde_json::json!({"bin_dir": written})).unwrap();
        let owner = owner("orders");
        let spec = PostgreSQLServerSpec { version: Some("8".to_owned()), ..PostgreSQLServerSpec::default() };
        let told = backend.validate(&DesiredServer::new(&owner, &spec)).unwrap_err();
        let expected = format!(
            "PostgreSQL 8 is not installed; installed: {} ({} in {}), 9 (9.6.24 in {})",
            real.major,
            real.full,
            a.display(),
            b.display()
        );
        assert_eq!(told[0].message, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_operator_left_is_cleared_away_by_the_next_that_leads_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let leftovers = [".creating-0123456789ab", ".deleting-0123456789ab-1"];
    let make = |name: &str| std::fs::create_dir_all(folder.path().join(name).join("pgdata")).unwrap();
    let entries = || std::fs::read_dir(folder.path()).unwrap().count();
    make("0123456789ab");
    leftovers.iter().for_each(|name| make(name));
    let config: LocalConfig = serde_json::from_value(serde_json::json!({"data_dir": folder.path()})).unwrap();
    let standby = LocalBackend::new(config.clone()).unwrap();
    assert_eq!(entries(), 3, "whoever stands by leaves the work of the one that leads alone");
    standby.begin().await;
    assert_eq!(entries(), 1);
    leftovers.iter().for_each(|name| make(name));
    LocalBackend::new(config).unwrap().begin().await;
    assert_eq!(entries(), 3);
}
