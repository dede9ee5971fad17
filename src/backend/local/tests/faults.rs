//! Crashes, lost folders, strangers, exhausted ports.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::{Signal, kill};

use crate::api::PostgreSQLServerSpec;
use crate::backend::local::account::Account;
use crate::backend::local::layout::exists;
use crate::backend::local::process;
use crate::backend::local::record::Record;
use crate::backend::{DesiredServer, Health, Owner, Removal, ServerBackend, ServerObservation, Stage};
use crate::secrets::Password;

use super::host::{FIRST, Host, ask, login, owner};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_is_stopped_and_an_update_starts_it_with_its_data() {
    let host = Host::new();
    let owner = owner("orders");
    let spec = PostgreSQLServerSpec::default();
    let server = host.created(&owner, &spec).await;
    let endpoint = server.facts.endpoint.clone().unwrap();
    let admin = login(&endpoint, "postgres", FIRST).await.unwrap();
    admin.batch_execute("CREATE TABLE kept AS SELECT 42 AS answer").await.unwrap();

    let pid = process::find(&host.cluster(&owner)).unwrap().unwrap().pid;
    kill(pid, Signal::SIGKILL).unwrap();
    let stopped = host.until(&owner, |server| server.health != Health::Usable).await;
    assert_eq!(stopped.health, Health::Unusable { message: "it is stopped".to_owned() });
    assert!(stopped.accepts_writes);
    assert_eq!(stopped.uid, server.uid);
    let password = host.backend.set_admin_password(&host.identity(&owner), &owner, &Password::new("x")).await;
    assert_eq!(password.unwrap_err().label(), "busy");

    assert_eq!(host.apply(&owner, &spec, Stage::Update).await, 1);
    assert_eq!(host.present(&owner).await.operation.as_deref(), Some("start"));
    let again = host.until(&owner, |server| server.health == Health::Usable).await;
    assert_eq!(again.uid, server.uid);
    let admin = login(&again.facts.endpoint.unwrap(), "postgres", FIRST).await.unwrap();
    assert_eq!(ask(&admin, "SELECT answer FROM kept").await, "42");
    host.until(&owner, |server| server.operation.is_none()).await;
    assert_eq!(host.apply(&owner, &spec, Stage::Update).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_another_program_has_now_does_not_keep_a_server_down() {
    let host = Host::new();
    let owner = owner("orders");
    let spec = PostgreSQLServerSpec::default();
    host.created(&owner, &spec).await;
    let cluster = host.cluster(&owner);
    process::stop(&cluster).unwrap();
    // As after a reboot: the number is in use, by ourselves.
    let file = cluster.pgdata().join("postmaster.pid");
    fs::write(&file, format!("{}\n{}\n", std::process::id(), cluster.pgdata().display())).unwrap();

    assert!(process::find(&cluster).unwrap().is_none());
    host.apply(&owner, &spec, Stage::Update).await;
    host.until(&owner, |server| server.health == Health::Usable).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_interrupted_creation_left_does_not_count() {
    let host = Host::new();
    let owner = owner("orders");
    let staging = host.layout().staging(&host.identity(&owner).name);
    fs::create_dir_all(staging.pgdata()).unwrap();
    fs::write(staging.pgdata().join("PG_VERSION"), "15").unwrap();

    assert!(matches!(host.observe(&owner).await, ServerObservation::Absent));
    host.created(&owner, &PostgreSQLServerSpec::default()).await;
    assert!(!exists(&staging.folder).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_objects_server_is_never_touched() {
    let host = Host::new();
    // Both are called a-b-c.
    let first = Owner { namespace: "a".to_owned(), name: "b-c".to_owned(), uid: "1".to_owned() };
    let second = Owner { namespace: "a-b".to_owned(), name: "c".to_owned(), uid: "2".to_owned() };
    let spec = PostgreSQLServerSpec::default();
    host.create(&first, &spec).await;
    assert!(matches!(host.observe(&second).await, ServerObservation::NotOurs { .. }));
    host.created(&first, &spec).await;

    let ServerObservation::NotOurs { message } = host.observe(&second).await else { panic!("ours?") };
    assert!(message.contains("a/b-c"), "{message}");
    let identity = host.identity(&second);
    let desired = DesiredServer::new(&second, &spec);
    let created = host.backend.create(&identity, &desired, &Password::new("x")).await;
    assert_eq!(created.unwrap_err().label(), "conflict");
    let deleted = host.backend.delete(&identity, &second, None, Removal::Delete).await;
    assert_eq!(deleted.unwrap_err().label(), "conflict");
    let changed = host.backend.set_admin_password(&identity, &second, &Password::new("x")).await;
    assert_eq!(changed.unwrap_err().label(), "conflict");
    assert_eq!(host.present(&first).await.health, Health::Usable);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_data_a_server_is_absent() {
    let host = Host::new();
    let owner = owner("orders");
    let spec = PostgreSQLServerSpec::default();
    let first = host.created(&owner, &spec).await;
    let cluster = host.cluster(&owner);
    process::stop(&cluster).unwrap();
    fs::remove_dir_all(cluster.pgdata()).unwrap();
    assert!(matches!(host.observe(&owner).await, ServerObservation::Absent));

    let second = host.created(&owner, &spec).await;
    assert_ne!(second.uid, first.uid);
    process::stop(&cluster).unwrap();
    fs::remove_dir_all(&cluster.folder).unwrap();
    assert!(matches!(host.observe(&owner).await, ServerObservation::Absent));
}

#[tokio::test(flavor = "multi_thread")]
async fn data_without_a_mark_is_nobodys_to_touch() {
    let host = Host::new();
    let owner = owner("orders");
    let cluster = host.cluster(&owner);
    fs::create_dir_all(cluster.pgdata()).unwrap();
    assert!(matches!(host.observe(&owner).await, ServerObservation::NotOurs { .. }));
    let deleted = host.backend.delete(&host.identity(&owner), &owner, None, Removal::Delete).await;
    assert_eq!(deleted.unwrap_err().label(), "conflict");
    assert!(exists(&cluster.pgdata()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_free_port_creation_is_refused_with_the_remedy() {
    let host = Host::new();
    let owner = owner("orders");
    let range = host.config.port_first..=host.config.port_last;
    let listeners: Vec<_> =
        range.map(|port| TcpListener::bind((host.config.address, port)).unwrap()).collect();
    let spec = PostgreSQLServerSpec::default();
    let desired = DesiredServer::new(&owner, &spec);
    let refused =
        host.backend.create(&host.identity(&owner), &desired, &Password::new("x")).await.unwrap_err();
    assert_eq!(refused.label(), "rejected");
    assert!(refused.to_string().contains("port_last"), "{refused}");
    assert!(matches!(host.observe(&owner).await, ServerObservation::Absent));

    drop(listeners);
    host.created(&owner, &spec).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_creation_says_why_until_the_shell_is_removed() {
    let host = Host::new();
    let owner = owner("orders");
    host.create(&owner, &super::host::spec_with(&[("shared_preload_libraries", "nonsense")])).await;
    let failed = loop {
        let server = host.present(&owner).await;
        if matches!(server.health, Health::Failed { .. }) {
            break server;
        }
        assert_ne!(server.health, Health::Usable);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let Health::Failed { message, was_available } = failed.health else { panic!() };
    assert!(message.contains("nonsense") && !was_available, "{message}");

    // An operator that knows nothing of the failure finds it again by starting the server; here the shell just goes.
    host.delete(&owner).await;
    assert!(matches!(host.observe(&owner).await, ServerObservation::Absent));
    host.created(&owner, &PostgreSQLServerSpec::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_still_runs_in_a_staging_folder_is_ended_first() {
    let host = Host::new();
    let owner = owner("orders");
    let spec = PostgreSQLServerSpec::default();
    host.created(&owner, &spec).await;
    let cluster = host.cluster(&owner);
    let staging = host.layout().staging(&host.identity(&owner).name);
    process::stop(&cluster).unwrap();
    fs::rename(&cluster.folder, &staging.folder).unwrap();
    let account = Account::resolve(&host.config.run_as_user).unwrap();
    let program = host.backend.local.installs.choose(None).unwrap().program("postgres");
    let mut orphan = account.command(&program, &staging.folder);
    orphan
        .arg("--single")
        .arg("-D")
        .arg(staging.pgdata())
        .arg("postgres")
        .stdin(std::process::Stdio::piped());
    let mut orphan = orphan.stdout(std::process::Stdio::null()).spawn().unwrap();

    assert!(matches!(host.observe(&owner).await, ServerObservation::Absent));
    host.create(&owner, &spec).await;
    assert!(!orphan.wait().unwrap().success());
    host.until(&owner, |server| server.health == Health::Usable).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_killed_before_the_first_start_finds_a_complete_server() {
    let host = Host::new();
    let owner = owner("orders");
    let spec = PostgreSQLServerSpec::default();
    host.created(&owner, &spec).await;
    let cluster = host.cluster(&owner);
    process::stop(&cluster).unwrap();
    let record = Record::read(&cluster).unwrap().unwrap();
    Record { was_available: false, ..record }.write(&cluster).unwrap();
    // What an interrupted deletion of another one left.
    let leftover = host.layout().doomed("another", 1);
    fs::create_dir(&leftover).unwrap();

    assert!(matches!(host.present(&owner).await.health, Health::Unusable { .. }));
    // Asked again, creation leaves it alone.
    host.create(&owner, &spec).await;
    host.apply(&owner, &spec, Stage::Update).await;
    let server = host.until(&owner, |server| server.health == Health::Usable).await;
    assert!(login(&server.facts.endpoint.unwrap(), "postgres", FIRST).await.is_ok());
    host.until(&owner, |server| server.operation.is_none()).await;
    assert!(Record::read(&cluster).unwrap().unwrap().was_available);

    host.delete(&owner).await;
    assert!(!exists(&leftover).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_waiting_does_not_stop_the_work() {
    let host = Host::new();
    let owner = owner("orders");
    let spec = PostgreSQLServerSpec::default();
    let identity = host.identity(&owner);
    let desired = DesiredServer::new(&owner, &spec);
    let password = Password::new(FIRST);
    let waited = std::time::Duration::from_micros(1);
    let _ = tokio::time::timeout(waited, host.backend.create(&identity, &desired, &password)).await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    host.until(&owner, |server| server.health == Health::Usable).await;
    let delete = host.backend.delete(&identity, &owner, None, Removal::Delete);
    let _ = tokio::time::timeout(waited, delete).await;
    for _ in 0..500 {
        if matches!(host.observe(&owner).await, ServerObservation::Absent) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("not deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_the_servers_cannot_enter_is_named() {
    let host = Host::new();
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let owner = owner("orders");
    let spec = PostgreSQLServerSpec::default();
    let desired = DesiredServer::new(&owner, &spec);
    let parent = host.config.data_dir.parent().unwrap().to_path_buf();
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o700)).unwrap();
    let refused =
        host.backend.create(&host.identity(&owner), &desired, &Password::new("x")).await.unwrap_err();
    assert_eq!(refused.label(), "rejected");
    assert!(refused.to_string().contains(&format!("{};", parent.display())), "{refused}");
}
