//! The page about reasons: what each means, from the enum, and what a person can do about it.

use std::error::Error;
use std::fmt::Write as _;

use hcpg::api::{ConditionType, Reason};
use strum::{EnumMessage, IntoEnumIterator};

use crate::artefact::{Artefact, MARK};

const PATH: &str = "docs/reasons.md";
const INTRODUCTION: &str = "\
# Conditions and reasons

Both kinds carry these conditions. Their `message` says in one sentence what a reason means for this object.

| condition | True means |
|---|---|
";
const REASONS: &str = "
Every reason that a condition or an event can carry. The list is closed, so alerts may match on it.

| reason | meaning | what to do |
|---|---|---|
";

/// The page.
pub(crate) fn artefacts() -> Result<Vec<Artefact>, Box<dyn Error>> {
    let mut content = format!("<!-- {MARK} -->\n\n{INTRODUCTION}");
    for condition in ConditionType::iter() {
        writeln!(content, "| `{condition}` | {} |", meaning(&condition)?)?;
    }
    content.push_str(REASONS);
    for reason in Reason::iter() {
        writeln!(content, "| `{reason}` | {} | {} |", meaning(&reason)?, remedy(reason))?;
    }
    Ok(vec![Artefact { path: PATH.to_owned(), content }])
}

/// What the code says about it.
fn meaning<T: EnumMessage + std::fmt::Display>(word: &T) -> Result<String, String> {
    let text = word.get_documentation().ok_or_else(|| format!("{word} has no description"))?;
    Ok(text.replace('\n', " ").replace('|', "\\|"))
}

/// What a person can do. Exhaustive: a new reason does not compile without an answer.
fn remedy(reason: Reason) -> &'static str {
    match reason {
        Reason::Available
        | Reason::InSync
        | Reason::Idle
        | Reason::NotStalled
        | Reason::NotPaused
        | Reason::LoginSucceeded
        | Reason::Transition
        | Reason::ActionDone => "Nothing.",
        Reason::New
        | Reason::Creating
        | Reason::Updating
        | Reason::Configuring
        | Reason::Publishing
        | Reason::ResettingPassword
        | Reason::RestoringPassword
        | Reason::Deleting
        | Reason::Busy => {
            "Wait. What lasts longer than `reconcile.progress_deadline_seconds` becomes `Stalled`."
        }
        Reason::Unusable => "Wait; if it lasts, look at the server itself: the message says what it answers.",
        Reason::NotPublished => "Wait; `Progressing` or `Stalled` says for what.",
        Reason::Unreachable => "Look at the network between the operator and the server, and at its TLS.",
        Reason::CredentialsRefused => {
            "Wait: the published password is put back in force. If it lasts, look at who else changes it."
        }
        Reason::NotApplied => "Change the spec as the message says, or leave it: the rest is looked after.",
        Reason::TakenOver => {
            "Change the spec to what is there; or set the action `apply-now`, and what the message names is changed."
        }
        Reason::PausedByUser => "Remove the annotation `operator/paused`.",
        Reason::ObserveOnly => "Set `mode: manage` in the operator's configuration.",
        Reason::NotOurs => "Give the object another name, or remove what stands there.",
        Reason::NameConflict | Reason::ReservedName => "Give the object another name.",
        Reason::SecretConflict => {
            "Name another Secret in `spec.credentialsSecret`, or delete the one in the way."
        }
        Reason::ServerLost => "Bring the server back; or set the action `recreate` and get an empty one.",
        Reason::DatabaseLost => "Restore the database; or set the action `recreate` and get an empty one.",
        Reason::ServerReplaced => "Put the recorded server back. The operator does not touch the other one.",
        Reason::BackendUnreadable => "See the message: rights, network, configuration of the backend.",
        Reason::Rejected => "Change what the message names. It is tried again every few minutes.",
        Reason::InvalidSpec => "Change the field that the message names.",
        Reason::BackendNotAvailable => {
            "Choose a backend on offer, or have the administrator configure this one."
        }
        Reason::CreateFailed => "See the message. It is tried again by itself.",
        Reason::ServerFailed => {
            "Repair or restore the server; the operator never deletes one that was in use."
        }
        Reason::ResetThrottled => "Wait, or use the annotation `operator/reset-password-at`.",
        Reason::NamespaceTerminating => "Nothing, unless something keeps the namespace from going.",
        Reason::WaitingForServer => "See the PostgreSQLServer that the message names.",
        Reason::DatabasesExist => "Delete the PostgreSQLDatabase objects that the message names.",
        Reason::Protected => "Lift the protection, if the server really shall go.",
        Reason::Conflict => "Nothing: it looks again at once.",
        Reason::Transient => "Wait. Waits double up to `reconcile.backoff_max_seconds`.",
        Reason::Retained => "Nothing. From now on the server is yours alone.",
        Reason::UnknownAction => "Use `reset-password`, `recreate` or `apply-now`.",
        Reason::LeftBehind => "Remove what the message names by hand, if it shall go.",
        Reason::Unknown => "Look it up in the documentation of the version that wrote it.",
    }
}
