//! The life of an Aurora cluster and its members.

use crate::support::{call, done, instance_until, login, refused, text, wait};
use clouds::rds::Simulator;

const CLUSTER: (&str, &str) = ("DBClusterIdentifier", "team-shop");
const SHOP: [(&str, &str); 5] = [
    CLUSTER,
    ("Engine", "aurora-postgresql"),
    ("EngineVersion", "15"),
    ("MasterUsername", "app_admin"),
    ("MasterUserPassword", "first-password"),
];

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = SHOP.iter().copied().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    own.chain(more.iter().copied().filter(|(_, value)| !value.is_empty())).collect()
}

fn member<'a>(id: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = [
        ("DBInstanceIdentifier", id),
        CLUSTER,
        ("Engine", "aurora-postgresql"),
        ("DBInstanceClass", "db.r6g.large"),
    ];
    let kept = own.into_iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    kept.chain(more.iter().copied()).collect()
}

fn status(simulator: &Simulator) -> String {
    simulator.cluster("team-shop").map(|it| it.status).unwrap_or_default()
}

async fn until(simulator: &Simulator, wanted: &str) {
    wait(wanted, || status(simulator) == wanted, || status(simulator)).await;
}

async fn cluster(simulator: &Simulator, more: &[(&str, &str)]) {
    done(simulator, "CreateDBCluster", &with(more)).await;
    until(simulator, "available").await;
}

/// Whether this member is the writer.
async fn writes(simulator: &Simulator, id: &str) -> bool {
    let body = done(simulator, "DescribeDBClusters", &[CLUSTER]).await;
    let member =
        body.split("<DBClusterMember>").find(|part| part.contains(&format!("<DBInstanceIdentifier>{id}<")));
    member.is_some_and(|part| part.contains("<IsClusterWriter>true<"))
}

#[tokio::test]
async fn a_cluster_is_made_filled_changed_and_emptied_before_it_goes() {
    let simulator = Simulator::start().await.unwrap();
    let asked = with(&[("DatabaseName", "shop"), ("EngineVersion", "15.10")]);
    simulator.clock().hold();
    let body = done(&simulator, "CreateDBCluster", &asked).await;
    assert!(body.contains("<Status>creating<") && body.contains("<Endpoint>127."), "{body}");
    assert!(!body.contains("<StorageType>"), "`aurora` is not returned: {body}");
    assert_eq!(refused(&simulator, "CreateDBCluster", &SHOP).await, "DBClusterAlreadyExistsFault");
    simulator.clock().run();
    until(&simulator, "available").await;
    let host = text(&done(&simulator, "DescribeDBClusters", &[CLUSTER]).await, "Endpoint").unwrap();
    assert!(login(&simulator, &host, "first-password").await.is_err(), "nothing answers without a member");

    done(&simulator, "CreateDBInstance", &member("one", &[])).await;
    instance_until(&simulator, "one", "available").await;
    done(&simulator, "CreateDBInstance", &member("two", &[("PromotionTier", "2")])).await;
    done(&simulator, "CreateDBInstance", &member("three", &[("PromotionTier", "0")])).await;
    instance_until(&simulator, "two", "available").await;
    instance_until(&simulator, "three", "available").await;
    assert!(writes(&simulator, "one").await && !writes(&simulator, "two").await);
    let client = login(&simulator, &host, "first-password").await.unwrap();
    client.batch_execute("CREATE TABLE kept (it int); INSERT INTO kept VALUES (7)").await.unwrap();
    drop(client);
    // Every endpoint's certificate is good for its own address.
    let cluster = done(&simulator, "DescribeDBClusters", &[CLUSTER]).await;
    let two = done(&simulator, "DescribeDBInstances", &[("DBInstanceIdentifier", "two")]).await;
    for at in [text(&cluster, "ReaderEndpoint"), text(&two, "Address")] {
        assert!(at.as_ref() != Some(&host), "{at:?}");
        login(&simulator, &at.unwrap(), "first-password").await.unwrap();
    }

    // A reader's restart is nothing to the writer.
    let client = login(&simulator, &host, "first-password").await.unwrap();
    done(&simulator, "RebootDBInstance", &[("DBInstanceIdentifier", "two")]).await;
    instance_until(&simulator, "two", "available").await;
    client.batch_execute("SELECT 1").await.unwrap();
    drop(client);

    // The password is the cluster's.
    let of_member = [("DBInstanceIdentifier", "one"), ("MasterUserPassword", "second-password")];
    assert_eq!(refused(&simulator, "ModifyDBInstance", &of_member).await, "InvalidParameterCombination");
    // A password waits for nothing; a version does.
    let change = [CLUSTER, ("MasterUserPassword", "second-password"), ("EngineVersion", "15.12")];
    simulator.clock().hold();
    let body = done(&simulator, "ModifyDBCluster", &change).await;
    assert!(body.contains("<EngineVersion>15.12</EngineVersion><MasterUserPassword>****<"), "{body}");
    assert_eq!(status(&simulator), "resetting-master-credentials");
    simulator.clock().run();
    until(&simulator, "available").await;
    assert!(login(&simulator, &host, "first-password").await.is_err());
    login(&simulator, &host, "second-password").await.unwrap();
    assert_eq!(simulator.cluster("team-shop").unwrap().version, "15.10");

    // The writer goes, and the reader of the least tier takes its place.
    let last = [CLUSTER, ("FinalDBSnapshotIdentifier", "last")];
    assert_eq!(refused(&simulator, "DeleteDBCluster", &last).await, "InvalidDBClusterStateFault");
    done(&simulator, "DeleteDBInstance", &[("DBInstanceIdentifier", "one"), ("SkipFinalSnapshot", "true")])
        .await;
    wait("one is gone", || simulator.instance("one").is_none(), String::new).await;
    assert!(writes(&simulator, "three").await && !writes(&simulator, "two").await);
    for id in ["two", "three"] {
        done(&simulator, "DeleteDBInstance", &[("DBInstanceIdentifier", id), ("SkipFinalSnapshot", "true")])
            .await;
        wait("it is gone", || simulator.instance(id).is_none(), String::new).await;
    }
    // Data outlives its members.
    done(&simulator, "CreateDBInstance", &member("four", &[])).await;
    instance_until(&simulator, "four", "available").await;
    let client = login(&simulator, &host, "second-password").await.unwrap();
    assert_eq!(client.query_one("SELECT it FROM kept", &[]).await.unwrap().get::<_, i32>(0), 7);
    drop(client);
    done(&simulator, "DeleteDBInstance", &[("DBInstanceIdentifier", "four"), ("SkipFinalSnapshot", "true")])
        .await;
    done(&simulator, "DeleteDBCluster", &last).await;
    wait("the cluster is gone", || simulator.cluster("team-shop").is_none(), || status(&simulator)).await;
    let of = [("DBClusterSnapshotIdentifier", "last")];
    assert!(done(&simulator, "DescribeDBClusterSnapshots", &of).await.contains("<Status>available<"));
    assert_eq!(call(&simulator, "DescribeDBClusters", &[CLUSTER]).await.unwrap().0, 404);
}

#[tokio::test]
async fn a_protected_cluster_keeps_itself_and_not_its_members() {
    let simulator = Simulator::start().await.unwrap();
    cluster(&simulator, &[("DeletionProtection", "true"), ("StorageType", "aurora-iopt1")]).await;
    let body = done(&simulator, "DescribeDBClusters", &[CLUSTER]).await;
    assert!(body.contains("<StorageType>aurora-iopt1<"), "{body}");
    done(&simulator, "CreateDBInstance", &member("one", &[])).await;
    instance_until(&simulator, "one", "available").await;
    let snapshot = [("DBInstanceIdentifier", "one"), ("FinalDBSnapshotIdentifier", "x")];
    assert_eq!(refused(&simulator, "DeleteDBInstance", &snapshot).await, "InvalidParameterCombination");
    done(&simulator, "DeleteDBInstance", &[("DBInstanceIdentifier", "one")]).await;
    let skip = [CLUSTER, ("SkipFinalSnapshot", "true")];
    assert_eq!(refused(&simulator, "DeleteDBCluster", &skip).await, "InvalidParameterCombination");
    let lifted = [CLUSTER, ("DeletionProtection", "false")];
    done(&simulator, "ModifyDBCluster", &lifted).await;
    done(&simulator, "DeleteDBCluster", &skip).await;
}

#[tokio::test]
async fn serverless_capacity_and_cluster_parameters() {
    let simulator = Simulator::start().await.unwrap();
    let group = ("DBClusterParameterGroupName", "own");
    let family = [group, ("DBParameterGroupFamily", "aurora-postgresql15"), ("Description", "of a test")];
    done(&simulator, "CreateDBClusterParameterGroup", &family).await;
    cluster(&simulator, &[group]).await;
    let serverless = member("one", &[("DBInstanceClass", "db.serverless")]);
    assert_eq!(refused(&simulator, "CreateDBInstance", &serverless).await, "InvalidParameterValue");
    let capacity = |min, max| {
        [
            CLUSTER,
            ("ServerlessV2ScalingConfiguration.MinCapacity", min),
            ("ServerlessV2ScalingConfiguration.MaxCapacity", max),
        ]
    };
    assert_eq!(refused(&simulator, "ModifyDBCluster", &capacity("0.3", "4")).await, "InvalidParameterValue");
    let body = done(&simulator, "ModifyDBCluster", &capacity("0.5", "4")).await;
    assert!(body.contains("<MinCapacity>0.5</MinCapacity><MaxCapacity>4</MaxCapacity>"), "{body}");
    done(&simulator, "CreateDBInstance", &serverless).await;
    instance_until(&simulator, "one", "available").await;

    let set = [
        group,
        ("Parameters.Parameter.1.ParameterName", "max_connections"),
        ("Parameters.Parameter.1.ParameterValue", "44"),
        ("Parameters.Parameter.1.ApplyMethod", "pending-reboot"),
    ];
    done(&simulator, "ModifyDBClusterParameterGroup", &set).await;
    let body = done(&simulator, "DescribeDBClusters", &[CLUSTER]).await;
    assert!(body.contains("<DBClusterParameterGroupStatus>pending-reboot<"), "{body}");
    done(&simulator, "RebootDBInstance", &[("DBInstanceIdentifier", "one")]).await;
    instance_until(&simulator, "one", "available").await;
    let body = done(&simulator, "DescribeDBClusters", &[CLUSTER]).await;
    assert!(body.contains("<DBClusterParameterGroupStatus>in-sync<"), "{body}");
    let client = login(&simulator, &text(&body, "Endpoint").unwrap(), "first-password").await.unwrap();
    let shown: String = client.query_one("SHOW max_connections", &[]).await.unwrap().get(0);
    assert_eq!(shown, "44");
    assert_eq!(
        refused(&simulator, "DeleteDBClusterParameterGroup", &[group]).await,
        "InvalidDBParameterGroupState"
    );
}

#[tokio::test]
async fn a_new_version_is_the_clusters_and_its_members_follow() {
    let simulator = Simulator::start().await.unwrap();
    cluster(&simulator, &[("EngineVersion", "15.10")]).await;
    done(&simulator, "CreateDBInstance", &member("one", &[])).await;
    instance_until(&simulator, "one", "available").await;
    let of_member =
        [("DBInstanceIdentifier", "one"), ("EngineVersion", "15.12"), ("ApplyImmediately", "true")];
    assert_eq!(refused(&simulator, "ModifyDBInstance", &of_member).await, "InvalidParameterCombination");
    let upgrade = [
        CLUSTER,
        ("EngineVersion", "17"),
        ("ApplyImmediately", "true"),
        ("AllowMajorVersionUpgrade", "true"),
    ];
    let body = done(&simulator, "ModifyDBCluster", &upgrade).await;
    assert!(body.contains("<PendingModifiedValues><EngineVersion>17.4<"), "{body}");
    until(&simulator, "available").await;
    let seen = simulator.cluster("team-shop").unwrap();
    assert_eq!((seen.version.as_str(), seen.upgrade_failure), ("17.4", None));
    let seen = simulator.instance("one").unwrap();
    assert_eq!((seen.version.as_str(), seen.group.name.as_str()), ("17.4", "default.aurora-postgresql17"));
    let host = text(&done(&simulator, "DescribeDBClusters", &[CLUSTER]).await, "Endpoint").unwrap();
    login(&simulator, &host, "first-password").await.unwrap();
}

#[rstest::rstest]
#[case::a_password_of_42(
    "MasterUserPassword",
    "0123456789012345678901234567890123456789ab",
    "InvalidParameterValue"
)]
#[case::no_backups("BackupRetentionPeriod", "0", "InvalidParameterValue")]
#[case::plain_storage("StorageType", "gp3", "StorageTypeNotSupported")]
#[case::plain_postgres("Engine", "postgres", "InvalidParameterCombination")]
#[case::an_unknown_group("DBClusterParameterGroupName", "nothing", "DBClusterParameterGroupNotFound")]
#[case::a_version_that_aurora_does_not_have("EngineVersion", "18", "InvalidParameterCombination")]
#[tokio::test]
async fn what_the_service_refuses_of_a_cluster(#[case] field: &str, #[case] value: &str, #[case] code: &str) {
    let simulator = Simulator::start().await.unwrap();
    assert_eq!(refused(&simulator, "CreateDBCluster", &with(&[(field, value)])).await, code);
}

#[rstest::rstest]
#[case::its_own_password("MasterUserPassword", "long-enough", "InvalidParameterCombination")]
#[case::its_own_storage("AllocatedStorage", "20", "InvalidParameterCombination")]
#[case::another_engine("Engine", "postgres", "InvalidParameterCombination")]
#[case::another_version("EngineVersion", "16", "InvalidParameterCombination")]
#[case::a_small_class("DBInstanceClass", "db.t3.micro", "InvalidParameterCombination")]
#[case::a_tier_of_16("PromotionTier", "16", "InvalidParameterValue")]
#[case::an_unknown_cluster("DBClusterIdentifier", "nobody", "DBClusterNotFoundFault")]
#[tokio::test]
async fn what_the_service_refuses_of_a_member(#[case] field: &str, #[case] value: &str, #[case] code: &str) {
    let simulator = Simulator::start().await.unwrap();
    cluster(&simulator, &[]).await;
    assert_eq!(refused(&simulator, "CreateDBInstance", &member("one", &[(field, value)])).await, code);
}
