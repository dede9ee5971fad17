//! What was begun and the service goes on with, by the server's name. The service does one thing after the other on a
//! server, so that there is one at most. It is kept in the object's status, for whoever begins anew.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::super::{BackendError, Notes};
use super::arm::{Arm, Operation, Progress};
use crate::api;

/// Something that was begun.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// What it is, for people: "creating the server".
    pub(super) name: String,
    /// What it was about: a field of the spec, the password, or the whole server.
    pub(super) about: String,
    since: Timestamp,
    operation: Operation,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Running,
    Failed(BackendError, Instant),
}

/// How long a failure is told to whoever begins the same anew; later it is history.
const TOLD: Duration = Duration::from_secs(600);

/// How far it is.
#[derive(Clone, Debug)]
pub(super) enum Course {
    /// It goes on.
    Running,
    /// It failed, and nobody was told yet.
    Failed(BackendError),
}

/// All that was begun, and when servers were last changed.
#[derive(Debug, Default)]
pub(super) struct Memory {
    tasks: Mutex<HashMap<String, Task>>,
    writes: Mutex<HashMap<String, Instant>>,
    /// Servers of which it was said what was kept. Later that is what this process itself had kept.
    recalled: Mutex<HashSet<String>>,
}

impl Memory {
    /// A change was answered, or was not: what was listed before no longer counts for this server.
    pub(super) fn note_write(&self, server: &str) {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner).insert(server.to_owned(), Instant::now());
    }

    /// When this process last changed the server.
    pub(super) fn written(&self, server: &str) -> Option<Instant> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner).get(server).copied()
    }

    /// A change was accepted and goes on.
    pub(super) fn begin(&self, server: &str, name: &str, about: &str, operation: Option<Operation>) {
        let mut tasks = self.lock();
        match operation {
            Some(operation) => {
                let (name, about, since) = (name.to_owned(), about.to_owned(), Timestamp::now());
                let task = Task { name, about, since, operation, state: State::Running };
                tasks.insert(server.to_owned(), task);
            }
            None => drop(tasks.remove(server)),
        }
    }

    /// What has to be kept: what goes on, or has failed and was not told.
    pub(super) fn notes(&self, server: &str) -> Notes {
        let task = self.lock().get(server).cloned();
        let untold = |task: &Task| !matches!(task.state, State::Failed(_, at) if at.elapsed() >= TOLD);
        let operation = task.filter(untold).map(|task| {
            let (url, form) = task.operation.to_keep();
            let (id, form) = (url.to_owned(), Some(form.to_owned()));
            api::Operation { id, kind: task.name, since: Time(task.since), about: Some(task.about), form }
        });
        Notes { operation, attempts: Vec::new() }
    }

    /// Goes on with what another process has begun.
    pub(super) fn recall(&self, arm: &Arm, server: &str, kept: &Notes) {
        if !self.recalled.lock().unwrap_or_else(PoisonError::into_inner).insert(server.to_owned()) {
            return;
        }
        let Some(kept) = &kept.operation else { return };
        let Some(operation) = arm.kept(&kept.id, kept.form.as_deref()) else { return };
        let (name, about) = (kept.kind.clone(), kept.about.clone().unwrap_or_default());
        let task = Task { name, about, since: kept.since.0, operation, state: State::Running };
        self.lock().entry(server.to_owned()).or_insert(task);
    }

    /// What was begun on the server last, and how far it is; none when it is done.
    ///
    /// # Errors
    /// When the service could not be asked.
    pub(super) async fn course(
        &self,
        arm: &Arm,
        server: &str,
    ) -> Result<Option<(Task, Course)>, BackendError> {
        let task = self.lock().get(server).cloned();
        let Some(task) = task else { return Ok(None) };
        if let State::Failed(error, _) = &task.state {
            let course = Course::Failed(error.clone());
            return Ok(Some((task, course)));
        }
        match arm.progress(&task.name, &task.operation).await? {
            Progress::Running(operation) => {
                self.note(server, &task, |known| known.operation = operation);
                Ok(Some((task, Course::Running)))
            }
            Progress::Failed(error) => {
                let state = State::Failed(error.clone(), Instant::now());
                self.note(server, &task, |known| known.state = state);
                Ok(Some((task, Course::Failed(error))))
            }
            Progress::Done | Progress::Forgotten => {
                self.forget(server);
                Ok(None)
            }
        }
    }

    /// Why the last change of this failed, if nobody was told yet.
    pub(super) fn take_failure(&self, server: &str, about: &str) -> Option<BackendError> {
        let mut tasks = self.lock();
        match tasks.get(server) {
            Some(Task { about: found, state: State::Failed(error, at), .. }) if found == about => {
                let error = (at.elapsed() < TOLD).then(|| error.clone());
                tasks.remove(server);
                error
            }
            _ => None,
        }
    }

    /// Nothing is known of the server any more.
    pub(super) fn forget(&self, server: &str) {
        self.lock().remove(server);
    }

    /// Unless something else was begun meanwhile.
    fn note(&self, server: &str, task: &Task, change: impl FnOnce(&mut Task)) {
        let mut tasks = self.lock();
        if let Some(known) = tasks.get_mut(server).filter(|known| known.about == task.about) {
            change(known);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
