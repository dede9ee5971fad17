//! AWS: classes, and storage with its operations.

use rstest::rstest;
use serde_json::{Value, json};

use super::super::{aurora, rds};
use super::{aurora_config, rds_config, sentences, wish};
use crate::config::AuroraScaling;

fn classes() -> Value {
    json!({"default_class": "small", "classes": {
        "small": {"instance_type": "db.t3.small"},
        "gp3": {"instance_type": "db.m6g.large", "storage_type": "gp3", "iops": 20000},
        "plain": {"instance_type": "db.m6g.large", "storage_type": "gp3"},
        "slow": {"instance_type": "db.m6g.large", "storage_type": "gp3", "iops": 5000},
        "io1": {"instance_type": "db.m5.xlarge", "storage_type": "io1", "iops": 6000},
        "io2": {"instance_type": "db.m5.xlarge", "storage_type": "io2"},
    }})
}

#[rstest]
#[case::nothing_said(json!({}), "db.t3.small", &[])]
#[case::a_class(json!({"class": "gp3"}), "db.m6g.large", &[])]
#[case::unknown(json!({"class": "huge"}), "db.t3.small",
    &["size.class: there is no class \"huge\"; the default class \"small\" is used; classes: gp3, io1, io2, plain, slow, small"])]
#[case::cores_and_memory(json!({"cpu": 2, "memoryMB": 4096}), "db.t3.small", &[
    "size.cpu: has no effect, sizes are chosen by class on this backend; the default class \"small\" is used; classes: gp3, io1, io2, plain, slow, small",
    "size.memoryMB: has no effect, sizes are chosen by class on this backend; the default class \"small\" is used; classes: gp3, io1, io2, plain, slow, small"])]
#[case::a_class_wins_over_cores(json!({"class": "small", "cpu": 2}), "db.t3.small", &[])]
fn classes_on_rds(#[case] size: Value, #[case] instance_type: &str, #[case] warnings: &[&str]) {
    // Enough storage that the operations of a class are no matter.
    let size = super::merged(json!({"storageGB": 400}), size);
    let found = rds(&rds_config(classes()), Some(&wish(size))).unwrap();
    assert_eq!(found.size.instance_type, instance_type);
    assert_eq!(found.warnings, warnings);
}

#[rstest]
#[case::nothing_configured(json!({}), json!({}), &[])]
#[case::the_built_in_class_by_its_name(json!({}), json!({"class": "operator_default"}), &[])]
#[case::unknown(json!({}), json!({"class": "a"}),
    &["size.class: there is no class \"a\"; the default class \"operator_default\" is used; classes: none"])]
#[case::a_default_class_that_is_not_defined(json!({"default_class": "smal"}), json!({}),
    &["size.class: the operator's configuration has no class \"smal\", its default_class; an instance of the type db.m5.large is used"])]
fn the_built_in_class_on_aws(#[case] config: Value, #[case] size: Value, #[case] warnings: &[&str]) {
    let found = rds(&rds_config(config.clone()), Some(&wish(size.clone()))).unwrap();
    assert_eq!(found.size.instance_type, "db.m5.large");
    assert_eq!((found.size.storage_gb, found.size.iops), (20, None));
    assert_eq!(found.warnings, warnings);
    let found = aurora(&aurora_config(config), Some(&wish(size))).unwrap();
    assert_eq!((found.size.instance_type.as_str(), found.size.scaling), ("db.m5.large", None));
    assert_eq!(found.warnings, warnings);
}

#[rstest]
#[case::gp2("small", json!({}), 20, None, &[])]
#[case::gp3_that_cannot_choose("gp3", json!({"storageGB": 399}), 399, None,
    &["size.storageGB: the class's 20000 operations per second have no effect; gp2 has none to choose, and gp3 only from 400 GB on"])]
#[case::gp3_that_can("gp3", json!({"storageGB": 400}), 400, Some(20_000), &[])]
#[case::gp3_that_says_nothing("plain", json!({"storageGB": 400}), 400, None, &[])]
#[case::gp3_below_what_it_has_anyway("slow", json!({"storageGB": 400}), 400, Some(12_000),
    &["size.storageGB: the class has 5000 operations per second, 400 GB of this storage take 12000 to 64000: 12000 are used"])]
#[case::io1_is_larger_from_the_start("io1", json!({}), 100, Some(5_000),
    &["size.storageGB: the class has 6000 operations per second, 100 GB of this storage take 1000 to 5000: 5000 are used"])]
#[case::io1("io1", json!({"storageGB": 120}), 120, Some(6_000), &[])]
#[case::io1_grows_with_the_storage("io1", json!({"storageGB": 12001}), 12001, Some(6_001),
    &["size.storageGB: the class has 6000 operations per second, 12001 GB of this storage take 6001 to 256000: 6001 are used"])]
#[case::io2_that_says_nothing("io2", json!({}), 100, Some(1_000),
    &["size.storageGB: the class has 0 operations per second, 100 GB of this storage take 1000 to 100000: 1000 are used"])]
fn storage_on_rds(
    #[case] class: &str,
    #[case] size: Value,
    #[case] storage_gb: u32,
    #[case] iops: Option<u32>,
    #[case] warnings: &[&str],
) {
    let size = super::merged(json!({"class": class}), size);
    let found = rds(&rds_config(classes()), Some(&wish(size))).unwrap();
    assert_eq!((found.size.storage_gb, found.size.iops), (storage_gb, iops));
    assert_eq!(found.warnings, warnings);
}

#[rstest]
#[case::not_said("plain", 0, 400, None, &[])]
#[case::gp3_that_cannot_choose("plain", 600, 399, None, &[
    "size.storageGB: the class's throughput of 600 MiB per second has no effect; only gp3 has one to choose, from 400 GB on"])]
#[case::another_storage("small", 600, 400, None, &[
    "size.storageGB: the class's throughput of 600 MiB per second has no effect; only gp3 has one to choose, from 400 GB on"])]
#[case::gp3_that_can("gp3", 4000, 400, Some(4000), &[])]
#[case::at_most_a_quarter_of_the_operations("plain", 4000, 400, Some(3000), &[
    "size.storageGB: the class has a throughput of 4000 MiB per second, its storage takes 500 to 3000: 3000 are used"])]
#[case::below_what_it_has_anyway("plain", 100, 400, Some(500), &[
    "size.storageGB: the class has a throughput of 100 MiB per second, its storage takes 500 to 3000: 500 are used"])]
fn throughput_on_rds(
    #[case] class: &str,
    #[case] wanted: u32,
    #[case] storage_gb: u32,
    #[case] throughput: Option<u32>,
    #[case] warnings: &[&str],
) {
    let mut config = classes();
    config["classes"][class]["throughput"] = json!(wanted);
    let found =
        rds(&rds_config(config), Some(&wish(json!({"class": class, "storageGB": storage_gb})))).unwrap();
    assert_eq!(found.size.throughput, throughput);
    assert_eq!(found.warnings, warnings);
}

#[rstest]
#[case::too_little(json!({"storageGB": 19}), "size.storageGB: found 19, expected 20 to 65536 for storage of the type gp2")]
#[case::too_much(json!({"storageGB": 65537}), "size.storageGB: found 65537, expected 20 to 65536 for storage of the type gp2")]
#[case::too_little_for_the_class(json!({"class": "io1", "storageGB": 99}),
    "size.storageGB: found 99, expected 100 to 65536 for storage of the type io1")]
#[case::no_amount(json!({"storageGB": 0}), "size.storageGB: found 0, expected 1 or more")]
fn storage_that_rds_refuses(#[case] size: Value, #[case] expected: &str) {
    let refused = rds(&rds_config(classes()), Some(&wish(size))).unwrap_err();
    assert_eq!(sentences(&refused), [expected]);
}

#[rstest]
#[case::not_asked_for(json!({}), None, &[])]
#[case::up_to(json!({"storageAutoGrow": true, "maxStorageGB": 110}), Some(110), &[])]
#[case::too_near(json!({"storageAutoGrow": true, "maxStorageGB": 109}), None,
    &["size.maxStorageGB: storage does not grow by itself; found 109, expected 110 to 65536"])]
#[case::too_far(json!({"storageAutoGrow": true, "maxStorageGB": 70000}), Some(65536),
    &["size.maxStorageGB: found 70000, 65536 are used, the most on AWS"])]
#[case::without_a_bound(json!({"storageAutoGrow": true}), None,
    &["size.storageAutoGrow: has no effect without maxStorageGB on this backend"])]
#[case::a_bound_alone(json!({"maxStorageGB": 200}), None,
    &["size.maxStorageGB: has no effect without storageAutoGrow"])]
fn storage_that_grows_by_itself_on_rds(
    #[case] size: Value,
    #[case] max: Option<u32>,
    #[case] warnings: &[&str],
) {
    let size = super::merged(json!({"storageGB": 100}), size);
    let found = rds(&rds_config(classes()), Some(&wish(size))).unwrap();
    assert_eq!(found.size.max_storage_gb, max);
    assert_eq!(found.warnings, warnings);
}

#[rstest]
#[case::nothing_said(json!({}), "db.r6g.large", None, &[])]
#[case::any_storage_is_there(json!({"storageGB": 1, "storageAutoGrow": true}), "db.r6g.large", None, &[])]
#[case::serverless(json!({"class": "far"}), "db.serverless", Some((2.0, 8.0)), &[])]
#[case::serverless_that_was_not_told_how_far(json!({"class": "near"}), "db.serverless", Some((0.5, 1.0)), &[])]
#[case::operations(json!({"class": "iops"}), "db.r6g.large", None,
    &["size.class: the class's 100 operations per second have no effect, storage of Aurora has none to choose"])]
#[case::a_bound(json!({"maxStorageGB": 100}), "db.r6g.large", None,
    &["size.maxStorageGB: has no effect, growth cannot be bounded on this backend"])]
fn clusters_of_aurora(
    #[case] size: Value,
    #[case] instance_type: &str,
    #[case] scaling: Option<(f64, f64)>,
    #[case] warnings: &[&str],
) {
    let config = aurora_config(json!({"default_class": "fixed", "classes": {
        // How far to scale says nothing about an instance of a fixed size.
        "fixed": {"instance_type": "db.r6g.large", "scaling_configuration": {}},
        "far": {"instance_type": "db.serverless",
                "scaling_configuration": {"min_capacity": 2, "max_capacity": 8}},
        "near": {"instance_type": "db.serverless"},
        "iops": {"instance_type": "db.r6g.large", "iops": 100},
    }}));
    let found = aurora(&config, Some(&wish(size))).unwrap();
    assert_eq!(found.size.instance_type, instance_type);
    let scaling = scaling.map(|(min_capacity, max_capacity)| AuroraScaling { min_capacity, max_capacity });
    assert_eq!(found.size.scaling, scaling);
    assert_eq!(found.warnings, warnings);
}
