#![allow(clippy::unwrap_used)]

use std::path::Path;

use rstest::rstest;

use super::*;

mod clouds;
mod variables;

const MINIMAL: &str = "backend: local\nbackends:\n  local:\n    data_dir: /data\n";

fn parse(yaml: &str, variables: &[(&str, &str)]) -> Result<Loaded, LoadError> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse(yaml, Path::new("config.yaml"), variables)
}

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

/// Every finding of a configuration that cannot be used.
fn refused(yaml: &str, variables: &[(&str, &str)]) -> Vec<String> {
    match parse(yaml, variables) {
        Err(LoadError::Invalid(findings)) => lines(&findings.0),
        other => panic!("expected findings, got {other:?}"),
    }
}

fn accepted(yaml: &str, variables: &[(&str, &str)]) -> Loaded {
    match parse(yaml, variables) {
        Ok(loaded) => loaded,
        Err(error) => panic!("expected a configuration, got\n{error}"),
    }
}

/// With the backends of this version put in.
fn available(expected: &str) -> String {
    expected.replace("AVAILABLE", &available_backends().collect::<Vec<_>>().join(", "))
}

#[test]
fn the_minimal_file_gets_every_default() {
    let Loaded { config, warnings } = accepted(MINIMAL, &[]);
    assert_eq!(warnings, []);
    assert_eq!(config.mode, Mode::Manage);
    assert_eq!(config.security, Security { password_length: 16, special_characters: true });
    assert_eq!(config.reconcile.resync_seconds, 600);
    assert_eq!(config.reconcile.concurrency, 8);
    let local = config.backends.local.as_ref().unwrap();
    assert_eq!((local.port_first, local.port_last), (54320, 54519));
    assert!(config.allows("local") && !config.allows("awsrds"));
}

#[test]
fn every_wrong_value_is_reported_at_once_with_its_place() {
    let yaml = "backend: local
handler_on_resume: maybe
backends:
  local:
    data_dir: data
    port_first: abc
    port_last: 70000
    address: somewhere
security:
  password_length: 7
reconcile:
  concurrency: [1]
";
    assert_eq!(
        refused(yaml, &[]),
        [
            "config.yaml:2:20: handler_on_resume: found \"maybe\", expected true or false",
            "config.yaml:5:15: backends.local.data_dir: found \"data\", expected an absolute path",
            "config.yaml:6:17: backends.local.port_first: found \"abc\", expected a whole number from 1024 to 65535",
            "config.yaml:7:16: backends.local.port_last: found 70000, expected a whole number from 1024 to 65535",
            "config.yaml:8:14: backends.local.address: found \"somewhere\", expected an IP address",
            "config.yaml:10:20: security.password_length: found 7, expected a whole number from 8 to 128",
            "config.yaml:12:16: reconcile.concurrency: found a list, expected a whole number from 1 to 256",
        ]
    );
}

#[test]
fn unknown_keys_warn_at_every_level() {
    let yaml = format!("{MINIMAL}    prot_first: 1\nsecurity:\n  length: 3\nextra:\n  deep: 1\n");
    let Loaded { warnings, .. } = accepted(&yaml, &[]);
    assert!(warnings.iter().all(|finding| finding.severity == Severity::Warning));
    let places: Vec<_> = warnings
        .iter()
        .map(|w| (w.position.unwrap().line, w.position.unwrap().column, w.key.as_str()))
        .collect();
    assert_eq!(places, [(5, 5, "backends.local.prot_first"), (7, 3, "security.length"), (8, 1, "extra")]);
    assert!(warnings[1].to_string().ends_with(
        "security.length: found an unknown key, expected one of: password_length, special_characters; ignored"
    ));
}

#[rstest]
#[case(
    "backend: helmyugabyte\n",
    "config.yaml:1:10: backend: found \"helmyugabyte\", which is not part of this version, expected one of: AVAILABLE"
)]
#[case(
    "backend: mongo\n",
    "config.yaml:1:10: backend: found \"mongo\", expected the name of a backend (available: AVAILABLE)"
)]
#[case(
    "backend: local\n",
    "config.yaml:1:1: backends.local: found nothing, expected a section, since backend names this backend"
)]
#[case(
    "backend: local\nbackends:\n  local: {}\n",
    "config.yaml:3:10: backends.local.data_dir: found nothing, expected a text"
)]
#[case(
    "",
    "config.yaml:1:1: backend: found nothing, expected the name of the default backend (available: AVAILABLE)"
)]
#[case("backend:\n", "expected the name of the default backend (available: AVAILABLE)")]
#[case("# nothing\n", "expected the name of the default backend (available: AVAILABLE)")]
#[case("just words", "config.yaml: found \"just words\", expected a mapping of keys to values")]
#[case("- local", "config.yaml: found a list, expected a mapping of keys to values")]
fn a_file_that_names_no_usable_backend_is_refused(#[case] yaml: &str, #[case] expected: &str) {
    let findings = refused(yaml, &[]);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].ends_with(&available(expected)), "{}", findings[0]);
}

#[rstest]
#[case("allowed_backends: [local, helmyugabyte]\n", &["config.yaml:5:27: allowed_backends[1]: found \"helmyugabyte\", which is not part of this version, expected one of: AVAILABLE"])]
#[case("allowed_backends: [local, [x]]\n", &["config.yaml:5:27: allowed_backends[1]: found a list, expected a text"])]
#[case("    port_first: 6000\n    port_last: 5000\n", &["config.yaml:6:16: backends.local.port_last: found 5000, expected at least 6000, the first port"])]
#[case("    name_pattern: '{name}-{cluster}'\n", &["config.yaml:5:19: backends.local.name_pattern: found \"{name}-{cluster}\", expected no other variables than {namespace} and {name}"])]
#[case("    name_pattern: '{namespace}'\n", &["config.yaml:5:19: backends.local.name_pattern: found \"{namespace}\", expected {name} in it, or all objects would share one server"])]
#[case("    admin_username: pg_admin\n", &["config.yaml:5:21: backends.local.admin_username: found \"pg_admin\", expected 1 to 63 bytes that do not begin with pg_"])]
#[case("    admin_username: \"a\\nb\"\n", &["config.yaml:5:21: backends.local.admin_username: found \"a\\nb\", expected no control characters"])]
#[case("    name_pattern: \"{namespace}\\0{name}\"\n", &["config.yaml:5:19: backends.local.name_pattern: found \"{namespace}\\0{name}\", expected no control characters"])]
#[case("    admin_username: hcpg_superuser\n", &["config.yaml:5:21: backends.local.admin_username: found \"hcpg_superuser\", expected a name that is not reserved"])]
#[case("    address: '::'\n", &["config.yaml:5:14: backends.local.address: found \"::\", expected an address to connect to, for example 127.0.0.1 or ::1"])]
#[case("    bin_dir: /nonexistent\n", &["config.yaml:5:14: backends.local.bin_dir: found \"/nonexistent\", where no initdb is, expected the folder of PostgreSQL's initdb, pg_ctl and postgres"])]
#[case("mode: watch\n", &["config.yaml:5:7: mode: found \"watch\", expected one of: manage, observe"])]
fn values_are_judged_together(#[case] more: &str, #[case] expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|one| available(one)).collect();
    assert_eq!(refused(&format!("{MINIMAL}{more}"), &[]), expected);
}

#[test]
fn a_long_data_dir_is_refused() {
    let yaml = MINIMAL.replace("/data", &format!("/{}", "d".repeat(70)));
    assert!(refused(&yaml, &[])[0].ends_with("expected at most 70 bytes, since Unix sockets stand below it"));
    accepted(&MINIMAL.replace("/data", &format!("/{}", "d".repeat(69))), &[]);
}

#[test]
fn a_data_dir_that_a_shell_would_take_apart_is_refused() {
    let findings = refused(&MINIMAL.replace("/data", "/$HOME"), &[]);
    assert_eq!(
        findings,
        [
            "config.yaml:4:15: backends.local.data_dir: found \"/$HOME\", expected a path without quotes, backslashes, \
             control characters, $ ` and ,"
        ]
    );
}

#[test]
fn texts_stay_as_they_are_written() {
    let yaml = format!("{MINIMAL}    admin_username: on\n    run_as_user: 0777\n    bin_dir: ''\n");
    let local = accepted(&yaml, &[]).config.backends.local.unwrap();
    assert_eq!((local.admin_username.as_str(), local.run_as_user.as_str()), ("on", "0777"));
    assert_eq!(local.bin_dir, None);
}

#[test]
fn an_empty_value_means_the_default() {
    let yaml = format!("{MINIMAL}security:\nreconcile:\n  poll_seconds:\nallowed_backends: null\n");
    let Loaded { config, warnings } = accepted(&yaml, &[]);
    assert_eq!((config.security.password_length, config.reconcile.poll_seconds), (16, 5));
    assert_eq!(warnings, []);
}

#[test]
fn truths_and_numbers_in_quotes_are_taken_for_what_they_say() {
    let yaml = format!(
        "{MINIMAL}handler_on_resume: \"false\"\nsecurity:\n  password_length: \"20\"\n  special_characters: off\n"
    );
    let Loaded { config, warnings } = accepted(&yaml, &[]);
    assert!(!config.handler_on_resume && !config.security.special_characters);
    assert_eq!(config.security.password_length, 20);
    assert_eq!(
        lines(&warnings),
        [
            "config.yaml:5:20: handler_on_resume: found \"false\", expected false without quotes; taken as false",
            "config.yaml:5:20: handler_on_resume: found \"false\", expected it left out, since it has no effect any more",
        ]
    );
}

#[test]
fn of_a_repeated_key_the_last_counts_with_a_warning() {
    let Loaded { config, warnings } = accepted(&format!("{MINIMAL}mode: manage\nmode: observe\n"), &[]);
    assert_eq!(config.mode, Mode::Observe);
    assert_eq!(
        lines(&warnings),
        ["config.yaml:6:1: mode: found the key again, expected each key once; the last one counts"]
    );
}

#[test]
fn anchors_and_merges_work() {
    let yaml = "backend: &name local\nallowed_backends: [*name]\nbackends:\n  local:\n    data_dir: /data\n";
    assert_eq!(accepted(yaml, &[]).config.allowed_backends, ["local"]);
}

#[test]
fn broken_yaml_is_reported_with_its_place() {
    let findings = refused("backend: local\nbackends: [\n", &[]);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].starts_with("config.yaml:"), "{}", findings[0]);
    assert!(findings[0].contains("not YAML") && !findings[0].contains(['\n']), "{}", findings[0]);
    assert!(!findings[0].contains(" at line "), "{}", findings[0]);
}

#[test]
fn the_environment_is_typed_and_wins() {
    let Loaded { config, warnings } = accepted(
        MINIMAL,
        &[
            ("HYBRIDCLOUD_SECURITY_PASSWORD_LENGTH", "24"),
            ("HYBRIDCLOUD_SECURITY_SPECIAL_CHARACTERS", "no"),
            ("HYBRIDCLOUD_BACKENDS_LOCAL_DATA_DIR", "/other"),
            ("HYBRIDCLOUD_BACKENDS_LOCAL_PORT_FIRST", ""),
            ("HYBRIDCLOUD_BACKENDS_LOCAL_ADMIN_USERNAME", "yes"),
            ("HYBRIDCLOUD_ALLOWED_BACKENDS", "[local]"),
            ("HYBRIDCLOUD_BACKENDS_AWSRDS", "{region: eu-central-1, subnet_group: s}"),
            ("HYBRIDCLOUD_MODE", "observe"),
            ("PATH", "/bin"),
        ],
    );
    assert_eq!(warnings, []);
    assert!(!config.security.special_characters);
    assert_eq!((config.security.password_length, config.mode), (24, Mode::Observe));
    assert_eq!(config.allowed_backends, ["local"]);
    assert!(config.backends.has_section("awsrds"));
    let local = config.backends.local.unwrap();
    assert_eq!((local.data_dir.as_path(), local.port_first), (Path::new("/other"), 54320));
    assert_eq!(local.admin_username, "yes");
}

#[test]
fn the_environment_alone_is_enough() {
    let variables = [("HYBRIDCLOUD_BACKEND", "local"), ("HYBRIDCLOUD_BACKENDS_LOCAL_DATA_DIR", "/data")];
    assert_eq!(accepted("", &variables).config.backend, "local");
}

#[test]
fn bad_variables_are_named() {
    let findings = refused(
        MINIMAL,
        &[
            ("HYBRIDCLOUD_SECURITY_PASSWORD_LENGTH", "many"),
            ("HYBRIDCLOUD_HANDLER_ON_RESUME", "maybe"),
            ("HYBRIDCLOUD_ALLOWED_BACKENDS", "[local"),
            ("HYBRIDCLOUD_BACKENDS_LOCAL_DATA_DIR", "relative"),
            ("HYBRIDCLOUD_SECURTY_PASSWORD_LENGTH", "20"),
            ("HYBRIDCLOUD_BACKENDS_AWSRDS_CLASSES", "[x]"),
            ("HYBRIDCLOUD_BACKENDS_AWSRDS_REGION", "x"),
            ("HYBRIDCLOUD_BACKENDS_AWSRDS_SUBNET_GROUP", "s"),
        ],
    );
    for expected in [
        "HYBRIDCLOUD_SECURITY_PASSWORD_LENGTH: security.password_length: found \"many\", expected a whole number from 8 to 128",
        "HYBRIDCLOUD_HANDLER_ON_RESUME: handler_on_resume: found \"maybe\", expected true or false",
        "HYBRIDCLOUD_BACKENDS_LOCAL_DATA_DIR: backends.local.data_dir: found \"relative\", expected an absolute path",
        "HYBRIDCLOUD_SECURTY_PASSWORD_LENGTH: found an unknown variable (did you mean HYBRIDCLOUD_SECURITY_PASSWORD_LENGTH?), expected the name of a key in upper case; ignored",
        "HYBRIDCLOUD_BACKENDS_AWSRDS_CLASSES: backends.awsrds.classes: found a list, expected a mapping of keys to values",
    ] {
        assert!(findings.iter().any(|line| line == expected), "{expected}\nis not in\n{findings:#?}");
    }
    assert!(
        findings
            .iter()
            .any(|line| line.starts_with("HYBRIDCLOUD_ALLOWED_BACKENDS: allowed_backends: found \"[local\""))
    );
    assert_eq!(findings.len(), 6);
}

#[test]
fn a_missing_file_says_what_to_do() {
    let error = Config::load(Path::new("/nowhere/config.yaml"), std::iter::empty()).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, LoadError::Unreadable { .. }));
    assert!(
        text.contains("/nowhere/config.yaml")
            && text.contains("OPERATOR_CONFIG")
            && text.contains("backend: local")
    );
}

#[test]
fn the_surroundings_have_defaults() {
    let environment =
        Environment::from_variables([("OPERATOR_CONFIG".to_owned(), String::new())].into_iter());
    assert_eq!(environment.config_path, Path::new("config.yaml"));
    assert_eq!(environment.operator_namespace, "default");
    let environment = Environment::from_variables(
        [("OPERATOR_CONFIG", "/etc/c.yaml"), ("KUBERNETES_NAMESPACE", "ops")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter(),
    );
    assert_eq!(
        (environment.config_path.as_path(), environment.operator_namespace.as_str()),
        (Path::new("/etc/c.yaml"), "ops")
    );
}

#[rstest]
#[case("", &[], None)]
#[case("team-a", &["team-a"], None)]
#[case(" b, a ,b,,", &["a", "b"], None)]
#[case(",", &[""], Some(""))]
#[case(" ", &[""], Some(""))]
#[case("a,team b", &["a", "team b"], Some("team b"))]
#[case("a,-b", &["-b", "a"], Some("-b"))]
#[case("Team", &["Team"], Some("Team"))]
fn namespaces_are_listed_once_and_must_be_names(
    #[case] value: &str,
    #[case] expected: &[&str],
    #[case] wrong: Option<&str>,
) {
    let variable = ("WATCH_NAMESPACES".to_owned(), value.to_owned());
    let environment = Environment::from_variables([variable].into_iter());
    assert_eq!(environment.watch_namespaces, expected);
    assert_eq!(environment.check().err().map(|error| error.name).as_deref(), wrong);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(yaml in "[a-z:\\-\\[\\]{}&*!\"' \n#|>0-9]{0,60}") {
        let _ = parse(&yaml, &[]);
        let _ = parse(MINIMAL, &[("HYBRIDCLOUD_ALLOWED_BACKENDS", &yaml)]);
    }

    #[test]
    fn numbers_in_range_arrive_and_others_are_refused(length in 0u64..300) {
        let loaded = parse(MINIMAL, &[("HYBRIDCLOUD_SECURITY_PASSWORD_LENGTH", &length.to_string())]);
        match loaded {
            Ok(loaded) => proptest::prop_assert_eq!(loaded.config.security.password_length as u64, length),
            Err(_) => proptest::prop_assert!(!(8..=128).contains(&length)),
        }
    }
}
