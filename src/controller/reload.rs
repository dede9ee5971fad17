//! A changed configuration file is put in force while the operator runs; one that cannot be used is told of.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::Api;
use kube::runtime::events::{Event, EventType};
use kube::{Client, Resource};
use tracing::{debug, info, warn};

use super::force::InForce;
use super::metered::Metered;
use crate::api::Reason;
use crate::api::names::FIELD_MANAGER;
use crate::backend::{self, Backends, ServerBackend};
use crate::config::{Config, FileWatch, Finding, Findings, LoadError, Loaded};
use crate::ops::Metrics;

/// How often the file is read.
const LOOK: Duration = Duration::from_secs(2);
/// When it has changed, it is read once more after this long.
const ONCE_MORE: Duration = Duration::from_millis(250);

/// What keeps the configuration in force the one of the file.
pub struct Reload {
    file: FileWatch,
    force: Arc<InForce>,
    made: Vec<Arc<dyn ServerBackend>>,
    /// Replaced by others; work that they have begun may still be under way.
    former: Vec<Arc<dyn ServerBackend>>,
    /// Names of the backends that have begun to act in this process.
    begun: BTreeSet<&'static str>,
    /// The file, as it is, cannot be used.
    refused: bool,
    place: Place,
}

/// Where events are told.
pub struct Place {
    /// The operator's namespace, with its Lease.
    pub namespace: String,
    /// The operator's pod, if it has one.
    pub pod: Option<String>,
}

impl Reload {
    /// Keeps `force`, which works with the backends `made`, as `file` says.
    pub fn new(
        file: FileWatch,
        force: Arc<InForce>,
        made: Vec<Arc<dyn ServerBackend>>,
        place: Place,
    ) -> Self {
        let begun = made.iter().map(|backend| backend.name()).collect();
        Self { file, force, made, former: Vec::new(), begun, refused: false, place }
    }

    /// Puts in force what the file says by now: an instance that stood by may have read it long ago.
    pub async fn catch_up(&mut self) {
        self.look().await;
        while self.file.is_in_doubt() {
            tokio::time::sleep(ONCE_MORE).await;
            self.look().await;
        }
    }

    /// Looks until the stop comes, then waits for what backends that were replaced have begun.
    pub async fn keep(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let pause = if self.file.is_in_doubt() { ONCE_MORE } else { LOOK };
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep(pause) => {}
            }
            self.look().await;
        }
        join_all(self.former.iter().map(|backend| backend.at_rest())).await;
    }

    async fn look(&mut self) {
        match self.file.look() {
            Some(Ok(loaded)) => self.take(loaded).await,
            Some(Err(error)) => self.refuse(&error, &summary(&error)).await,
            None => {}
        }
    }

    async fn take(&mut self, loaded: Loaded) {
        let Loaded { mut config, warnings } = loaded;
        warnings.iter().for_each(|finding| warn!("{finding}"));
        let running = self.force.now();
        let kept = config.keep_until_restart(&running.config);
        let changes = config != *running.config;
        if config.backends != running.config.backends {
            match made(&config).await {
                Ok(made) => self.exchange(made).await,
                Err(error) => return self.refuse(&error, &error.to_string()).await,
            }
        }
        if changes {
            let backends = selectable(&config, &self.made, &running.metrics);
            self.force.replace(running.under(Arc::new(config), backends));
        }
        let (outcome, reason, message) = if !kept.is_empty() {
            let rest = if changes { "; all other changes are in force" } else { "" };
            let message = format!("restart the operator to change {}{rest}", kept.join(", "));
            ("needs_restart", Reason::ConfigurationNeedsRestart, message)
        } else if changes {
            let message = "the changed configuration is in force; every object is looked at again".to_owned();
            ("applied", Reason::ConfigurationApplied, message)
        } else {
            let message = "the configuration file says what is in force".to_owned();
            ("unchanged", Reason::ConfigurationApplied, message)
        };
        let warning = !kept.is_empty();
        if warning {
            warn!(outcome, "{message}");
        } else {
            info!(outcome, "{message}");
        }
        running.metrics.config_taken(outcome);
        if changes || warning || self.refused {
            self.tell(reason, message, warning).await;
        }
        self.refused = false;
    }

    async fn refuse(&mut self, error: &(impl std::fmt::Display + ?Sized), summary: &str) {
        warn!("{error}");
        let message = format!("{summary}; the configuration before stays in force, see the operator's log");
        warn!("the changed configuration cannot be used; the one before stays in force");
        self.force.now().metrics.config_refused();
        self.refused = true;
        self.tell(Reason::ConfigurationRefused, message, true).await;
    }

    /// Lets backends begin that have not in this process: one that has would take its own work for somebody else's.
    async fn exchange(&mut self, made: Vec<Arc<dyn ServerBackend>>) {
        for backend in &made {
            if self.begun.insert(backend.name()) {
                backend.begin().await;
            }
        }
        self.former.append(&mut self.made);
        self.made = made;
    }

    /// An event on the Lease, which every operator has. One that cannot be written is logged and forgotten.
    async fn tell(&self, reason: Reason, message: String, warning: bool) {
        let context = self.force.now();
        let event = Event {
            type_: if warning { EventType::Warning } else { EventType::Normal },
            reason: reason.as_str().to_owned(),
            note: Some(message.chars().take(1000).collect()),
            // Events of one action are counted as one: each content is an action.
            action: format!("Reload {:016x}", self.file.mark()),
            secondary: self.pod(),
        };
        let told = async {
            let lease = lease(&context.client, &self.place.namespace).await?;
            context.recorder.publish(&event, &lease).await
        };
        if let Err(error) = told.await {
            debug!("the event {reason} was not written: {error}");
        }
    }

    fn pod(&self) -> Option<ObjectReference> {
        let name = self.place.pod.clone()?;
        Some(ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            namespace: Some(self.place.namespace.clone()),
            name: Some(name),
            ..ObjectReference::default()
        })
    }
}

async fn lease(client: &Client, namespace: &str) -> Result<ObjectReference, kube::Error> {
    let api: Api<Lease> = Api::namespaced(client.clone(), namespace);
    Ok(api.get(FIELD_MANAGER).await?.object_ref(&()))
}

/// The backends of a configuration; to look for installed programs may take a moment.
async fn made(
    config: &Config,
) -> Result<Vec<Arc<dyn ServerBackend>>, Box<dyn std::error::Error + Send + Sync>> {
    let sections = config.backends.clone();
    Ok(tokio::task::spawn_blocking(move || backend::all(&sections)).await??)
}

/// These backends as objects may select them, with calls that are counted and bounded.
pub fn selectable(config: &Config, made: &[Arc<dyn ServerBackend>], metrics: &Arc<Metrics>) -> Backends {
    let limit = Duration::from_secs(config.reconcile.backend_timeout_seconds);
    let metered = made
        .iter()
        .map(|backend| Metered::around(backend.clone(), metrics.clone(), limit))
        .map(|backend| Arc::new(backend) as Arc<dyn ServerBackend>)
        .collect();
    Backends::new(&config.backend, &config.allowed_backends, metered)
}

/// Places only: an event is read by more people than the configuration, and what was found may be meant for few.
fn summary(error: &LoadError) -> String {
    match error {
        LoadError::Unreadable { path, source } => {
            format!("the configuration file {} cannot be read: {source}", path.display())
        }
        LoadError::Invalid(Findings(findings)) => {
            let errors: Vec<&Finding> = findings.iter().filter(|finding| finding.is_error()).collect();
            let place = errors.first().map(|finding| place(finding)).unwrap_or_default();
            let more = match errors.len() {
                0 | 1 => String::new(),
                several => format!(" and {} more", several - 1),
            };
            format!("the configuration cannot be used: {place}{more}")
        }
    }
}

fn place(finding: &Finding) -> String {
    let mut place = finding.source.to_string();
    if let Some(at) = finding.position {
        place.push_str(&format!(":{}:{}", at.line, at.column));
    }
    if !finding.key.is_empty() {
        place.push_str(&format!(": {}", finding.key));
    }
    place
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;

    #[test]
    fn an_event_names_the_place_and_not_what_was_found_there() {
        let yaml = "backend: local\nbackends:\n  local:\n    data_dir: /tmp/s\n    port_first: s3cret\n\
                    security:\n  password_length: s3cret\n";
        let error = Config::parse(yaml, Path::new("/etc/config.yaml"), std::iter::empty()).unwrap_err();
        assert!(error.to_string().contains("s3cret"), "the log does: {error}");
        let summary = summary(&error);
        assert!(!summary.contains("s3cret"), "{summary}");
        let expected = "/etc/config.yaml:5:17: backends.local.port_first and 1 more";
        assert!(summary.ends_with(expected), "{summary}");
    }
}
