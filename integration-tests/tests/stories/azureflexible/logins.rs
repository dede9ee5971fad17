//! The ways to log in besides a client secret, against the simulated token endpoint. The last two look for themselves what
//! is in the environment, so they run in a process of their own.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use clouds::azure::{CLIENT, TENANT};
use hcpg::backend::{
    BackendError, FlexibleBackend, Owner, Read, ServerBackend, ServerObservation, Urgency, Variables,
};
use hcpg::config::AzureFlexibleConfig;
use integration_tests::azure::{Cloud, section};
use serde_json::json;
use tempfile::{NamedTempFile, TempDir};

/// Where the other process finds the cloud.
const ENDPOINT: &str = "HCPG_TEST_ENDPOINT";
const AUTHORITIES: &str = "HCPG_TEST_AUTHORITIES";

fn backend(endpoint: &str, authorities: &Path, variables: &[(&str, &str)]) -> FlexibleBackend {
    let section = section(endpoint, authorities);
    let config: AzureFlexibleConfig = serde_json::from_value(section).unwrap();
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: Variables = variables.iter().map(own).collect();
    FlexibleBackend::new(config, &variables).unwrap()
}

/// Whether it is let in: then it sees that there is no such server.
async fn look(backend: &FlexibleBackend) -> Result<(), BackendError> {
    let owner = Owner { namespace: "team".to_owned(), name: "shop".to_owned(), uid: "uid".to_owned() };
    let identity = backend.identity(&owner).unwrap();
    let seen = backend.observe(&identity, &owner, Read::Direct(Urgency::User)).await?;
    assert!(matches!(seen, ServerObservation::Absent), "{seen:?}");
    Ok(())
}

fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_logs_in_with_a_certificate_and_says_so_where_azure_does_not_know_it() {
    let cloud = Cloud::start().await;
    let certificate = file(&cloud.azure().client_certificate().unwrap());
    let variables = [
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", CLIENT),
        ("AZURE_CLIENT_CERTIFICATE_PATH", path(&certificate)),
    ];
    let (endpoint, authorities) = (cloud.azure().endpoint(), cloud.authorities());
    look(&backend(endpoint, authorities, &variables)).await.unwrap();

    // That of another cloud.
    let other = file(&Cloud::start().await.azure().client_certificate().unwrap());
    let variables = [variables[0], variables[1], ("AZURE_CLIENT_CERTIFICATE_PATH", path(&other))];
    let told = look(&backend(endpoint, authorities, &variables)).await.unwrap_err().to_string();
    assert!(told.contains("environment") && told.contains("AADSTS700213"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workload_identity_logs_in_with_the_token_that_its_file_has_now() {
    let cloud = Cloud::start().await;
    let token = file(&cloud.azure().federated_token());
    let variables = [
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", CLIENT),
        ("AZURE_FEDERATED_TOKEN_FILE", path(&token)),
    ];
    let backend = backend(cloud.azure().endpoint(), cloud.authorities(), &variables);
    look(&backend).await.unwrap();

    // The file is replaced by the hour, and the old token is worth nothing.
    std::fs::write(token.path(), cloud.azure().rotate_federated_token()).unwrap();
    cloud.azure().expire_tokens();
    look(&backend).await.unwrap();

    cloud.azure().rotate_federated_token();
    cloud.azure().expire_tokens();
    let told = look(&backend).await.unwrap_err().to_string();
    assert!(told.contains("workload identity") && told.contains("AADSTS700213"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_managed_identity_logs_in_and_without_one_the_command_line_does() {
    let cloud = Cloud::start().await;
    let (identity, secret) =
        (format!("{}/msi/token", cloud.azure().endpoint()), cloud.azure().client_secret());
    let nobody = TempDir::new().unwrap();
    let managed = [("IDENTITY_ENDPOINT", identity.as_str()), ("IDENTITY_HEADER", &secret)];
    inside(&cloud, "managed", nobody.path(), &managed);

    // Nothing else than the simulated cloud is asked, which does not know this one.
    let unknown = [("IDENTITY_ENDPOINT", identity.as_str()), ("IDENTITY_HEADER", "unknown")];
    let tools = TempDir::new().unwrap();
    let az = tools.path().join("az");
    let token = cloud.azure().give_token();
    let answer = json!({"accessToken": token, "expires_on": 4_102_444_800_i64, "tokenType": "Bearer"});
    let script = format!("#!/bin/sh\n[ \"$1 $2\" = \"account get-access-token\" ] && echo '{answer}'\n");
    std::fs::write(&az, script).unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    inside(&cloud, "command_line", tools.path(), &unknown);
    inside(&cloud, "nobody", nobody.path(), &unknown);
}

/// Runs an ignored test of this program in a process of its own, with that environment.
fn inside(cloud: &Cloud, test: &str, tools: &Path, environment: &[(&str, &str)]) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    // As the module is called in this program.
    let (_, here) = module_path!().split_once("::").unwrap();
    let test = format!("{here}::{test}");
    child.args(["--exact", &test, "--ignored", "--nocapture"]).env(ENDPOINT, cloud.azure().endpoint());
    child.env(AUTHORITIES, cloud.authorities()).env("PATH", format!("{}:/bin:/usr/bin", tools.display()));
    child.envs(environment.iter().copied());
    for name in ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_AUTHORITY_HOST"] {
        child.env_remove(name);
    }
    assert!(child.status().unwrap().success(), "{test}");
}

fn of_environment(variables: &[(&str, &str)]) -> FlexibleBackend {
    let [endpoint, authorities] = [ENDPOINT, AUTHORITIES].map(|name| std::env::var(name).unwrap());
    backend(&endpoint, Path::new(&authorities), variables)
}

#[tokio::test]
#[ignore = "run by the test above, which gives it an environment"]
async fn managed() {
    look(&of_environment(&[])).await.unwrap();
    look(&of_environment(&[("AZURE_CLIENT_ID", CLIENT)])).await.unwrap();
}

#[tokio::test]
#[ignore = "run by the test above, which gives it an environment"]
async fn command_line() {
    look(&of_environment(&[])).await.unwrap();
}

#[tokio::test]
#[ignore = "run by the test above, which gives it an environment"]
async fn nobody() {
    let told = look(&of_environment(&[])).await.unwrap_err().to_string();
    for way in ["environment", "workload identity", "managed identity", "Azure CLI"] {
        assert!(told.contains(way), "{told}");
    }
}
