//! What the operator tells those who watch over it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use hcpg::api::{Phase, PostgreSQLDatabase};
use integration_tests::world::World;

/// Every metric, with its labels.
const METRICS: [(&str, &[&str]); 13] = [
    ("hcpg_action_duration_seconds", &["action", "kind"]),
    ("hcpg_actions_total", &["action", "kind", "outcome"]),
    ("hcpg_backend_requests_total", &["backend", "operation", "outcome"]),
    ("hcpg_build_info", &["version"]),
    ("hcpg_config_last_reload_success_timestamp_seconds", &[]),
    ("hcpg_config_last_reload_successful", &[]),
    ("hcpg_config_reloads_total", &["outcome"]),
    ("hcpg_leader", &[]),
    ("hcpg_objects", &["backend", "kind", "phase"]),
    ("hcpg_phase_duration_seconds", &["kind", "phase"]),
    ("hcpg_reconcile_duration_seconds", &["kind", "outcome"]),
    ("hcpg_transitions_total", &["from", "kind", "to", "trigger"]),
    ("process_resident_memory_bytes", &[]),
];

/// The name of the metric that a sample belongs to.
fn family(name: &str) -> &str {
    let part = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
    part.filter(|name| name.ends_with("_seconds")).unwrap_or(name)
}

#[tokio::test]
async fn the_course_of_two_objects_can_be_read_from_the_metrics() {
    let world = World::start().await;
    let story = world.story("metrics").await;
    let operator = &world.operator;
    let metric = async |name: &str, labels: &[(&str, &str)]| operator.metric(name, labels).await.unwrap();

    story.apply_example("simple.yaml").await;
    story.server_ready("demoteam").await;
    story.database_ready("demoservice").await;

    for (kind, from, to) in [
        ("server", "Pending", "Provisioning"),
        ("server", "Provisioning", "Configuring"),
        ("server", "Configuring", "Ready"),
        ("database", "Pending", "Provisioning"),
        ("database", "Provisioning", "Configuring"),
        ("database", "Configuring", "Ready"),
    ] {
        let labels = [("kind", kind), ("from", from), ("to", to)];
        let counted = metric("hcpg_transitions_total", &labels).await;
        assert_eq!(counted, 1.0, "{kind} {from} -> {to}\n{}", operator.metrics().await.unwrap());
    }
    let create = [("backend", "local"), ("operation", "create"), ("outcome", "ok")];
    assert_eq!(metric("hcpg_backend_requests_total", &create).await, 1.0);
    for kind in ["server", "database"] {
        let ready = [("kind", kind), ("phase", "Ready"), ("backend", "local")];
        let shown = async || (metric("hcpg_objects", &ready).await == 1.0).then_some(());
        story.eventually("the gauge shows the object as ready", shown).await;
        assert_eq!(metric("hcpg_objects", &[("kind", kind)]).await, 1.0, "each object is counted once");
    }

    story.delete::<PostgreSQLDatabase>("demoservice").await;
    story.gone::<PostgreSQLDatabase>("demoservice").await;
    let to = [("kind", "database"), ("from", "Ready"), ("to", "Deleting")];
    assert_eq!(metric("hcpg_transitions_total", &to).await, 1.0);
    let shown = async || (metric("hcpg_objects", &[("kind", "database")]).await == 0.0).then_some(());
    story.eventually("what is gone is no longer shown", shown).await;

    assert_names_and_labels(&world, &[&story.namespace, "demoteam", "demoservice"]).await;
}

/// Names are exact, labels are a fixed few, and no value of one comes from users.
async fn assert_names_and_labels(world: &World, users_words: &[&str]) {
    let text = world.operator.metrics().await.unwrap();
    let samples = world.operator.samples().await.unwrap();
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for sample in &samples {
        let labels = sample.labels.keys().map(String::as_str).filter(|label| *label != "le");
        seen.entry(family(&sample.name)).or_default().extend(labels);
    }
    for (name, labels) in METRICS {
        let found: Vec<&str> = seen.get(name).unwrap_or_else(|| panic!("{name}")).iter().copied().collect();
        assert_eq!(found, labels, "{name}");
    }
    let known: Vec<&str> = METRICS.iter().map(|(name, _)| *name).collect();
    let unknown: Vec<_> =
        seen.keys().filter(|name| name.starts_with("hcpg_") && !known.contains(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    for word in users_words {
        assert!(!text.contains(word), "{word} stands in the metrics:\n{text}");
    }
    let phases: BTreeSet<&str> = [
        Phase::Pending,
        Phase::Provisioning,
        Phase::Configuring,
        Phase::Ready,
        Phase::ResettingPassword,
        Phase::Deleting,
    ]
    .map(Phase::as_str)
    .into();
    for sample in &samples {
        for (label, value) in &sample.labels {
            match label.as_str() {
                "kind" => assert!(["server", "database"].contains(&value.as_str()), "{sample:?}"),
                "phase" | "from" | "to" => assert!(phases.contains(value.as_str()), "{sample:?}"),
                "backend" => assert!(["local", "none", "other"].contains(&value.as_str()), "{sample:?}"),
                "outcome" | "trigger" | "action" | "operation" => {
                    assert!(value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{sample:?}");
                }
                "le" | "version" => {}
                other => panic!("label {other}: {sample:?}"),
            }
        }
    }
}

#[tokio::test]
async fn probes_answer() {
    let world = World::start().await;
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/elsewhere", 404)] {
        let answer = world.operator.get(path).await.unwrap();
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
    // Right after the start: whatever it still waits for must not keep it.
    world.operator.restart().await.unwrap();
    let told = Instant::now();
    world.operator.sigterm().await.unwrap();
    assert!(told.elapsed() < Duration::from_secs(5), "{:?} to stop with nothing to do", told.elapsed());
    assert!(world.operator.get("/healthz").await.is_err(), "nobody answers for an operator that has stopped");
}
