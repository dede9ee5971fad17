//! Metrics. Every label is `&'static str`, so that there is no way to put an object's name or an error's text into one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// One second to one hour: what phases last.
const PHASE_BUCKETS: [f64; 12] =
    [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0];
/// Five milliseconds to two minutes: what a reconcile or a call lasts.
const CALL_BUCKETS: [f64; 13] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 120.0];

/// Why there are no metrics.
#[derive(Debug, thiserror::Error)]
#[error("metrics: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// The operator's metrics, in a registry of their own. Cloned handles count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    transitions: IntCounterVec,
    objects: IntGaugeVec,
    // Which label sets the gauge has, so that those that are gone can be taken out.
    shown: Arc<Mutex<BTreeMap<[&'static str; 3], i64>>>,
    phase_duration: HistogramVec,
    reconcile_duration: HistogramVec,
    actions: IntCounterVec,
    action_duration: HistogramVec,
    backend_requests: IntCounterVec,
    leader: IntGauge,
    reloads: IntCounterVec,
    reload_successful: IntGauge,
    reload_time: IntGauge,
}

/// What can come of a changed configuration file.
const RELOADS: [&str; 4] = ["applied", "unchanged", "needs_restart", "refused"];

impl Metrics {
    /// Makes and registers every metric.
    pub fn new() -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let metrics = Self {
            transitions: register(
                &registry,
                IntCounterVec::new(
                    Opts::new("hcpg_transitions_total", "Transitions of the state machines."),
                    &["kind", "from", "to", "trigger"],
                )?,
            )?,
            objects: register(
                &registry,
                IntGaugeVec::new(
                    Opts::new("hcpg_objects", "Objects by phase and backend."),
                    &["kind", "phase", "backend"],
                )?,
            )?,
            shown: Arc::default(),
            phase_duration: histogram(
                &registry,
                "hcpg_phase_duration_seconds",
                "How long objects were in a phase, counted when they leave it.",
                &["kind", "phase"],
                &PHASE_BUCKETS,
            )?,
            reconcile_duration: histogram(
                &registry,
                "hcpg_reconcile_duration_seconds",
                "How long one pass over an object took.",
                &["kind", "outcome"],
                &CALL_BUCKETS,
            )?,
            actions: register(
                &registry,
                IntCounterVec::new(
                    Opts::new("hcpg_actions_total", "Actions that were carried out."),
                    &["kind", "action", "outcome"],
                )?,
            )?,
            action_duration: histogram(
                &registry,
                "hcpg_action_duration_seconds",
                "How long an action took.",
                &["kind", "action"],
                &CALL_BUCKETS,
            )?,
            backend_requests: register(
                &registry,
                IntCounterVec::new(
                    Opts::new("hcpg_backend_requests_total", "Requests to the backends."),
                    &["backend", "operation", "outcome"],
                )?,
            )?,
            leader: register(
                &registry,
                IntGauge::new(
                    "hcpg_leader",
                    "Whether this instance holds the lease: 1, or 0 while it stands by.",
                )?,
            )?,
            reloads: register(
                &registry,
                IntCounterVec::new(
                    Opts::new("hcpg_config_reloads_total", "Changes of the configuration file."),
                    &["outcome"],
                )?,
            )?,
            reload_successful: register(
                &registry,
                IntGauge::new(
                    "hcpg_config_last_reload_successful",
                    "Whether the configuration file, as it is now, can be used: 1, or 0.",
                )?,
            )?,
            reload_time: register(
                &registry,
                IntGauge::new(
                    "hcpg_config_last_reload_success_timestamp_seconds",
                    "When the configuration file was read last with success.",
                )?,
            )?,
            registry,
        };
        for outcome in RELOADS {
            metrics.reloads.with_label_values(&[outcome]).reset();
        }
        metrics.config_usable();
        let build = Opts::new("hcpg_build_info", "The version that runs; always 1.")
            .const_label("version", env!("CARGO_PKG_VERSION"));
        register(&metrics.registry, IntGauge::with_opts(build)?)?.set(1);
        metrics.registry.register(Box::new(ProcessCollector::for_self()))?;
        Ok(metrics)
    }

    /// Shows whether this instance holds the lease.
    pub fn set_leader(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// Counts a change of the configuration file that was put in force: `applied`, or as far as possible:
    /// `needs_restart`, or that changes nothing: `unchanged`.
    pub fn config_taken(&self, outcome: &'static str) {
        self.reloads.with_label_values(&[outcome]).inc();
        self.config_usable();
    }

    /// Counts a change of the configuration file that cannot be used.
    pub fn config_refused(&self) {
        self.reloads.with_label_values(&["refused"]).inc();
        self.reload_successful.set(0);
    }

    fn config_usable(&self) {
        self.reload_successful.set(1);
        self.reload_time.set(jiff::Timestamp::now().as_second());
    }

    /// Counts a transition.
    pub fn transition(
        &self,
        kind: &'static str,
        from: &'static str,
        to: &'static str,
        trigger: &'static str,
    ) {
        self.transitions.with_label_values(&[kind, from, to, trigger]).inc();
    }

    /// Notes how long an object was in the phase that it leaves.
    pub fn phase_left(&self, kind: &'static str, phase: &'static str, seconds: f64) {
        self.phase_duration.with_label_values(&[kind, phase]).observe(seconds);
    }

    /// Notes a pass over an object.
    pub fn reconcile(&self, kind: &'static str, outcome: &'static str, seconds: f64) {
        self.reconcile_duration.with_label_values(&[kind, outcome]).observe(seconds);
    }

    /// Counts an action and notes how long it took.
    pub fn action(&self, kind: &'static str, action: &'static str, outcome: &'static str, seconds: f64) {
        self.actions.with_label_values(&[kind, action, outcome]).inc();
        self.action_duration.with_label_values(&[kind, action]).observe(seconds);
    }

    /// Counts a request to a backend.
    pub fn backend_request(&self, backend: &'static str, operation: &'static str, outcome: &'static str) {
        self.backend_requests.with_label_values(&[backend, operation, outcome]).inc();
    }

    /// Shows how many objects there are: one `[kind, phase, backend]` per object.
    ///
    /// Every value is changed in place, so that a scrape at any moment sees each as it was or as it is, never zero in
    /// between. For the backend's label see [`crate::config::known_backend`].
    pub fn set_objects(&self, objects: impl Iterator<Item = [&'static str; 3]>) {
        let mut counts = BTreeMap::new();
        for labels in objects {
            *counts.entry(labels).or_insert(0_i64) += 1;
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        for (labels, count) in &counts {
            self.objects.with_label_values(labels).set(*count);
        }
        for labels in shown.keys().filter(|labels| !counts.contains_key(*labels)) {
            // It is there: only this function puts values in or takes them out.
            let _ = self.objects.remove_label_values(labels);
        }
        *shown = counts;
    }

    /// Everything in Prometheus' text format.
    pub fn gather(&self) -> Result<String, MetricsError> {
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, metric: C) -> Result<C, MetricsError> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn histogram(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
    buckets: &[f64],
) -> Result<HistogramVec, MetricsError> {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    register(registry, HistogramVec::new(options, labels)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;

    fn filled() -> Metrics {
        let metrics = Metrics::new().unwrap();
        metrics.transition("PostgreSQLServer", "Pending", "Provisioning", "Absent");
        metrics.phase_left("PostgreSQLServer", "Pending", 0.2);
        metrics.reconcile("PostgreSQLServer", "ok", 0.01);
        metrics.action("PostgreSQLServer", "CreateServer", "ok", 3.0);
        metrics.backend_request("local", "observe", "ok");
        metrics.set_objects([["PostgreSQLServer", "Ready", "local"]; 2].into_iter());
        metrics
    }

    /// Splits a line of the text format into name, labels and value.
    fn sample(line: &str) -> (&str, Vec<(&str, &str)>, f64) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
            None => (series, ""),
        };
        let labels = labels.split(',').filter(|label| !label.is_empty());
        let labels = labels.map(|label| {
            let (name, value) = label.split_once('=').unwrap();
            (name, value.strip_prefix('"').unwrap().strip_suffix('"').unwrap())
        });
        (name, labels.collect(), value.parse().unwrap())
    }

    #[test]
    fn the_exposition_parses_and_the_names_are_exact() {
        let text = filled().gather().unwrap();
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).map(sample).collect();
        let typed: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .filter_map(|line| line.split(' ').next())
            .collect();
        let ours: Vec<&str> = typed.iter().copied().filter(|name| name.starts_with("hcpg_")).collect();
        assert_eq!(
            ours,
            [
                "hcpg_action_duration_seconds",
                "hcpg_actions_total",
                "hcpg_backend_requests_total",
                "hcpg_build_info",
                "hcpg_config_last_reload_success_timestamp_seconds",
                "hcpg_config_last_reload_successful",
                "hcpg_config_reloads_total",
                "hcpg_leader",
                "hcpg_objects",
                "hcpg_phase_duration_seconds",
                "hcpg_reconcile_duration_seconds",
                "hcpg_transitions_total",
            ]
        );
        assert!(typed.contains("process_resident_memory_bytes"), "{typed:?}");
        for (name, _, _) in &samples {
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            assert!(typed.contains(name) || family.is_some_and(|name| typed.contains(name)), "{name}");
        }
        let find = |name: &str| samples.iter().find(|sample| sample.0 == name).unwrap();
        assert_eq!(
            find("hcpg_transitions_total").1,
            [
                ("from", "Pending"),
                ("kind", "PostgreSQLServer"),
                ("to", "Provisioning"),
                ("trigger", "Absent")
            ]
        );
        assert_eq!(find("hcpg_build_info").1, [("version", env!("CARGO_PKG_VERSION"))]);
        assert_eq!(find("hcpg_objects").2, 2.0);
        assert_eq!(find("hcpg_action_duration_seconds_sum").2, 3.0);
    }

    #[test]
    fn phases_are_measured_from_a_second_to_an_hour() {
        let text = filled().gather().unwrap();
        let bounds: Vec<f64> = text
            .lines()
            .filter(|line| line.starts_with("hcpg_phase_duration_seconds_bucket"))
            .filter_map(|line| sample(line).1.iter().find(|label| label.0 == "le").unwrap().1.parse().ok())
            .filter(|bound: &f64| bound.is_finite())
            .collect();
        assert_eq!((bounds[0], bounds[bounds.len() - 1]), (1.0, 3600.0));
    }

    #[test]
    fn a_configuration_that_is_refused_shows_until_one_is_taken() {
        let metrics = Metrics::new().unwrap();
        let shows = |line: &str| metrics.gather().unwrap().lines().any(|one| one == line);
        assert!(shows("hcpg_config_last_reload_successful 1"), "the one at the start");
        metrics.config_refused();
        assert!(shows("hcpg_config_last_reload_successful 0"));
        assert!(shows("hcpg_config_reloads_total{outcome=\"refused\"} 1"));
        metrics.config_taken("needs_restart");
        assert!(shows("hcpg_config_last_reload_successful 1"));
        assert!(shows("hcpg_config_reloads_total{outcome=\"needs_restart\"} 1"));
        assert!(shows("hcpg_config_reloads_total{outcome=\"applied\"} 0"), "alerts need it from the start");
    }

    #[test]
    fn objects_that_are_gone_are_not_shown() {
        let metrics = filled();
        metrics.set_objects([["PostgreSQLServer", "Deleting", "local"]].into_iter());
        let text = metrics.gather().unwrap();
        assert!(text.contains("phase=\"Deleting\"} 1") && !text.contains("phase=\"Ready\""), "{text}");
        metrics.set_objects(std::iter::empty());
        assert!(!metrics.gather().unwrap().contains("hcpg_objects{"));
    }
}
