//! Whether the operator's own tasks tick, and whether it has started.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// When each task was last seen. Cloned handles look at the same tasks.
///
/// It says nothing about the API server or a backend: restarting the operator would not heal those.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat {
    tasks: Arc<Mutex<BTreeMap<String, Task>>>,
}

#[derive(Clone, Copy, Debug)]
struct Task {
    last: Instant,
    bound: Duration,
}

impl Heartbeat {
    /// Watches a task from now on: it must tick again within `bound`, for as long as it has not finished.
    ///
    /// A task that panics takes its pulse with it without finishing, and so is noticed.
    pub fn watch(&self, task: &str, bound: Duration) -> Pulse {
        lock(&self.tasks).insert(task.to_owned(), Task { last: Instant::now(), bound });
        Pulse { task: task.to_owned(), heartbeat: self.clone() }
    }

    /// The tasks that have not ticked within their bounds, each with the time since its last tick.
    pub fn stuck(&self) -> Vec<(String, Duration)> {
        let tasks = lock(&self.tasks);
        let overdue = |task: &Task| Some(task.last.elapsed()).filter(|silence| *silence > task.bound);
        tasks.iter().filter_map(|(name, task)| Some((name.clone(), overdue(task)?))).collect()
    }
}

/// A task's side of the heartbeat.
#[derive(Clone, Debug)]
pub struct Pulse {
    task: String,
    heartbeat: Heartbeat,
}

impl Pulse {
    /// Says that the task is alive.
    pub fn tick(&self) {
        if let Some(task) = lock(&self.heartbeat.tasks).get_mut(&self.task) {
            task.last = Instant::now();
        }
    }

    /// Says that the task has ended as it should: it is no longer watched.
    pub fn finish(self) {
        lock(&self.heartbeat.tasks).remove(&self.task);
    }
}

/// Whether the operator has started and is configured. Cloned handles say the same.
#[derive(Clone, Debug)]
pub struct Readiness {
    waiting_for: Arc<Mutex<Option<String>>>,
}

impl Readiness {
    /// Not ready, for the reason given.
    pub fn waiting_for(reason: impl Into<String>) -> Self {
        Self { waiting_for: Arc::new(Mutex::new(Some(reason.into()))) }
    }

    /// Ready from now on.
    pub fn set_ready(&self) {
        *lock(&self.waiting_for) = None;
    }

    /// Not ready from now on, for the reason given. Anyone who may reach the port can read it.
    pub fn set_not_ready(&self, reason: impl Into<String>) {
        *lock(&self.waiting_for) = Some(reason.into());
    }

    /// Why the operator is not ready; nothing if it is.
    pub fn reason(&self) -> Option<String> {
        lock(&self.waiting_for).clone()
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::waiting_for("starting")
    }
}

/// A panic elsewhere leaves nothing half-written here, so that a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_task_is_named_until_it_ticks_or_finishes() {
        let heartbeat = Heartbeat::default();
        let slow = heartbeat.watch("slow", Duration::from_secs(60));
        let fast = heartbeat.watch("fast", Duration::ZERO);
        std::thread::sleep(Duration::from_millis(2));
        let names: Vec<_> = heartbeat.stuck().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["fast"]);
        slow.tick();
        fast.finish();
        assert_eq!(heartbeat.stuck(), []);
    }

    #[test]
    fn a_tick_counts() {
        let heartbeat = Heartbeat::default();
        let pulse = heartbeat.watch("task", Duration::from_millis(200));
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(100));
            pulse.tick();
        }
        assert_eq!(heartbeat.stuck(), []);
    }

    #[test]
    fn a_task_that_panics_stays_watched() {
        let heartbeat = Heartbeat::default();
        let pulse = heartbeat.watch("doomed", Duration::ZERO);
        let ended = std::thread::spawn(move || {
            pulse.tick();
            assert!(std::hint::black_box(false), "on purpose");
        })
        .join();
        assert!(ended.is_err());
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(heartbeat.stuck().len(), 1);
    }

    #[test]
    fn readiness_gives_its_reason() {
        let readiness = Readiness::default();
        assert_eq!(readiness.reason().as_deref(), Some("starting"));
        readiness.clone().set_ready();
        assert_eq!(readiness.reason(), None);
        readiness.set_not_ready("stopping");
        assert_eq!(readiness.reason().as_deref(), Some("stopping"));
    }
}
