//! The backend `awsrds` against the simulated RDS, over the wire, with real PostgreSQL servers behind.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use clouds::faults::{Fault, Kind};
use clouds::rds::Simulator;
use hcpg::api::PostgreSQLServerSpec;
use hcpg::backend::{
    BackendError, DesiredServer, Health, Owner, PresentServer, RdsBackend, Read, Removal, ServerBackend,
    ServerIdentity, ServerObservation, Urgency,
};
use hcpg::config::RdsConfig;
use hcpg::secrets::Password;
use integration_tests::aws::with_credentials;
use serde_json::{Value, json};

const DIRECT: Read = Read::Direct(Urgency::User);
const SHARED: Read = Read::Shared { at_most: Duration::from_secs(60) };

#[test]
fn a_server_is_made_once_changed_reset_and_deleted_over_the_wire() {
    with_credentials("life");
}

fn backend(simulator: &Simulator, authorities: &Path) -> RdsBackend {
    let config: RdsConfig = serde_json::from_value(json!({
        "region": "eu-central-1",
        "subnet_group": "default",
        "endpoint": simulator.endpoint(),
        "sts_endpoint": simulator.endpoint(),
        "extra_ca_file": authorities,
        "default_class": "small",
        "classes": {"small": {"instance_type": "db.t3.micro", "storage_type": "gp3"}},
    }))
    .unwrap();
    RdsBackend::new(config).unwrap()
}

fn spec(more: Value) -> PostgreSQLServerSpec {
    let mut spec = json!({"credentialsSecret": "s", "version": "15", "size": {"storageGB": 20}});
    json_patch::merge(&mut spec, &more);
    serde_json::from_value(spec).unwrap()
}

async fn settled(backend: &RdsBackend, identity: &ServerIdentity, owner: &Owner) -> PresentServer {
    let since = Instant::now();
    loop {
        let seen = backend.observe(identity, owner, DIRECT).await;
        match &seen {
            Ok(ServerObservation::Present(server))
                if server.health == Health::Usable && server.operation.is_none() =>
            {
                return server.as_ref().clone();
            }
            _ => assert!(since.elapsed() < Duration::from_secs(60), "{seen:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
#[ignore = "run by the other test, which gives it credentials"]
async fn life() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let simulator = Simulator::start().await.unwrap();
    let mut authorities = tempfile::NamedTempFile::new().unwrap();
    authorities.write_all(simulator.ca_pem().as_bytes()).unwrap();
    let backend = backend(&simulator, authorities.path());
    let owner = Owner { namespace: "team".to_owned(), name: "shop".to_owned(), uid: "uid-1".to_owned() };
    let identity = backend.identity(&owner).unwrap();
    let small = spec(json!({}));
    let desired = DesiredServer::new(&owner, &small);
    let first = Password::new("first-password");

    let absent = backend.observe(&identity, &owner, DIRECT).await.unwrap();
    assert!(matches!(absent, ServerObservation::Absent), "{absent:?}");
    // Made, and the answer is lost; the second request meets what the first has made.
    simulator.faults().add(Fault {
        action: Some("CreateDBInstance".to_owned()),
        id: None,
        kind: Kind::Lost,
        times: 1,
    });
    let lost = backend.create(&identity, &desired, &first).await.unwrap_err();
    assert!(matches!(lost, BackendError::Transient { .. }), "{lost:?}");
    backend.create(&identity, &desired, &first).await.unwrap();
    let server = settled(&backend, &identity, &owner).await;
    assert!(server.uid.is_some() && server.facts.endpoint.is_some());

    // As asked: nothing differs, in a listing as in a direct read.
    let listed = backend.observe(&identity, &owner, SHARED).await.unwrap();
    let ServerObservation::Present(listed) = listed else { panic!("{listed:?}") };
    assert_eq!(backend.differences(&desired, &listed.facts), vec![]);

    // A hundred looks share one listing.
    let before = simulator.log().len();
    let looks = (0..100).map(|_| backend.observe(&identity, &owner, SHARED));
    assert!(futures::future::join_all(looks).await.iter().all(Result::is_ok));
    assert_eq!(simulator.log().len(), before);

    // Somebody else's object of the same server name does nothing to it.
    let stranger = Owner { name: "thief".to_owned(), ..owner.clone() };
    let seen = backend.observe(&identity, &stranger, DIRECT).await.unwrap();
    assert!(matches!(seen, ServerObservation::NotOurs { .. }), "{seen:?}");
    let refused = backend.set_admin_password(&identity, &stranger, &first).await.unwrap_err();
    assert!(matches!(refused, BackendError::Conflict { .. }), "{refused:?}");

    let large = spec(json!({"size": {"storageGB": 40}}));
    let desired = DesiredServer::new(&owner, &large);
    let differences = backend.differences(&desired, &server.facts);
    assert_eq!(differences.len(), 1, "{differences:?}");
    backend.update(&identity, &desired, &differences).await.unwrap();
    let server = settled(&backend, &identity, &owner).await;
    assert_eq!((server.facts.storage_gb, backend.differences(&desired, &server.facts)), (Some(40), vec![]));

    // Refused for the number of calls: nothing is asked before the pause is over. Lost: the request is repeated.
    let second = Password::new("second-password");
    for (kind, label) in [
        (Kind::Error(400, "Throttling".to_owned()), "transient"),
        (Kind::Error(500, "InternalFailure".to_owned()), "transient"),
        (Kind::Error(400, "InvalidDBInstanceState".to_owned()), "busy"),
        (Kind::Reset, "transient"),
    ] {
        let action = Some("ModifyDBInstance".to_owned());
        simulator.faults().add(Fault { action, id: None, kind, times: 1 });
        let failed = backend.set_admin_password(&identity, &owner, &second).await.unwrap_err();
        assert_eq!(failed.label(), label, "{failed:?}");
        assert!(!failed.to_string().contains("second-password"), "{failed}");
    }
    backend.set_admin_password(&identity, &owner, &second).await.unwrap();
    settled(&backend, &identity, &owner).await;

    // Credentials of another account: that it is not there says nothing. A read that finds it does not ask.
    let elsewhere = ServerIdentity { account: Some("999999999999".to_owned()), ..identity.clone() };
    assert!(matches!(
        backend.observe(&elsewhere, &owner, DIRECT).await.unwrap(),
        ServerObservation::Present(_)
    ));
    let elsewhere = ServerIdentity { name: "team-nowhere".to_owned(), ..elsewhere };
    let told = backend.observe(&elsewhere, &owner, DIRECT).await.unwrap_err().to_string();
    assert!(told.contains("in the AWS account 999999999999") && told.contains("123456789012"), "{told}");
    let here = ServerIdentity { account: server.facts.account.clone(), ..elsewhere };
    assert_eq!(here.account.as_deref(), Some("123456789012"), "the ARN tells");
    assert!(matches!(backend.observe(&here, &owner, DIRECT).await.unwrap(), ServerObservation::Absent));

    let other = backend.delete(&identity, &owner, Some("db-OTHER"), Removal::Delete).await.unwrap_err();
    assert!(matches!(other, BackendError::Conflict { .. }), "{other:?}");
    backend.delete(&identity, &owner, server.uid.as_deref(), Removal::Delete).await.unwrap();
    let since = Instant::now();
    while !matches!(backend.observe(&identity, &owner, DIRECT).await.unwrap(), ServerObservation::Absent) {
        assert!(since.elapsed() < Duration::from_secs(60), "it is not gone");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let made =
        ["CreateDBInstance", "CreateDBInstance", "ModifyDBInstance", "ModifyDBInstance", "DeleteDBInstance"];
    let executed =
        simulator.log().into_iter().filter(|call| call.status == 200 || call.action != "ModifyDBInstance");
    let written: Vec<String> = executed
        .filter(|call| !call.action.starts_with("Describe") && call.action != "GetCallerIdentity")
        .map(|call| call.action)
        .collect();
    assert_eq!(written, made);
}
