//! The control plane of our own: RBAC holds, the audit log tells it, and nothing stays behind.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use integration_tests::control_plane::{Cluster, ControlPlane, Options, create_namespace, kubeconfig};
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::api::{Api, ListParams, ObjectMeta, PostParams};

/// Set for the child process of `a_killed_owner_leaves_nothing`, with the file to which it writes its folder.
const CHILD: &str = "HCPG_TEST_CHILD";

#[tokio::test]
async fn a_service_account_has_its_own_rights_only_and_the_audit_log_knows() {
    let control_plane = ControlPlane::start(Options::throw_away()).await.unwrap();
    let folder = control_plane.folder().to_owned();
    let audit = control_plane.audit_log();
    let cluster = Cluster::Ours(control_plane);
    let admin = cluster.client().await.unwrap();
    create_namespace(&admin, "apps").await.unwrap();
    create_namespace(&admin, "apps").await.expect("what exists is left as it is");
    let account = ServiceAccount {
        metadata: ObjectMeta { name: Some("nobody".to_owned()), ..ObjectMeta::default() },
        ..ServiceAccount::default()
    };
    let accounts: Api<ServiceAccount> = Api::namespaced(admin.clone(), "apps");
    accounts.create(&PostParams::default(), &account).await.unwrap();

    let login = cluster.kubeconfig_for_service_account("apps", "nobody").await.unwrap();
    let nobody = kubeconfig::client(&login).await.unwrap();
    let secrets = |client| Api::<Secret>::namespaced(client, "apps");
    let refused = secrets(nobody).list(&ListParams::default()).await.unwrap_err();
    assert!(matches!(&refused, kube::Error::Api(status) if status.code == 403), "{refused:?}");
    secrets(admin.clone()).list(&ListParams::default()).await.expect("the admin may");

    let events = audit.settled(&admin).await.unwrap();
    let by_nobody: Vec<_> =
        events.iter().filter(|event| event.user.username == "system:serviceaccount:apps:nobody").collect();
    assert_eq!(by_nobody.len(), 1, "{by_nobody:?}");
    let event = by_nobody[0];
    let object = event.object_ref.as_ref().unwrap();
    assert_eq!(
        (event.code(), event.verb.as_str(), object.resource.as_str(), object.namespace.as_str()),
        (Some(403), "list", "secrets", "apps")
    );
    assert!(event.request_uri.starts_with("/api/v1/namespaces/apps/secrets"), "{event:?}");
    assert!(!event.is_write());
    assert!(events.iter().any(|event| event.user.username == "admin" && event.is_write()));

    assert_ne!(processes_of(&folder), Vec::<String>::new(), "the check below sees what there is");
    drop(cluster);
    assert!(!folder.exists());
    assert_eq!(processes_of(&folder), Vec::<String>::new());
}

/// `Drop` does not run in a killed process; the guard cleans up in its place.
#[tokio::test]
async fn a_killed_owner_leaves_nothing() {
    let told = tempfile::NamedTempFile::new().unwrap();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_waits_to_be_killed", "--ignored"])
        .env(CHILD, told.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let folder = wait_until(|| Some(fs::read_to_string(told.path()).unwrap()).filter(|it| !it.is_empty()));
    let folder = Path::new(&folder);
    assert!(folder.exists());
    assert_ne!(processes_of(folder), Vec::<String>::new());

    owner.kill().unwrap();
    owner.wait().unwrap();

    wait_until(|| (!folder.exists() && processes_of(folder).is_empty()).then_some(()));
}

#[tokio::test]
#[ignore = "started by a_killed_owner_leaves_nothing"]
async fn child_that_waits_to_be_killed() {
    // Without the variable somebody runs all ignored tests.
    let Some(told) = std::env::var_os(CHILD) else { return };
    let control_plane = ControlPlane::start(Options::throw_away()).await.unwrap();
    fs::write(told, control_plane.folder().to_str().unwrap()).unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
}

/// The command lines of all processes that have the folder among their arguments.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|arguments| String::from_utf8_lossy(&arguments).replace('\0', " "))
        .filter(|arguments| arguments.contains(folder))
        .collect()
}

fn wait_until<T>(mut done: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(since.elapsed() < Duration::from_secs(90), "not within 90 s");
        std::thread::sleep(Duration::from_millis(100));
    }
}
