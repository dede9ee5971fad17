//! Second opinions on what the simulated RDS answers: the official client with its model, and `moto`.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::Path;
use std::time::Duration;

use clouds::rds::Simulator;
use tokio::process::Command;

/// Longer than any of them takes on a busy machine.
const LONGEST: Duration = Duration::from_secs(300);

/// What a referee says of the simulator: its last words, or why there are none. `pinned` names the packages it needs.
async fn verdict(script: &str, pinned: &str, more: &[&str]) -> Option<String> {
    let python = std::process::Command::new("python3").args(["-c", "import venv, ensurepip"]).status();
    if !python.is_ok_and(|status| status.success()) {
        println!("skipped: there is no python3 with venv");
        return None;
    }
    let referees = Path::new(env!("CARGO_MANIFEST_DIR")).join("referees");
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join(pinned.trim_end_matches(".txt"));
    let installed = Command::new(referees.join("install.sh")).arg(&environment).arg(pinned).status().await;
    assert!(installed.unwrap().success(), "the referee could not be installed");

    let simulator = Simulator::start().await.unwrap();
    let running = Command::new(environment.join("bin/python"))
        .arg(referees.join(script))
        .arg(simulator.endpoint())
        .args(more)
        .kill_on_drop(true)
        .output();
    let verdict = tokio::time::timeout(LONGEST, running).await.expect("a verdict in time").unwrap();
    let said = String::from_utf8_lossy(&[verdict.stdout, verdict.stderr].concat()).into_owned();
    assert!(verdict.status.success(), "{said}");
    Some(said)
}

#[tokio::test]
async fn boto3_understands_every_answer_and_its_model_knows_every_element() {
    if let Some(said) = verdict("rds.py", "boto3.txt", &[]).await {
        assert!(said.contains("actions judged"), "{said}");
    }
}

#[tokio::test]
async fn moto_comes_to_the_same_outcomes_where_it_models_them() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    if let Some(said) = verdict("against_moto.py", "moto.txt", &[&port]).await {
        assert!(said.contains("outcomes compared"), "{said}");
    }
}

#[tokio::test]
async fn a_wrong_answer_is_not_passed() {
    if let Some(said) = verdict("judge_itself.py", "boto3.txt", &[]).await {
        assert!(said.contains("all seen"), "{said}");
    }
}

#[tokio::test]
async fn moto_enforces_the_documented_policy_as_it_is_meant() {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/aws-iam-policy.json");
    if let Some(said) = verdict("policy.py", "moto.txt", &[policy.to_str().unwrap()]).await {
        assert!(said.contains("calls judged"), "{said}");
    }
}
