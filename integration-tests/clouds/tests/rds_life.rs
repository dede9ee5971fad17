//! The life of a DB instance, over the wire.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::time::{Duration, Instant};

use clouds::faults::{Fault, Kind};
use clouds::rds::Simulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Status and body; none if the connection was closed without an answer.
async fn call(simulator: &Simulator, action: &str, fields: &[(&str, &str)]) -> Option<(u16, String)> {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", action)
        .append_pair("Version", "2014-10-31")
        .extend_pairs(fields)
        .finish();
    let host = simulator.endpoint().trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: AWS4-HMAC-SHA256 \
         Credential=AKID/20260101/eu-central-1/rds/aws4_request, SignedHeaders=host, Signature=00\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

const SHOP: [(&str, &str); 8] = [
    ("DBInstanceIdentifier", "team-shop"),
    ("Engine", "postgres"),
    ("EngineVersion", "15"),
    ("DBInstanceClass", "db.t3.micro"),
    ("MasterUsername", "app_admin"),
    ("MasterUserPassword", "first-password"),
    ("Tags.Tag.1.Key", "team"),
    ("Tags.Tag.1.Value", "a<b"),
];
const ID: [(&str, &str); 1] = [("DBInstanceIdentifier", "team-shop")];

async fn until(simulator: &Simulator, status: &str) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while simulator.instance("team-shop").map(|it| it.status).as_deref() != Some(status) {
        assert!(
            Instant::now() < deadline,
            "never {status}: {:?}",
            simulator.instance("team-shop").map(|it| it.status)
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn logs_in(simulator: &Simulator, password: &str) -> bool {
    let (_, body) = call(simulator, "DescribeDBInstances", &ID).await.unwrap();
    let host = body.split("<Address>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut roots = rustls::RootCertStore::empty();
    use rustls::pki_types::pem::PemObject;
    for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(simulator.ca_pem().as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let mut config = tokio_postgres::Config::new();
    config.host(host).user("app_admin").password(password).dbname("postgres");
    config.ssl_mode(tokio_postgres::config::SslMode::Require);
    config.connect(tokio_postgres_rustls::MakeRustlsConnect::new(tls)).await.is_ok()
}

#[tokio::test]
async fn an_instance_is_created_changed_and_deleted() {
    let simulator = Simulator::start().await.unwrap();
    let (status, body) = call(&simulator, "CreateDBInstance", &SHOP).await.unwrap();
    assert!(
        status == 200 && body.contains("<DBInstanceStatus>creating<") && !body.contains("<Endpoint>"),
        "{body}"
    );
    assert!(body.contains("<Value>a&lt;b</Value>"), "{body}");
    let (status, body) = call(&simulator, "CreateDBInstance", &SHOP).await.unwrap();
    assert!(status == 400 && body.contains("<Code>DBInstanceAlreadyExists</Code>"), "{body}");
    let skip = [ID[0], ("SkipFinalSnapshot", "true")];
    let (_, body) = call(&simulator, "DeleteDBInstance", &skip).await.unwrap();
    assert!(body.contains("<Code>InvalidDBInstanceState</Code>"), "{body}");
    until(&simulator, "available").await;
    assert!(logs_in(&simulator, "first-password").await);

    // The new password is accepted at once, pending for a while, and only then in force.
    simulator.clock().hold();
    let change = [
        ID[0],
        ("ApplyImmediately", "true"),
        ("MasterUserPassword", "second-password"),
        ("AllocatedStorage", "21"),
    ];
    let (_, body) = call(&simulator, "ModifyDBInstance", &change).await.unwrap();
    assert!(body.contains("<MasterUserPassword>****<") && body.contains("<AllocatedStorage>22<"), "{body}");
    assert!(logs_in(&simulator, "first-password").await && !logs_in(&simulator, "second-password").await);
    simulator.clock().turn(Duration::from_secs(1));
    until(&simulator, "available").await;
    assert!(logs_in(&simulator, "second-password").await && !logs_in(&simulator, "first-password").await);
    simulator.clock().run();
    let (status, _) = call(
        &simulator,
        "ModifyDBInstance",
        &[ID[0], ("ApplyImmediately", "true"), ("AllocatedStorage", "20")],
    )
    .await
    .unwrap();
    assert_eq!(status, 400, "storage never shrinks");

    let (_, body) = call(&simulator, "DeleteDBInstance", &ID).await.unwrap();
    assert!(body.contains("<Code>InvalidParameterCombination</Code>"), "{body}");
    let last = [ID[0], ("FinalDBSnapshotIdentifier", "last")];
    assert_eq!(call(&simulator, "DeleteDBInstance", &last).await.unwrap().0, 200);
    let deadline = Instant::now() + Duration::from_secs(30);
    while call(&simulator, "DescribeDBInstances", &ID).await.unwrap().0 != 404 {
        assert!(Instant::now() < deadline);
    }
    let (_, body) = call(&simulator, "DescribeDBSnapshots", &ID).await.unwrap();
    assert!(body.contains("<DBSnapshotIdentifier>last<"), "{body}");
    let log = serde_json::to_string(&simulator.log()).unwrap();
    assert!(log.contains("FinalDBSnapshotIdentifier") && !log.contains("second-password"));
}

#[tokio::test]
async fn faults_hit_the_calls_they_are_meant_for() {
    let simulator = Simulator::start().await.unwrap();
    let fault = |action: &str, kind| {
        simulator.faults().add(Fault { action: Some(action.into()), id: None, kind, times: 1 });
    };
    fault("CreateDBInstance", Kind::Reset);
    assert_eq!(call(&simulator, "CreateDBInstance", &SHOP).await, None);
    assert!(simulator.instance("team-shop").is_none(), "reset: not executed");
    fault("CreateDBInstance", Kind::Error(400, "Throttling".into()));
    let (status, body) = call(&simulator, "CreateDBInstance", &SHOP).await.unwrap();
    assert!(status == 400 && body.contains("<Code>Throttling</Code>"), "{body}");
    fault("CreateDBInstance", Kind::Lost);
    simulator.fail_creations(1);
    assert_eq!(call(&simulator, "CreateDBInstance", &SHOP).await, None);
    assert!(simulator.instance("team-shop").is_some(), "lost: executed");
    until(&simulator, "failed").await;
    let (_, body) =
        call(&simulator, "DeleteDBInstance", &[ID[0], ("FinalDBSnapshotIdentifier", "x")]).await.unwrap();
    assert!(body.contains("<Code>InvalidDBInstanceState</Code>"), "{body}");
}

#[rstest::rstest]
#[case::a_name_with_two_hyphens("DBInstanceIdentifier", "a--b", "InvalidParameterValue")]
#[case::a_short_password("MasterUserPassword", "short", "InvalidParameterValue")]
#[case::a_password_with_an_at_sign("MasterUserPassword", "long-enough@", "InvalidParameterValue")]
#[case::the_services_own_role("MasterUsername", "rdsadmin", "InvalidParameterValue")]
#[case::too_little_storage("AllocatedStorage", "5", "InvalidParameterValue")]
#[case::an_unknown_version("EngineVersion", "99.9", "InvalidParameterCombination")]
#[case::an_unknown_subnet_group("DBSubnetGroupName", "nowhere", "DBSubnetGroupNotFoundFault")]
#[case::too_long_a_retention("BackupRetentionPeriod", "36", "InvalidParameterValue")]
#[tokio::test]
async fn what_the_service_refuses_is_refused(#[case] field: &str, #[case] value: &str, #[case] code: &str) {
    let simulator = Simulator::start().await.unwrap();
    let mut fields: Vec<_> = SHOP.iter().copied().filter(|(name, _)| *name != field).collect();
    fields.push((field, value));
    let (_, body) = call(&simulator, "CreateDBInstance", &fields).await.unwrap();
    assert!(body.contains(&format!("<Code>{code}</Code>")), "{body}");
}
