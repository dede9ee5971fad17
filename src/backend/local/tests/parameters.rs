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

/// The differences now, with whether they restart the server.
async fn told(host: &Host, spec: &PostgreSQLServerSpec) -> Vec<(String, bool)> {
    let owner = owner("orders");
    let desired = DesiredServer::new(&owner, spec);
    let differences = host.backend.differences(&desired, &host.present(&owner).await.facts);
    differences.iter().map(|one| (one.sentence(), one.restarts())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_of_an_extension_restarts_the_server_where_it_must_and_a_value_without_effect_is_told() {
    let host = Host::new();
    let owner = owner("orders");
    let spec = |parameters: &[(&str, &str)]| PostgreSQLServerSpec {
        extensions: vec!["pg_stat_statements".to_owned()],
        ..spec_with(parameters)
    };
    let server = host.created(&owner, &spec(&[("pg_stat_statements.max", "200")])).await;
    if !server.facts.settings.contains_key("parameter.shared_preload_libraries") {
        println!("skipped: this PostgreSQL has no pg_stat_statements");
        return;
    }
    assert_eq!(server.facts.storage_used_gb, Some(1));
    let endpoint = server.facts.endpoint.unwrap();
    let show = async |name: &str| {
        let admin = login(&endpoint, "postgres", FIRST).await.unwrap();
        ask(&admin, &format!("SHOW {name}")).await
    };
    let pid = || process::find(&host.cluster(&owner)).unwrap().unwrap().pid;
    let first_pid = pid();
    let more = spec(&[("pg_stat_statements.max", "300")]);
    assert_eq!(
        told(&host, &more).await,
        [("parameter.pg_stat_statements.max: 200, asked for 300".to_owned(), true)]
    );
    assert_eq!(host.apply(&owner, &more, Stage::Configure).await, 1);
    assert_eq!(show("pg_stat_statements.max").await, "300");
    let second_pid = pid();
    assert_ne!(second_pid, first_pid);

    // Written behind our back and not in force: the facts tell what is.
    let file = host.cluster(&owner).parameters();
    let text = std::fs::read_to_string(&file).unwrap().replace("'300'", "'400'");
    std::fs::write(&file, text).unwrap();
    process::reload(process::find(&host.cluster(&owner)).unwrap().unwrap()).unwrap();
    crate::backend::local::look::forget(&host.cluster(&owner));
    let wanted = spec(&[("pg_stat_statements.max", "400")]);
    assert_eq!(
        told(&host, &wanted).await,
        [("parameter.pg_stat_statements.max: 300, asked for 400".to_owned(), true)]
    );
    assert_eq!(host.apply(&owner, &wanted, Stage::Configure).await, 1);
    assert_eq!(show("pg_stat_statements.max").await, "400");
    let third_pid = pid();
    assert_ne!(third_pid, second_pid);

    // Until it is loaded nobody can judge it, and PostgreSQL passes over it.
    let odd = spec(&[("pg_stat_statements.max", "400"), ("pg_stat_statements.track", "odd")]);
    assert_eq!(host.apply(&owner, &odd, Stage::Configure).await, 1);
    assert_eq!(
        told(&host, &odd).await,
        [(
            "parameter.pg_stat_statements.track: top, asked for odd: PostgreSQL does not take this value"
                .to_owned(),
            false
        )]
    );
    let good = spec(&[("pg_stat_statements.max", "400"), ("pg_stat_statements.track", "all")]);
    assert_eq!(host.apply(&owner, &good, Stage::Configure).await, 1);
    assert_eq!(told(&host, &good).await, []);
    assert_eq!(pid(), third_pid, "these need no restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_programs_restart_the_server_once_with_everything_else_that_needs_it() {
    let (host, programs) = Host::with_wrapped_programs();
    let owner = owner("orders");
    let server = host.created(&owner, &PostgreSQLServerSpec::default()).await;
    let runs = server.facts.version.unwrap();
    let pid = || process::find(&host.cluster(&owner)).unwrap().unwrap().pid;
    let first_pid = pid();
    assert_eq!(told(&host, &PostgreSQLServerSpec::default()).await, []);

    let say = |release: &str| {
        std::fs::write(programs.join("release"), format!("postgres (PostgreSQL) {release}\n")).unwrap();
        crate::backend::local::look::forget(&host.cluster(&owner));
    };
    say(&format!("{runs}.1"));
    let spec = spec_with(&[("max_connections", "33")]);
    let difference = format!("release: {runs}, asked for {runs}.1");
    let max_connections = "parameter.max_connections: not set, asked for 33".to_owned();
    assert_eq!(told(&host, &spec).await, [(max_connections, true), (difference, true)]);
    assert_eq!(host.apply(&owner, &spec, Stage::Configure).await, 2);
    let second_pid = pid();
    assert_ne!(second_pid, first_pid);
    // These programs only pretend: a restart that changed nothing is not repeated, and a newer release is another one.
    assert_eq!(told(&host, &spec).await, []);
    say(&format!("{runs}.2"));
    assert_eq!(told(&host, &spec).await.len(), 1);
    assert_eq!(host.apply(&owner, &spec, Stage::Configure).await, 1);
    assert_ne!(pid(), second_pid);
    assert_eq!(told(&host, &spec).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_of_the_operator_is_no_reason_to_restart_a_server_with_a_size() {
    let host = Host::new();
    let owner = owner("orders");
    let sized = |memory_mb| PostgreSQLServerSpec {
        size: Some(Size { memory_mb: Some(memory_mb), ..Size::default() }),
        ..PostgreSQLServerSpec::default()
    };
    host.created(&owner, &PostgreSQLServerSpec::default()).await;
    // What an earlier version wrote down.
    let cluster = host.cluster(&owner);
    let text = std::fs::read_to_string(cluster.record()).unwrap();
    std::fs::write(cluster.record(), text.replacen('{', "{\"sharedBuffersMB\": 64,", 1)).unwrap();
    let pid = || process::find(&cluster).unwrap().unwrap().pid;
    let first_pid = pid();

    let differences = told(&host, &sized(1024)).await;
    assert!(!differences.is_empty() && differences.iter().all(|(_, restarts)| !restarts), "{differences:?}");
    host.apply(&owner, &sized(1024), Stage::Configure).await;
    assert_eq!(host.apply(&owner, &sized(1024), Stage::Update).await, 1);
    assert_eq!(told(&host, &sized(1024)).await, []);
    assert_eq!(host.present(&owner).await.facts.size.as_deref(), Some("64MB shared buffers"));
    assert_eq!(pid(), first_pid);

    // Another size is asked for: all of it, by one restart.
    host.apply(&owner, &sized(512), Stage::Configure).await;
    assert_eq!(host.present(&owner).await.facts.size.as_deref(), Some("128MB shared buffers"));
    assert_ne!(pid(), first_pid);
    assert_eq!(told(&host, &sized(512)).await, []);
}
