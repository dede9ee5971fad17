//! The SQL suite (`src/postgres/tests/`) on every major version of PostgreSQL, as every kind of administrator.
//!
//! `HCPG_TEST_MAJORS="12 18"` tries these only; then `docs/postgresql-versions.md` is not compared.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use integration_tests::operator::project_file;
use integration_tests::postgres_versions::{MAJORS, PostgresVersion, fetch_or_leave_out};

/// As `HCPG_TEST_POSTGRES_ADMIN` has them, see `src/postgres/tests/admins.rs`.
const ADMINS: [&str; 3] = ["plain", "rds", "azure"];
/// What has nothing to do with the kind of the administrator is tried as the plain one only.
const SAME_FOR_ALL: [&str; 4] = [
    "postgres::tests::login",
    "postgres::tests::names",
    "postgres::tests::secrecy",
    "postgres::tests::statements",
];
/// Runs beside each other.
const WORKERS: usize = 2;
/// Set to write the table instead of comparing it.
const WRITE: &str = "HCPG_WRITE_TABLES";
const PAGE: &str = "docs/postgresql-versions.md";
const BEGIN: &str = "<!-- table of integration-tests/tests/postgres_matrix.rs -->\n";
const END: &str = "<!-- end -->";

/// One run of the suite.
struct Cell {
    major: u32,
    admin: &'static str,
    passed: Option<u32>,
    took: Duration,
    said: String,
}

#[test]
fn every_major_version_and_administrator() {
    let chosen = std::env::var("HCPG_TEST_MAJORS").ok();
    let majors: Vec<u32> = match &chosen {
        Some(text) => text.split_whitespace().map(|major| major.parse().unwrap()).collect(),
        None => MAJORS.to_vec(),
    };
    let Some(versions) = fetch_or_leave_out(&majors) else { return };
    let suite = suite();
    let todo: Vec<_> =
        versions.iter().flat_map(|version| ADMINS.iter().map(move |admin| (version, *admin))).rev().collect();
    let (todo, done) = (Mutex::new(todo), Mutex::new(Vec::new()));
    println!("PostgreSQL · administrator: tests passed, time");
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = todo.lock().unwrap().pop();
                    let Some((version, admin)) = next else { break };
                    let cell = run(&suite, version, admin);
                    let passed = cell.passed.map_or("FAILED".to_owned(), |passed| format!("{passed} passed"));
                    println!("{} · {admin}: {passed}, {:.1} s", cell.major, cell.took.as_secs_f32());
                    done.lock().unwrap().push(cell);
                }
            });
        }
    });
    let cells = done.into_inner().unwrap();
    let mut failed = String::new();
    for cell in cells.iter().filter(|cell| cell.passed.is_none()) {
        let _ = writeln!(failed, "PostgreSQL {} as {}:\n{}", cell.major, cell.admin, cell.said);
    }
    assert!(failed.is_empty(), "{failed}");
    if chosen.is_none() {
        compare(&versions);
    }
}

/// The program with the library's unit tests: built already where everything is built, else now.
fn suite() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--workspace", "--lib", "--no-run", "--message-format=json"])
        .current_dir(project_file(""))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the unit tests cannot be built, see above");
    let messages = String::from_utf8(output.stdout).unwrap();
    let mut artefacts = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let ours = message["target"]["name"] == "hcpg" && message["profile"]["test"] == true;
        ours.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
    });
    artefacts.next().expect("cargo names the program of the unit tests")
}

fn run(suite: &Path, version: &PostgresVersion, admin: &'static str) -> Cell {
    let started = Instant::now();
    let mut command = Command::new(suite);
    command.args(["postgres::", "--test-threads=4"]);
    if admin != "plain" {
        command.args(SAME_FOR_ALL.iter().flat_map(|module| ["--skip", module]));
    }
    let output = command
        .current_dir(project_file(""))
        .env("HCPG_TEST_POSTGRES_BIN", &version.bin)
        .env("HCPG_TEST_POSTGRES_ADMIN", admin)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let counted = said.lines().find_map(|line| {
        let (_, rest) = line.split_once("test result: ok. ")?;
        rest.split_once(" passed")?.0.parse().ok()
    });
    // A filter that finds nothing passes as well.
    let passed = counted.filter(|passed| output.status.success() && *passed > 20);
    Cell { major: version.major, admin, passed, took: started.elapsed(), said }
}

fn compare(versions: &[PostgresVersion]) {
    let mut table = String::from("| PostgreSQL | tried with |\n|---|---|\n");
    for version in versions {
        let output = Command::new(version.bin.join("postgres")).arg("--version").output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let number = said.split_whitespace().nth(2).unwrap();
        let _ = writeln!(table, "| {} | {number} |", version.major);
    }
    let page = std::fs::read_to_string(project_file(PAGE)).unwrap();
    let (head, rest) = page.split_once(BEGIN).expect("the table's begin");
    let (committed, tail) = rest.split_once(END).expect("the table's end");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(project_file(PAGE), format!("{head}{BEGIN}{table}{END}{tail}")).unwrap();
        return;
    }
    assert_eq!(
        table, committed,
        "{WRITE}=1 cargo test --package integration-tests --test postgres_matrix writes it"
    );
}
