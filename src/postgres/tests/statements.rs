//! Names and values become part of a statement in one file only, and every function of it is fuzzed.

use std::fs;
use std::path::Path;

#[test]
fn names_are_quoted_in_one_file_only() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/postgres");
    let statements = room.join("statements.rs");
    let mut quoting = Vec::new();
    for entry in fs::read_dir(&room).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && fs::read_to_string(&path).unwrap().contains("postgres_protocol::escape") {
            quoting.push(path);
        }
    }
    assert_eq!(quoting, [statements]);
}

#[test]
fn every_statement_is_fuzzed() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(project.join(path)).unwrap();
    let (statements, target) =
        (read("src/postgres/statements.rs"), read("fuzz/fuzz_targets/sql_identifiers.rs"));
    let functions = statements.lines().filter_map(|line| line.strip_prefix("pub fn ")?.split('(').next());
    let forgotten: Vec<_> =
        functions.filter(|name| !target.contains(&format!("statements::{name}("))).collect();
    assert_eq!(forgotten, Vec::<&str>::new());
}
