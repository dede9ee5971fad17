//! What this process has begun and the service goes on with, by the server's name. The service does one thing after the
//! other on a server, so that there is one at most. Whoever begins anew finds out by the server's state.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::BackendError;
use super::arm::{Arm, Operation, Progress};

/// Something that was begun.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// What it is, for people: "creating the server".
    pub(super) name: String,
    /// What it was about: a field of the spec, the password, or the whole server.
    pub(super) about: String,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Running(Operation),
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
                let (name, about) = (name.to_owned(), about.to_owned());
                tasks.insert(server.to_owned(), Task { name, about, state: State::Running(operation) });
            }
            None => drop(tasks.remove(server)),
        }
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
        let operation = match &task.state {
            State::Failed(error, _) => {
                let course = Course::Failed(error.clone());
                return Ok(Some((task, course)));
            }
            State::Running(operation) => operation,
        };
        match arm.progress(&task.name, operation).await? {
            Progress::Running(operation) => {
                self.note(server, &task, State::Running(operation));
                Ok(Some((task, Course::Running)))
            }
            Progress::Failed(error) => {
                self.note(server, &task, State::Failed(error.clone(), Instant::now()));
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
    fn note(&self, server: &str, task: &Task, state: State) {
        let mut tasks = self.lock();
        if let Some(known) = tasks.get_mut(server).filter(|known| known.about == task.about) {
            known.state = state;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
