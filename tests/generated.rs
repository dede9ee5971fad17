//! The generated files in the repository are those that the code generates.

#![allow(clippy::expect_used)]

use std::process::Command;

#[test]
fn generated_files_are_fresh() {
    let output = Command::new(env!("CARGO_BIN_EXE_generate")).arg("--check").output().expect("generate runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn stale_missing_and_left_over_files_are_named_and_put_right() {
    let root = tempfile::tempdir().expect("a folder");
    let generate = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_generate"))
            .args(arguments)
            .arg("--root")
            .arg(root.path())
            .output()
            .expect("generate runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(generate(&[]).0, Some(0));
    assert_eq!(generate(&["--check"]).0, Some(0));

    let crds = root.path().join("crds");
    let servers = crds.join("postgresqlservers.yaml");
    let old = std::fs::read_to_string(&servers).expect("a definition");
    std::fs::write(&servers, old.clone() + "# by hand\n").expect("a change");
    std::fs::write(crds.join("gone.yaml"), &old).expect("a left-over");
    std::fs::write(crds.join("notes.yaml"), "# written by hand\n").expect("a file of somebody's");
    std::fs::remove_file(crds.join("postgresqldatabases.yaml")).expect("a removal");
    let (code, message) = generate(&["--check"]);
    assert_eq!(code, Some(1));
    for finding in [
        "  crds/postgresqlservers.yaml\n",
        "  crds/postgresqldatabases.yaml (missing)\n",
        "  crds/gone.yaml (no longer generated)\n",
    ] {
        assert!(message.contains(finding), "{finding} is not in {message}");
    }
    assert!(!message.contains("notes.yaml"), "{message}");

    assert_eq!(generate(&[]).0, Some(0));
    assert_eq!(generate(&["--check"]).0, Some(0));
    assert!(crds.join("notes.yaml").exists());
}
