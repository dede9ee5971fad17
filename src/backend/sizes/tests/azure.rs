//! Azure: machines by cores and by class, storage, and limits.

use rstest::rstest;
use serde_json::{Value, json};

use super::super::{flexible, single};
use super::{flexible_config, sentences, single_config, wish};

fn classes() -> Value {
    json!({"default_class": "dev", "classes": {
        "dev": {"name": "Standard_B1ms", "tier": "Burstable"},
        "big": {"name": "Standard_E96ads_v5", "tier": "MemoryOptimized"},
        "odd": {"name": "Standard_Odd", "tier": "GeneralPurpose"},
    }})
}

#[rstest]
#[case::nothing_said(json!({}), "Standard_D2ds_v4", 32, &[])]
#[case::exactly(json!({"cpu": 4, "memoryMB": 16384, "storageGB": 64}), "Standard_D4ds_v4", 64, &[])]
#[case::more_cores_than_asked_for(json!({"cpu": 3}), "Standard_D4ds_v4", 32,
    &["size.cpu: 3 cores are asked for, the next machine has 4"])]
#[case::one(json!({"cpu": 1}), "Standard_D2ds_v4", 32, &["size.cpu: 1 cores are asked for, the next machine has 2"])]
#[case::a_step_that_single_servers_lack(json!({"cpu": 48}), "Standard_D48ds_v4", 32, &[])]
#[case::the_largest(json!({"cpu": 64}), "Standard_D64ds_v4", 32, &[])]
#[case::beyond_the_largest(json!({"cpu": 65}), "Standard_D64ds_v4", 32,
    &["size.cpu: 65 cores are asked for, 64 are the most there are"])]
#[case::too_little_memory(json!({"cpu": 2, "memoryMB": 8193}), "Standard_D2ds_v4", 32,
    &["size.memoryMB: 8193 MB are asked for; memory comes with the cores, and 2 cores have 8192 MB"])]
#[case::between_two_storage_sizes(json!({"storageGB": 33}), "Standard_D2ds_v4", 64,
    &["size.storageGB: 33 GB are asked for, the next size on Azure is 64 GB"])]
#[case::next_to_the_odd_size(json!({"storageGB": 4095}), "Standard_D2ds_v4", 4095, &[])]
#[case::four_tib(json!({"storageGB": 4096}), "Standard_D2ds_v4", 4096, &[])]
#[case::the_most_storage(json!({"storageGB": 32767}), "Standard_D2ds_v4", 32767, &[])]
#[case::a_bound_for_growth(json!({"storageAutoGrow": true, "maxStorageGB": 64}), "Standard_D2ds_v4", 32,
    &["size.maxStorageGB: has no effect, growth cannot be bounded on this backend"])]
#[case::a_class_without_a_default_one(json!({"class": "dev", "cpu": 8}), "Standard_D8ds_v4", 32,
    &["size.class: \"dev\" has no effect, because the operator's configuration names no default_class; cpu and memoryMB count"])]
fn flexible_servers_without_classes(
    #[case] size: Value,
    #[case] sku: &str,
    #[case] storage_gb: u32,
    #[case] warnings: &[&str],
) {
    let found = flexible(&flexible_config(json!({})), Some(&wish(size))).unwrap();
    assert_eq!((found.size.sku.name.as_str(), found.size.storage_gb), (sku, storage_gb));
    assert_eq!(found.size.sku.tier, "GeneralPurpose");
    assert_eq!(found.warnings, warnings);
}

#[rstest]
#[case::a_class_wins_over_cores_and_memory(json!({"class": "dev", "cpu": 64, "memoryMB": 999_999}),
    "Standard_B1ms", &[])]
#[case::unknown(json!({"class": "huge", "cpu": 64}), "Standard_B1ms",
    &["size.class: there is no class \"huge\"; the default class \"dev\" is used; classes: big, dev, odd"])]
#[case::none_means_cores_not_the_default_class(json!({"cpu": 4}), "Standard_D4ds_v4", &[])]
#[case::an_empty_name_is_none(json!({"class": ""}), "Standard_D2ds_v4", &[])]
#[case::its_cores_do_not_matter_without_a_limit(json!({"class": "odd"}), "Standard_Odd", &[])]
fn flexible_servers_with_classes(#[case] size: Value, #[case] sku: &str, #[case] warnings: &[&str]) {
    let found = flexible(&flexible_config(classes()), Some(&wish(size))).unwrap();
    assert_eq!(found.size.sku.name, sku);
    assert_eq!(found.warnings, warnings);
}

#[rstest]
#[case::too_many_cores(json!({"cpu": 17}), &["size.cpu: found 17, which becomes 32 cores, expected at most 16, the limit in the operator's configuration"])]
#[case::more_than_there_are(json!({"cpu": 999}), &["size.cpu: found 999, expected at most 16, the limit in the operator's configuration"])]
#[case::a_class(json!({"class": "big"}), &["size.class: found a class of 96 cores (Standard_E96ads_v5), expected at most 16, the limit in the operator's configuration"])]
#[case::a_class_of_unknown_cores(json!({"class": "odd"}), &["size.class: found a class (Standard_Odd) whose cores cannot be told from its name, expected at most 16, the limit in the operator's configuration"])]
#[case::too_much_storage(json!({"storageGB": 101}), &["size.storageGB: found 101, which becomes 128 GB, expected at most 100, the limit in the operator's configuration"])]
#[case::storage_that_is_rounded_beyond_the_limit(json!({"storageGB": 100}), &["size.storageGB: found 100, which becomes 128 GB, expected at most 100, the limit in the operator's configuration"])]
#[case::too_little_storage(json!({"storageGB": 31}), &["size.storageGB: found 31, expected 32 to 32767"])]
#[case::both_are_told(json!({"cpu": 64, "storageGB": 1}), &[
    "size.cpu: found 64, expected at most 16, the limit in the operator's configuration",
    "size.storageGB: found 1, expected 32 to 32767"])]
#[case::amounts_from_before_the_definition_refused_them(json!({"cpu": 0, "storageGB": -1}), &[
    "size.cpu: found 0, expected 1 or more", "size.storageGB: found -1, expected 1 or more"])]
fn flexible_servers_are_refused(#[case] size: Value, #[case] expected: &[&str]) {
    let mut config = flexible_config(classes());
    (config.azure.cpu_limit, config.azure.storage_limit_gb) = (16, 100);
    let refused = flexible(&config, Some(&wish(size))).unwrap_err();
    assert_eq!(sentences(&refused), expected);
}

#[test]
fn a_limit_below_the_smallest_server_refuses_also_who_asks_for_nothing() {
    let config = flexible_config(json!({"cpu_limit": 1, "storage_limit_gb": 20}));
    assert_eq!(
        sentences(&flexible(&config, None).unwrap_err()),
        [
            "size.cpu: found nothing, which means 2 cores, expected at most 1, the limit in the operator's configuration",
            "size.storageGB: found nothing, which means 32 GB, expected at most 20, the limit in the operator's configuration",
        ]
    );
}

#[test]
fn a_class_is_refused_when_there_is_neither_it_nor_the_default() {
    let config = flexible_config(json!({"default_class": "dev"}));
    assert_eq!(
        sentences(&flexible(&config, Some(&wish(json!({"class": "a"})))).unwrap_err()),
        [
            "size.class: found \"a\", expected one of: none; the operator's configuration has no class \"dev\" either, its default_class"
        ]
    );
}

#[rstest]
#[case::nothing_said(json!({}), "GP_Gen5_2", 2, 10, &[])]
#[case::between_two_machines(json!({"cpu": 33, "storageGB": 100}), "GP_Gen5_64", 64, 100,
    &["size.cpu: 33 cores are asked for, the next machine has 64"])]
#[case::beyond_the_largest(json!({"cpu": 65}), "GP_Gen5_64", 64, 10,
    &["size.cpu: 65 cores are asked for, 64 are the most there are"])]
#[case::too_little_memory(json!({"cpu": 2, "memoryMB": 10241}), "GP_Gen5_2", 2, 10,
    &["size.memoryMB: 10241 MB are asked for; memory comes with the cores, and 2 cores have 10240 MB"])]
#[case::storage_in_steps(json!({"cpu": 2, "storageGB": 101}), "GP_Gen5_2", 2, 105,
    &["size.storageGB: 101 GB are asked for, the next size on Azure is 105 GB"])]
#[case::the_most_storage(json!({"cpu": 2, "storageGB": 16384}), "GP_Gen5_2", 2, 16384, &[])]
#[case::a_class(json!({"class": "mo"}), "MO_Gen5_8", 8, 10, &[])]
fn single_servers(
    #[case] size: Value,
    #[case] sku: &str,
    #[case] capacity: u32,
    #[case] storage_gb: u32,
    #[case] warnings: &[&str],
) {
    let config = single_config(json!({"default_class": "mo", "classes": {
        "mo": {"name": "MO_Gen5_8", "tier": "MemoryOptimized", "family": "Gen5", "capacity": 8}}}));
    let found = single(&config, Some(&wish(size))).unwrap();
    assert_eq!((found.size.sku.name.as_str(), found.size.sku.capacity), (sku, capacity));
    assert_eq!(found.size.storage_mb, storage_gb * 1024);
    assert_eq!(found.warnings, warnings);
}

#[rstest]
#[case::too_little_storage(json!({"storageGB": 99}), "size.storageGB: found 99, expected 100 to 16384")]
#[case::too_much_storage(json!({"storageGB": 16385}), "size.storageGB: found 16385, expected 100 to 16384")]
#[case::more_than_the_limit(json!({"storageGB": 513}),
    "size.storageGB: found 513, which becomes 515 GB, expected at most 512, the limit in the operator's configuration")]
#[case::cores(json!({"cpu": 5}),
    "size.cpu: found 5, which becomes 8 cores, expected at most 4, the limit in the operator's configuration")]
#[case::a_class(json!({"class": "mo"}),
    "size.class: found a class of 8 cores (MO_Gen5_8), expected at most 4, the limit in the operator's configuration")]
fn single_servers_are_refused(#[case] size: Value, #[case] expected: &str) {
    let config =
        single_config(json!({"cpu_limit": 4, "storage_limit_gb": 512, "default_class": "mo", "classes": {
        "mo": {"name": "MO_Gen5_8", "tier": "MemoryOptimized", "family": "Gen5", "capacity": 8}}}));
    assert_eq!(sentences(&single(&config, Some(&wish(size))).unwrap_err()), [expected]);
}
