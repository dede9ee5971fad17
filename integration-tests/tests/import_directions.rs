//! Which room of the operator may know which, and that no file grows beyond what one reads at a sitting.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use integration_tests::operator::project_file;

/// Lines of a file that is not a test.
const LONGEST: usize = 400;

/// Each room, and the rooms that it may know; the last one, and the binaries, know all.
const ROOMS: [(&str, &[&str]); 10] = [
    ("failpoints", &[]),
    ("fence", &[]),
    ("api", &[]),
    ("fsm", &["api"]),
    ("config", &["api"]),
    ("secrets", &["api", "failpoints"]),
    ("postgres", &["failpoints", "fence", "secrets"]),
    ("backend", &["api", "config", "failpoints", "fence", "postgres", "secrets"]),
    ("ops", &["api", "config", "fence", "fsm"]),
    ("controller", &["api", "backend", "config", "failpoints", "fence", "fsm", "ops", "postgres", "secrets"]),
];

/// All files of the operator's library, with their text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![project_file("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&entry).unwrap();
                found.push((entry, text));
            }
        }
    }
    found.sort();
    found
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs")
}

/// The room of a file, from its path below `src`; none for the roots.
fn room_of(path: &Path) -> Option<String> {
    let below = path.strip_prefix(project_file("src")).unwrap();
    let mut parts = below.components();
    let first = parts.next()?.as_os_str().to_string_lossy().into_owned();
    parts.next().filter(|_| first != "bin").map(|_| first)
}

/// The text without comments; a doc link is no dependency.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The rooms that `crate::…` names, also in groups like `use crate::{api::Phase, config::Config}`.
fn rooms_named(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => drop(rooms.insert(first_word(rest))),
            Some(group) => {
                let mut depth = 0;
                let mut begins = true;
                for (at, character) in group.char_indices() {
                    match character {
                        '}' if depth == 0 => break,
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 0 => begins = true,
                        c if begins && !c.is_whitespace() => {
                            rooms.insert(first_word(&group[at..]));
                            begins = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    rooms
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn rooms_know_only_what_stands_before_them() {
    let allowed: BTreeMap<&str, &[&str]> = ROOMS.into();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(room) = room_of(&path) else { continue };
        let known =
            allowed.get(room.as_str()).unwrap_or_else(|| panic!("{room} is a new room: give it its rule"));
        for named in rooms_named(&code(&text)) {
            let is_room = allowed.contains_key(named.as_str());
            if is_room && named != room && !known.contains(&named.as_str()) {
                wrong.push(format!("{}: {room} must not know {named}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_exists_and_is_declared() {
    let library = fs::read_to_string(project_file("src/lib.rs")).unwrap();
    let declared: BTreeSet<&str> = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod ")))
        .filter_map(|line| line.strip_suffix(';'))
        .collect();
    assert_eq!(declared, ROOMS.iter().map(|(room, _)| *room).collect());
}

#[test]
fn files_stay_short() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|(path, _)| !is_test(path))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines >= LONGEST)
        .collect();
    assert!(long.is_empty(), "{LONGEST} lines or more: {long:?}");
}

#[test]
fn the_reader_of_imports_sees_them() {
    let code = code(
        "use crate::api::Phase; // crate::ops\nuse crate::{config::{A, B}, fsm};\nlet x = crate::backend::f();",
    );
    let expected = ["api", "backend", "config", "fsm"].map(str::to_owned);
    assert_eq!(rooms_named(&code), expected.into());
}
