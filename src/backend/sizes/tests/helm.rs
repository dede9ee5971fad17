//! Charts: pods and volumes.

use rstest::rstest;
use serde_json::{Value, json};

use super::super::{bitnami, yugabyte};
use super::{sentences, wish};

const GROWTH: &str = "size.storageAutoGrow: has no effect, storage does not grow by itself on this backend";
const BOUND: &str = "size.maxStorageGB: has no effect, storage does not grow by itself on this backend";
const UNKNOWN: &str =
    "size.class: there is no class \"huge\"; the default class \"small\" is used; classes: large, small";

#[rstest]
#[case::nothing_said(json!({}), ("1", "256Mi", "10Gi"), &[])]
#[case::as_asked_for(json!({"cpu": 3, "memoryMB": 1000, "storageGB": 1}), ("3", "1000Mi", "1Gi"), &[])]
#[case::a_class_wins_over_cores_and_memory(json!({"class": "large", "cpu": 8, "memoryMB": 1}),
    ("2000m", "4Gi", "10Gi"), &[])]
#[case::unknown(json!({"class": "huge"}), ("500m", "512Mi", "10Gi"), &[UNKNOWN])]
#[case::growth(json!({"storageAutoGrow": true, "maxStorageGB": 20}), ("1", "256Mi", "10Gi"), &[GROWTH, BOUND])]
fn releases(#[case] size: Value, #[case] expected: (&str, &str, &str), #[case] warnings: &[&str]) {
    let (small, large) =
        (json!({"cpu": "500m", "memory": "512Mi"}), json!({"cpu": "2000m", "memory": "4Gi"}));
    let size = wish(size);

    let config = json!({"default_class": "small", "classes": {"small": small, "large": large}});
    let found = bitnami(&serde_json::from_value(config).unwrap(), Some(&size)).unwrap();
    let pod = (found.size.pod.cpu.as_str(), found.size.pod.memory.as_str(), found.size.storage.as_str());
    assert_eq!(pod, expected);
    assert_eq!(found.warnings, warnings);

    let config = json!({"default_class": "small", "classes": {
        "small": {"master": {"cpu": "1m", "memory": "1Mi"}, "tserver": small},
        "large": {"master": {"cpu": "1m", "memory": "1Mi"}, "tserver": large}}});
    let found = yugabyte(&serde_json::from_value(config).unwrap(), Some(&size)).unwrap();
    let tserver = &found.size.pods.tserver;
    assert_eq!((tserver.cpu.as_str(), tserver.memory.as_str(), found.size.storage.as_str()), expected);
    let master = &found.size.pods.master;
    let by_class = size.class.is_some();
    assert_eq!(master.cpu, if by_class { "1m" } else { expected.0 });
    assert_eq!(master.memory, if by_class { "1Mi" } else { expected.1 });
    assert_eq!(found.warnings, warnings);
}

#[test]
fn a_release_of_an_unknown_class_is_refused_when_the_default_does_not_exist_either() {
    let size = wish(json!({"class": "a"}));
    let expected = [
        "size.class: found \"a\", expected one of: none; the operator's configuration has no class \"b\" either, its default_class",
    ];
    let config = json!({"default_class": "b"});
    let refused = bitnami(&serde_json::from_value(config.clone()).unwrap(), Some(&size)).unwrap_err();
    assert_eq!(sentences(&refused), expected);
    let refused = yugabyte(&serde_json::from_value(config).unwrap(), Some(&size)).unwrap_err();
    assert_eq!(sentences(&refused), expected);
}
