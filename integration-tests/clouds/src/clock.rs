//! A clock that tests turn.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The time of one simulated cloud. It runs like the real one, from where it was turned to, unless it is held.
///
/// All clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<Reading>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    ahead: SignedDuration,
    /// The time it shows, while it is held.
    held: Option<Timestamp>,
}

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Reading { ahead: SignedDuration::ZERO, held: None })))
    }
}

impl Clock {
    /// A clock that begins at this time.
    #[must_use]
    pub fn at(begin: Timestamp) -> Self {
        let clock = Self::default();
        clock.change(|reading| reading.ahead = begin.duration_since(Timestamp::now()));
        clock
    }

    /// The time it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.reading().shows()
    }

    /// Turns it forward. What would have happened in between happens as soon as it can.
    pub fn turn(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.change(|reading| match &mut reading.held {
            Some(held) => *held = held.saturating_add(by).unwrap_or(Timestamp::MAX),
            None => reading.ahead = reading.ahead.saturating_add(by),
        });
    }

    /// Stops it: what takes time does not end until the clock is turned or let go.
    pub fn hold(&self) {
        self.change(|reading| reading.held = Some(reading.shows()));
    }

    /// Lets it run again, from the time it shows.
    pub fn run(&self) {
        self.change(|reading| {
            if let Some(held) = reading.held.take() {
                reading.ahead = held.duration_since(Timestamp::now());
            }
        });
    }

    fn reading(&self) -> Reading {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Reading)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Reading {
    fn shows(&self) -> Timestamp {
        self.held.unwrap_or_else(|| Timestamp::now().saturating_add(self.ahead).unwrap_or(Timestamp::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_clock_is_ahead_and_runs_on() {
        let clock = Clock::default();
        clock.turn(Duration::from_secs(3600));
        let ahead = clock.now().duration_since(Timestamp::now());
        assert!(ahead >= SignedDuration::from_secs(3599) && ahead <= SignedDuration::from_secs(3601));
    }

    #[test]
    fn a_held_clock_shows_the_same_until_it_is_turned() {
        let clock = Clock::default();
        clock.hold();
        let shown = clock.now();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(clock.now(), shown);
        clock.turn(Duration::from_secs(10));
        assert_eq!(clock.now().duration_since(shown), SignedDuration::from_secs(10));
        clock.run();
        std::thread::sleep(Duration::from_millis(5));
        assert!(clock.now() > shown);
    }
}
