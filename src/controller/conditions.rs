//! From what was seen and decided to the conditions in the status. Pure.

mod before;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use before::{Before, Heading};

use super::credentials::CredentialsSeen;
use super::failure::Failure;
use super::logins::LoginAnswer;
use super::requests::{Requests, ResetDue};
use crate::api::names::RESET_PASSWORD_AT;
use crate::api::{
    Condition, ConditionStatus, ConditionType, Deployment, DeploymentStatus, Phase, Reason, conditions_with,
};
use crate::backend::Retry;

/// One answer: truth, reason, sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in a word.
    pub reason: Reason,
    /// Why, in a sentence.
    pub message: String,
}

/// What the trigger means for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// In a word.
    pub reason: Reason,
    /// In a sentence.
    pub message: String,
    /// Whether this is work in flight, a wait that ends by itself, or neither.
    pub course: Course,
}

/// Where things are heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Nothing is left to do.
    Done,
    /// Work is in flight, or something is awaited that comes by itself.
    Moving,
    /// Something is left to do, and nobody wants it done now.
    Held,
    /// A person is needed.
    Stuck,
}

/// Everything the conditions of a pass are made of.
pub struct Inputs<'a> {
    /// The recorded conditions.
    pub old: &'a [Condition],
    /// The generation that was observed.
    pub generation: Option<i64>,
    /// What the trigger means.
    pub verdict: &'a Verdict,
    /// Whether the credentials can be used; none when it cannot be told now.
    pub usable: Option<Answer>,
    /// What differs from the spec and is not being changed, because it was refused.
    pub refused: &'a [String],
    /// What differs and waits, because it was taken over.
    pub taken_over: &'a [String],
    /// What waits for its time.
    pub throttled: Option<String>,
    /// What differs and waits for the maintenance window.
    pub waiting: Option<String>,
    /// What the spec asks for and the backend does not do.
    pub limited: Option<String>,
    /// What there is more of than the spec asks for, and stays.
    pub surplus: Option<String>,
    /// Whether a login was seen.
    pub login: Answer,
    /// Why no writes are made, if none are.
    pub paused: Option<Answer>,
    /// What went wrong in the plan.
    pub failure: Option<&'a Failure>,
    /// The plan failed before, is tried again, and how that ends is not known yet.
    pub again: bool,
    /// How long work may go on, or usability may stay unknown.
    pub deadline: SignedDuration,
    /// Now.
    pub now: Timestamp,
}

impl Answer {
    /// Puts the parts together.
    pub fn new(status: impl Into<ConditionStatus>, reason: Reason, message: impl Into<String>) -> Self {
        Self { status: status.into(), reason, message: message.into() }
    }
}

impl Verdict {
    /// What the trigger means, or what went wrong with the plan that followed from it.
    pub fn or_failure(self, failure: Option<&Failure>) -> Self {
        let Some(failure) = failure else { return self };
        let course = match (self.course, failure.retry) {
            (_, Retry::Slowly) | (Course::Stuck, _) => Course::Stuck,
            (_, Retry::Backoff(_) | Retry::Poll) => Course::Moving,
        };
        Self { reason: failure.reason, message: failure.message.clone(), course }
    }
}

/// The conditions of a pass.
pub fn of(inputs: Inputs<'_>) -> Vec<Condition> {
    let Inputs {
        old,
        generation,
        verdict,
        usable,
        refused,
        taken_over,
        throttled,
        waiting,
        limited,
        surplus,
        login,
        paused,
        failure,
        again,
        ..
    } = inputs;
    let before = Before { old, generation, deadline: inputs.deadline, now: inputs.now };
    let Verdict { reason, message, course } = verdict.clone().or_failure(failure);
    // What was refused stays undone until somebody changes it, whatever else goes on well.
    let refusal = (!refused.is_empty()).then(|| refused.join("; "));
    let waits = match (&waiting, &throttled) {
        (None, None) => None,
        (Some(waiting), throttled) => {
            let all: Vec<String> = [waiting.clone()].into_iter().chain(throttled.clone()).collect();
            Some((Reason::AwaitingWindow, all.join("; ")))
        }
        (None, Some(throttled)) => Some((Reason::ResetThrottled, throttled.clone())),
    };
    let synced = match (&refusal, course, waits) {
        _ if !taken_over.is_empty() => {
            let all: Vec<String> = [taken_over, refused].concat().into_iter().chain(throttled).collect();
            Answer::new(false, Reason::TakenOver, all.join("; "))
        }
        (Some(refused), _, waits) => {
            let waits = waits.map(|(_, message)| message);
            let all: Vec<String> = [refused.clone()].into_iter().chain(waits).collect();
            Answer::new(false, Reason::NotApplied, all.join("; "))
        }
        (None, Course::Done, Some((reason, message))) => Answer::new(false, reason, message),
        (None, Course::Done, None) => {
            let message = match limited {
                None => "everything is as the spec asks",
                Some(_) => {
                    "everything that the backend can do is as the spec asks; the condition Limited names the rest"
                }
            };
            Answer::new(true, Reason::InSync, message)
        }
        (None, ..) => Answer::new(false, reason, message.clone()),
    };
    // No difference, and nothing fails for it: but whoever asked for less is told that it was not done.
    let synced = match (synced.reason, surplus) {
        (Reason::InSync | Reason::NotApplied, Some(surplus)) => {
            Answer { message: format!("{}; {surplus}", synced.message), ..synced }
        }
        _ => synced,
    };
    let exceeded = before.is_exceeded(course, reason);
    let ready = usable.unwrap_or_else(|| before.ready_or_unknown(exceeded, reason, &message));
    let heading = match (course, refusal) {
        (Course::Done, Some(refused)) => Heading::Stalled(Reason::NotApplied, refused),
        (Course::Done | Course::Held, _) => Heading::Idle,
        (Course::Stuck, _) => Heading::Stalled(reason, message),
        (Course::Moving, _) => before.moving(reason, message),
    };
    let [reconciling, stalled] = heading.answers();
    let mut answers = vec![
        (ConditionType::Ready, ready),
        (ConditionType::Synced, synced),
        (ConditionType::Reconciling, reconciling),
        (ConditionType::Stalled, stalled),
        (ConditionType::LoginVerified, login),
    ];
    if again && failure.is_none() && before.was_under_way() {
        for (type_, answer) in &mut answers {
            let same = before.find(*type_).is_some_and(|told| told.status == answer.status);
            match type_ {
                ConditionType::Synced | ConditionType::Reconciling | ConditionType::Stalled => {
                    before.keep(*type_, answer);
                }
                ConditionType::Ready if same => before.keep(*type_, answer),
                _ => {}
            }
        }
    }
    let limit = |message| (ConditionType::Limited, Answer::new(true, Reason::NotSupported, message));
    answers.extend(limited.map(limit));
    answers.extend(paused.map(|answer| (ConditionType::Paused, answer)));
    finish(old, answers, generation, inputs.now)
}

/// The conditions when nothing could be observed: the rest stays as it was told last.
pub fn unobserved(
    old: &[Condition],
    failure: &Failure,
    generation: Option<i64>,
    deadline: SignedDuration,
    now: Timestamp,
) -> Vec<Condition> {
    let before = Before { old, generation, deadline, now };
    let (reason, message) = (failure.reason, failure.message.clone());
    let unseen_for = before.since(ConditionType::Synced, ConditionStatus::Unknown);
    let exceeded = unseen_for.is_some_and(|time| time > deadline) || before.is_overdue();
    let ready = before.ready_or_unknown(exceeded, reason, &message);
    let synced = Answer { status: ConditionStatus::Unknown, reason, message: message.clone() };
    let heading = match failure.retry {
        Retry::Slowly => Heading::Stalled(reason, message),
        Retry::Poll | Retry::Backoff(_) => before.moving(reason, message),
    };
    let [mut reconciling, mut stalled] = heading.answers();
    if failure.retry != Retry::Slowly && before.holds(ConditionType::Stalled) {
        before.keep(ConditionType::Reconciling, &mut reconciling);
        before.keep(ConditionType::Stalled, &mut stalled);
    }
    let answers = vec![
        (ConditionType::Ready, ready),
        (ConditionType::Synced, synced),
        (ConditionType::Reconciling, reconciling),
        (ConditionType::Stalled, stalled),
    ];
    let mut kept: Vec<Condition> = old
        .iter()
        .filter(|condition| answers.iter().all(|(type_, _)| *type_ != condition.type_))
        .cloned()
        .collect();
    kept.extend(finish(old, answers, generation, now));
    kept.sort_by_key(|condition| condition.type_);
    kept
}

fn finish(
    old: &[Condition],
    answers: Vec<(ConditionType, Answer)>,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let new = answers.into_iter().map(|(type_, answer)| Condition {
        type_,
        status: answer.status,
        reason: answer.reason,
        message: cut(answer.message),
        last_transition_time: Time(now),
        observed_generation: generation,
    });
    conditions_with(old, new.collect(), now)
}

/// What the definition admits, and more than anybody reads: a longer one would keep the whole status from being written.
const LONGEST_MESSAGE: usize = 4096;

/// The part of a sentence that a condition has room for.
pub fn cut(message: String) -> String {
    if message.chars().nth(LONGEST_MESSAGE).is_none() {
        return message;
    }
    message.chars().take(LONGEST_MESSAGE - 1).chain(['…']).collect()
}

/// Whether the published credentials can be used, as far as logins tell; `otherwise` says why there is nothing to try.
pub fn usable(credentials: &CredentialsSeen, otherwise: &Verdict) -> Answer {
    let name = &credentials.secret_name;
    match (credentials.conflict(), &credentials.published, &credentials.published_login) {
        (Some(message), _, _) => Answer::new(false, Reason::SecretConflict, message),
        (None, Some(_), LoginAnswer::Accepted) => {
            Answer::new(true, Reason::Available, "the published credentials log in")
        }
        (None, Some(_), LoginAnswer::Barred(message)) => {
            Answer::new(false, Reason::Unusable, message.clone())
        }
        (None, Some(_), LoginAnswer::Refused) => {
            Answer::new(false, Reason::CredentialsRefused, "PostgreSQL refuses the published password")
        }
        (None, Some(_), LoginAnswer::Unreachable(message)) => {
            Answer::new(false, Reason::Unreachable, message.clone())
        }
        (None, Some(_), LoginAnswer::NotTried) => {
            Answer::new(false, otherwise.reason, otherwise.message.clone())
        }
        (None, None, _) if otherwise.course == Course::Done => {
            Answer::new(false, Reason::NotPublished, format!("the Secret {name} is not written yet"))
        }
        (None, None, _) => {
            let message = format!("{}; the Secret {name} is not written yet", otherwise.message);
            Answer::new(false, otherwise.reason, message)
        }
    }
}

/// That nothing is written, and why.
pub fn why_paused(observes_only: bool) -> Answer {
    match observes_only {
        true => Answer::new(true, Reason::ObserveOnly, "the operator is configured to read only"),
        false => Answer::new(true, Reason::PausedByUser, "operator/paused is \"true\": nothing is written"),
    }
}

/// Whether a login with the published password was seen.
pub fn login(credentials: &CredentialsSeen) -> Answer {
    match &credentials.published_login {
        LoginAnswer::Accepted => {
            Answer::new(true, Reason::LoginSucceeded, "the published credentials logged in")
        }
        LoginAnswer::Barred(message) => Answer::new(false, Reason::Unusable, message.clone()),
        LoginAnswer::Refused => {
            Answer::new(false, Reason::CredentialsRefused, "PostgreSQL refuses the published password")
        }
        LoginAnswer::Unreachable(message) => {
            Answer { status: ConditionStatus::Unknown, reason: Reason::Unreachable, message: message.clone() }
        }
        LoginAnswer::NotTried => Answer {
            status: ConditionStatus::Unknown,
            reason: Reason::NotPublished,
            message: "no login could be tried".to_owned(),
        },
    }
}

/// What is to be said about a request that waits for its time.
pub fn throttled(due: ResetDue) -> Option<String> {
    let ResetDue::Throttled { until: at, .. } = due else { return None };
    Some(format!(
        "{}: a password was reset on request a short while ago; the next one is made at {at}. To ask for one at a \
         time of your own, use the annotation {RESET_PASSWORD_AT}",
        Reason::ResetThrottled
    ))
}

/// What is to be said about a request that cannot be read.
pub fn unreadable_request(requests: &Requests) -> Option<String> {
    let written = requests.unreadable_reset_at.as_ref()?;
    Some(format!("{RESET_PASSWORD_AT}: found \"{written}\", expected a time like 2026-01-31T12:00:00Z"))
}

/// The original operator's three keys.
pub fn deployment(
    old: Option<&Deployment>,
    phase: Phase,
    verdict: &Verdict,
    finished: &str,
    now: Timestamp,
) -> Deployment {
    let (status, reason) = match (phase, verdict.course) {
        (Phase::Ready, _) => (DeploymentStatus::Finished, Some(finished.to_owned())),
        (_, Course::Stuck) if verdict.reason == Reason::InvalidSpec => {
            (DeploymentStatus::Failed, Some(format!("Validation failed: {}", verdict.message)))
        }
        _ => (DeploymentStatus::Working, None),
    };
    match old {
        Some(old) if old.status == Some(status) && old.reason == reason => old.clone(),
        _ => Deployment { status: Some(status), reason, latest_update: Some(now.to_string()) },
    }
}
