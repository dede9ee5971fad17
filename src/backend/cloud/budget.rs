//! How many calls may be made to a cloud, and whose go first.
//!
//! An account takes only so many, and people and other tools share it. The configuration says how many of them are ours; a
//! part of those is kept for what somebody waits for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::retry_after::LONGEST_PAUSE;
use crate::backend::Urgency;
use crate::config::CallBudget;

/// Which part of a burst is left to what is urgent.
const RESERVED: f64 = 1.0 / 3.0;
/// How long nothing is asked after the service refused a call without saying for how long.
pub(in super::super) const PAUSE: Duration = Duration::from_secs(2);

/// The calls that may still be made.
#[derive(Debug)]
pub(in super::super) struct Budget(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Calls per second in the long run.
    per_second: f64,
    /// Calls at once after a quiet time.
    burst: f64,
    calls: f64,
    at: Instant,
    paused_until: Instant,
}

impl Budget {
    pub(in super::super) fn new(limits: CallBudget) -> Self {
        Self(Mutex::new(State::full(limits, Instant::now())))
    }

    /// Waits until a call may be made, and counts it.
    pub(in super::super) async fn take(&self, urgency: Urgency) {
        loop {
            let taken = self.lock().take(Instant::now(), urgency);
            match taken {
                Ok(()) => return,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    /// The service refused a call for their number; nothing is asked for that long.
    pub(in super::super) fn pause(&self, pause: Duration) {
        self.lock().pause(Instant::now(), pause);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn full(limits: CallBudget, now: Instant) -> Self {
        let (per_second, burst) = (f64::from(limits.per_second.max(1)), f64::from(limits.burst.max(1)));
        Self { per_second, burst, calls: burst, at: now, paused_until: now }
    }

    /// So many are left to what is urgent; never so many that nothing else is ever asked.
    fn reserve(&self) -> f64 {
        (self.burst * RESERVED).floor().min(self.burst - 1.0)
    }

    /// Counts a call, or says after which time to ask again.
    fn take(&mut self, now: Instant, urgency: Urgency) -> Result<(), Duration> {
        let passed = now.saturating_duration_since(self.at);
        self.calls = (self.calls + passed.as_secs_f64() * self.per_second).min(self.burst);
        self.at = now;
        if now < self.paused_until {
            return Err(self.paused_until - now);
        }
        let kept = match urgency {
            Urgency::User => 0.0,
            Urgency::Resync => self.reserve(),
        };
        let missing = kept + 1.0 - self.calls;
        if missing > 0.0 {
            return Err(Duration::from_secs_f64(missing / self.per_second).max(Duration::from_millis(1)));
        }
        self.calls -= 1.0;
        Ok(())
    }

    fn pause(&mut self, now: Instant, pause: Duration) {
        self.paused_until = self.paused_until.max(now + pause.min(LONGEST_PAUSE));
        // The service counts more calls than ours: others use the account too.
        self.calls = self.calls.min(self.reserve());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: CallBudget = CallBudget { per_second: 6, burst: 60 };

    fn taken(state: &mut State, now: Instant, urgency: Urgency) -> usize {
        (0..1000).take_while(|_| state.take(now, urgency).is_ok()).count()
    }

    #[test]
    fn routine_looks_leave_calls_for_what_somebody_asked_for() {
        let now = Instant::now();
        let mut state = State::full(LIMITS, now);
        assert_eq!(taken(&mut state, now, Urgency::Resync), 40);
        assert_eq!(taken(&mut state, now, Urgency::User), 20);
        assert!(state.take(now, Urgency::User).is_err());
    }

    #[test]
    fn in_the_long_run_there_are_six_calls_a_second() {
        let begin = Instant::now();
        let mut state = State::full(LIMITS, begin);
        taken(&mut state, begin, Urgency::User);
        assert_eq!(taken(&mut state, begin + Duration::from_secs(2), Urgency::User), 12);
    }

    #[test]
    fn after_a_refusal_nobody_asks_before_the_time_is_over() {
        let now = Instant::now();
        let mut state = State::full(LIMITS, now);
        state.pause(now, Duration::from_secs(3));
        assert_eq!(state.take(now + Duration::from_secs(1), Urgency::User), Err(Duration::from_secs(2)));
        assert_eq!(state.take(now + Duration::from_secs(3), Urgency::User), Ok(()));
    }

    #[test]
    fn nobody_is_left_alone_for_ever() {
        let now = Instant::now();
        let mut state = State::full(LIMITS, now);
        state.pause(now, Duration::MAX);
        assert_eq!(state.take(now + LONGEST_PAUSE, Urgency::User), Ok(()));
    }
}
