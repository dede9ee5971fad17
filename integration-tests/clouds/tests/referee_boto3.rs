//! The official client and its model as a second opinion on what the simulated RDS answers.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::Path;

use clouds::rds::Simulator;
use tokio::process::Command;

#[tokio::test]
async fn boto3_understands_every_answer_and_its_model_knows_every_element() {
    if std::process::Command::new("python3").args(["-c", "import venv, ensurepip"]).status().is_err() {
        println!("skipped: there is no python3");
        return;
    }
    let referees = Path::new(env!("CARGO_MANIFEST_DIR")).join("referees");
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("boto3");
    let installed =
        Command::new(referees.join("install.sh")).arg(&environment).arg("boto3.txt").status().await.unwrap();
    assert!(installed.success(), "the referees could not be installed");

    let simulator = Simulator::start().await.unwrap();
    let verdict = Command::new(environment.join("bin/python"))
        .arg(referees.join("rds.py"))
        .arg(simulator.endpoint())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&[verdict.stdout, verdict.stderr].concat()).into_owned();
    assert!(verdict.status.success() && said.contains("actions judged"), "{said}");
}
