//! Rules and requests.

use aws_sdk_rds::types::{DbInstance, DbParameterGroupStatus, Endpoint, PendingModifiedValues};
use rstest::rstest;
use serde_json::{Value, json};

use super::super::super::cloud::Whose;
use super::super::super::{
    Change, DesiredServer, Difference, Health, PresentServer, ServerBackend, ServerFacts, Stage,
};
use super::super::servers::Servers;
use super::super::tags;
use super::super::tests::{self, owner};
use super::{RdsBackend, requests, rules};
use crate::api::{DeletionPolicy, PostgreSQLServerSpec};
use crate::config::RdsConfig;

fn config(more: Value) -> RdsConfig {
    let own = json!({
        "availability_zone": "eu-central-1b",
        "default_class": "small",
        "classes": {
            "small": {"instance_type": "db.t4g.small", "storage_type": "gp3", "iops": 0},
            "plenty": {"instance_type": "db.t4g.small", "storage_type": "gp3", "iops": 12000},
            "wide": {"instance_type": "db.t4g.small", "storage_type": "gp3", "throughput": 1000},
            "fast": {"instance_type": "db.m5.large", "storage_type": "io1", "iops": 3000},
        },
    });
    tests::section(&own, &more)
}

fn settings() -> RdsConfig {
    config(json!({}))
}

fn spec(more: Value) -> PostgreSQLServerSpec {
    tests::merged(json!({"credentialsSecret": "s", "size": {"storageGB": 20}}), &more)
}

/// As the service shows a server that was made from [`spec`] and [`settings`].
fn instance() -> aws_sdk_rds::types::builders::DbInstanceBuilder {
    DbInstance::builder()
        .db_instance_identifier("team-orders")
        .db_instance_status("available")
        .dbi_resource_id("db-ABC")
        .db_instance_class("db.t4g.small")
        .allocated_storage(20)
        .storage_type("gp3")
        .iops(3000)
        .engine_version("16.9")
        .multi_az(false)
        .backup_retention_period(7)
        .preferred_maintenance_window("sun:03:00-sun:04:00")
        .publicly_accessible(false)
        .deletion_protection(false)
        .endpoint(Endpoint::builder().address("host").port(5432).build())
        .set_vpc_security_groups(tests::security_groups())
        .set_tag_list(Some(tests::tags()))
}

fn differences(instance: &DbInstance, settings: &RdsConfig, spec: &PostgreSQLServerSpec) -> Vec<Difference> {
    let owner = owner();
    let facts = ServerFacts { settings: rules::found(instance), ..ServerFacts::default() };
    rules::differences(&DesiredServer::new(&owner, spec), settings, &facts)
}

fn sentences(instance: &DbInstance, settings: &RdsConfig, more: Value) -> Vec<String> {
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
    let grown = instance().allocated_storage(60).engine_version("16.11").build();
    let more = json!({"version": "16.9", "size": {"storageAutoGrow": true, "maxStorageGB": 60}});
    assert_eq!(sentences(&grown, &settings(), more), Vec::<String>::new());
}

#[rstest]
#[case(json!({"size": {"storageGB": 30}}), "storageGB: 20, asked for 30", false)]
#[case(json!({"version": "17"}), "version: 16.9, asked for 17", true)]
#[case(json!({"version": "16.10"}), "version: 16.9, asked for 16.10", true)]
#[case(json!({"highavailability": {"enabled": true}}), "highavailability: false, asked for true", false)]
#[case(json!({"backup": {"retentionDays": 8}}), "backup.retentionDays: 7, asked for 8", false)]
#[case(json!({"backup": {"retentionDays": 0}}), "backup.retentionDays: 7, asked for 0", true)]
#[case(json!({"size": {"storageAutoGrow": true, "maxStorageGB": 50}}), "maxStorageGB: off, asked for 50", false)]
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
    let asked = config(json!({"deletion_protection": true}));
    assert_eq!(
        sentences(&instance().build(), &asked, json!({})),
        ["deletionProtection: false, asked for true"]
    );
}

#[test]
fn a_certificate_authority_is_asked_for_where_the_configuration_names_one() {
    let owner = owner();
    let (spec, named) = (spec(json!({})), config(json!({"ca_certificate": "rds-ca-ecc384-g1"})));
    let desired = DesiredServer::new(&owner, &spec);
    let there = instance().ca_certificate_identifier("rds-ca-rsa2048-g1").build();
    assert_eq!(differences(&there, &settings(), &spec), []);
    let found = differences(&there, &named, &spec);
    let told: Vec<String> = found.iter().map(Difference::sentence).collect();
    assert_eq!(told, ["caCertificate: rds-ca-rsa2048-g1, asked for rds-ca-ecc384-g1"]);
    assert!(found[0].restarts());
    let change = requests::modify(&desired, &named, &there, &found).unwrap();
    assert_eq!(change.get_ca_certificate_identifier().as_deref(), Some("rds-ca-ecc384-g1"));
    let size = rules::size_of_new(&spec, &named).unwrap();
    let request = requests::create("team-orders", &desired, &named, &size);
    assert_eq!(request.get_ca_certificate_identifier().as_deref(), Some("rds-ca-ecc384-g1"));
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

#[test]
fn the_throughput_of_a_class_is_asked_for_where_the_storage_takes_one() {
    let (owner, settings) = (owner(), settings());
    for (gb, throughput) in [(20, None), (400, Some(1000))] {
        let spec = spec(json!({"size": {"class": "wide", "storageGB": gb}}));
        let desired = DesiredServer::new(&owner, &spec);
        let size = rules::size_of_new(&spec, &settings).unwrap();
        let request = requests::create("team-orders", &desired, &settings, &size);
        assert_eq!((request.get_storage_throughput(), request.get_iops()), (&throughput, &None));
        // As large gp3 is where nobody has asked.
        let there = instance().allocated_storage(gb).storage_throughput(500).build();
        let found = differences(&there, &settings, &spec);
        let change = requests::modify(&desired, &settings, &there, &found);
        let asked = change.as_ref().and_then(|change| *change.get_storage_throughput());
        assert_eq!((found.len(), asked), (usize::from(throughput.is_some()), throughput), "{found:?}");
    }
}

#[rstest]
#[case("small", 20, None)]
#[case("plenty", 20, None)]
#[case("plenty", 400, Some(12000))]
#[case("fast", 100, Some(3000))]
fn operations_per_second_are_sent_only_where_the_storage_takes_them(
    #[case] class: &str,
    #[case] storage: i64,
    #[case] iops: Option<i32>,
) {
    let (owner, settings) = (owner(), settings());
    let spec = spec(json!({"size": {"class": class, "storageGB": storage}}));
    let size = rules::size_of_new(&spec, &settings).unwrap();
    let request = requests::create("team-orders", &DesiredServer::new(&owner, &spec), &settings, &size);
    assert_eq!((request.get_iops(), request.get_allocated_storage()), (&iops, &i32::try_from(storage).ok()));
}

#[test]
fn another_class_brings_its_storage_along_and_its_operations_with_it() {
    let (owner, settings) = (owner(), settings());
    let there = instance().allocated_storage(100).build();
    let spec = spec(json!({"size": {"class": "fast", "storageGB": 100}}));
    let found = differences(&there, &settings, &spec);
    assert_eq!(
        found.iter().map(Difference::sentence).collect::<Vec<_>>(),
        ["class: db.t4g.small, asked for db.m5.large", "storageType: gp3, asked for io1"]
    );
    assert!(found[0].restarts() && !found[1].restarts());
    let change = requests::modify(&DesiredServer::new(&owner, &spec), &settings, &there, &found).unwrap();
    assert_eq!(change.get_storage_type().as_deref(), Some("io1"));
    assert_eq!((change.get_iops(), change.get_allocated_storage()), (&Some(3000), &None));
}

#[test]
fn a_change_of_the_storage_waits_while_the_service_works_on_the_last_one_and_others_do_not() {
    let busy = instance().db_instance_status("storage-optimization").build();
    let found = differences(
        &busy,
        &settings(),
        &spec(json!({"size": {"storageGB": 40}, "backup": {"retentionDays": 9}})),
    );
    let applied: Vec<_> =
        found.iter().filter(|one| one.is_applied_by(Stage::Update)).map(|one| one.field.as_str()).collect();
    assert_eq!((applied, found.len()), (vec!["backup.retentionDays"], 2));
}

#[test]
fn growth_that_is_switched_off_is_switched_off_and_a_bound_that_is_reached_is_no_difference() {
    let (owner, settings) = (owner(), settings());
    let growing = instance().max_allocated_storage(100).build();
    let spec = spec(json!({"size": {"storageAutoGrow": false}}));
    let found = differences(&growing, &settings, &spec);
    assert_eq!(found[0].sentence(), "maxStorageGB: 100, asked for off");
    let change = requests::modify(&DesiredServer::new(&owner, &spec), &settings, &growing, &found).unwrap();
    assert_eq!(change.get_max_allocated_storage(), &Some(20));
}

#[rstest]
#[case(false, Some("eu-central-1b"))]
#[case(true, None)]
fn a_server_with_a_standby_names_no_zone(#[case] standby: bool, #[case] zone: Option<&str>) {
    let (owner, settings) = (owner(), settings());
    let spec = spec(json!({"highavailability": {"enabled": standby}}));
    let (desired, size) = (DesiredServer::new(&owner, &spec), rules::size_of_new(&spec, &settings).unwrap());
    let request = requests::create("team-orders", &desired, &settings, &size);
    assert_eq!(request.get_availability_zone().as_deref(), zone);
    assert_eq!(request.get_storage_encrypted(), &Some(true));
    let written = request.get_tags().clone().unwrap();
    assert_eq!(tags::whose(&written, &owner), Whose::Ours);
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

fn judged(backend: &RdsBackend, instance: &DbInstance) -> PresentServer {
    tests::judged(instance, backend.facts(instance))
}

#[test]
fn a_server_without_tags_is_ours_only_where_the_administrator_says_so() {
    let untagged =
        DbInstance::builder().db_instance_identifier("legacy").db_instance_status("available").build();
    let stranger = RdsBackend::new(settings()).unwrap();
    assert!(
        stranger.base.whose(&untagged, &owner()).is_some_and(|message| message.contains("name_overrides"))
    );
    let named = json!({"namespace": "team", "name": "orders", "aws_identifier": "Legacy"});
    let backend = RdsBackend::new(config(json!({"name_overrides": [named]}))).unwrap();
    assert_eq!(backend.identity(&owner()).unwrap().name, "legacy");
    assert_eq!(backend.base.whose(&untagged, &owner()), None);
}

#[test]
fn a_password_that_is_on_its_way_keeps_the_server_busy_and_usable() {
    let pending = PendingModifiedValues::builder().master_user_password("****").build();
    let resetting = instance().pending_modified_values(pending).build();
    let server = judged(&RdsBackend::new(settings()).unwrap(), &resetting);
    assert_eq!((server.health, server.accepts_writes), (Health::Usable, false));
    assert_eq!(server.operation.as_deref(), Some("resetting-master-credentials"));
}

#[test]
fn a_server_that_stayed_without_its_object_says_so() {
    let backend = RdsBackend::new(settings()).unwrap();
    assert!(!judged(&backend, &instance().build()).left);
    assert!(judged(&backend, &instance().tag_list(tags::tag(tags::RETAINED, "yes")).build()).left);
}

#[test]
fn the_window_of_a_server_whose_object_names_none_is_its_own() {
    let backend = RdsBackend::new(settings()).unwrap();
    let facts = backend.facts(&instance().preferred_maintenance_window("wed:04:30-wed:05:00").build());
    let window = backend.default_window(&facts);
    assert_eq!((window.weekday(), window.start()), (3, (4, 30)));
}

#[test]
fn servers_of_the_original_may_keep_its_way_to_go() {
    let backend = RdsBackend::new(config(json!({"taken_over_deletion_policy": "Delete"}))).unwrap();
    assert_eq!(backend.default_deletion(true), DeletionPolicy::Delete);
    assert_eq!(backend.default_deletion(false), DeletionPolicy::Snapshot);
    assert_eq!(RdsBackend::new(settings()).unwrap().default_deletion(true), DeletionPolicy::Snapshot);
}

#[test]
fn a_server_that_does_not_start_with_its_parameters_gets_others_all_the_same() {
    let backend = RdsBackend::new(settings()).unwrap();
    let group = DbParameterGroupStatus::builder()
        .db_parameter_group_name("team-orders-hcpg-pg16")
        .parameter_apply_status("pending-reboot")
        .build();
    let stands = instance().db_instance_status("incompatible-parameters").db_parameter_groups(group).build();
    let (owner, asked) = (owner(), spec(json!({"serverParameters": {"max_connections": 50}})));
    let found = backend.differences(&DesiredServer::new(&owner, &asked), &backend.facts(&stands));
    assert!(found[0].is_applied_by(Stage::Update), "{found:?}");
    assert!(matches!(found[0].change, Change::Apply { revives: true, .. }), "{found:?}");
}

#[test]
fn what_has_no_effect_on_aws_is_told() {
    let asked = spec(json!({
        "network": {"firewallRules": [{"name": "a", "startIp": "10.0.0.0", "endIp": "10.0.0.1"}]},
        "size": {"class": "huge"},
    }));
    let owner = owner();
    let told = RdsBackend::new(settings()).unwrap().unsupported(&DesiredServer::new(&owner, &asked));
    let fields: Vec<_> = told.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["network.firewallRules", "size.class"]);
}

#[test]
fn a_member_of_a_cluster_is_nobodys_instance_even_if_the_administrator_names_it() {
    let named = json!({"namespace": "team", "name": "orders", "aws_identifier": "legacy"});
    let backend = RdsBackend::new(config(json!({"name_overrides": [named]}))).unwrap();
    let member = DbInstance::builder().db_instance_identifier("legacy").db_cluster_identifier("shop").build();
    assert!(backend.base.whose(&member, &owner()).is_some_and(|told| told.contains("Aurora cluster shop")));
}

#[test]
fn an_upgrade_that_came_to_nothing_is_told_and_not_repeated_until_another_version_was_asked_for() {
    let backend = RdsBackend::new(settings()).unwrap();
    let (owner, seventeen, sixteen) =
        (owner(), spec(json!({"version": "17"})), spec(json!({"version": "16"})));
    let facts = backend.facts(&instance().build());
    let differences = |spec| backend.differences(&DesiredServer::new(&owner, spec), &facts);
    assert!(differences(&seventeen)[0].restarts());
    let accepted = Some(("16.9".to_owned(), "17".to_owned()));
    backend.base.memory.of("team-orders", |known| known.upgrade = accepted);
    let told = differences(&seventeen);
    assert!(!told[0].restarts() && told[0].sentence().contains("upgrade logs"), "{told:?}");
    // While AWS is at it, nothing has come to nothing.
    let upgrading = backend.facts(&instance().db_instance_status("upgrading").build());
    let told = backend.differences(&DesiredServer::new(&owner, &seventeen), &upgrading);
    assert_eq!(told[0].sentence(), "version: 16.9, asked for 17");
    let upgrading = backend.facts(&instance().db_instance_status("upgrading").build());
    let on_its_way = backend.differences(&DesiredServer::new(&owner, &seventeen), &upgrading);
    assert!(on_its_way[0].restarts(), "what comes of it is not known yet: {on_its_way:?}");
    assert_eq!(differences(&sixteen), vec![]);
    assert!(differences(&seventeen)[0].restarts());
}
