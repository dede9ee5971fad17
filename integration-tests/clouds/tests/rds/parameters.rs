//! Parameter groups: what they take, and when it is in force in PostgreSQL.

use crate::support::{ID, available_shop, done, refused, shown, text, until, wait};
use clouds::rds::Simulator;

const GROUP: (&str, &str) = ("DBParameterGroupName", "own");

async fn group(simulator: &Simulator) {
    let fields = [GROUP, ("DBParameterGroupFamily", "postgres15"), ("Description", "of a test")];
    done(simulator, "CreateDBParameterGroup", &fields).await;
}

fn parameter<'a>(name: &'a str, value: &'a str, method: &'a str) -> [(&'a str, &'a str); 4] {
    [
        GROUP,
        ("Parameters.Parameter.1.ParameterName", name),
        ("Parameters.Parameter.1.ParameterValue", value),
        ("Parameters.Parameter.1.ApplyMethod", method),
    ]
}

fn apply_status(simulator: &Simulator) -> String {
    simulator.instance("team-shop").unwrap().group.status
}

async fn in_sync(simulator: &Simulator) {
    wait("in-sync", || apply_status(simulator) == "in-sync", || apply_status(simulator)).await;
}

#[tokio::test]
async fn dynamic_values_are_in_force_soon_and_static_ones_after_a_reboot() {
    let simulator = Simulator::start().await.unwrap();
    group(&simulator).await;
    let static_one = parameter("max_connections", "44", "pending-reboot");
    done(&simulator, "ModifyDBParameterGroup", &static_one).await;
    available_shop(&simulator, &[GROUP]).await;
    assert_eq!(shown(&simulator, "max_connections").await, "44");

    simulator.clock().hold();
    done(&simulator, "ModifyDBParameterGroup", &parameter("work_mem", "5120", "immediate")).await;
    assert_eq!(apply_status(&simulator), "applying");
    simulator.clock().run();
    in_sync(&simulator).await;
    assert_eq!(shown(&simulator, "work_mem").await, "5MB");

    done(&simulator, "ModifyDBParameterGroup", &parameter("max_connections", "55", "pending-reboot")).await;
    done(&simulator, "ModifyDBParameterGroup", &parameter("random_page_cost", "1.5", "pending-reboot")).await;
    assert_eq!(apply_status(&simulator), "pending-reboot");
    assert_eq!(shown(&simulator, "max_connections").await, "44");
    assert_eq!(shown(&simulator, "random_page_cost").await, "4");
    // A dynamic one does not end the wait.
    done(&simulator, "ModifyDBParameterGroup", &parameter("work_mem", "6144", "immediate")).await;
    assert_eq!(apply_status(&simulator), "pending-reboot");
    done(&simulator, "RebootDBInstance", &ID).await;
    until(&simulator, "available").await;
    assert_eq!(apply_status(&simulator), "in-sync");
    for (name, value) in [("max_connections", "55"), ("random_page_cost", "1.5"), ("work_mem", "6MB")] {
        assert_eq!(shown(&simulator, name).await, value);
    }

    // Reset: dynamic at once, static with the next reboot.
    done(&simulator, "ResetDBParameterGroup", &[GROUP, ("ResetAllParameters", "true")]).await;
    assert_eq!(simulator.group_value("own", "work_mem"), None);
    let reset = async || shown(&simulator, "work_mem").await == "4MB";
    for _ in 0..200 {
        if reset().await {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(reset().await && shown(&simulator, "max_connections").await == "55");
    assert_eq!(apply_status(&simulator), "pending-reboot");
}

#[tokio::test]
async fn another_group_is_in_force_after_a_reboot_and_then_cannot_be_deleted() {
    let simulator = Simulator::start().await.unwrap();
    group(&simulator).await;
    done(&simulator, "ModifyDBParameterGroup", &parameter("work_mem", "5120", "immediate")).await;
    available_shop(&simulator, &[]).await;
    done(&simulator, "ModifyDBInstance", &[ID[0], GROUP, ("ApplyImmediately", "true")]).await;
    assert_eq!(
        (apply_status(&simulator).as_str(), shown(&simulator, "work_mem").await.as_str()),
        ("pending-reboot", "4MB")
    );
    done(&simulator, "RebootDBInstance", &ID).await;
    until(&simulator, "available").await;
    assert_eq!(
        (apply_status(&simulator).as_str(), shown(&simulator, "work_mem").await.as_str()),
        ("in-sync", "5MB")
    );
    assert_eq!(refused(&simulator, "DeleteDBParameterGroup", &[GROUP]).await, "InvalidDBParameterGroupState");
    let back = [ID[0], ("DBParameterGroupName", "default.postgres15"), ("ApplyImmediately", "true")];
    done(&simulator, "ModifyDBInstance", &back).await;
    done(&simulator, "DeleteDBParameterGroup", &[GROUP]).await;
    assert_eq!(refused(&simulator, "DescribeDBParameterGroups", &[GROUP]).await, "DBParameterGroupNotFound");
}

#[tokio::test]
async fn values_that_postgresql_does_not_start_with_are_incompatible_until_they_are_changed() {
    let simulator = Simulator::start().await.unwrap();
    group(&simulator).await;
    available_shop(&simulator, &[GROUP]).await;
    let broken = parameter("shared_preload_libraries", "no_such_library", "pending-reboot");
    done(&simulator, "ModifyDBParameterGroup", &broken).await;
    done(&simulator, "RebootDBInstance", &ID).await;
    until(&simulator, "incompatible-parameters").await;
    done(&simulator, "ResetDBParameterGroup", &[GROUP, ("ResetAllParameters", "true")]).await;
    done(&simulator, "RebootDBInstance", &ID).await;
    until(&simulator, "available").await;
    assert_eq!(shown(&simulator, "shared_preload_libraries").await, "");
}

#[tokio::test]
async fn tls_can_be_left_to_the_client() {
    let simulator = Simulator::start().await.unwrap();
    group(&simulator).await;
    done(&simulator, "ModifyDBParameterGroup", &parameter("rds.force_ssl", "0", "immediate")).await;
    available_shop(&simulator, &[GROUP]).await;
    let mut config = tokio_postgres::Config::new();
    config
        .host(crate::support::host(&simulator).await)
        .user("app_admin")
        .password("first-password")
        .dbname("postgres");
    config.ssl_mode(tokio_postgres::config::SslMode::Disable);
    assert!(config.connect(tokio_postgres::NoTls).await.is_ok());
}

#[tokio::test]
async fn all_parameters_of_a_family_are_listed_in_pages() {
    let simulator = Simulator::start().await.unwrap();
    group(&simulator).await;
    done(&simulator, "ModifyDBParameterGroup", &parameter("work_mem", "5120", "immediate")).await;
    let (mut names, mut marker) = (Vec::new(), String::new());
    loop {
        let fields = [GROUP, ("MaxRecords", "100"), ("Marker", marker.as_str())];
        let body = done(&simulator, "DescribeDBParameters", &fields).await;
        names.extend(
            body.split("<ParameterName>")
                .skip(1)
                .filter_map(|rest| rest.split('<').next())
                .map(str::to_owned),
        );
        match text(&body, "Marker") {
            Some(next) => marker = next,
            None => break,
        }
    }
    assert!(names.len() > 250, "{}", names.len());
    let mut once = names.clone();
    once.dedup();
    assert!(once == names && names.iter().any(|name| name == "rds.force_ssl"));
    let own = done(&simulator, "DescribeDBParameters", &[GROUP, ("Source", "user")]).await;
    assert_eq!(own.matches("<Parameter>").count(), 1);
    assert!(own.contains("<ParameterValue>5120<") && own.contains("<ApplyType>dynamic<"), "{own}");
    let family = [("DBParameterGroupFamily", "postgres15")];
    assert!(done(&simulator, "DescribeEngineDefaultParameters", &family).await.contains("<EngineDefaults>"));
}

#[rstest::rstest]
#[case::an_unknown_name("work_memory", "1", "immediate", "InvalidParameterValue")]
#[case::a_value_out_of_range("work_mem", "1", "immediate", "InvalidParameterValue")]
#[case::a_static_one_at_once("max_connections", "50", "immediate", "InvalidParameterCombination")]
#[case::no_such_method("work_mem", "5120", "now", "InvalidParameterValue")]
#[case::the_services_business("listen_addresses", "*", "pending-reboot", "InvalidParameterValue")]
#[tokio::test]
async fn what_the_service_refuses_changes_nothing(
    #[case] name: &str,
    #[case] value: &str,
    #[case] method: &str,
    #[case] code: &str,
) {
    let simulator = Simulator::start().await.unwrap();
    group(&simulator).await;
    assert_eq!(refused(&simulator, "ModifyDBParameterGroup", &parameter(name, value, method)).await, code);
    assert_eq!(simulator.group_value("own", name), None);
    let mut default = parameter("work_mem", "5120", "immediate");
    default[0].1 = "default.postgres15";
    assert_eq!(refused(&simulator, "ModifyDBParameterGroup", &default).await, "InvalidDBParameterGroupState");
}
