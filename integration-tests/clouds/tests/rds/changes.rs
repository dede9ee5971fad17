//! Changes of a DB instance: what is shown again, what waits for the maintenance window, versions.

use std::time::Duration;

use crate::support::{
    ID, available_shop, call, done, host, login, login_trusting, logs_in, refused, shop, shown, text, until,
    wait,
};
use clouds::rds::Simulator;

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

#[tokio::test]
async fn whatever_is_asked_for_is_shown_again() {
    let simulator = Simulator::start().await.unwrap();
    simulator.add_subnet_group("private");
    let asked = [
        ("AllocatedStorage", "500"),
        ("StorageType", "gp3"),
        ("Iops", "16000"),
        ("StorageThroughput", "600"),
        ("MaxAllocatedStorage", "1000"),
        ("PreferredBackupWindow", "01:00-01:30"),
        ("PreferredMaintenanceWindow", "tue:03:00-tue:04:00"),
        ("BackupRetentionPeriod", "7"),
        ("StorageEncrypted", "true"),
        ("KmsKeyId", "arn:aws:kms:eu-central-1:123456789012:key/mine"),
        ("CACertificateIdentifier", "rds-ca-rsa4096-g1"),
        ("PubliclyAccessible", "true"),
        ("DBSubnetGroupName", "private"),
        ("MonitoringInterval", "60"),
        ("MonitoringRoleArn", "arn:aws:iam::123456789012:role/monitoring"),
        ("AutoMinorVersionUpgrade", "false"),
        ("CopyTagsToSnapshot", "true"),
        ("DeletionProtection", "true"),
        ("MultiAZ", "true"),
        ("PerformanceInsightsRetentionPeriod", "731"),
    ];
    let mut request = shop(&asked);
    request.push(("EnablePerformanceInsights", "true"));
    request.push(("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-7"));
    done(&simulator, "CreateDBInstance", &request).await;
    let body = done(&simulator, "DescribeDBInstances", &ID).await;
    for (element, value) in asked {
        assert_eq!(text(&body, element).as_deref(), Some(value), "{element}: {body}");
    }
    for (element, value) in [
        ("PerformanceInsightsEnabled", "true"),
        ("VpcSecurityGroupId", "sg-7"),
        ("DBParameterGroupName", "default.postgres15"),
        ("ParameterApplyStatus", "in-sync"),
        ("LicenseModel", "postgresql-license"),
    ] {
        assert_eq!(text(&body, element).as_deref(), Some(value), "{element}: {body}");
    }
    assert_eq!(
        refused(&simulator, "DeleteDBInstance", &[ID[0], ("SkipFinalSnapshot", "true")]).await,
        "InvalidParameterCombination"
    );
}

#[tokio::test]
async fn what_is_not_to_change_at_once_waits_for_the_maintenance_window() {
    let simulator = Simulator::start().await.unwrap();
    simulator.add_subnet_group("private");
    available_shop(&simulator, &[]).await;
    let later = [
        ID[0],
        ("DBInstanceClass", "db.t3.large"),
        ("MultiAZ", "true"),
        ("DeletionProtection", "true"),
        ("DBSubnetGroupName", "private"),
    ];
    let body = done(&simulator, "ModifyDBInstance", &later).await;
    assert!(
        body.contains(
            "<PendingModifiedValues><DBInstanceClass>db.t3.large</DBInstanceClass><MultiAZ>true</MultiAZ>"
        ),
        "{body}"
    );
    assert!(body.contains("<DeletionProtection>true<"), "protection waits for nothing: {body}");
    // A password does not wait, and leaves the others waiting.
    done(&simulator, "ModifyDBInstance", &[ID[0], ("MasterUserPassword", "second-password")]).await;
    until(&simulator, "available").await;
    assert!(logs_in(&simulator, "second-password").await);
    let seen = simulator.instance("team-shop").unwrap();
    assert!(seen.class == "db.t3.micro" && !seen.multi_az && seen.waits_for_window());
    assert!(
        done(&simulator, "DescribeDBInstances", &ID)
            .await
            .contains("<DBSubnetGroupName>private</DBSubnetGroupName></Pending")
    );

    simulator.clock().turn(WEEK);
    let class = || simulator.instance("team-shop").map(|it| it.class).unwrap_or_default();
    wait("the class changes", || class() == "db.t3.large", class).await;
    until(&simulator, "available").await;
    let body = done(&simulator, "DescribeDBInstances", &ID).await;
    assert!(body.contains("<PendingModifiedValues></PendingModifiedValues>"), "{body}");
    assert!(logs_in(&simulator, "second-password").await);
}

#[tokio::test]
async fn a_change_at_once_brings_along_what_waits() {
    let simulator = Simulator::start().await.unwrap();
    available_shop(&simulator, &[]).await;
    done(&simulator, "ModifyDBInstance", &[ID[0], ("DBInstanceClass", "db.t3.large")]).await;
    let now = [ID[0], ("MultiAZ", "true"), ("ApplyImmediately", "true")];
    done(&simulator, "ModifyDBInstance", &now).await;
    until(&simulator, "available").await;
    let seen = simulator.instance("team-shop").unwrap();
    assert!(seen.class == "db.t3.large" && seen.multi_az && !seen.waits_for_window());
}

#[tokio::test]
async fn another_authority_is_that_of_the_servers_certificate_without_a_restart() {
    let simulator = Simulator::start().await.unwrap();
    available_shop(&simulator, &[]).await;
    let host = host(&simulator).await;
    let pem = simulator.authority_pem("rds-ca-ecc384-g1").unwrap();
    assert!(login_trusting(&pem, &host, "first-password").await.is_err());
    let session = login(&simulator, &host, "first-password").await.unwrap();
    let rotate = [ID[0], ("CACertificateIdentifier", "rds-ca-ecc384-g1"), ("ApplyImmediately", "true")];
    done(&simulator, "ModifyDBInstance", &rotate).await;
    until(&simulator, "available").await;
    let mut believed = false;
    for _ in 0..200 {
        // PostgreSQL reads its files soon after it is told to.
        believed = login_trusting(&pem, &host, "first-password").await.is_ok();
        if believed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(believed, "the certificate comes from the new authority");
    session.batch_execute("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn storage_changes_four_times_a_day_and_not_while_it_is_optimized() {
    let simulator = Simulator::start().await.unwrap();
    available_shop(&simulator, &[]).await;
    simulator.clock().hold();
    let grow = async |to: &str| {
        let fields = [ID[0], ("ApplyImmediately", "true"), ("AllocatedStorage", to)];
        call(&simulator, "ModifyDBInstance", &fields).await.unwrap()
    };
    for size in ["30", "40", "50", "60"] {
        assert_eq!(grow(size).await.0, 200, "{size}");
        simulator.clock().turn(Duration::from_secs(1));
        until(&simulator, "storage-optimization").await;
        assert!(grow("900").await.1.contains("<Code>InvalidParameterCombination<"));
        simulator.clock().turn(Duration::from_secs(1));
        until(&simulator, "available").await;
    }
    assert!(grow("70").await.1.contains("<Code>InvalidParameterCombination<"), "the fifth time within a day");
    simulator.clock().turn(Duration::from_secs(24 * 3600));
    assert_eq!(grow("70").await.0, 200);
}

#[tokio::test]
async fn a_new_major_version_really_runs_and_holds_what_the_old_one_held() {
    let simulator = Simulator::start().await.unwrap();
    available_shop(&simulator, &[]).await;
    let client = login(&simulator, &host(&simulator).await, "first-password").await.unwrap();
    for statement in [
        "CREATE ROLE app LOGIN PASSWORD 'app-password'",
        "GRANT app TO app_admin",
        "CREATE DATABASE orders OWNER app",
        "COMMENT ON DATABASE orders IS 'made by a test'",
        "CREATE TABLE goods (id serial PRIMARY KEY, name text NOT NULL UNIQUE, price numeric(8,2) DEFAULT 1.5)",
        "INSERT INTO goods (name) VALUES ('pen'), (E'two\\nlines')",
        "CREATE EXTENSION pg_trgm",
    ] {
        client.batch_execute(statement).await.unwrap();
    }
    drop(client);
    let before = shown(&simulator, "server_version_num").await;
    let upgrade = [ID[0], ("EngineVersion", "17"), ("ApplyImmediately", "true")];
    assert_eq!(refused(&simulator, "ModifyDBInstance", &upgrade).await, "InvalidParameterCombination");
    let upgrade = [upgrade[0], upgrade[1], upgrade[2], ("AllowMajorVersionUpgrade", "true")];
    simulator.clock().hold();
    done(&simulator, "ModifyDBInstance", &upgrade).await;
    assert_eq!(simulator.instance("team-shop").unwrap().status, "upgrading");
    simulator.clock().run();
    until(&simulator, "available").await;
    let seen = simulator.instance("team-shop").unwrap();
    assert_eq!((seen.version.as_str(), seen.upgrade_failure), ("17.4", None));

    let client = login(&simulator, &host(&simulator).await, "first-password").await.unwrap();
    let version: String = client.query_one("SHOW server_version_num", &[]).await.unwrap().get(0);
    let majors = clouds::postgres::installs().len();
    assert!(majors == 1 || version[..2] > before[..2], "{before}, then {version}");
    client.batch_execute("INSERT INTO goods (name) VALUES ('third')").await.unwrap();
    let row = client
        .query_one(
            "SELECT (SELECT string_agg(name, '|' ORDER BY id) FROM goods), (SELECT sum(price)::text FROM goods), \
             (SELECT pg_get_userbyid(datdba) || ': ' || shobj_description(oid, 'pg_database') FROM pg_database \
             WHERE datname = 'orders'), (SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm')",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, String>(0), "pen|two\nlines|third");
    assert_eq!(row.get::<_, String>(1), "4.50");
    assert_eq!(row.get::<_, String>(2), "app: made by a test");
    assert_eq!(row.get::<_, i64>(3), 1);
    let duplicate = client.batch_execute("INSERT INTO goods (name) VALUES ('pen')").await;
    assert!(duplicate.is_err(), "the constraints are there, too");
}

#[tokio::test]
async fn what_cannot_be_carried_over_stops_an_upgrade_and_the_old_version_goes_on() {
    let simulator = Simulator::start().await.unwrap();
    available_shop(&simulator, &[]).await;
    let client = login(&simulator, &host(&simulator).await, "first-password").await.unwrap();
    client.batch_execute("CREATE TYPE mood AS ENUM ('well')").await.unwrap();
    let upgrade =
        [ID[0], ("EngineVersion", "17"), ("ApplyImmediately", "true"), ("AllowMajorVersionUpgrade", "true")];
    done(&simulator, "ModifyDBInstance", &upgrade).await;
    until(&simulator, "available").await;
    let seen = simulator.instance("team-shop").unwrap();
    assert_eq!(seen.version, "15.12");
    assert!(seen.upgrade_failure.is_some_and(|why| why.contains("type mood")));
    let client = login(&simulator, &host(&simulator).await, "first-password").await.unwrap();
    client.batch_execute("SELECT 'well'::mood").await.unwrap();
}

#[tokio::test]
async fn the_upgrade_targets_and_the_default_version_are_told() {
    let simulator = Simulator::start().await.unwrap();
    let of = [("Engine", "postgres"), ("EngineVersion", "15.10")];
    let body = done(&simulator, "DescribeDBEngineVersions", &of).await;
    assert!(body.contains("<DBParameterGroupFamily>postgres15<"), "{body}");
    assert!(
        body.contains("<EngineVersion>15.12</EngineVersion>")
            && body.contains("<IsMajorVersionUpgrade>true<")
    );
    let default = [("Engine", "aurora-postgresql"), ("EngineVersion", "15"), ("DefaultOnly", "true")];
    let body = done(&simulator, "DescribeDBEngineVersions", &default).await;
    assert_eq!(body.matches("<DBEngineVersion>").count(), 1, "{body}");
}

#[tokio::test]
async fn a_minor_version_comes_on_its_own_in_the_window_where_that_was_asked_for() {
    let simulator = Simulator::start().await.unwrap();
    available_shop(&simulator, &[("EngineVersion", "15.10")]).await;
    let stays = shop(&[
        ("EngineVersion", "15.10"),
        ("DBInstanceIdentifier", "stays"),
        ("AutoMinorVersionUpgrade", "false"),
    ]);
    done(&simulator, "CreateDBInstance", &stays).await;
    crate::support::instance_until(&simulator, "stays", "available").await;
    simulator.release("15.13");
    simulator.clock().turn(WEEK);
    let version = |id: &str| simulator.instance(id).map(|it| it.version).unwrap_or_default();
    wait("the version is 15.13", || version("team-shop") == "15.13", || version("team-shop")).await;
    assert_eq!(version("stays"), "15.10");
}
