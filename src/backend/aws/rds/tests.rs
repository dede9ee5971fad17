//! Rules and requests.

use std::collections::BTreeMap;

use aws_sdk_rds::types::{DbInstance, Endpoint, PendingModifiedValues, Tag, VpcSecurityGroupMembership};
use rstest::rstest;
use serde_json::{Value, json};

use super::super::super::{DesiredServer, Difference, Health, Owner, ServerBackend, ServerFacts};
use super::super::settings::{Account, NameOverride, RdsClass, RdsSettings};
use super::super::tags;
use super::{RdsBackend, change, requests, rules};
use crate::api::{DeletionPolicy, PostgreSQLServerSpec};

fn owner() -> Owner {
    Owner { namespace: "team".to_owned(), name: "orders".to_owned(), uid: "uid-1".to_owned() }
}

fn class(instance_type: &str, storage_type: &str) -> RdsClass {
    RdsClass {
        instance_type: instance_type.to_owned(),
        storage_type: storage_type.to_owned(),
        iops: Some(12000),
        storage_throughput: Some(500),
    }
}

fn settings() -> RdsSettings {
    RdsSettings {
        account: Account { region: "eu-central-1".to_owned(), endpoint_url: None, role_arn: None },
        name_pattern: "{namespace}-{name}".to_owned(),
        name_overrides: Vec::new(),
        subnet_group: Some("subnets".to_owned()),
        security_group_ids: vec!["sg-2".to_owned(), "sg-1".to_owned()],
        deletion_protection: false,
        public_access: false,
        admin_username: "postgres".to_owned(),
        tags: BTreeMap::from([("cost".to_owned(), "42".to_owned())]),
        availability_zone: Some("eu-central-1b".to_owned()),
        ca_certificate_identifier: None,
        ca_pem: None,
        default_class: "small".to_owned(),
        classes: BTreeMap::from([
            ("small".to_owned(), class("db.t4g.small", "gp3")),
            ("fast".to_owned(), class("db.m5.large", "io1")),
        ]),
        deletion_policy: DeletionPolicy::Snapshot,
    }
}

fn spec(more: Value) -> PostgreSQLServerSpec {
    let mut spec = json!({"credentialsSecret": "s", "size": {"storageGB": 20}});
    json_patch::merge(&mut spec, &more);
    serde_json::from_value(spec).unwrap()
}

/// As the service shows a server that was made from [`spec`] and [`settings`].
fn instance() -> aws_sdk_rds::types::builders::DbInstanceBuilder {
    let group = |id: &str| VpcSecurityGroupMembership::builder().vpc_security_group_id(id).build();
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    DbInstance::builder()
        .db_instance_identifier("team-orders")
        .db_instance_status("available")
        .dbi_resource_id("db-ABC")
        .db_instance_class("db.t4g.small")
        .allocated_storage(20)
        .engine_version("16.9")
        .multi_az(false)
        .backup_retention_period(7)
        .preferred_maintenance_window("sun:03:00-sun:04:00")
        .publicly_accessible(false)
        .deletion_protection(false)
        .endpoint(Endpoint::builder().address("host").port(5432).build())
        .vpc_security_groups(group("sg-1"))
        .vpc_security_groups(group("sg-2"))
        .tag_list(tag(tags::NAMESPACE, "team"))
        .tag_list(tag(tags::NAME, "orders"))
        .tag_list(tag("cost", "42"))
        .tag_list(tag("foreign", "stays"))
}

fn differences(
    instance: &DbInstance,
    settings: &RdsSettings,
    spec: &PostgreSQLServerSpec,
) -> Vec<Difference> {
    let owner = owner();
    let facts = ServerFacts { settings: rules::found(instance), ..ServerFacts::default() };
    rules::differences(&DesiredServer::new(&owner, spec), settings, &facts)
}

fn sentences(instance: &DbInstance, settings: &RdsSettings, more: Value) -> Vec<String> {
    differences(instance, settings, &spec(more)).iter().map(Difference::sentence).collect()
}

#[rstest]
#[case(json!({}))]
#[case(json!({"version": "16"}))]
#[case(json!({"version": "16.4"}))]
#[case(json!({"version": "latest"}))]
#[case(json!({"size": {"class": "no such class"}}))]
#[case(json!({"size": {"storageAutoGrow": false}}))]
#[case(json!({"maintenance": {"window": {"weekday": "Sun", "starttime": "03:00"}}}))]
fn nothing_is_written_to_a_server_that_is_as_asked(#[case] more: Value) {
    assert_eq!(sentences(&instance().build(), &settings(), more), Vec::<String>::new());
}

#[test]
fn what_the_service_normalises_or_grows_by_itself_is_no_difference() {
    let grown = instance().allocated_storage(60).max_allocated_storage(60).engine_version("16.11").build();
    let more = json!({"version": "16.9", "size": {"storageAutoGrow": true, "maxStorageGB": 60}});
    assert_eq!(sentences(&grown, &settings(), more), Vec::<String>::new());
}

#[rstest]
#[case(json!({"size": {"storageGB": 30}}), "storageGB: 20, asked for 30", false)]
#[case(json!({"size": {"class": "fast"}}), "class: db.t4g.small, asked for db.m5.large", true)]
#[case(json!({"version": "17"}), "version: 16.9, asked for 17", true)]
#[case(json!({"version": "16.10"}), "version: 16.9, asked for 16.10", true)]
#[case(json!({"highavailability": {"enabled": true}}), "highavailability: false, asked for true", false)]
#[case(json!({"backup": {"retentionDays": 8}}), "backup.retentionDays: 7, asked for 8", false)]
#[case(json!({"backup": {"retentionDays": 0}}), "backup.retentionDays: 7, asked for 0", true)]
#[case(json!({"size": {"storageAutoGrow": true, "maxStorageGB": 50}}), "maxStorageGB: 20, asked for 50", false)]
fn each_change_says_whether_it_interrupts_connections(
    #[case] more: Value,
    #[case] sentence: &str,
    #[case] restarts: bool,
) {
    let found = differences(&instance().build(), &settings(), &spec(more));
    assert_eq!(found.iter().map(Difference::sentence).collect::<Vec<_>>(), [sentence]);
    assert_eq!(found[0].restarts(), restarts);
}

#[test]
fn an_older_version_is_told_and_not_asked_for() {
    let found = differences(&instance().build(), &settings(), &spec(json!({"version": "15"})));
    assert!(found[0].sentence().contains("does not go back"), "{found:?}");
    assert!(
        requests::modify(
            &DesiredServer::new(&owner(), &spec(json!({"version": "15"}))),
            &settings(),
            &instance().build(),
            &found
        )
        .is_none()
    );
}

#[test]
fn a_protection_that_somebody_else_has_set_stays() {
    let protected = instance().deletion_protection(true).build();
    assert_eq!(sentences(&protected, &settings(), json!({})), Vec::<String>::new());
    let asked = RdsSettings { deletion_protection: true, ..settings() };
    assert_eq!(
        sentences(&instance().build(), &asked, json!({})),
        ["deletionProtection: false, asked for true"]
    );
}

#[test]
fn a_change_carries_what_differs_and_nothing_else() {
    let (owner, settings, instance) = (owner(), settings(), instance().build());
    let spec = spec(json!({"highavailability": {"enabled": true}}));
    let found = differences(&instance, &settings, &spec);
    let change = requests::modify(&DesiredServer::new(&owner, &spec), &settings, &instance, &found).unwrap();
    assert_eq!((change.get_multi_az(), change.get_apply_immediately()), (&Some(true), &Some(true)));
    assert_eq!(
        (change.get_db_instance_class(), change.get_allocated_storage(), change.get_engine_version()),
        (&None, &None, &None)
    );
    assert!(change.get_master_user_password().is_none() && change.get_vpc_security_group_ids().is_none());
}

#[rstest]
#[case("small", 20, None, None)]
#[case("small", 400, Some(12000), Some(500))]
#[case("fast", 100, Some(12000), None)]
fn operations_per_second_are_sent_only_where_the_storage_takes_them(
    #[case] class: &str,
    #[case] storage: i64,
    #[case] iops: Option<i32>,
    #[case] throughput: Option<i32>,
) {
    let (owner, settings) = (owner(), settings());
    let spec = spec(json!({"size": {"class": class, "storageGB": storage}}));
    let desired = DesiredServer::new(&owner, &spec);
    let request = requests::create("team-orders", &desired, &settings, &settings.classes[class]);
    assert_eq!((request.get_iops(), request.get_storage_throughput()), (&iops, &throughput));
}

#[rstest]
#[case(false, Some("eu-central-1b"))]
#[case(true, None)]
fn a_server_with_a_standby_names_no_zone(#[case] standby: bool, #[case] zone: Option<&str>) {
    let (owner, settings) = (owner(), settings());
    let spec = spec(json!({"highavailability": {"enabled": standby}}));
    let desired = DesiredServer::new(&owner, &spec);
    let request = requests::create("team-orders", &desired, &settings, &settings.classes["small"]);
    assert_eq!(request.get_availability_zone().as_deref(), zone);
    assert_eq!(request.get_storage_encrypted(), &Some(true));
    let written = request.get_tags().clone().unwrap();
    assert_eq!(tags::whose(&written, &owner), tags::Whose::Ours);
}

#[rstest]
#[case(json!({"size": {"storageGB": 19}}), "size.storageGB")]
#[case(json!({"size": {"class": "fast", "storageGB": 99}}), "size.storageGB")]
#[case(json!({"backup": {"retentionDays": 36}}), "backup.retentionDays")]
#[case(json!({"version": "sixteen"}), "version")]
fn what_the_service_would_refuse_is_refused_before(#[case] more: Value, #[case] field: &str) {
    let rejections = rules::validate(&spec(more), &settings()).unwrap_err();
    assert_eq!(rejections.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), [field]);
}

#[test]
fn a_server_without_tags_is_ours_only_where_the_administrator_says_so() {
    let untagged =
        DbInstance::builder().db_instance_identifier("legacy").db_instance_status("available").build();
    let stranger = RdsBackend::new(settings());
    assert!(matches!(
        stranger.judge(&untagged, &owner()),
        super::ServerObservation::NotOurs { message } if message.contains("name_overrides")
    ));
    let named = NameOverride {
        namespace: "team".to_owned(),
        name: "orders".to_owned(),
        aws_identifier: "Legacy".to_owned(),
    };
    let backend = RdsBackend::new(RdsSettings { name_overrides: vec![named], ..settings() });
    assert_eq!(backend.identity(&owner()).unwrap().name, "legacy");
    assert!(matches!(backend.judge(&untagged, &owner()), super::ServerObservation::Present(_)));
}

#[test]
fn a_password_that_is_on_its_way_keeps_the_server_busy_and_usable() {
    let pending = PendingModifiedValues::builder().master_user_password("****").build();
    let resetting = instance().pending_modified_values(pending).build();
    let super::ServerObservation::Present(server) = RdsBackend::new(settings()).judge(&resetting, &owner())
    else {
        panic!("it is there")
    };
    assert_eq!((server.health, server.accepts_writes), (Health::Usable, false));
    assert_eq!(server.operation.as_deref(), Some("resetting-master-credentials"));
}

#[test]
fn a_final_snapshot_has_one_name_for_each_object() {
    assert_eq!(change::final_snapshot("team-orders", &owner()), "team-orders-final-uid-1");
}
