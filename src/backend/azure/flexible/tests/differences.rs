//! What differs, and what is done about it.

use rstest::rstest;

use super::*;

#[test]
fn a_server_as_the_original_made_it_differs_in_nothing_that_nobody_asks_for() {
    let facts = facts(
        &server(),
        &[parameter("work_mem", "9999", "4096", json!({}))],
        &[("portal", "1.1.1.1", "1.1.1.1")],
    );
    assert_eq!(told(&config(json!({})), &spec(json!({})), &facts), Vec::<String>::new());
}

#[test]
fn the_sunday_that_the_original_made_of_every_day_is_told() {
    let wednesday = spec(json!({"maintenance": {"window": {"weekday": "Wed", "starttime": "03:00"}}}));
    let told = told(&config(json!({})), &wednesday, &facts(&server(), &[], &[]));
    assert_eq!(told, ["maintenance.window: Sun 03:00, asked for Wed 03:00"]);
}

#[rstest]
#[case::storage_rounded_up(json!({"size": {"storageGB": 200}}), "storageGB: 128, asked for 256")]
#[case::storage_never_shrinks(json!({"size": {"storageGB": 64}}), "")]
#[case::storage_of_another_kind(
    json!({"size": {"storageGB": 4096}}),
    "storageGB: 128, asked for 4096 [restart]"
)]
#[case::growth(json!({"size": {"storageAutoGrow": true}}), "storageAutoGrow: Disabled, asked for Enabled")]
#[case::cores(
    json!({"size": {"cpu": 4}}),
    "sku: Standard_D2ds_v4 (GeneralPurpose), asked for Standard_D4ds_v4 (GeneralPurpose) [restart]"
)]
#[case::upgrade(json!({"version": "17"}), "version: 16, asked for 17 [restart]")]
#[case::minor_versions_are_azures(json!({"version": "16.2"}), "")]
#[case::latest_asks_for_no_upgrade(json!({"version": "latest"}), "")]
#[case::downgrade(
    json!({"version": "15"}),
    "version: 16, asked for 15: PostgreSQL does not go back to an older version [refused]"
)]
#[case::standby(json!({"highavailability": {"enabled": true}}), "highavailability: Disabled, asked for ZoneRedundant")]
#[case::backups(json!({"backup": {"retentionDays": 7}}), "backup.retentionDays: 14, asked for 7")]
#[case::geo(
    json!({"backup": {"geoRedundant": true}}),
    "backup.geoRedundant: Disabled, asked for Enabled: it is fixed when the server is created [refused]"
)]
#[case::the_users_no_to_geo(json!({"backup": {"geoRedundant": false}}), "")]
#[case::a_rule(
    json!({"network": {"firewallRules": [{"name": "a", "startIp": "192.0.2.1", "endIp": "192.0.2.9"}]}}),
    "firewall.a: not set, asked for 192.0.2.1 to 192.0.2.9"
)]
fn what_is_asked_for_and_not_there_differs(#[case] asked: Value, #[case] expected: &str) {
    let told = told(&config(json!({})), &spec(asked), &facts(&server(), &[], &[]));
    assert_eq!(told.join("; "), expected);
}

#[test]
fn a_standby_elsewhere_is_not_moved_and_a_failover_is_no_difference() {
    let mut server = server();
    server.properties.own.high_availability =
        serde_json::from_value(json!({"mode": "SameZone", "standbyAvailabilityZone": "3"})).unwrap();
    let asked = spec(json!({"highavailability": {"enabled": true}}));
    let facts = facts(&server, &[], &[]);
    let told = |mode| told(&config(json!({"high_availability_mode": mode})), &asked, &facts);
    assert_eq!(told("SameZone"), Vec::<String>::new());
    assert!(told("ZoneRedundant")[0].ends_with("switch it off, and on again [refused]"));
}

#[test]
fn the_administrators_retention_throws_no_backups_away() {
    let facts = facts(&server(), &[], &[]);
    let told = |days| {
        told(&config(json!({"parameters": {"backup_retention_days": days}})), &spec(json!({})), &facts)
    };
    assert_eq!(told(7), Vec::<String>::new());
    assert_eq!(told(21), ["backup.retentionDays: 14, asked for 21"]);
}

#[test]
fn tags_of_others_stay_and_missing_ones_are_asked_for() {
    let config = config(json!({"tags": {"team": "{namespace}"}}));
    let told = told(&config, &spec(json!({})), &facts(&server(), &[], &[]));
    assert_eq!(told, ["tag.team: not set, asked for team"]);
}

#[test]
fn parameters_are_compared_by_meaning_and_tell_whether_they_restart() {
    let facts = facts(
        &server(),
        &[
            parameter("work_mem", "16384", "4096", json!({"unit": "kB"})),
            parameter("log_lock_waits", "off", "off", json!({"dataType": "Boolean"})),
            parameter("max_connections", "100", "100", json!({"isDynamicConfig": false})),
            parameter("fsync", "on", "on", json!({"dataType": "Boolean", "isReadOnly": true})),
        ],
        &[],
    );
    let asked = spec(json!({"serverParameters": {
        "work_mem": "16MB", "log_lock_waits": true, "max_connections": 200, "fsync": false, "work_men": "1MB",
    }}));
    let expected = [
        "parameter.fsync: on, asked for off: Azure does not let anybody change it [refused]",
        "parameter.log_lock_waits: off, asked for on",
        "parameter.max_connections: 100, asked for 200 [restart]",
        "parameter.work_men: not set, asked for 1MB: the server has no such parameter (did you mean work_mem?) \
         [refused]",
    ];
    assert_eq!(told(&config(json!({})), &asked, &facts), expected);
}

#[test]
fn only_what_we_have_set_goes_back_to_its_default() {
    let facts = facts(
        &server(),
        &[
            parameter("work_mem", "9999", "4096", json!({})),
            parameter("temp_buffers", "9999", "4096", json!({})),
            parameter("deadlock_timeout", "1000", "1000", json!({})),
        ],
        &[("ours", "192.0.2.1", "192.0.2.1"), ("portal", "192.0.2.2", "192.0.2.2")],
    );
    let (owner, spec) = (owner(), spec(json!({})));
    let (managed, managed_rules) =
        (["work_mem".to_owned(), "deadlock_timeout".to_owned()], ["ours".to_owned()]);
    let desired = DesiredServer {
        managed: &managed,
        managed_rules: &managed_rules,
        ..DesiredServer::new(&owner, &spec)
    };
    let told = |config: &AzureFlexibleConfig| {
        rules::differences(&desired, config, &facts).iter().map(sentence).collect::<Vec<_>>()
    };
    let ours = [
        "firewall.ours: 192.0.2.1 to 192.0.2.1, asked for its default",
        "parameter.work_mem: 9999, asked for its default",
    ];
    assert_eq!(told(&config(json!({}))), ours);
    let exclusive = config(json!({"network": {"exclusive_firewall_rules": true}}));
    assert!(told(&exclusive).iter().any(|told| told.starts_with("firewall.portal")));
}

#[test]
fn one_restart_follows_when_all_values_are_set_and_only_for_ours() {
    let pending = json!({"isDynamicConfig": false, "isConfigPendingRestart": true});
    let of = |connections: &str, others: &str| {
        facts(
            &server(),
            &[
                parameter("max_connections", "200", "100", pending.clone()),
                parameter("max_worker_processes", connections, "8", json!({"isDynamicConfig": false})),
                parameter(others, "1", "0", pending.clone()),
            ],
            &[],
        )
    };
    let asked = spec(json!({"serverParameters": {"max_connections": 200, "max_worker_processes": 16}}));
    let config = config(json!({}));
    let first = told(&config, &asked, &of("8", "of_others"));
    assert_eq!(first, ["parameter.max_worker_processes: 8, asked for 16 [restart]"]);
    let then = told(&config, &asked, &of("16", "of_others"));
    assert_eq!(then, ["restart: max_connections waits for it, asked for done [restart]"]);
    assert_eq!(told(&config, &spec(json!({})), &of("16", "of_others")), Vec::<String>::new());
}

#[test]
fn a_static_parameter_that_went_back_to_its_default_is_ours_until_the_restart() {
    let pending = json!({"isDynamicConfig": false, "isConfigPendingRestart": true});
    let facts = facts(&server(), &[parameter("max_connections", "100", "100", pending)], &[]);
    let (owner, spec, managed) = (owner(), spec(json!({})), ["max_connections".to_owned()]);
    let desired = DesiredServer { managed: &managed, ..DesiredServer::new(&owner, &spec) };
    let differences = rules::differences(&desired, &config(json!({})), &facts);
    let expected = [
        "parameter.max_connections: 100, asked for its default [restart]",
        "restart: max_connections waits for it, asked for done [restart]",
    ];
    assert_eq!(differences.iter().map(sentence).collect::<Vec<_>>(), expected);
}

#[test]
fn extensions_are_allowed_at_once_and_preloaded_by_a_restart() {
    let list = |name: &str, value: &str, dynamic: bool| {
        parameter(name, value, "", json!({"dataType": "Set", "isDynamicConfig": dynamic}))
    };
    let facts = facts(
        &server(),
        &[
            list("azure.extensions", "PG_STAT_STATEMENTS,PG_CRON", true),
            list("shared_preload_libraries", "pg_stat_statements,pg_cron", false),
        ],
        &[],
    );
    let config = config(json!({}));
    assert_eq!(told(&config, &spec(json!({"extensions": ["PG_CRON"]})), &facts), Vec::<String>::new());
    let expected = [
        "parameter.azure.extensions: pg_cron,pg_stat_statements, asked for \
         hstore,pg_cron,pg_stat_statements,timescaledb",
        "parameter.shared_preload_libraries: pg_cron,pg_stat_statements, asked for \
         pg_cron,pg_stat_statements,timescaledb [restart]",
    ];
    assert_eq!(
        told(&config, &spec(json!({"extensions": ["timescaledb", "hstore", "hstore"]})), &facts),
        expected
    );
}

#[test]
fn a_lock_is_asked_for_where_the_administrator_wants_one() {
    let mut facts = facts(&server(), &[], &[]);
    facts.settings.insert(fields::LOCK.to_owned(), "not set".to_owned());
    assert_eq!(told(&config(json!({})), &spec(json!({})), &facts), Vec::<String>::new());
    let locked = config(json!({"lock_from_deletion": true}));
    assert_eq!(told(&locked, &spec(json!({})), &facts), ["lock: not set, asked for set"]);
}

#[test]
fn a_chosen_window_is_the_default_one_of_a_server() {
    let window = rules::found_window(&facts(&server(), &[], &[])).unwrap();
    assert_eq!((window.weekday(), window.start()), (0, (3, 0)));
    let mut server = server();
    server.properties.own.maintenance_window =
        serde_json::from_value(json!({"customWindow": "Disabled"})).unwrap();
    assert_eq!(rules::found_window(&facts(&server, &[], &[])), None);
}
