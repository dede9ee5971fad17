#![allow(clippy::unwrap_used)]

mod kstatus;

use jiff::{SignedDuration, Timestamp};

use super::*;

const DEADLINE: SignedDuration = SignedDuration::from_secs(3600);

/// A pass, with everything that a test does not care about.
#[derive(Clone)]
struct Told {
    conditions: Vec<Condition>,
    generation: i64,
    now: Timestamp,
}

impl Told {
    fn nothing() -> Self {
        Self { conditions: Vec::new(), generation: 1, now: Timestamp::UNIX_EPOCH }
    }

    fn later(mut self, seconds: i64) -> Self {
        self.now += SignedDuration::from_secs(seconds);
        self
    }

    /// One pass over an object whose credentials work.
    fn pass(mut self, verdict: &Verdict, failure: Option<&Failure>, again: bool, refused: &[String]) -> Self {
        self.conditions = of(Inputs {
            old: &self.conditions,
            generation: Some(self.generation),
            verdict,
            usable: Some(Answer::new(true, Reason::Available, "the published credentials log in")),
            refused,
            taken_over: &[],
            throttled: None,
            waiting: None,
            limited: None,
            surplus: None,
            login: Answer::new(true, Reason::LoginSucceeded, "the published credentials logged in"),
            paused: None,
            failure,
            again,
            deadline: DEADLINE,
            now: self.now,
        });
        self
    }

    /// One pass that does not see whether the credentials work.
    fn unseen(mut self, verdict: &Verdict) -> Self {
        self.conditions = of(Inputs {
            old: &self.conditions,
            generation: Some(self.generation),
            verdict,
            usable: None,
            refused: &[],
            taken_over: &[],
            throttled: None,
            waiting: None,
            limited: None,
            surplus: None,
            login: Answer::new(true, Reason::LoginSucceeded, "the published credentials logged in"),
            paused: None,
            failure: None,
            again: false,
            deadline: DEADLINE,
            now: self.now,
        });
        self
    }

    /// One pass that sees nothing at all.
    fn unobserved(mut self, failure: &Failure) -> Self {
        self.conditions = unobserved(&self.conditions, failure, Some(self.generation), DEADLINE, self.now);
        self
    }

    fn find(&self, type_: ConditionType) -> &Condition {
        self.conditions.iter().find(|condition| condition.type_ == type_).unwrap()
    }

    fn is(&self, type_: ConditionType) -> (ConditionStatus, Reason) {
        let condition = self.find(type_);
        (condition.status, condition.reason)
    }
}

fn verdict(reason: Reason, course: Course) -> Verdict {
    Verdict { reason, message: format!("because of {reason}"), course }
}

fn settled() -> Verdict {
    verdict(Reason::Available, Course::Done)
}

fn refusal() -> Failure {
    Failure::new(Reason::Rejected, "no such size", Retry::Slowly)
}

use ConditionStatus::{False, True, Unknown};
use ConditionType::{Ready, Reconciling, Stalled, Synced};

#[test]
fn another_attempt_does_not_unsay_what_became_of_the_last_one() {
    let creating = verdict(Reason::Creating, Course::Moving);
    let first = Told::nothing().pass(&creating, None, false, &[]);
    assert_eq!(first.is(Reconciling), (True, Reason::Creating));
    let failed = first.later(1).pass(&creating, Some(&refusal()), false, &[]);
    assert_eq!(failed.is(Stalled), (True, Reason::Rejected));
    assert_eq!(failed.is(Synced), (False, Reason::Rejected));

    let retried = failed.clone().later(300).pass(&creating, None, true, &[]);
    assert_eq!(retried.conditions, failed.conditions, "nothing is new before the attempt's outcome is known");
    let failed_again = retried.later(1).pass(&creating, Some(&refusal()), false, &[]);
    assert_eq!(failed_again.conditions, failed.conditions, "and nothing after it failed the same way");

    let succeeded = failed_again.later(300).pass(&creating, None, true, &[]).later(1);
    let succeeded = succeeded.pass(&verdict(Reason::Busy, Course::Moving), None, false, &[]);
    assert_eq!(succeeded.is(Stalled), (False, Reason::NotStalled));
    assert_eq!(succeeded.is(Reconciling), (True, Reason::Busy));
}

#[test]
fn an_attempt_for_another_generation_is_a_first_one() {
    let creating = verdict(Reason::Creating, Course::Moving);
    let mut failed = Told::nothing().pass(&creating, Some(&refusal()), false, &[]);
    failed.generation = 2;
    let retried = failed.later(1).pass(&creating, None, true, &[]);
    assert_eq!(retried.is(Stalled), (False, Reason::NotStalled));
    assert_eq!(retried.is(Reconciling), (True, Reason::Creating));
}

#[test]
fn a_refused_change_stalls_the_object_for_as_long_as_it_is_refused() {
    let kept = ["no such size".to_owned()];
    let updating = verdict(Reason::Updating, Course::Moving);
    let refused =
        Told::nothing().pass(&updating, None, false, &[]).later(1).pass(&settled(), None, false, &kept);
    assert_eq!(refused.is(Stalled), (True, Reason::NotApplied));
    assert_eq!(refused.is(Synced), (False, Reason::NotApplied));
    assert_eq!(refused.is(Reconciling), (False, Reason::Idle));
    assert_eq!(refused.is(Ready), (True, Reason::Available));
    let again = refused.clone().later(300).pass(&updating, None, true, &[]);
    assert_eq!(again.conditions, refused.conditions);
    let gone = again.later(1).pass(&settled(), None, false, &[]);
    assert_eq!(gone.is(Stalled), (False, Reason::NotStalled));
}

#[test]
fn whatever_moves_for_too_long_is_stalled_until_it_ends() {
    use strum::IntoEnumIterator;
    for reason in Reason::iter() {
        let moving = verdict(reason, Course::Moving);
        let begun =
            Told::nothing().pass(&moving, None, false, &[]).later(3600).pass(&moving, None, false, &[]);
        assert_eq!(begun.is(Reconciling), (True, reason));
        let late = begun.later(1).pass(&moving, None, false, &[]);
        assert_eq!(late.is(Stalled), (True, Reason::DeadlineExceeded));
        assert_eq!(late.is(Reconciling), (False, Reason::Idle));
        assert!(late.find(Stalled).message.contains(&moving.message), "{}", late.find(Stalled).message);
        let later = late.clone().later(60).pass(&moving, None, false, &[]);
        assert_eq!(later.conditions, late.conditions, "the clock does not begin anew");
        let transient = Failure::new(Reason::Transient, "no answer", Retry::Backoff(None));
        let failed = later.clone().later(60).pass(&moving, Some(&transient), false, &[]);
        assert_eq!(failed.is(Stalled), (True, Reason::DeadlineExceeded));
        let done = failed.later(60).pass(&settled(), None, false, &[]);
        assert_eq!(done.is(Stalled), (False, Reason::NotStalled));
        let mut changed = later;
        changed.generation = 2;
        let changed = changed.later(60).pass(&moving, None, false, &[]);
        assert_eq!(changed.is(Stalled), (False, Reason::NotStalled), "what is asked for now has just begun");
    }
}

#[test]
fn what_cannot_be_seen_is_believed_until_the_deadline() {
    let unreadable = verdict(Reason::BackendUnreadable, Course::Moving);
    // Also with a refused change, which is there for long already.
    for kept in [vec![], vec!["no such size".to_owned()]] {
        let good = Told::nothing().pass(&settled(), None, false, &kept).later(9000);
        let begun = good.unseen(&unreadable).later(3600).unseen(&unreadable);
        assert_eq!(begun.is(Ready), (True, Reason::Available));
        assert_eq!(begun.is(Reconciling), (True, Reason::BackendUnreadable));
        let late = begun.later(1).unseen(&unreadable);
        assert_eq!(late.is(Ready), (Unknown, Reason::BackendUnreadable));
        assert_eq!(late.is(Stalled), (True, Reason::DeadlineExceeded));
        let back = late.later(60).pass(&settled(), None, false, &[]);
        assert_eq!(back.is(Ready), (True, Reason::Available));
        assert_eq!(back.is(Stalled), (False, Reason::NotStalled));
    }
}

#[test]
fn what_is_not_even_observed_is_believed_until_the_deadline() {
    let blind = Failure::new(Reason::Transient, "the API server answered 500", Retry::Backoff(None));
    let good = Told::nothing().pass(&settled(), None, false, &[]).later(9000);
    let begun = good.unobserved(&blind).later(3600).unobserved(&blind);
    assert_eq!(begun.is(Ready), (True, Reason::Available));
    assert_eq!(begun.is(Synced), (Unknown, Reason::Transient));
    assert_eq!(begun.is(Reconciling), (True, Reason::Transient));
    let late = begun.later(1).unobserved(&blind);
    assert_eq!(late.is(Ready), (Unknown, Reason::Transient));
    assert_eq!(late.is(Stalled), (True, Reason::DeadlineExceeded));
    assert_eq!(late.clone().later(60).unobserved(&blind).conditions, late.conditions);

    let lost = Told::nothing().pass(&verdict(Reason::ServerLost, Course::Stuck), None, false, &[]);
    assert_eq!(lost.clone().unobserved(&blind).is(Stalled), (True, Reason::ServerLost), "it still is");
    let foreign = Failure::new(Reason::SecretConflict, "somebody else's", Retry::Slowly);
    assert_eq!(lost.unobserved(&foreign).is(Stalled), (True, Reason::SecretConflict));
}

#[test]
fn a_reset_that_waits_is_named_and_stalls_nothing() {
    let told = of(Inputs {
        old: &[],
        generation: Some(1),
        verdict: &settled(),
        usable: Some(Answer::new(true, Reason::Available, "")),
        refused: &[],
        taken_over: &[],
        throttled: throttled(ResetDue::Throttled { until: Timestamp::UNIX_EPOCH, earlier: None }),
        waiting: None,
        limited: None,
        surplus: None,
        login: Answer::new(true, Reason::LoginSucceeded, ""),
        paused: None,
        failure: None,
        again: false,
        deadline: DEADLINE,
        now: Timestamp::UNIX_EPOCH,
    });
    let told = Told { conditions: told, ..Told::nothing() };
    assert_eq!(told.is(Synced), (False, Reason::ResetThrottled));
    assert!(told.find(Synced).message.contains(RESET_PASSWORD_AT));
    assert_eq!(told.is(Stalled), (False, Reason::NotStalled));
}

#[test]
fn more_storage_than_asked_for_is_told_and_is_no_difference() {
    let told = |verdict: &Verdict, refused: &[String]| {
        let conditions = of(Inputs {
            old: &[],
            generation: Some(1),
            verdict,
            usable: Some(Answer::new(true, Reason::Available, "")),
            refused,
            taken_over: &[],
            throttled: None,
            waiting: None,
            limited: None,
            surplus: Some("storage: 3 GB".to_owned()),
            login: Answer::new(true, Reason::LoginSucceeded, ""),
            paused: None,
            failure: None,
            again: false,
            deadline: DEADLINE,
            now: Timestamp::UNIX_EPOCH,
        });
        let told = Told { conditions, ..Told::nothing() };
        (told.is(Synced), told.is(Stalled).0, told.find(Synced).message.clone())
    };
    let in_sync = told(&settled(), &[]);
    let message = "everything is as the spec asks; storage: 3 GB".to_owned();
    assert_eq!(in_sync, ((True, Reason::InSync), False, message));
    let refused = told(&settled(), &["version: no".to_owned()]);
    let message = "version: no; storage: 3 GB".to_owned();
    assert_eq!(refused, ((False, Reason::NotApplied), True, message));
    // What is being done comes first.
    let moving = told(&verdict(Reason::Busy, Course::Moving), &[]);
    assert_eq!(moving.2, "because of Busy");
}
