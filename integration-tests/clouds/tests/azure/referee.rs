//! The official client as a second opinion on what the simulated Azure answers.

use std::io::Write;
use std::path::Path;

use clouds::azure::{CLIENT, GROUP, SUBSCRIPTION, Simulator, TENANT};
use tokio::process::Command;

#[tokio::test]
async fn the_official_sdk_goes_through_the_life_of_a_server() {
    let python = std::process::Command::new("python3").args(["-c", "import venv, ensurepip"]).status();
    if !python.is_ok_and(|status| status.success()) {
        println!("skipped: there is no python3 with venv");
        return;
    }
    let referees = Path::new(env!("CARGO_MANIFEST_DIR")).join("referees");
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("azure-sdk");
    let install = Command::new(referees.join("install.sh")).arg(&environment).arg("azure.txt").status().await;
    assert!(install.unwrap().success(), "the referee could not be installed");

    let simulator = Simulator::start().await.unwrap();
    simulator.open_single_servers(true);
    let mut ca = tempfile::NamedTempFile::new().unwrap();
    ca.write_all(simulator.ca_pem().as_bytes()).unwrap();
    let verdict = Command::new(environment.join("bin/python"))
        .arg(referees.join("azure_sdk.py"))
        .arg(simulator.endpoint())
        .arg(ca.path())
        .args([TENANT, CLIENT, &simulator.client_secret(), SUBSCRIPTION, GROUP])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&[verdict.stdout, verdict.stderr].concat()).into_owned();
    assert!(verdict.status.success() && said.contains("statements judged"), "{said}");
}
