//! What a trigger means for people: reason, sentence, and whether somebody has to do something.

use super::classify::view;
use super::observe::{Answer, ServerSeen};
use crate::api::{Phase, Reason};
use crate::backend::{Difference, Health, Stage};
use crate::controller::awaited::Standing;
use crate::controller::conditions::{self, Course, Verdict};
use crate::fsm::server::{ServerTrigger, ServerView, classify};

/// What would be done if it might, in a sentence; none when there is nothing to do.
pub(super) fn withheld(seen: &ServerSeen, phase: Phase) -> Option<String> {
    let next = verdict(seen, phase, unpaused(seen, phase));
    (next.course != Course::Done).then(|| format!("not done while nothing is written: {}", next.message))
}

fn unpaused(seen: &ServerSeen, phase: Phase) -> ServerTrigger {
    classify(&ServerView { paused: false, ..view(phase, seen) })
}

/// The verdict on this observation.
pub(super) fn verdict(seen: &ServerSeen, phase: Phase, trigger: ServerTrigger) -> Verdict {
    let name = seen.identity.as_ref().map_or(seen.owner.name.as_str(), |identity| identity.name.as_str());
    let (reason, message, course) = match trigger {
        ServerTrigger::Deletion => {
            (Reason::Deleting, "the object is to be deleted".to_owned(), Course::Moving)
        }
        ServerTrigger::Paused => {
            let why = conditions::why_paused(seen.observes_only);
            let settled = unpaused(seen, phase) == ServerTrigger::Settled;
            (why.reason, why.message, if settled { Course::Done } else { Course::Held })
        }
        ServerTrigger::NotOurs => (Reason::NotOurs, not_ours(seen, name), Course::Stuck),
        ServerTrigger::RecreateRequested => {
            (Reason::Creating, "starting again with an empty server".to_owned(), Course::Moving)
        }
        ServerTrigger::Lost => (
            Reason::ServerLost,
            format!(
                "the server {name} existed and is gone; bring it back, or start again with an empty one by the \
                 annotation operator/action=recreate"
            ),
            Course::Stuck,
        ),
        ServerTrigger::Replaced => (
            Reason::ServerReplaced,
            format!("another server stands under the name {name} than the one that was recorded"),
            Course::Stuck,
        ),
        ServerTrigger::Unreadable if seen.backend.is_err() => {
            (Reason::BackendNotAvailable, unreadable(seen), Course::Stuck)
        }
        ServerTrigger::Unreadable => (Reason::BackendUnreadable, unreadable(seen), Course::Moving),
        ServerTrigger::Absent => {
            (Reason::Creating, format!("the server {name} is being created"), Course::Moving)
        }
        ServerTrigger::Busy => (Reason::Busy, busy(seen, name), Course::Moving),
        ServerTrigger::Unusable if view(phase, seen).revivable => (
            Reason::TakenOver,
            format!("{}; it was taken over as it is: the action apply-now starts it", unusable(seen)),
            Course::Stuck,
        ),
        ServerTrigger::Unusable => (Reason::Unusable, unusable(seen), Course::Moving),
        ServerTrigger::CreateFailed => (Reason::CreateFailed, unusable(seen), Course::Moving),
        ServerTrigger::ServerFailed => (Reason::ServerFailed, unusable(seen), Course::Stuck),
        ServerTrigger::ResetRequested if seen.credentials.left.is_some() => {
            (Reason::Publishing, seen.credentials.left_sentence(), Course::Moving)
        }
        ServerTrigger::PasswordAwaited => {
            let reason = match seen.credentials.pending {
                Some(_) => Reason::ResettingPassword,
                None => Reason::RestoringPassword,
            };
            let message = "the backend has accepted the password, and the server does not take it yet";
            (reason, message.to_owned(), Course::Moving)
        }
        ServerTrigger::ResetRequested if seen.awaited == Standing::Refused => (
            Reason::ResettingPassword,
            "the server refuses the published password, and its backend does not take it back; a new one is being set"
                .to_owned(),
            Course::Moving,
        ),
        ServerTrigger::PasswordUnapplied | ServerTrigger::ResetRequested => (
            Reason::ResettingPassword,
            "a new administrator password is being set".to_owned(),
            Course::Moving,
        ),
        ServerTrigger::CredentialsRefused => (
            Reason::RestoringPassword,
            "the server refuses the published password; it is being put back in force".to_owned(),
            Course::Moving,
        ),
        ServerTrigger::Differs => change(seen, Stage::Update, Reason::Updating),
        ServerTrigger::Unconfigured => change(seen, Stage::Configure, Reason::Configuring),
        ServerTrigger::Unpublished => {
            let secret = &seen.credentials.secret_name;
            (Reason::Publishing, format!("the Secret {secret} is being written"), Course::Moving)
        }
        ServerTrigger::Mismarked => (Reason::Configuring, mark(seen, name), Course::Moving),
        ServerTrigger::IdleRequest | ServerTrigger::Settled => {
            (Reason::Available, "everything is as the spec asks".to_owned(), Course::Done)
        }
        ServerTrigger::Rejected => rejected(seen),
        ServerTrigger::DatabasesExist => (
            Reason::DatabasesExist,
            format!(
                "databases refer to the server; delete these PostgreSQLDatabase objects first: {}",
                seen.referenced_by.join(", ")
            ),
            Course::Stuck,
        ),
        ServerTrigger::Protected => (Reason::Protected, protection(seen, name), Course::Stuck),
        ServerTrigger::Retained
        | ServerTrigger::RetainedUnpublished
        | ServerTrigger::Present
        | ServerTrigger::Gone => {
            (Reason::Deleting, format!("the server {name} is being let go"), Course::Moving)
        }
    };
    Verdict { reason, message, course }
}

fn not_ours(seen: &ServerSeen, name: &str) -> String {
    match &seen.answer {
        Answer::NotOurs(message) => message.clone(),
        _ => format!("the server {name} belongs to somebody else"),
    }
}

fn unreadable(seen: &ServerSeen) -> String {
    match &seen.answer {
        Answer::Unreadable { message, .. } => message.clone(),
        _ => "the backend cannot be read".to_owned(),
    }
}

fn busy(seen: &ServerSeen, name: &str) -> String {
    match seen.present().and_then(|server| server.operation.as_ref()) {
        Some(operation) => format!("the backend is busy with the server {name}: {operation}"),
        None => format!("the backend is busy with the server {name}"),
    }
}

pub(super) fn unusable(seen: &ServerSeen) -> String {
    match seen.present().map(|server| &server.health) {
        Some(Health::Unusable { message } | Health::Failed { message, .. }) => message.clone(),
        _ => seen.credentials.unreachable().unwrap_or("the server takes no connections").to_owned(),
    }
}

/// What is being changed; a restart is said before it happens.
fn change(seen: &ServerSeen, stage: Stage, reason: Reason) -> (Reason, String, Course) {
    let due = seen.due(stage);
    let sentences: Vec<String> = due.iter().map(|difference| difference.sentence()).collect();
    let sentences = sentences.join("; ");
    match due.iter().any(Difference::restarts) && is_usable(seen) {
        true => {
            let message =
                format!("{sentences}; the server restarts for this, and connections are interrupted");
            (Reason::Restarting, message, Course::Moving)
        }
        false => (reason, sentences, Course::Moving),
    }
}

fn is_usable(seen: &ServerSeen) -> bool {
    seen.present().is_some_and(|server| server.health == Health::Usable)
}

fn mark(seen: &ServerSeen, name: &str) -> String {
    match seen.deleting {
        true => format!("the server {name} is being marked as left"),
        false => format!("the server {name} was left by an earlier object; its mark is being taken off"),
    }
}

fn protection(seen: &ServerSeen, name: &str) -> String {
    match seen.present().and_then(|server| server.protected.as_ref()) {
        Some(remedy) => format!("the server {name} is protected against deletion: {remedy}"),
        None => format!("the server {name} is protected against deletion"),
    }
}

fn rejected(seen: &ServerSeen) -> (Reason, String, Course) {
    if seen.terminating {
        let message = "the namespace is being deleted, so nothing new is created in it".to_owned();
        return (Reason::NamespaceTerminating, message, Course::Stuck);
    }
    if let Some(message) = seen.credentials.conflict() {
        return (Reason::SecretConflict, message, Course::Stuck);
    }
    if let Err(message) = &seen.backend {
        return (Reason::BackendNotAvailable, message.clone(), Course::Stuck);
    }
    let sentences: Vec<String> = seen
        .rejections
        .iter()
        .map(|rejection| format!("{}: {}", rejection.field, rejection.message))
        .collect();
    (Reason::InvalidSpec, sentences.join("; "), Course::Stuck)
}
