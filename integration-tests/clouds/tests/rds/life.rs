//! The life of a DB instance, over the wire.

use std::time::{Duration, Instant};

use crate::support::{ID, SHOP, call, logs_in, shop, until};
use clouds::faults::{Fault, Kind};
use clouds::rds::Simulator;

#[tokio::test]
async fn an_instance_is_created_changed_and_deleted() {
    let simulator = Simulator::start().await.unwrap();
    simulator.clock().hold();
    let (status, body) = call(&simulator, "CreateDBInstance", &SHOP).await.unwrap();
    assert!(
        status == 200 && body.contains("<DBInstanceStatus>creating<") && !body.contains("<Endpoint>"),
        "{body}"
    );
    assert!(body.contains("<Value>a</Value>"), "{body}");
    let (status, body) = call(&simulator, "CreateDBInstance", &SHOP).await.unwrap();
    assert!(status == 400 && body.contains("<Code>DBInstanceAlreadyExists</Code>"), "{body}");
    let skip = [ID[0], ("SkipFinalSnapshot", "true")];
    let (_, body) = call(&simulator, "DeleteDBInstance", &skip).await.unwrap();
    assert!(body.contains("<Code>InvalidDBInstanceState</Code>"), "{body}");
    simulator.clock().run();
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
    simulator.clock().run();
    until(&simulator, "storage-optimization").await;
    until(&simulator, "available").await;
    assert!(logs_in(&simulator, "second-password").await && !logs_in(&simulator, "first-password").await);
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
#[case::an_unknown_class("DBInstanceClass", "db.bogus", "InvalidParameterValue")]
#[case::an_unknown_authority("CACertificateIdentifier", "mine", "CertificateNotFound")]
#[case::an_unknown_parameter_group("DBParameterGroupName", "nothing", "DBParameterGroupNotFound")]
#[case::a_parameter_group_of_another_version(
    "DBParameterGroupName",
    "default.postgres14",
    "InvalidParameterCombination"
)]
#[case::a_key_without_encryption("KmsKeyId", "arn:aws:kms:x", "InvalidParameterCombination")]
#[case::monitoring_without_a_role("MonitoringInterval", "60", "InvalidParameterCombination")]
#[case::throughput_on_a_small_gp3("StorageThroughput", "125", "InvalidParameterCombination")]
#[case::insights_for_eight_days("PerformanceInsightsRetentionPeriod", "8", "InvalidParameterValue")]
#[case::no_number("BackupRetentionPeriod", "many", "InvalidParameterValue")]
#[case::no_boolean("MultiAZ", "yes", "InvalidParameterValue")]
#[case::another_port("Port", "5433", "InvalidParameterValue")]
#[case::a_users_name_of_17("MasterUsername", "a2345678901234567", "InvalidParameterValue")]
#[case::a_limit_below_the_size("MaxAllocatedStorage", "10", "InvalidParameterCombination")]
#[case::a_window_of_ten_minutes("PreferredBackupWindow", "01:00-01:10", "InvalidParameterValue")]
#[case::aurora_without_a_cluster("Engine", "aurora-postgresql", "InvalidParameterCombination")]
#[case::no_password("MasterUserPassword", "", "InvalidParameterValue")]
#[case::a_field_that_is_not_simulated("TdeCredentialArn", "x", "InvalidParameterValue")]
#[tokio::test]
async fn what_the_service_refuses_is_refused(#[case] field: &str, #[case] value: &str, #[case] code: &str) {
    let simulator = Simulator::start().await.unwrap();
    let (_, body) = call(&simulator, "CreateDBInstance", &shop(&[(field, value)])).await.unwrap();
    assert!(body.contains(&format!("<Code>{code}</Code>")), "{body}");
}
