//! How long this process may act: every effect passes here right before it happens.
//!
//! The right is the whole process's, like the lease it comes from; and an effect must not be able to do without it
//! because nobody handed it over. So there is one fence per process. As long as nobody sets a time it is open: tests and
//! programs without an election need not know of it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// A moment on a clock that goes on while the process is stopped and while the machine sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// Now. Without a clock it is the end of all time: then nothing may be done any more.
    pub fn now() -> Self {
        let read = clock_gettime(ClockId::CLOCK_BOOTTIME).ok();
        let nanoseconds = read.and_then(|time| u64::try_from(Duration::from(time).as_nanos()).ok());
        Self(nanoseconds.unwrap_or(u64::MAX))
    }

    /// This much later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long it is until then; nothing if it has passed.
    pub fn left(self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(Self::now().0))
    }
}

/// Until when effects may happen.
struct Fence(AtomicU64);

/// No time was set: open.
const NEVER_SET: u64 = u64::MAX;

static PROCESS: Fence = Fence(AtomicU64::new(NEVER_SET));

impl Fence {
    fn set(&self, until: Moment) {
        // A moment that means "never set" would open it for ever.
        self.0.store(until.0.min(NEVER_SET - 1), Ordering::Release);
    }

    fn is_open(&self) -> bool {
        let until = self.0.load(Ordering::Acquire);
        until == NEVER_SET || Moment::now().0 < until
    }

    async fn within<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|context| if self.is_open() { work.as_mut().poll(context) } else { Poll::Pending }).await
    }
}

/// Nothing may be done from now on.
pub fn shut() {
    PROCESS.set(Moment(0));
}

/// Things may be done until then, and no longer.
pub fn open_until(until: Moment) {
    PROCESS.set(until);
}

/// Whether things may be done now.
pub fn is_open() -> bool {
    PROCESS.is_open()
}

/// Carries `work` on only while things may be done, asked anew each time it would go on: also what waited for a
/// connection in between does not happen later. If the time is over it never ends: there is nothing to be told any more,
/// neither in a status nor in a log, and the process is about to begin anew.
pub async fn within<F: Future>(work: F) -> F::Output {
    PROCESS.within(work).await
}

/// Starts the tasks that serve the connections of an HTTP client, each of which goes on only while things may be done.
///
/// A request that has passed [`within`] is only handed to its connection's task. Where the process is busy, that task
/// writes it milliseconds later, and if the process is stopped in between long after the time is over.
#[derive(Clone, Copy)]
pub struct Connections(&'static Fence);

/// Those of this process.
pub fn connections() -> Connections {
    Connections(&PROCESS)
}

impl<F> hyper::rt::Executor<F> for Connections
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, connection: F) {
        tokio::spawn(self.0.within(connection));
    }
}

/// Right before an effect of work in a thread of its own; does not return if the time is over.
pub fn pass_blocking() {
    while !is_open() {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use hyper::rt::Executor;
    use tokio::sync::mpsc;

    use super::*;

    // The fence of the process is not touched: other tests of this process would stand still.

    #[test]
    fn it_is_open_until_somebody_says_otherwise() {
        assert!(Fence(AtomicU64::new(NEVER_SET)).is_open());
        assert!(is_open());
    }

    #[test]
    fn it_shuts_by_itself_when_the_time_is_over() {
        let fence = Fence(AtomicU64::new(NEVER_SET));
        fence.set(Moment::now().after(Duration::from_millis(30)));
        assert!(fence.is_open());
        std::thread::sleep(Duration::from_millis(40));
        assert!(!fence.is_open());
        fence.set(Moment::now().after(Duration::from_secs(60)));
        assert!(fence.is_open());
        fence.set(Moment(0));
        assert!(!fence.is_open());
    }

    #[tokio::test]
    async fn work_that_waited_goes_on_only_while_it_is_open() {
        let fence = Fence(AtomicU64::new(NEVER_SET));
        let effects = AtomicU64::new(0);
        let pause = Duration::from_millis(20);
        let work = async {
            tokio::time::sleep(pause).await;
            effects.fetch_add(1, Ordering::Relaxed);
        };
        assert!(tokio::time::timeout(pause * 10, fence.within(work)).await.is_ok());
        fence.set(Moment::now().after(pause / 2));
        let work = async {
            tokio::time::sleep(pause).await;
            effects.fetch_add(1, Ordering::Relaxed);
        };
        assert!(tokio::time::timeout(pause * 10, fence.within(work)).await.is_err());
        assert_eq!(effects.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_connection_does_not_write_what_it_was_handed_before_it_shut() {
        let fence: &'static Fence = Box::leak(Box::new(Fence(AtomicU64::new(NEVER_SET))));
        let (hand_over, mut handed) = mpsc::unbounded_channel();
        let (write, mut written) = mpsc::unbounded_channel();
        Connections(fence).execute(async move {
            while let Some(request) = handed.recv().await {
                write.send(request).unwrap();
            }
        });
        hand_over.send("before").unwrap();
        assert_eq!(written.recv().await, Some("before"));
        hand_over.send("after").unwrap();
        fence.set(Moment(0));
        let written = tokio::time::timeout(Duration::from_millis(100), written.recv()).await;
        assert!(written.is_err(), "{written:?}");
    }

    #[test]
    fn no_moment_opens_it_for_ever() {
        let fence = Fence(AtomicU64::new(0));
        fence.set(Moment(u64::MAX));
        assert_ne!(fence.0.load(Ordering::Relaxed), NEVER_SET);
    }

    #[test]
    fn what_has_passed_leaves_nothing() {
        assert_eq!(Moment(1).left(), Duration::ZERO);
        let left = Moment::now().after(Duration::from_secs(60)).left();
        assert!(left > Duration::from_secs(59) && left <= Duration::from_secs(60), "{left:?}");
    }
}
