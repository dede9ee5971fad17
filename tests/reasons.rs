//! A reason that is listed and never given would be a promise that nobody keeps.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use hcpg::api::Reason;
use strum::IntoEnumIterator;

/// Everything that can put a reason into a condition or an event: the code without its tests, and without the lists.
fn code(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "tests" | "bin") {
                code(&path, text);
            }
        } else if !matches!(name.as_str(), "tests.rs" | "reason.rs") {
            let source = fs::read_to_string(&path).unwrap();
            text.push_str(source.split("#[cfg(test)]\nmod tests {").next().unwrap());
        }
    }
}

#[test]
fn every_reason_is_given_somewhere() {
    let mut text = String::new();
    code(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    let is_given = |reason: &Reason| {
        let name = format!("Reason::{reason}");
        text.match_indices(&name)
            .any(|(at, _)| !text[at + name.len()..].starts_with(|next: char| next.is_ascii_alphanumeric()))
    };
    // What another version wrote is only ever read.
    let never: Vec<Reason> =
        Reason::iter().filter(|reason| *reason != Reason::Unknown && !is_given(reason)).collect();
    assert!(never.is_empty(), "no condition and no event ever carries {never:?}");
}
