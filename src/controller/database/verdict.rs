//! What a trigger means for people: reason, sentence, and whether somebody has to do something.

use super::classify::{presence, view};
use super::observe::DatabaseSeen;
use crate::api::{Phase, Reason};
use crate::controller::conditions::{self, Course, Verdict};
use crate::fsm::database::{DatabaseTrigger, DatabaseView, classify};
use crate::postgres::{DatabaseState, Existence};

/// What would be done if it might, in a sentence; none when there is nothing to do.
pub(super) fn withheld(seen: &DatabaseSeen, phase: Phase) -> Option<String> {
    let next = verdict(seen, phase, unpaused(seen, phase));
    (next.course != Course::Done).then(|| format!("not done while nothing is written: {}", next.message))
}

fn unpaused(seen: &DatabaseSeen, phase: Phase) -> DatabaseTrigger {
    classify(&DatabaseView { paused: false, ..view(phase, seen) })
}

/// The verdict on this observation.
pub(super) fn verdict(seen: &DatabaseSeen, phase: Phase, trigger: DatabaseTrigger) -> Verdict {
    let name = seen.names.as_ref().map_or(seen.owner.name.as_str(), |names| names.database.as_str());
    let (reason, message, course) = match trigger {
        DatabaseTrigger::Deletion => {
            (Reason::Deleting, "the object is to be deleted".to_owned(), Course::Moving)
        }
        DatabaseTrigger::Paused => {
            let why = conditions::why_paused(seen.observes_only);
            let settled = unpaused(seen, phase) == DatabaseTrigger::Settled;
            (why.reason, why.message, if settled { Course::Done } else { Course::Held })
        }
        DatabaseTrigger::WaitingForServer => {
            (Reason::WaitingForServer, seen.server.waiting_for.clone(), Course::Moving)
        }
        DatabaseTrigger::Unreadable => (Reason::Unreachable, unreadable(seen), Course::Moving),
        DatabaseTrigger::NotOurs => (Reason::NameConflict, conflict(seen, name), Course::Stuck),
        DatabaseTrigger::RecreateRequested => {
            (Reason::Creating, "starting again with an empty database".to_owned(), Course::Moving)
        }
        DatabaseTrigger::Lost => (
            Reason::DatabaseLost,
            format!(
                "the database {name} existed and is gone; restore it, or start again with an empty one by the \
                 annotation operator/action=recreate"
            ),
            Course::Stuck,
        ),
        DatabaseTrigger::Absent => {
            (Reason::Creating, format!("the database {name} is being created"), Course::Moving)
        }
        DatabaseTrigger::RoleMissing => (
            Reason::ResettingPassword,
            format!("the role of {name} is gone and is made again"),
            Course::Moving,
        ),
        DatabaseTrigger::ResetRequested if seen.credentials.left.is_some() => {
            (Reason::Publishing, seen.credentials.left_sentence(), Course::Moving)
        }
        DatabaseTrigger::PasswordUnapplied | DatabaseTrigger::ResetRequested => {
            (Reason::ResettingPassword, "a new password is being set".to_owned(), Course::Moving)
        }
        DatabaseTrigger::CredentialsRefused => (
            Reason::RestoringPassword,
            "PostgreSQL refuses the published password; it is being put back in force".to_owned(),
            Course::Moving,
        ),
        DatabaseTrigger::Unconfigured => (Reason::Configuring, missing(seen), Course::Moving),
        DatabaseTrigger::Unpublished => {
            let secret = &seen.credentials.secret_name;
            (Reason::Publishing, format!("the Secret {secret} is being written"), Course::Moving)
        }
        DatabaseTrigger::IdleRequest | DatabaseTrigger::Settled => {
            (Reason::Available, "everything is as the spec asks".to_owned(), Course::Done)
        }
        DatabaseTrigger::Rejected => rejected(seen),
        DatabaseTrigger::Abandoned
        | DatabaseTrigger::Retained
        | DatabaseTrigger::RetainedUnpublished
        | DatabaseTrigger::Present
        | DatabaseTrigger::Gone => {
            (Reason::Deleting, format!("the database {name} is being let go"), Course::Moving)
        }
    };
    Verdict { reason, message, course }
}

fn unreadable(seen: &DatabaseSeen) -> String {
    match &seen.state {
        Some(Err(message)) => message.clone(),
        _ => seen.credentials.unreachable().unwrap_or("PostgreSQL could not be asked").to_owned(),
    }
}

fn conflict(seen: &DatabaseSeen, name: &str) -> String {
    let Some(Ok(state)) = &seen.state else { return format!("the name {name} is taken") };
    let taken = |what: &str, existence: &Existence| match existence {
        Existence::Absent | Existence::Ours => None,
        Existence::Unmarked => Some(format!("a {what} {name} exists that this operator did not create")),
        Existence::Foreign { mark } => Some(format!("the {what} {name} belongs to another object ({mark})")),
    };
    let both: Vec<String> =
        [taken("database", &state.database), taken("role", &state.role)].into_iter().flatten().collect();
    format!("{}; give this object another name", both.join(", and "))
}

/// What configuring will put right.
fn missing(seen: &DatabaseSeen) -> String {
    let mut parts = differences(seen);
    if matches!(&seen.state, Some(Ok(state)) if !state.commented) {
        parts.push("the mark is missing".to_owned());
    }
    parts.join("; ")
}

/// What is not as asked, one sentence each. The mark is nothing that anybody asks for.
pub(super) fn differences(seen: &DatabaseSeen) -> Vec<String> {
    let Some(Ok(state)) = &seen.state else { return Vec::new() };
    if !presence(seen).is_there() {
        return Vec::new();
    }
    let mut parts = settings_to_mend(state);
    if !state.extensions_missing.is_empty() {
        parts.push(format!("extensions to create: {}", state.extensions_missing.join(", ")));
    }
    parts
}

fn settings_to_mend(state: &DatabaseState) -> Vec<String> {
    [
        (state.owner_is_role, "the database has another owner"),
        (state.role_can_login, "the role may not log in"),
        (state.public_revoked, "PUBLIC has rights on the database"),
        (state.role_has_database && state.schema_granted, "the role lacks rights"),
    ]
    .into_iter()
    .filter(|(right, _)| !right)
    .map(|(_, sentence)| sentence.to_owned())
    .collect()
}

fn rejected(seen: &DatabaseSeen) -> (Reason, String, Course) {
    if let Err(message) = &seen.names {
        return (Reason::ReservedName, message.clone(), Course::Stuck);
    }
    if seen.terminating {
        let message = "the namespace is being deleted, so nothing new is created in it".to_owned();
        return (Reason::NamespaceTerminating, message, Course::Stuck);
    }
    (Reason::SecretConflict, seen.credentials.conflict().unwrap_or_default(), Course::Stuck)
}
