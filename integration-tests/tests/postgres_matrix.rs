//! Every major version of PostgreSQL: the SQL suite (`src/postgres/tests/`) as every kind of administrator, and a
//! server's life in the backend `local` (`conformance_local.rs`).
//!
//! `HCPG_TEST_MAJORS="12 18"` tries these only; then `docs/postgresql-versions.md` is not compared.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use integration_tests::operator::project_file;
use integration_tests::postgres_versions::{MAJORS, PostgresVersion, fetch_or_leave_out};

/// What is tried on each version; the SQL suite as the administrators of `HCPG_TEST_POSTGRES_ADMIN`, see
/// `src/postgres/tests/admins.rs`.
const PARTS: [Part; 4] = [Part::Sql("plain"), Part::Sql("rds"), Part::Sql("azure"), Part::Local];
/// What has nothing to do with the kind of the administrator is tried as the plain one only.
const SAME_FOR_ALL: [&str; 4] = [
    "postgres::tests::login",
    "postgres::tests::names",
    "postgres::tests::secrecy",
    "postgres::tests::statements",
];
/// Runs beside each other.
const WORKERS: usize = 4;
/// Set to write the table instead of comparing it.
const WRITE: &str = "HCPG_WRITE_TABLES";
const PAGE: &str = "docs/postgresql-versions.md";
const BEGIN: &str = "<!-- table of integration-tests/tests/postgres_matrix.rs -->\n";
const END: &str = "<!-- end -->";

/// What is tried on a version.
#[derive(Clone, Copy)]
enum Part {
    /// The SQL suite, as this administrator.
    Sql(&'static str),
    /// A life in the backend `local`.
    Local,
}

/// The programs with the tests.
struct Programs {
    sql: PathBuf,
    local: PathBuf,
}

/// One run.
struct Cell {
    major: u32,
    part: Part,
    passed: Option<u32>,
    took: Duration,
    said: String,
}

#[test]
fn every_major_version_with_every_administrator_and_as_a_local_server() {
    let chosen = std::env::var("HCPG_TEST_MAJORS").ok();
    let majors: Vec<u32> = match &chosen {
        Some(text) => text.split_whitespace().map(|major| major.parse().unwrap()).collect(),
        None => MAJORS.to_vec(),
    };
    let Some(versions) = fetch_or_leave_out(&majors) else { return };
    let programs = Programs {
        sql: program(&["--lib"], "hcpg"),
        local: program(&["--test", "conformance_local"], "conformance_local"),
    };
    let todo: Vec<_> =
        versions.iter().flat_map(|version| PARTS.iter().map(move |part| (version, *part))).rev().collect();
    let (todo, done) = (Mutex::new(todo), Mutex::new(Vec::new()));
    println!("PostgreSQL · what is tried: tests passed, time");
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = todo.lock().unwrap().pop();
                    let Some((version, part)) = next else { break };
                    let cell = run(&programs, version, part);
                    let passed = cell.passed.map_or("FAILED".to_owned(), |passed| format!("{passed} passed"));
                    println!("{} · {}: {passed}, {:.1} s", cell.major, part.name(), cell.took.as_secs_f32());
                    done.lock().unwrap().push(cell);
                }
            });
        }
    });
    let cells = done.into_inner().unwrap();
    let mut failed = String::new();
    for cell in cells.iter().filter(|cell| cell.passed.is_none()) {
        let _ = writeln!(failed, "PostgreSQL {}, {}:\n{}", cell.major, cell.part.name(), cell.said);
    }
    assert!(failed.is_empty(), "{failed}");
    if chosen.is_none() {
        compare(&versions);
    }
}

impl Part {
    fn name(self) -> String {
        match self {
            Part::Sql(admin) => format!("SQL as {admin}"),
            Part::Local => "backend local".to_owned(),
        }
    }

    /// How many tests there are at least: a filter that finds nothing passes as well.
    fn at_least(self) -> u32 {
        match self {
            Part::Sql(_) => 21,
            Part::Local => 1,
        }
    }

    fn command(self, programs: &Programs) -> Command {
        match self {
            Part::Sql(admin) => {
                let mut command = Command::new(&programs.sql);
                command.args(["postgres::", "--test-threads=4"]).env("HCPG_TEST_POSTGRES_ADMIN", admin);
                if admin != "plain" {
                    command.args(SAME_FOR_ALL.iter().flat_map(|module| ["--skip", module]));
                }
                command
            }
            Part::Local => {
                let mut command = Command::new(&programs.local);
                command.args(["--exact", "life"]);
                command
            }
        }
    }
}

/// The program with these tests: built already where everything is built, else now.
fn program(selection: &[&str], target: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--workspace", "--no-run", "--message-format=json"])
        .args(selection)
        .current_dir(project_file(""))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the tests cannot be built, see above");
    let messages = String::from_utf8(output.stdout).unwrap();
    let mut artefacts = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let ours = message["target"]["name"] == target && message["profile"]["test"] == true;
        ours.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
    });
    artefacts.next().expect("cargo names the program")
}

fn run(programs: &Programs, version: &PostgresVersion, part: Part) -> Cell {
    let started = Instant::now();
    let output = part
        .command(programs)
        .current_dir(project_file("integration-tests"))
        .env("HCPG_TEST_POSTGRES_BIN", &version.bin)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let counted = said.lines().find_map(|line| {
        let (_, rest) = line.split_once("test result: ok. ")?;
        rest.split_once(" passed")?.0.parse().ok()
    });
    let passed = counted.filter(|passed| output.status.success() && *passed >= part.at_least());
    Cell { major: version.major, part, passed, took: started.elapsed(), said }
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
