//! The operator is started with configurations that are wrong, and says where and how.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use integration_tests::operator::{OperatorOptions, operator_binary};
use integration_tests::world::World;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// What a line of the configuration says that can be used.
const GOOD: &str = "backend: local\nbackends:\n  local:\n    data_dir: /tmp/servers\n";

/// A wrong configuration, and all that the message must contain.
struct Wrong {
    what: &'static str,
    yaml: String,
    variable: Option<(&'static str, &'static str)>,
    /// Line and column in the file, key, what was found and what is expected.
    says: [String; 4],
}

fn wrong(what: &'static str, yaml: impl Into<String>, says: [&str; 4]) -> Wrong {
    Wrong { what, yaml: yaml.into(), variable: None, says: says.map(str::to_owned) }
}

fn local(line: &str) -> String {
    format!("{GOOD}    {line}\n")
}

fn table() -> Vec<Wrong> {
    let long = format!("/tmp/{}", "x".repeat(70));
    vec![
        wrong(
            "not YAML",
            "backend: [local\nbackends: {\n",
            [":2:", "", "found something that is not YAML", "expected a mapping of keys to values"],
        ),
        wrong(
            "no mapping",
            "local\n",
            ["config.yaml:", "", "found \"local\"", "expected a mapping of keys to values"],
        ),
        wrong(
            "no backend",
            GOOD.replace("backend: local\n", ""),
            [
                ":1:1:",
                " backend:",
                "found nothing",
                "expected the name of the default backend (available: local, azurepostgres, azurepostgresflexible, awsrds, awsaurora)",
            ],
        ),
        wrong(
            "an unknown backend",
            GOOD.replace("backend: local", "backend: mongo"),
            [
                ":1:10:",
                " backend:",
                "found \"mongo\"",
                "expected the name of a backend (available: local, azurepostgres, azurepostgresflexible, awsrds, awsaurora)",
            ],
        ),
        wrong(
            "a backend that is not in this version",
            GOOD.replace("backend: local", "backend: helmyugabyte"),
            [
                ":1:10:",
                " backend:",
                "found \"helmyugabyte\", which is not part of this version",
                "expected one of: local",
            ],
        ),
        wrong(
            "a backend without its section",
            "backend: local\n",
            [":1:1:", " backends.local:", "found nothing", "expected a section"],
        ),
        wrong(
            "a value of the wrong type",
            local("port_first: many"),
            [
                ":5:17:",
                " backends.local.port_first:",
                "found \"many\"",
                "expected a whole number from 1024 to 65535",
            ],
        ),
        wrong(
            "a section of the wrong type",
            format!("{GOOD}reconcile: often\n"),
            [":5:12:", " reconcile:", "found \"often\"", "expected "],
        ),
        wrong(
            "an empty range of ports",
            local("port_first: 5000\n    port_last: 4999"),
            [":6:16:", " backends.local.port_last:", "found 4999", "expected at least 5000"],
        ),
        wrong(
            "a folder of programs without initdb",
            local("bin_dir: /tmp"),
            [":5:14:", " backends.local.bin_dir:", "found \"/tmp\"", "initdb"],
        ),
        wrong(
            "a relative data_dir",
            GOOD.replace("/tmp/servers", "servers"),
            [":4:15:", " backends.local.data_dir:", "found \"servers\"", "expected an absolute path"],
        ),
        wrong(
            "a data_dir that is too long",
            GOOD.replace("/tmp/servers", &long),
            [":4:15:", " backends.local.data_dir:", "found \"/tmp/xxx", "expected at most 70 bytes"],
        ),
        wrong(
            "a data_dir with what PostgreSQL's programs cannot handle",
            GOOD.replace("/tmp/servers", "/tmp/$HOME"),
            [":4:15:", " backends.local.data_dir:", "found \"/tmp/$HOME\"", "expected "],
        ),
        wrong(
            "the name of the operator's own superuser",
            local("admin_username: hcpg_superuser"),
            [":5:21:", " backends.local.admin_username:", "found \"hcpg_superuser\"", "expected "],
        ),
        wrong(
            "an address that nobody can connect to",
            local("address: 0.0.0.0"),
            [":5:14:", " backends.local.address:", "found \"0.0.0.0\"", "expected "],
        ),
        Wrong {
            variable: Some(("HYBRIDCLOUD_RECONCILE_POLL_SECONDS", "often")),
            ..wrong(
                "a variable of the wrong type",
                GOOD,
                [
                    "HYBRIDCLOUD_RECONCILE_POLL_SECONDS:",
                    " reconcile.poll_seconds:",
                    "found \"often\"",
                    "expected a whole number from 1 to 600",
                ],
            )
        },
    ]
}

/// A folder with `config.yaml` in it.
fn written(yaml: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, yaml).unwrap();
    (folder, path)
}

/// Runs the operator to its end: exit code, and what it said on both channels.
fn ended(mut command: Command) -> (Option<i32>, String) {
    let kubeconfig = command.get_current_dir().unwrap().join("kubeconfig");
    // Nobody answers there, and nobody need: the configuration comes first.
    std::fs::write(
        &kubeconfig,
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "nowhere",
            "clusters": [{"name": "nowhere", "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": "nobody", "user": {}}],
            "contexts": [{"name": "nowhere", "context": {"cluster": "nowhere", "user": "nobody"}}],
        })
        .to_string(),
    )
    .unwrap();
    command.env("KUBECONFIG", kubeconfig);
    // One that does not end would run for ever.
    let mut guarded = Command::new("timeout");
    guarded.arg("20").arg(command.get_program()).args(command.get_args());
    guarded.current_dir(command.get_current_dir().unwrap());
    guarded.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = guarded.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

/// The operator; cargo is asked for it once.
async fn operator() -> Command {
    static BINARY: OnceCell<PathBuf> = OnceCell::const_new();
    Command::new(BINARY.get_or_init(async || operator_binary().await.unwrap()).await)
}

async fn run(folder: &Path, variable: Option<(&str, &str)>) -> Command {
    let mut command = operator().await;
    command.args(["run", "--http-address", "127.0.0.1:0"]).current_dir(folder).envs(variable);
    command
}

async fn check(folder: &Path, variable: Option<(&str, &str)>) -> Command {
    let mut command = operator().await;
    command.arg("check-config").arg(folder.join("config.yaml")).current_dir(folder).envs(variable);
    command
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_place_key_found_and_expected() {
    for Wrong { what, yaml, variable, says } in table() {
        let (folder, path) = written(&yaml);
        let mut commands = vec![check(folder.path(), variable).await, run(folder.path(), variable).await];
        // The file may be named by a variable too, and then that name is in the message.
        commands[1].env("OPERATOR_CONFIG", &path);
        for command in commands {
            let shown = format!("{command:?}");
            let (code, said) = ended(command);
            assert_eq!(code, Some(1), "{what}: {shown}\n{said}");
            for part in &says {
                assert!(said.contains(part), "{what}: {shown}\nnot in the message: {part}\n{said}");
            }
            if variable.is_none() {
                assert!(said.contains(&*path.to_string_lossy()), "{what}: the file is not named\n{said}");
            }
        }
    }
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut named = run(folder.path(), None).await;
    named.args(["--config", "/nonexistent/c.yaml"]);
    let (code, said) = ended(named);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cannot read the configuration file /nonexistent/c.yaml"), "{said}");
    // What to do is in there too.
    assert!(said.contains("backend: local"), "{said}");

    let (code, said) = ended(run(folder.path(), None).await);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cannot read the configuration file config.yaml"), "{said}");

    let (code, said) = ended(check(folder.path(), None).await);
    assert_eq!(code, Some(2), "{said}");
}

#[tokio::test]
async fn a_good_configuration_is_confirmed() {
    let (folder, path) = written(GOOD);
    let (code, said) = ended(check(folder.path(), None).await);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        said,
        format!("{} can be used: default backend local, 0 errors, 0 warnings\n", path.display())
    );

    let (folder, _) = written(&format!("{GOOD}colour: blue\n"));
    let (code, said) = ended(check(folder.path(), None).await);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("config.yaml:5:1: colour: found an unknown key"), "{said}");
}

#[tokio::test]
async fn variables_reach_keys_with_underscores_in_them() {
    // What stands in the file cannot be used; with the variable in its place it can.
    let (folder, _) = written(&format!("{GOOD}reconcile:\n  poll_seconds: often\n"));
    let (code, said) = ended(check(folder.path(), None).await);
    assert_eq!(code, Some(1), "{said}");
    let variable = Some(("HYBRIDCLOUD_RECONCILE_POLL_SECONDS", "7"));
    let (code, said) = ended(check(folder.path(), variable).await);
    assert_eq!(code, Some(0), "{said}");

    let unknown = Some(("HYBRIDCLOUD_RECONCILE_POLL_MINUTES", "7"));
    let (folder, _) = written(GOOD);
    let (code, said) = ended(check(folder.path(), unknown).await);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("HYBRIDCLOUD_RECONCILE_POLL_MINUTES"),
        "a variable without effect is not mentioned"
    );
}

#[tokio::test]
async fn the_operator_runs_with_unknown_keys_and_with_variables_in_place_of_values() {
    let world = World::start_with(OperatorOptions {
        config: json!({"colour": "blue", "reconcile": {"poll_seconds": "often"}}),
        environment: vec![("HYBRIDCLOUD_RECONCILE_POLL_SECONDS".to_owned(), "1".to_owned())],
        ..OperatorOptions::default()
    })
    .await;
    assert!(world.operator.is_running());
    let log = world.operator.log();
    assert!(log.contains("colour: found an unknown key"), "{log}");
}

#[tokio::test]
async fn every_mistake_of_a_file_is_named_at_once_with_its_place() {
    let fixture = |name: &str| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(format!("config-with-ten-mistakes.{name}"))
    };
    let (folder, path) = written(&std::fs::read_to_string(fixture("yaml")).unwrap());
    // One that nobody meant, and one that is meant for a class.
    let mut command = check(folder.path(), Some(("HYBRIDCLOUD_SECURITY_PASWORD_LENGTH", "20"))).await;
    command.env("HYBRIDCLOUD_BACKENDS_AWSRDS_CLASSES_LARGE_IOPS", "many");
    let (code, said) = ended(command);
    assert_eq!(code, Some(1), "{said}");
    let said = said.replace(&*path.to_string_lossy(), "config.yaml");
    assert_eq!(said, std::fs::read_to_string(fixture("txt")).unwrap(), "{said}");
}

#[tokio::test]
async fn a_key_is_explained() {
    let (folder, path) = written(GOOD);
    let mut command = check(folder.path(), None).await;
    command.args(["--explain", "backends.local.data_dir"]);
    let (code, said) = ended(command);
    assert_eq!(code, Some(0), "{said}");
    let now = format!("  now       \"/tmp/servers\", set in {}:4:15\n", path.display());
    assert!(said.starts_with("backends.local.data_dir\n") && said.ends_with(&now), "{said}");
    let mut command = check(folder.path(), None).await;
    command.args(["--explain", "backends.local.datadir"]);
    let (code, said) = ended(command);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("did you mean backends.local.data_dir?"), "{said}");
}
