//! Server parameters, storage.

use crate::api::{PostgreSQLServerSpec, Size};
use crate::backend::local::process;
use crate::backend::{Change, DesiredServer, Health, ServerBackend, Stage};

use super::host::{FIRST, Host, ask, login, owner, spec_with};

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_set_changed_and_unset() {
    let host = Host::new();
    let owner = owner("orders");
    let server =
        host.created(&owner, &spec_with(&[("work_mem", "8MB"), ("application_name", "o'clock\\")])).await;
    let endpoint = server.facts.endpoint.unwrap();
    let show = async |name: &str| {
        let admin = login(&endpoint, "postgres", FIRST).await.unwrap();
        ask(&admin, &format!("SELECT reset_val FROM pg_settings WHERE name = '{name}'")).await
    };
    assert_eq!(show("work_mem").await, "8192");
    let pid = || process::find(&host.cluster(&owner)).unwrap().unwrap().pid;
    let first_pid = pid();

    // A value that needs no restart.
    let spec = spec_with(&[("Work_Mem", "16MB"), ("application_name", "o'clock\\")]);
    assert_eq!(host.apply(&owner, &spec, Stage::Configure).await, 1);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(show("work_mem").await, "16384");
    assert_eq!(pid(), first_pid);
    assert_eq!(host.apply(&owner, &spec, Stage::Configure).await, 0);

    // One that needs a restart.
    let spec = spec_with(&[("max_connections", "33")]);
    let desired = DesiredServer::new(&owner, &spec);
    let differences = host.backend.differences(&desired, &host.present(&owner).await.facts);
    let restarts: Vec<_> = differences
        .iter()
        .filter(|difference| matches!(difference.change, Change::Apply { restart: true, .. }))
        .map(|difference| difference.field.as_str())
        .collect();
    assert_eq!(restarts, ["parameter.max_connections"]);
    assert_eq!(host.apply(&owner, &spec, Stage::Configure).await, 3);
    assert_eq!(show("max_connections").await, "33");
    assert_eq!(show("work_mem").await, "4096");
    assert_ne!(pid(), first_pid);

    // Values PostgreSQL refuses: at once, or only when it starts. What was before stays in force.
    for (name, value) in [
        ("work_mem", "plenty"),
        ("no_such_thing", "1"),
        ("work_memm", "1MB"),
        ("shared_preload_libraries", "nonsense"),
    ] {
        let spec = spec_with(&[("max_connections", "33"), (name, value)]);
        let desired = DesiredServer::new(&owner, &spec);
        let differences = host.backend.differences(&desired, &host.present(&owner).await.facts);
        let refused =
            host.backend.configure(&host.identity(&owner), &desired, &differences).await.unwrap_err();
        assert_eq!(refused.label(), "rejected");
        let named = if name == "shared_preload_libraries" { value } else { name };
        assert!(refused.to_string().contains(named), "{refused}");
        let suggests = refused.to_string().contains("did you mean work_mem?");
        assert_eq!(suggests, name == "work_memm", "{refused}");
        assert_eq!(host.present(&owner).await.health, Health::Usable);
        assert_eq!(show("max_connections").await, "33");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_is_written_down_and_never_shrinks() {
    let host = Host::new();
    let owner = owner("orders");
    let spec = |storage_gb| PostgreSQLServerSpec {
        size: Some(Size { storage_gb: Some(storage_gb), memory_mb: Some(400), ..Size::default() }),
        ..PostgreSQLServerSpec::default()
    };
    let server = host.created(&owner, &spec(5)).await;
    assert_eq!(server.facts.size.as_deref(), Some("100MB shared buffers"));
    assert_eq!(host.apply(&owner, &spec(9), Stage::Update).await, 1);
    assert_eq!(host.present(&owner).await.facts.storage_gb, Some(9));
    assert_eq!(host.apply(&owner, &spec(5), Stage::Update).await, 0);
}
