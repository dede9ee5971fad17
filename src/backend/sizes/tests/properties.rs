//! What holds for every wish and all limits.

use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::super::{Sizing, bitnami, flexible, rds, single};
use super::{flexible_config, rds_config, single_config};
use crate::api::Size;
use crate::config::{AzureFlexibleConfig, AzureSingleConfig};

/// Wishes without a class, of amounts around everything that matters, and of any.
fn wishes() -> impl Strategy<Value = Size> {
    let amount = |around: i64| option::of(prop_oneof![4 => 1..around, 1 => 1..=i64::MAX]);
    (amount(100), amount(600_000), amount(70_000), any::<bool>(), amount(70_000)).prop_map(
        |(cpu, memory_mb, storage_gb, auto_grow, max_storage_gb)| Size {
            class: None,
            cpu,
            memory_mb,
            storage_gb,
            storage_auto_grow: Some(auto_grow),
            max_storage_gb,
        },
    )
}

fn limits() -> impl Strategy<Value = (u32, u32)> {
    (0..80u32, prop_oneof![Just(0), 1..40_000u32])
}

fn flexible_limited((cpu_limit, storage_limit_gb): (u32, u32)) -> AzureFlexibleConfig {
    flexible_config(json!({"cpu_limit": cpu_limit, "storage_limit_gb": storage_limit_gb}))
}

fn single_limited((cpu_limit, storage_limit_gb): (u32, u32)) -> AzureSingleConfig {
    single_config(json!({"cpu_limit": cpu_limit, "storage_limit_gb": storage_limit_gb}))
}

/// Cores of a machine that the operator chose itself.
fn cores(sku: &str) -> u32 {
    let digits: String =
        sku.trim_start_matches("Standard_D").chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

fn warned<T>(found: &Sizing<T>, field: &str) -> bool {
    found.warnings.iter().any(|warning| warning.starts_with(&format!("{field}: ")))
}

fn at_least(given: u64, wanted: Option<i64>) -> bool {
    wanted.is_none_or(|wanted| given >= u64::try_from(wanted).unwrap())
}

fn equal(given: u64, wanted: Option<i64>) -> bool {
    wanted.is_none_or(|wanted| given == u64::try_from(wanted).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_lies_outside_the_limits_on_azure(size in wishes(), limits in limits()) {
        let (cpu, storage) = limits;
        if let Ok(found) = flexible(&flexible_limited(limits), Some(&size)) {
            prop_assert!(cpu == 0 || cores(&found.size.sku.name) <= cpu);
            prop_assert!(storage == 0 || found.size.storage_gb <= storage);
        }
        if let Ok(found) = single(&single_limited(limits), Some(&size)) {
            prop_assert!(cpu == 0 || found.size.sku.capacity <= cpu);
            prop_assert!(storage == 0 || found.size.storage_mb <= storage * 1024);
        }
    }

    #[test]
    fn a_class_lies_within_the_limit_too(class_cores in 1..=64u32, limit in 0..80u32) {
        let size = Size { class: Some("a".to_owned()), ..Size::default() };
        let name = format!("Standard_E{class_cores}ads_v5");
        let config = flexible_config(json!({"cpu_limit": limit, "default_class": "a",
            "classes": {"a": {"name": name, "tier": "MemoryOptimized"}}}));
        let fits = limit == 0 || class_cores <= limit;
        prop_assert_eq!(flexible(&config, Some(&size)).is_ok(), fits);
        let config = single_config(json!({"cpu_limit": limit, "default_class": "a",
            "classes": {"a": {"name": "x", "tier": "y", "family": "z", "capacity": class_cores}}}));
        prop_assert_eq!(single(&config, Some(&size)).is_ok(), fits);
    }

    #[test]
    fn who_asks_for_more_gets_no_less(size in wishes(), more in wishes()) {
        let larger = |a: Option<i64>, b: Option<i64>| a.zip(b).map(|(a, b)| a.max(b)).or(a);
        let more = Size {
            cpu: larger(size.cpu, more.cpu),
            memory_mb: larger(size.memory_mb, more.memory_mb),
            storage_gb: larger(size.storage_gb, more.storage_gb),
            ..size.clone()
        };
        let config = flexible_limited((0, 0));
        if let (Ok(one), Ok(other)) = (flexible(&config, Some(&size)), flexible(&config, Some(&more))) {
            prop_assert!(cores(&one.size.sku.name) <= cores(&other.size.sku.name));
            prop_assert!(one.size.storage_gb <= other.size.storage_gb);
        }
        let config = single_limited((0, 0));
        if let (Ok(one), Ok(other)) = (single(&config, Some(&size)), single(&config, Some(&more))) {
            prop_assert!(one.size.sku.capacity <= other.size.sku.capacity);
            prop_assert!(one.size.storage_mb <= other.size.storage_mb);
        }
    }

    #[test]
    fn who_is_refused_within_no_limit_is_refused_within_any(size in wishes(), limits in limits()) {
        if flexible(&flexible_limited((0, 0)), Some(&size)).is_err() {
            prop_assert!(flexible(&flexible_limited(limits), Some(&size)).is_err());
        }
        if single(&single_limited((0, 0)), Some(&size)).is_err() {
            prop_assert!(single(&single_limited(limits), Some(&size)).is_err());
        }
    }

    #[test]
    fn whatever_differs_from_the_wish_is_told_and_nothing_else(size in wishes()) {
        if let Ok(found) = flexible(&flexible_limited((0, 0)), Some(&size)) {
            let cores = u64::from(cores(&found.size.sku.name));
            prop_assert_eq!(warned(&found, "size.cpu"), !equal(cores, size.cpu));
            prop_assert_eq!(warned(&found, "size.memoryMB"), !at_least(cores * 4096, size.memory_mb));
            prop_assert_eq!(warned(&found, "size.storageGB"), !equal(found.size.storage_gb.into(), size.storage_gb));
            prop_assert_eq!(warned(&found, "size.maxStorageGB"), size.max_storage_gb.is_some());
        }
        if let Ok(found) = single(&single_limited((0, 0)), Some(&size)) {
            let cores = u64::from(found.size.sku.capacity);
            prop_assert_eq!(warned(&found, "size.cpu"), !equal(cores, size.cpu));
            prop_assert_eq!(warned(&found, "size.memoryMB"), !at_least(cores * 5120, size.memory_mb));
            let storage_gb = u64::from(found.size.storage_mb / 1024);
            prop_assert_eq!(warned(&found, "size.storageGB"), !equal(storage_gb, size.storage_gb));
        }
        if let Ok(found) = rds(&rds_config(json!({})), Some(&size)) {
            prop_assert!(equal(found.size.storage_gb.into(), size.storage_gb));
            prop_assert_eq!(warned(&found, "size.cpu"), size.cpu.is_some());
            prop_assert_eq!(warned(&found, "size.memoryMB"), size.memory_mb.is_some());
            let grows = size.storage_auto_grow == Some(true);
            let max = found.size.max_storage_gb.map(i64::from);
            let as_wished = max == size.max_storage_gb.filter(|_| grows);
            let told = warned(&found, "size.maxStorageGB") || warned(&found, "size.storageAutoGrow");
            prop_assert!(as_wished || told);
        }
        let found = bitnami(&serde_json::from_value(json!({})).unwrap(), Some(&size)).unwrap();
        prop_assert_eq!(found.size.pod.cpu, size.cpu.unwrap_or(1).to_string());
        prop_assert_eq!(found.size.storage, format!("{}Gi", size.storage_gb.unwrap_or(10)));
    }

    #[test]
    fn operations_on_rds_are_what_aws_takes(
        storage_gb in 100..=65536i64, iops in 0..=256_000u32,
        kind in prop_oneof![Just("gp2"), Just("gp3"), Just("io1"), Just("io2")],
    ) {
        let config = rds_config(json!({"default_class": "a",
            "classes": {"a": {"instance_type": "x", "storage_type": kind, "iops": iops}}}));
        let size = Size { storage_gb: Some(storage_gb), ..Size::default() };
        let found = rds(&config, Some(&size)).unwrap();
        let given = found.size.iops.map(i64::from);
        let legal = match (kind, given) {
            ("gp2", given) => given.is_none(),
            ("gp3", None) => storage_gb < 400 || iops == 0,
            ("gp3", Some(given)) => storage_gb >= 400 && (12_000..=64_000).contains(&given),
            (_, None) => false,
            ("io1", Some(given)) => given >= 1_000 && given * 2 >= storage_gb && given <= storage_gb * 50,
            (_, Some(given)) => given >= 1_000 && given * 2 >= storage_gb && given <= 256_000,
        };
        prop_assert!(legal, "{kind} {storage_gb} GB {iops} -> {given:?}");
        let as_configured = given.unwrap_or(0) == i64::from(iops);
        prop_assert_eq!(as_configured, found.warnings.is_empty());
    }
}
