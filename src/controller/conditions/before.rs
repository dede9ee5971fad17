//! What was told before, and what follows from how long it has been told. Pure.

use jiff::{SignedDuration, Timestamp};

use super::{Answer, Course};
use crate::api::{Condition, ConditionStatus, ConditionType, Reason};

/// The two conditions that say where things are heading; never both at once.
pub(super) enum Heading {
    Idle,
    Moving(Reason, String),
    Stalled(Reason, String),
}

impl Heading {
    pub(super) fn answers(self) -> [Answer; 2] {
        let idle = || Answer::new(false, Reason::Idle, "nothing is in flight");
        let free = || Answer::new(false, Reason::NotStalled, "nothing stands in the way");
        match self {
            Self::Idle => [idle(), free()],
            Self::Moving(reason, message) => [Answer::new(true, reason, message), free()],
            Self::Stalled(reason, message) => [idle(), Answer::new(true, reason, message)],
        }
    }
}

/// What was told before.
pub(super) struct Before<'a> {
    pub(super) old: &'a [Condition],
    pub(super) generation: Option<i64>,
    pub(super) deadline: SignedDuration,
    pub(super) now: Timestamp,
}

impl Before<'_> {
    pub(super) fn find(&self, type_: ConditionType) -> Option<&Condition> {
        self.old.iter().find(|condition| condition.type_ == type_)
    }

    pub(super) fn holds(&self, type_: ConditionType) -> bool {
        self.find(type_).is_some_and(|condition| condition.status == ConditionStatus::True)
    }

    /// For how long it has been told; none when something else was told last.
    pub(super) fn since(&self, type_: ConditionType, status: ConditionStatus) -> Option<SignedDuration> {
        let condition = self.find(type_).filter(|condition| condition.status == status)?;
        Some(self.now.duration_since(condition.last_transition_time.0))
    }

    /// Whether work has been going on for too long. Said once, it holds until the work is done or another is asked for;
    /// else the clock would begin anew with every pass.
    pub(super) fn is_overdue(&self) -> bool {
        let said = self.find(ConditionType::Stalled).is_some_and(|stalled| {
            stalled.status == ConditionStatus::True
                && stalled.reason == Reason::DeadlineExceeded
                && stalled.observed_generation == self.generation
        });
        let under_way = self.since(ConditionType::Reconciling, ConditionStatus::True);
        said || under_way.is_some_and(|time| time > self.deadline)
    }

    /// Whether this is going on for so long that what was told last is too old to be repeated.
    pub(super) fn is_exceeded(&self, course: Course, reason: Reason) -> bool {
        match course {
            Course::Moving => self.is_overdue(),
            Course::Done | Course::Held | Course::Stuck => {
                let same = self.find(ConditionType::Stalled).filter(|stalled| stalled.reason == reason);
                same.is_some()
                    && self
                        .since(ConditionType::Stalled, ConditionStatus::True)
                        .is_some_and(|time| time > self.deadline)
            }
        }
    }

    pub(super) fn moving(&self, reason: Reason, message: String) -> Heading {
        if !self.is_overdue() {
            return Heading::Moving(reason, message);
        }
        let message = format!("for more than {} s, {reason}: {message}", self.deadline.as_secs());
        Heading::Stalled(Reason::DeadlineExceeded, message)
    }

    /// Whether an attempt for this generation was told of, and not its success.
    pub(super) fn was_under_way(&self) -> bool {
        let same = self.find(ConditionType::Stalled);
        same.is_some_and(|stalled| stalled.observed_generation == self.generation)
            && (self.holds(ConditionType::Stalled) || self.holds(ConditionType::Reconciling))
    }

    pub(super) fn keep(&self, type_: ConditionType, answer: &mut Answer) {
        if let Some(kept) = self.find(type_) {
            *answer = Answer { status: kept.status, reason: kept.reason, message: kept.message.clone() };
        }
    }

    /// What was told last, until it is too old to be repeated.
    pub(super) fn ready_or_unknown(&self, exceeded: bool, reason: Reason, message: &str) -> Answer {
        match self.find(ConditionType::Ready) {
            Some(ready) if !exceeded => {
                Answer { status: ready.status, reason: ready.reason, message: ready.message.clone() }
            }
            Some(_) => Answer { status: ConditionStatus::Unknown, reason, message: message.to_owned() },
            None => Answer::new(false, reason, message),
        }
    }
}
