//! Creation, login, restart of the operator, password, deletion.

use std::fs;
use std::time::Duration;

use crate::api::PostgreSQLServerSpec;
use crate::backend::local::layout::exists;
use crate::backend::local::process;
use crate::backend::{Health, Read, Removal, ServerBackend, ServerObservation, Urgency};
use crate::secrets::Password;

use super::host::{FIRST, Host, ask, code, login, login_to, owner, plain_login, processes_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_created_server_takes_its_administrator_over_verified_tls_and_nobody_else() {
    let host = Host::new();
    let owner = owner("orders");
    assert!(matches!(host.observe(&owner).await, ServerObservation::Absent));

    let begun = std::time::Instant::now();
    host.create(&owner, &PostgreSQLServerSpec::default()).await;
    let creating = host.present(&owner).await;
    assert_eq!(creating.operation.as_deref(), Some("create"));
    assert!(!creating.accepts_writes);
    // A second request while the first one runs changes nothing.
    host.create(&owner, &PostgreSQLServerSpec::default()).await;
    loop {
        assert_eq!(processes_with(FIRST), Vec::<String>::new());
        let folder = host.config.data_dir.to_str().unwrap();
        let ours = processes_with(folder);
        assert!(!ours.iter().any(|arguments| arguments.contains("SCRAM-SHA-256$")), "{ours:?}");
        if host.present(&owner).await.health == Health::Usable {
            break;
        }
    }
    println!("created in {:?}", begun.elapsed());
    let server = host.until(&owner, |server| server.operation.is_none()).await;
    assert!(server.accepts_writes);
    assert!(server.uid.is_some());

    let endpoint = server.facts.endpoint.unwrap();
    let admin = login(&endpoint, &server.facts.admin_username, FIRST).await.unwrap();
    let rights = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles
                  WHERE rolname = current_user";
    let row = &admin.query(rights, &[]).await.unwrap()[0];
    assert_eq!([0, 1, 2, 3, 4].map(|column| row.get::<_, bool>(column)), [false, true, true, false, false]);
    assert_eq!(ask(&admin, "SHOW data_checksums").await, "on");
    assert_eq!(ask(&admin, "SHOW fsync").await, "on");

    // What an operator of databases does.
    admin.batch_execute("CREATE ROLE app LOGIN PASSWORD 'app-secret'").await.unwrap();
    admin.batch_execute("CREATE DATABASE app").await.unwrap();
    admin.batch_execute("CREATE TABLE public.t(); DROP TABLE public.t").await.unwrap();
    let refused = login(&endpoint, "app", "app-secret").await.err().unwrap();
    assert_eq!(code(&refused), "42501", "no CONNECT on postgres for others");
    let mut in_app = endpoint.clone();
    in_app.host = "localhost".to_owned();
    assert!(login(&in_app, "postgres", FIRST).await.is_ok(), "the certificate names localhost too");
    // It ends the sessions of the roles it made and drops its databases.
    let app = login_to("app", &endpoint, "app", "app-secret").await.unwrap();
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'app'";
    assert_eq!(ask(&admin, end).await, "1");
    while !app.is_closed() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    admin.batch_execute("DROP DATABASE app").await.unwrap();
    admin.batch_execute("DROP ROLE app").await.unwrap();

    let superuser = login(&endpoint, "hcpg_superuser", FIRST).await.err().unwrap();
    assert_eq!(code(&superuser), "28000");
    assert_eq!(code(&plain_login(&endpoint, "postgres", FIRST).await.err().unwrap()), "28000");
    assert_eq!(code(&login(&endpoint, "postgres", "wrong").await.err().unwrap()), "28P01");

    assert_eq!(host.files_with(FIRST), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_outlives_the_operator_and_is_found_again() {
    let host = Host::new();
    let owner = owner("orders");
    let before = host.created(&owner, &PostgreSQLServerSpec::default()).await;
    let pid = process::find(&host.cluster(&owner)).unwrap().unwrap().pid;

    let restarted = host.restarted().await;
    let ServerObservation::Present(after) =
        restarted.observe(&host.identity(&owner), &owner, Read::Direct(Urgency::User)).await.unwrap()
    else {
        panic!("not found");
    };
    assert_eq!(after.health, Health::Usable);
    assert_eq!(after.uid, before.uid);
    assert_eq!(process::find(&host.cluster(&owner)).unwrap().unwrap().pid, pid);

    let parent = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    assert_ne!(
        parent.split(' ').nth(3),
        Some(std::process::id().to_string().as_str()),
        "it is no child of ours"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_replaces_the_old_one() {
    let host = Host::new();
    let owner = owner("orders");
    let spec = super::host::spec_with(&[("log_statement", "all")]);
    let server = host.created(&owner, &spec).await;
    let endpoint = server.facts.endpoint.unwrap();

    let second = Password::new("second' Passw0rd\\-ü");
    host.backend.set_admin_password(&host.identity(&owner), &owner, &second).await.unwrap();

    assert_eq!(code(&login(&endpoint, "postgres", FIRST).await.err().unwrap()), "28P01");
    assert!(login(&endpoint, "postgres", second.expose()).await.is_ok());
    assert_eq!(host.files_with(second.expose()), Vec::<String>::new());
    let log = fs::read_to_string(host.cluster(&owner).log()).unwrap();
    assert!(log.contains("log_statement") && !log.contains("SCRAM-SHA-256$"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_removes_everything_of_that_server_and_nothing_of_another() {
    let host = Host::new();
    let (doomed, other) = (owner("doomed"), owner("other"));
    let spec = PostgreSQLServerSpec::default();
    host.create(&other, &spec).await;
    let first = host.created(&doomed, &spec).await;
    let second = host.created(&other, &spec).await;
    assert_ne!(first.facts.endpoint, second.facts.endpoint);
    let identity = host.identity(&doomed);

    let another = host.backend.delete(&identity, &doomed, Some("another"), Removal::Delete).await;
    assert_eq!(another.unwrap_err().label(), "conflict");
    let snapshot = host
        .backend
        .delete(&identity, &doomed, None, Removal::SnapshotAndDelete { since: jiff::Timestamp::now() })
        .await;
    assert_eq!(snapshot.unwrap_err().label(), "rejected");
    assert_eq!(host.present(&doomed).await.health, Health::Usable);

    // A session must not hold it up.
    let _session = login(first.facts.endpoint.as_ref().unwrap(), "postgres", FIRST).await.unwrap();
    let begun = std::time::Instant::now();
    host.backend.delete(&identity, &doomed, first.uid.as_deref(), Removal::Delete).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());

    assert!(matches!(host.observe(&doomed).await, ServerObservation::Absent));
    assert!(!exists(&host.cluster(&doomed).folder).unwrap());
    assert_eq!(processes_with(host.cluster(&doomed).folder.to_str().unwrap()), Vec::<String>::new());
    assert_eq!(host.present(&other).await.health, Health::Usable);
    host.delete(&doomed).await;

    let again = host.created(&doomed, &spec).await;
    assert_ne!(again.uid, first.uid);
    assert_eq!(
        again.facts.endpoint.unwrap().port,
        first.facts.endpoint.unwrap().port,
        "the lowest free port is used again"
    );
}
