//! From what was seen and decided to the conditions in the status. Pure.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::credentials::{CredentialsSeen, LoginAnswer};
use super::failure::Failure;
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
    /// What differs from the spec and is not being changed.
    pub kept_differences: &'a [String],
    /// Some of it waits because it was taken over.
    pub taken_over: bool,
    /// Whether a login was seen.
    pub login: Answer,
    /// Why no writes are made, if none are.
    pub paused: Option<Answer>,
    /// What went wrong in the plan.
    pub failure: Option<&'a Failure>,
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

/// The conditions of a pass.
pub fn of(inputs: Inputs<'_>) -> Vec<Condition> {
    let Inputs {
        old,
        generation,
        verdict,
        usable,
        kept_differences,
        taken_over,
        login,
        paused,
        failure,
        deadline,
        now,
    } = inputs;
    let since = |type_: ConditionType, status: ConditionStatus| {
        old.iter()
            .find(|condition| condition.type_ == type_ && condition.status == status)
            .map(|condition| now.duration_since(condition.last_transition_time.0))
    };
    let (reason, message) = match failure {
        Some(failure) => (failure.reason, failure.message.clone()),
        None => (verdict.reason, verdict.message.clone()),
    };
    let overdue = verdict.course == Course::Moving
        && since(ConditionType::Progressing, ConditionStatus::True).is_some_and(|time| time > deadline);
    let stuck = verdict.course == Course::Stuck
        || failure.is_some_and(|failure| failure.retry == Retry::Slowly)
        || overdue;
    let progressing = verdict.course == Course::Moving && !stuck;

    let synced = if !kept_differences.is_empty() {
        let reason = if taken_over { Reason::TakenOver } else { Reason::NotApplied };
        Answer::new(false, reason, kept_differences.join("; "))
    } else if verdict.course == Course::Done {
        Answer::new(true, Reason::InSync, "everything is as the spec asks")
    } else {
        Answer::new(false, reason, message.clone())
    };
    let ready = usable.unwrap_or_else(|| keep_or_unknown(old, reason, &message, deadline, now));
    let progress = match progressing {
        true => Answer::new(true, reason, message.clone()),
        false => Answer::new(false, Reason::Idle, "nothing is in flight"),
    };
    let stalled = match stuck {
        true => Answer::new(true, reason, message),
        false => Answer::new(false, Reason::NotStalled, "nothing stands in the way"),
    };
    let mut answers = vec![
        (ConditionType::Ready, ready),
        (ConditionType::Synced, synced),
        (ConditionType::Progressing, progress),
        (ConditionType::Stalled, stalled),
        (ConditionType::LoginVerified, login),
    ];
    answers.extend(paused.map(|answer| (ConditionType::Paused, answer)));
    finish(old, answers, generation, now)
}

/// The conditions when nothing could be observed: the rest stays as it was told last.
pub fn unobserved(
    old: &[Condition],
    failure: &Failure,
    generation: Option<i64>,
    deadline: SignedDuration,
    now: Timestamp,
) -> Vec<Condition> {
    let mut kept: Vec<Condition> = old
        .iter()
        .filter(|condition| !matches!(condition.type_, ConditionType::Ready | ConditionType::Synced))
        .cloned()
        .collect();
    let ready = keep_or_unknown(old, failure.reason, &failure.message, deadline, now);
    let synced =
        Answer { status: ConditionStatus::Unknown, reason: failure.reason, message: failure.message.clone() };
    kept.extend(finish(
        old,
        vec![(ConditionType::Ready, ready), (ConditionType::Synced, synced)],
        generation,
        now,
    ));
    kept.sort_by_key(|condition| condition.type_);
    kept
}

/// What was told last, until it is too old to be repeated.
fn keep_or_unknown(
    old: &[Condition],
    reason: Reason,
    message: &str,
    deadline: SignedDuration,
    now: Timestamp,
) -> Answer {
    let unseen_since = old
        .iter()
        .find(|condition| {
            condition.type_ == ConditionType::Synced && condition.status != ConditionStatus::True
        })
        .map(|condition| now.duration_since(condition.last_transition_time.0));
    let ready = old.iter().find(|condition| condition.type_ == ConditionType::Ready);
    match ready {
        Some(ready) if unseen_since.is_none_or(|time| time < deadline) => {
            Answer { status: ready.status, reason: ready.reason, message: ready.message.clone() }
        }
        Some(_) => Answer { status: ConditionStatus::Unknown, reason, message: message.to_owned() },
        None => Answer::new(false, reason, message),
    }
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

fn cut(message: String) -> String {
    if message.chars().nth(LONGEST_MESSAGE).is_none() {
        return message;
    }
    message.chars().take(LONGEST_MESSAGE - 1).chain(['…']).collect()
}

/// Whether the published credentials can be used, as far as logins tell.
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
        (None, None, _) => {
            Answer::new(false, Reason::NotPublished, format!("the Secret {name} is not written yet"))
        }
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

/// What is to be said about requests that wait or cannot be read.
pub fn request_sentences(requests: &Requests, due: ResetDue) -> Vec<String> {
    let mut sentences = Vec::new();
    if let ResetDue::Throttled { until: at, .. } = due {
        sentences.push(format!(
            "{}: a password was reset on request a short while ago; the next one is made at {at}. To ask for one at a \
             time of your own, use the annotation {RESET_PASSWORD_AT}",
            Reason::ResetThrottled
        ));
    }
    if let Some(written) = &requests.unreadable_reset_at {
        sentences.push(format!(
            "{RESET_PASSWORD_AT}: found \"{written}\", expected a time like 2026-01-31T12:00:00Z"
        ));
    }
    sentences
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
