//! User stories: each is a module, with a control plane and an operator of its own.
//!
//! One program for all of them, since each program links everything. `make test` runs each module in a process of its
//! own, and so should you: `cargo test --package integration-tests --test stories -- create::`.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod awsaurora;
mod awsrds;
mod azureflexible;
mod azuresingle;
mod conflicts;
mod crash_points;
mod create;
mod deadline;
mod delete;
mod delete_alone;
mod drift;
mod forbidden;
mod honest;
mod hostile;
mod killed;
mod leader;
mod meddling;
mod metrics;
mod names;
mod namespaces;
mod noop;
mod pace;
mod parameters;
mod pause;
mod reload;
mod rename;
mod reset;
mod reset_published;
mod reset_throttled;
mod reset_under_load;
mod rights;
mod rules;
mod secrecy;
mod sizes;
mod stopping;
mod takeover;
mod takeover_back;
mod takeover_differences;
mod takeover_lost;
mod takeover_passwords;
mod takeover_traces;
mod two_objects;
mod update;
mod window;

/// A file that is no module would never be run.
#[test]
fn every_file_is_a_module() {
    let folder = integration_tests::operator::project_file("integration-tests/tests/stories");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut stems: Vec<String> =
        files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    stems.retain(|stem| stem != "main");
    stems.sort();
    let said = include_str!("main.rs");
    let modules: Vec<&str> =
        said.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).collect();
    assert_eq!(stems, modules);
}
