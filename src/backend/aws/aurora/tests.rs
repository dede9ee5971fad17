//! Rules, requests, and what clusters and members are taken for.

use aws_sdk_rds::types::builders::{DbClusterBuilder, DbInstanceBuilder};
use aws_sdk_rds::types::{
    ClusterPendingModifiedValues, DbCluster, DbClusterMember, DbInstance, Endpoint,
    ServerlessV2ScalingConfigurationInfo,
};
use rstest::rstest;
use serde_json::{Value, json};

use super::super::super::cloud::Whose;
use super::super::super::{
    Change, DesiredServer, Difference, Health, Owner, PresentServer, ServerBackend, ServerFacts,
};
use super::super::servers::Servers;
use super::super::tests::{self, owner};
use super::super::{RdsBackend, tags};
use super::cluster::{LONGEST, Seen, first_name};
use super::{AuroraBackend, requests, rules};
use crate::api::PostgreSQLServerSpec;
use crate::config::AuroraConfig;

fn config(more: Value) -> AuroraConfig {
    let own = json!({
        "default_class": "fixed",
        "classes": {
            "fixed": {"instance_type": "db.r6g.large"},
            "large": {"instance_type": "db.r6g.xlarge"},
            "serverless": {
                "instance_type": "db.serverless",
                "scaling_configuration": {"min_capacity": 0.5, "max_capacity": 4},
            },
            "optimised": {"instance_type": "db.r6g.large", "storage_type": "aurora-iopt1"},
        },
    });
    tests::section(&own, &more)
}

fn settings() -> AuroraConfig {
    config(json!({}))
}

fn backend() -> AuroraBackend {
    AuroraBackend::new(settings(), None).unwrap()
}

fn spec(more: Value) -> PostgreSQLServerSpec {
    tests::merged(json!({"credentialsSecret": "s"}), &more)
}

fn said(id: &str, writer: bool, applied: &str) -> DbClusterMember {
    let member = DbClusterMember::builder().db_instance_identifier(id).is_cluster_writer(writer);
    member.db_cluster_parameter_group_status(applied).build()
}

/// As the service shows a cluster that was made from [`spec`] and [`settings`], without members.
fn empty() -> DbClusterBuilder {
    DbCluster::builder()
        .db_cluster_identifier("team-orders")
        .db_cluster_resource_id("cluster-ABC")
        .engine("aurora-postgresql")
        .engine_version("16.6")
        .status("available")
        .endpoint("host")
        .port(5432)
        .allocated_storage(1)
        .backup_retention_period(1)
        .preferred_maintenance_window("sun:03:00-sun:04:00")
        .deletion_protection(false)
        .db_cluster_parameter_group("default.aurora-postgresql16")
        .set_vpc_security_groups(tests::security_groups())
        .set_tag_list(Some(tests::tags()))
}

fn one() -> DbClusterBuilder {
    empty().db_cluster_members(said("team-orders-primary", true, "in-sync"))
}

fn two() -> DbClusterBuilder {
    one().db_cluster_members(said("team-orders-replica", false, "in-sync"))
}

/// As the service shows a member.
fn member(id: &str) -> DbInstanceBuilder {
    DbInstance::builder()
        .db_instance_identifier(id)
        .db_cluster_identifier("team-orders")
        .db_instance_status("available")
        .db_instance_class("db.r6g.large")
        .preferred_maintenance_window("sun:03:00-sun:04:00")
        .publicly_accessible(false)
        .endpoint(Endpoint::builder().address("member").port(5432).build())
}

fn primary() -> DbInstance {
    member("team-orders-primary").build()
}

fn replica() -> DbInstance {
    member("team-orders-replica").build()
}

fn whole() -> Seen {
    Seen::new(one().build(), vec![primary()])
}

fn differences(seen: &Seen, settings: &AuroraConfig, spec: &PostgreSQLServerSpec) -> Vec<Difference> {
    let owner = owner();
    let facts = ServerFacts { settings: rules::found(seen), ..ServerFacts::default() };
    rules::differences(&DesiredServer::new(&owner, spec), settings, &facts)
}

fn sentences(seen: &Seen, more: Value) -> Vec<String> {
    differences(seen, &settings(), &spec(more)).iter().map(Difference::sentence).collect()
}

fn judged(seen: &Seen) -> PresentServer {
    tests::judged(seen, backend().facts(seen))
}

#[rstest]
#[case(json!({}))]
#[case(json!({"version": "16"}))]
#[case(json!({"version": "16.4"}))]
#[case(json!({"version": "latest"}))]
#[case(json!({"size": {"class": "no such class"}}))]
#[case(json!({"size": {"storageGB": 500, "storageAutoGrow": true}}))]
#[case(json!({"highavailability": {"enabled": false}}))]
#[case(json!({"maintenance": {"window": {"weekday": "Sun", "starttime": "03:00"}}}))]
fn nothing_is_written_to_a_cluster_that_is_as_asked(#[case] more: Value) {
    assert_eq!(sentences(&whole(), more), Vec::<String>::new());
}

#[rstest]
#[case(json!({"version": "17"}), "version: 16.6, asked for 17", true)]
#[case(json!({"version": "16.7"}), "version: 16.6, asked for 16.7", true)]
#[case(json!({"size": {"class": "large"}}), "class: db.r6g.large, asked for db.r6g.xlarge", true)]
#[case(json!({"size": {"class": "optimised"}}), "storageType: aurora, asked for aurora-iopt1", false)]
#[case(json!({"highavailability": {"enabled": true}}), "highavailability: false, asked for true", false)]
#[case(json!({"backup": {"retentionDays": 8}}), "backup.retentionDays: 1, asked for 8", false)]
#[case(
    json!({"maintenance": {"window": {"weekday": "Mon", "starttime": "01:00"}}}),
    "maintenance.window: sun:03:00-sun:04:00, asked for mon:01:00-mon:02:00",
    false
)]
fn each_change_says_whether_it_interrupts_connections(
    #[case] more: Value,
    #[case] sentence: &str,
    #[case] restarts: bool,
) {
    let found = differences(&whole(), &settings(), &spec(more));
    assert_eq!(found.iter().map(Difference::sentence).collect::<Vec<_>>(), [sentence]);
    assert_eq!(found[0].restarts(), restarts);
}

#[test]
fn a_reader_that_goes_interrupts_those_who_read_from_it() {
    let seen = Seen::new(two().build(), vec![primary(), replica()]);
    let found = differences(&seen, &settings(), &spec(json!({"highavailability": {"enabled": false}})));
    assert!(found[0].restarts() && found[0].field == "highavailability", "{found:?}");
}

#[test]
fn a_certificate_authority_is_a_members_and_holds_for_all_of_ours() {
    let named = config(json!({"ca_certificate": "rds-ca-ecc384-g1"}));
    let with = |id, authority: &str| member(id).ca_certificate_identifier(authority).build();
    let of = |replica| {
        let members =
            vec![with("team-orders-primary", "rds-ca-ecc384-g1"), with("team-orders-replica", replica)];
        Seen::new(two().build(), members)
    };
    assert_eq!(differences(&of("rds-ca-ecc384-g1"), &named, &spec(json!({}))), []);
    let seen = of("rds-ca-rsa2048-g1");
    let found = differences(&seen, &named, &spec(json!({})));
    let told: Vec<String> = found.iter().map(Difference::sentence).collect();
    assert_eq!(told, ["caCertificate: rds-ca-ecc384-g1, rds-ca-rsa2048-g1, asked for rds-ca-ecc384-g1"]);
    let changes: Vec<_> = seen.own().filter_map(|member| requests::modify_member(member, &found)).collect();
    let [change] = &changes[..] else { panic!("one member differs: {changes:?}") };
    assert_eq!(change.get_db_instance_identifier().as_deref(), Some("team-orders-replica"));
    assert_eq!(change.get_ca_certificate_identifier().as_deref(), Some("rds-ca-ecc384-g1"));
    assert_eq!(differences(&seen, &settings(), &spec(json!({}))), []);
}

#[test]
fn somebody_elses_reader_stands_by_and_stays() {
    let other = said("reporting", false, "in-sync");
    let reporting = member("reporting").db_instance_class("db.r6g.16xlarge").build();
    let seen = Seen::new(one().db_cluster_members(other).build(), vec![primary(), reporting]);
    for enabled in [true, false] {
        assert_eq!(sentences(&seen, json!({"highavailability": {"enabled": enabled}})), Vec::<String>::new());
    }
}

#[test]
fn an_older_version_is_told_and_not_asked_for() {
    assert!(sentences(&whole(), json!({"version": "15"}))[0].contains("does not go back"));
}

#[test]
fn a_serverless_cluster_is_told_how_far_to_scale_before_its_member_becomes_serverless() {
    let asked = spec(json!({"size": {"class": "serverless"}}));
    let found = differences(&whole(), &settings(), &asked);
    let fields: Vec<_> = found.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["class", "scaling"]);
    let size = rules::size(&asked, &settings()).unwrap();
    let change = requests::modify(&settings(), &size, &one().build(), &found).unwrap();
    let capacity = change.get_serverless_v2_scaling_configuration().clone().unwrap();
    assert_eq!((capacity.min_capacity(), capacity.max_capacity()), (Some(0.5), Some(4.0)));
    // As the service shows it.
    let info = ServerlessV2ScalingConfigurationInfo::builder().min_capacity(0.5).max_capacity(4.0).build();
    let member = member("team-orders-primary").db_instance_class("db.serverless").build();
    let seen = Seen::new(one().serverless_v2_scaling_configuration(info).build(), vec![member]);
    assert_eq!(sentences(&seen, json!({"size": {"class": "serverless"}})), Vec::<String>::new());
}

#[test]
fn members_are_changed_one_after_the_other_and_the_one_that_writes_last() {
    let asked = spec(json!({"size": {"class": "large"}}));
    let seen = Seen::new(two().build(), vec![primary(), replica()]);
    let found = differences(&seen, &settings(), &asked);
    let order: Vec<_> = seen
        .own()
        .filter_map(|member| requests::modify_member(member, &found))
        .map(|change| change.get_db_instance_identifier().clone().unwrap())
        .collect();
    assert_eq!(order, ["team-orders-replica", "team-orders-primary"]);
    // The replica is done.
    let done = member("team-orders-replica").db_instance_class("db.r6g.xlarge").build();
    let seen = Seen::new(two().build(), vec![primary(), done]);
    let found = differences(&seen, &settings(), &asked);
    assert_eq!(found[0].sentence(), "class: db.r6g.large, db.r6g.xlarge, asked for db.r6g.xlarge");
    let left = seen.own().filter_map(|member| requests::modify_member(member, &found)).count();
    assert_eq!(left, 1);
}

#[test]
fn a_change_of_the_cluster_carries_what_differs_and_nothing_else() {
    let asked = spec(json!({"backup": {"retentionDays": 8}, "size": {"class": "large"}}));
    let found = differences(&whole(), &settings(), &asked);
    let size = rules::size(&asked, &settings()).unwrap();
    let change = requests::modify(&settings(), &size, &one().build(), &found).unwrap();
    assert_eq!(
        (change.get_backup_retention_period(), change.get_apply_immediately()),
        (&Some(8), &Some(true))
    );
    assert!(change.get_engine_version().is_none() && change.get_master_user_password().is_none());
    assert!(change.get_vpc_security_group_ids().is_none() && change.get_storage_type().is_none());
    // A class is the member's.
    let of_member = spec(json!({"size": {"class": "large"}}));
    let found = differences(&whole(), &settings(), &of_member);
    assert!(requests::modify(&settings(), &size, &one().build(), &found).is_none());
}

#[test]
fn a_window_is_set_in_the_cluster_and_in_its_members() {
    let asked = spec(json!({"maintenance": {"window": {"weekday": "Sun", "starttime": "03:00"}}}));
    let other = member("team-orders-primary").preferred_maintenance_window("wed:03:00-wed:04:00").build();
    let seen = Seen::new(one().build(), vec![other]);
    let found = differences(&seen, &settings(), &asked);
    let size = rules::size(&asked, &settings()).unwrap();
    assert!(requests::modify(&settings(), &size, &seen.cluster, &found).is_none(), "the cluster has it");
    let change = seen.own().find_map(|member| requests::modify_member(member, &found)).unwrap();
    assert_eq!(change.get_preferred_maintenance_window().as_deref(), Some("sun:03:00-sun:04:00"));
}

#[test]
fn a_new_cluster_is_encrypted_tagged_and_named_and_its_member_has_the_class() {
    let (owner, settings) = (owner(), config(json!({"availability_zones": ["eu-central-1a"]})));
    let spec = spec(json!({"size": {"class": "serverless"}, "backup": {"retentionDays": 3}}));
    let (desired, size) = (DesiredServer::new(&owner, &spec), rules::size(&spec, &settings).unwrap());
    let request = requests::create("team-orders", &desired, &settings, &size);
    assert_eq!(
        (request.get_storage_encrypted(), request.get_backup_retention_period()),
        (&Some(true), &Some(3))
    );
    assert_eq!(request.get_availability_zones().clone().unwrap(), ["eu-central-1a"]);
    assert!(request.get_storage_type().is_none(), "plain storage is not named");
    assert!(request.get_serverless_v2_scaling_configuration().is_some());
    let written = request.get_tags().clone().unwrap();
    assert_eq!(tags::whose(&written, &owner), Whose::Ours);
    let member = requests::member(&first_name("team-orders"), "team-orders", &desired, &settings, &size);
    assert_eq!(member.get_db_instance_identifier().as_deref(), Some("team-orders-primary"));
    assert_eq!(member.get_db_instance_class().as_deref(), Some("db.serverless"));
    assert!(member.get_master_user_password().is_none());
}

#[rstest]
#[case(json!({"backup": {"retentionDays": 0}}), "backup.retentionDays")]
#[case(json!({"backup": {"retentionDays": 36}}), "backup.retentionDays")]
#[case(json!({"version": "sixteen"}), "version")]
fn what_the_service_would_refuse_is_refused_before(#[case] more: Value, #[case] field: &str) {
    let rejections = rules::validate(&spec(more), &settings()).unwrap_err();
    assert_eq!(rejections.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), [field]);
}

#[test]
fn names_leave_room_for_those_of_the_members() {
    let backend = AuroraBackend::new(config(json!({"name_pattern": "{name}"})), None).unwrap();
    let named = |length: usize| Owner { name: "x".repeat(length), ..owner() };
    assert!(backend.identity(&named(LONGEST)).is_ok());
    assert!(backend.identity(&named(LONGEST + 1)).is_err());
    assert_eq!(first_name(&"x".repeat(LONGEST)).len(), 63);
}

#[test]
fn a_cluster_without_a_member_is_unusable_and_gets_one() {
    let seen = Seen::new(empty().build(), Vec::new());
    let server = judged(&seen);
    assert!(matches!(server.health, Health::Unusable { .. }) && server.accepts_writes, "{server:?}");
    let found = differences(&seen, &settings(), &spec(json!({"highavailability": {"enabled": true}})));
    assert_eq!(
        found.iter().map(Difference::sentence).collect::<Vec<_>>(),
        ["members: none, asked for complete"]
    );
    assert!(matches!(found[0].change, Change::Apply { revives: true, .. }));
    assert_eq!(seen.free_name().as_deref(), Some("team-orders-primary"));
}

#[test]
fn a_member_that_failed_while_it_was_made_is_replaced_and_one_that_was_used_is_told() {
    let stillborn = DbInstance::builder()
        .db_instance_identifier("team-orders-primary")
        .db_cluster_identifier("team-orders")
        .db_instance_status("failed")
        .db_instance_class("db.r6g.large")
        .build();
    let seen = Seen::new(one().build(), vec![stillborn]);
    let server = judged(&seen);
    assert!(matches!(server.health, Health::Unusable { .. }) && server.accepts_writes, "{server:?}");
    assert_eq!(sentences(&seen, json!({})), ["members: team-orders-primary has failed, asked for complete"]);
    let used = member("team-orders-primary").db_instance_status("failed").build();
    let seen = Seen::new(one().build(), vec![used]);
    assert!(matches!(judged(&seen).health, Health::Failed { was_available: true, .. }));
    assert_eq!(sentences(&seen, json!({})), Vec::<String>::new());
}

#[rstest]
#[case("creating", "member creating")]
#[case("deleting", "member deleting")]
#[case("modifying", "member modifying")]
fn while_a_reader_is_worked_on_the_cluster_answers_and_takes_no_change(
    #[case] status: &str,
    #[case] operation: &str,
) {
    let reader = member("team-orders-replica").db_instance_status(status).build();
    let server = judged(&Seen::new(two().build(), vec![primary(), reader]));
    assert_eq!((server.health, server.accepts_writes), (Health::Usable, false));
    assert_eq!(server.operation.as_deref(), Some(operation));
}

#[test]
fn a_reader_that_stands_still_is_in_nobodys_way() {
    let reader = member("team-orders-replica").db_instance_status("failed").build();
    let server = judged(&Seen::new(two().build(), vec![primary(), reader]));
    assert_eq!((server.health, server.accepts_writes), (Health::Usable, true));
}

#[test]
fn a_member_that_the_service_does_not_show_yet_is_waited_for() {
    let server = judged(&Seen::new(one().build(), Vec::new()));
    assert!(!server.accepts_writes && matches!(server.health, Health::Unusable { .. }), "{server:?}");
    // One that the cluster does not name yet is seen all the same.
    let seen = Seen::new(empty().build(), vec![member("team-orders-primary").build()]);
    assert_eq!(seen.writer().map(|member| member.id.as_str()), Some("team-orders-primary"));
    // And somebody else's instance is no member.
    let other = member("elsewhere").db_cluster_identifier("another").build();
    assert!(Seen::new(empty().build(), vec![other]).members.is_empty());
}

#[test]
fn after_a_failover_the_other_member_writes_and_nothing_differs() {
    let cluster = empty()
        .db_cluster_members(said("team-orders-primary", false, "in-sync"))
        .db_cluster_members(said("team-orders-replica", true, "in-sync"));
    let seen = Seen::new(cluster.build(), vec![primary(), replica()]);
    assert_eq!(sentences(&seen, json!({"highavailability": {"enabled": true}})), Vec::<String>::new());
    let readers: Vec<_> = seen.own_readers().map(|member| member.id.as_str()).collect();
    assert_eq!(readers, ["team-orders-primary"], "the one that goes is the one that reads");
}

#[test]
fn a_password_that_is_on_its_way_keeps_the_cluster_busy_and_usable() {
    let pending = ClusterPendingModifiedValues::builder().master_user_password("****").build();
    let server = judged(&Seen::new(one().pending_modified_values(pending).build(), vec![primary()]));
    assert_eq!((server.health, server.accepts_writes), (Health::Usable, false));
    assert_eq!(server.operation.as_deref(), Some("resetting-master-credentials"));
}

#[test]
fn facts_are_the_clusters_and_its_storage_has_no_size() {
    let facts = backend().facts(&whole());
    assert_eq!((facts.storage_gb, facts.size.as_deref()), (None, Some("db.r6g.large")));
    assert_eq!(facts.endpoint.map(|endpoint| (endpoint.host, endpoint.port)), Some(("host".into(), 5432)));
}

#[test]
fn a_restart_waits_for_nobody_who_had_one_for_the_same_parameters() {
    let backend = backend();
    let cluster = || {
        empty()
            .db_cluster_parameter_group("team-orders-hcpg-pg16")
            .db_cluster_members(said("team-orders-primary", true, "pending-reboot"))
            .db_cluster_members(said("team-orders-replica", false, "pending-reboot"))
    };
    let seen = Seen::new(cluster().build(), vec![primary(), replica()]);
    let waiting: Vec<_> = seen.waiting().map(|member| member.id.as_str()).collect();
    assert_eq!(waiting, ["team-orders-replica", "team-orders-primary"]);
    let (owner, spec) = (owner(), spec(json!({})));
    let restart =
        || backend.base.due_restart(&DesiredServer::new(&owner, &spec), &backend.facts(&seen)).unwrap();
    assert!(restart().restarts());
    let had = |id: &str| {
        backend.base.memory.of("team-orders", |known| {
            known.restarted_for.insert(id.to_owned(), String::new());
        });
    };
    had("team-orders-replica");
    assert!(restart().restarts(), "the other one is still to come");
    had("team-orders-primary");
    assert!(restart().sentence().contains("still asks"));
}

#[test]
fn a_cluster_of_another_engine_is_nobodys_and_one_without_tags_is_ours_only_if_named() {
    let alone = |cluster: DbClusterBuilder| Seen::new(cluster.build(), Vec::new());
    let other = alone(empty().engine("neptune"));
    assert!(backend().base.whose(&other, &owner()).is_some_and(|told| told.contains("neptune")));
    let untagged = alone(DbCluster::builder().db_cluster_identifier("legacy").engine("aurora-postgresql"));
    assert!(backend().base.whose(&untagged, &owner()).is_some_and(|told| told.contains("name_overrides")));
    let named = json!({"namespace": "team", "name": "orders", "aws_identifier": "Legacy"});
    let backend = AuroraBackend::new(config(json!({"name_overrides": [named]})), None).unwrap();
    assert_eq!(backend.identity(&owner()).unwrap().name, "legacy");
    assert_eq!(backend.base.whose(&untagged, &owner()), None);
}

#[test]
fn what_has_no_effect_on_aurora_is_told() {
    let asked = spec(json!({
        "size": {"storageGB": 20, "storageAutoGrow": false},
        "backup": {"geoRedundant": true},
    }));
    let owner = owner();
    let told = backend().unsupported(&DesiredServer::new(&owner, &asked));
    let fields: Vec<_> = told.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["backup.geoRedundant", "size.storageGB", "size.storageAutoGrow"]);
}

#[test]
fn both_backends_share_their_calls_where_they_make_them_in_the_same_way() {
    let rds = |more: Value| {
        let mut config = json!({"region": "eu-central-1", "subnet_group": "other"});
        json_patch::merge(&mut config, &more);
        RdsBackend::new(serde_json::from_value(config).unwrap()).unwrap()
    };
    let shared = |rds: &RdsBackend| {
        let aurora = AuroraBackend::new(settings(), Some(rds)).unwrap();
        std::sync::Arc::ptr_eq(&aurora.base.service, &rds.base.service)
    };
    assert!(shared(&rds(json!({}))));
    assert!(!shared(&rds(json!({"region": "eu-west-1"}))));
    assert!(!shared(&rds(json!({"assume_role_arn": "arn:aws:iam::1:role/r"}))));
}
