//! The page about reasons: what each means, from the enum, what the operator does, and what a person can do about it.

use std::error::Error;
use std::fmt::Write as _;

use hcpg::api::{ConditionType, Reason};
use strum::{EnumMessage, IntoEnumIterator};

use crate::artefact::{Artefact, MARK};

const PATH: &str = "docs/troubleshooting.md";
const INTRODUCTION: &str = "\
# Troubleshooting

Ask the object first. Its conditions say what is the matter, in one sentence each, and its events what happened:

```sh
kubectl describe pg <name>        # a server
kubectl describe pgdb <name>      # a database
```

`Ready` says whether the published credentials work, `Stalled` whether somebody is needed. Nothing is given up: whatever
is refused or fails is tried again by itself, with longer and longer pauses, and at once when the object is changed. To
have it looked at now, change anything about it, for example `kubectl annotate pg <name> touched=\"$(date)\" --overwrite`.

## Conditions

| condition | True means |
|---|---|
";
const KSTATUS: &str = "
`Reconciling`, `Stalled` and `Ready` are what kstatus (the Go package `sigs.k8s.io/cli-utils/pkg/kstatus`) looks at, and
with it `helm --wait`, Flux and others:

| kstatus says | when |
|---|---|
| `InProgress` | the operator has not seen this generation yet, `Reconciling` is True, or `Ready` is not True |
| `Failed` | `Stalled` is True: also for a change of the spec that was refused while the rest works |
| `Current` | none of these. An object that is paused is `Current` if its credentials work: nobody wants it changed |
| `Terminating` | it is being deleted |
";
const REASONS: &str = "
## Reasons

Every reason that a condition or an event can carry. The list is closed, so alerts may match on it.

| reason | meaning | what the operator does | what to do |
|---|---|---|---|
";

/// The page.
pub(crate) fn artefacts() -> Result<Vec<Artefact>, Box<dyn Error>> {
    let mut content = format!("<!-- {MARK} -->\n\n{INTRODUCTION}");
    for condition in ConditionType::iter() {
        writeln!(content, "| `{condition}` | {} |", meaning(&condition)?)?;
    }
    content.push_str(KSTATUS);
    content.push_str(REASONS);
    for reason in Reason::iter() {
        let (operator, person) = remedy(reason);
        writeln!(content, "| `{reason}` | {} | {operator} | {person} |", meaning(&reason)?)?;
    }
    Ok(vec![Artefact { path: PATH.to_owned(), content }])
}

/// What the code says about it.
fn meaning<T: EnumMessage + std::fmt::Display>(word: &T) -> Result<String, String> {
    let text = word.get_documentation().ok_or_else(|| format!("{word} has no description"))?;
    Ok(text.replace('\n', " ").replace('|', "\\|"))
}

const SOON: &str = "Looks again every few seconds, at last once a minute.";
const FIVE_MINUTES: &str = "Looks again, at last every five minutes.";
const WORKS: &str = "Works on it.";
const NOTHING: &str = "Nothing.";
const WAIT: &str = "Wait. What lasts longer than `reconcile.progress_deadline_seconds` becomes `Stalled`.";
const OTHER_NAME: &str = "Make the object anew under another name, or remove what stands there.";

/// What the operator does by itself, and what a person can do. Exhaustive: a new reason does not compile without an
/// answer.
fn remedy(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::Available
        | Reason::InSync
        | Reason::Idle
        | Reason::NotStalled
        | Reason::LoginSucceeded
        | Reason::Transition
        | Reason::ActionDone => ("Looks again every `reconcile.resync_seconds`.", NOTHING),
        Reason::Creating
        | Reason::Updating
        | Reason::Configuring
        | Reason::Restarting
        | Reason::Publishing
        | Reason::ResettingPassword
        | Reason::RestoringPassword
        | Reason::Deleting => (WORKS, WAIT),
        Reason::Busy => (SOON, WAIT),
        Reason::Unusable => {
            (SOON, "Wait; if it lasts, look at the server itself. The message says what it answers.")
        }
        Reason::NotPublished => ("Writes the Secret when there is a password.", "Wait."),
        Reason::Unreachable => (
            SOON,
            "Look at the network between the operator and the server, at its TLS, its `pg_hba.conf` and whether the \
             role may log in. The message says what PostgreSQL answers.",
        ),
        Reason::CredentialsRefused => (
            "Puts the published password back in force.",
            "Wait. If it comes back, look at who else changes the password.",
        ),
        Reason::NotApplied => (
            "Looks after everything else, and tries again what a backend refused, every five minutes.",
            "Change the spec as the message says: `kubectl edit pg <name>`.",
        ),
        Reason::TakenOver => (
            "Looks after everything else. Applies what the message names when the spec changes.",
            "Change the spec to what is there, or `kubectl annotate pg <name> operator/action=apply-now`.",
        ),
        Reason::AwaitingWindow => (
            "Looks after everything else. Makes the change at the time that the message names.",
            "Wait, or `kubectl annotate pg <name> operator/action=apply-now`.",
        ),
        Reason::NotSupported => (
            "Looks after everything else.",
            "Nothing, or take out of the spec what the message names, or choose another backend.",
        ),
        Reason::PausedByUser => {
            ("Reads, and writes nothing.", "To go on: `kubectl annotate pg <name> operator/paused-`.")
        }
        Reason::ObserveOnly => {
            ("Reads, and writes nothing.", "To go on: `mode: manage` in the operator's configuration.")
        }
        Reason::NotOurs | Reason::NameConflict => (FIVE_MINUTES, OTHER_NAME),
        Reason::ReservedName => ("Nothing.", "Make the object anew under another name."),
        Reason::SecretConflict => (
            FIVE_MINUTES,
            "Name another Secret in `spec.credentialsSecret`, or `kubectl delete secret` the one in the way.",
        ),
        Reason::ServerLost => (
            FIVE_MINUTES,
            "Bring the server back. Or, to get an empty one: `kubectl annotate pg <name> operator/action=recreate`.",
        ),
        Reason::DatabaseLost => (
            FIVE_MINUTES,
            "Restore the database. Or, to get an empty one: `kubectl annotate pgdb <name> operator/action=recreate`.",
        ),
        Reason::ServerReplaced => {
            (FIVE_MINUTES, "Put the recorded server back. The operator does not touch the other one.")
        }
        Reason::BackendUnreadable => (
            "Looks again, at last once a minute, or when the backend asks for it.",
            "If it lasts, see the message: rights, network, configuration of the backend.",
        ),
        Reason::Rejected => {
            ("Tries again every five minutes, and when the spec changes.", "Change what the message names.")
        }
        Reason::Forbidden => (
            "Goes on with everything else. Tries again, at last every five minutes.",
            "Give the operator the right that the message names, or raise the quota. Then wait, or annotate the object.",
        ),
        Reason::InvalidSpec => {
            (FIVE_MINUTES, "Change the field that the message names: `kubectl edit pg <name>`.")
        }
        Reason::BackendNotAvailable => {
            (FIVE_MINUTES, "Choose a backend on offer, or have the administrator configure this one.")
        }
        Reason::CreateFailed => {
            ("Removes what is left of the attempt and tries again.", "Wait; if it lasts, see the message.")
        }
        Reason::ServerFailed => {
            (FIVE_MINUTES, "Repair or restore the server; the operator never deletes one that was in use.")
        }
        Reason::ResetThrottled => (
            "Makes the reset at the time that the message names.",
            "Wait, or `kubectl annotate pgdb <name> --overwrite operator/reset-password-at=\"$(date -Iseconds)\"`.",
        ),
        Reason::NamespaceTerminating => {
            (FIVE_MINUTES, "Nothing, unless something keeps the namespace from going.")
        }
        Reason::WaitingForServer => (
            "Goes on when the server's object changes, and looks again, at last once a minute.",
            "See the PostgreSQLServer that the message names: `kubectl describe pg <server>`.",
        ),
        Reason::DatabasesExist => (
            "Goes on when the last one is gone.",
            "Delete the PostgreSQLDatabase objects that the message names: `kubectl delete pgdb <name>`.",
        ),
        Reason::Protected => (FIVE_MINUTES, "Lift the protection, if the server really shall go."),
        Reason::DeadlineExceeded => (
            "Goes on trying all the same.",
            "See the message for what is waited for, and that reason in this table.",
        ),
        Reason::Conflict => ("Looks again at once.", NOTHING),
        Reason::Transient => ("Tries again; pauses double up to `reconcile.backoff_max_seconds`.", "Wait."),
        Reason::Retained => ("Nothing any more.", "Nothing. From now on the server is yours alone."),
        Reason::UnknownAction => ("Removes the request.", "Use `reset-password`, `recreate` or `apply-now`."),
        Reason::LeftBehind => ("Nothing any more.", "Remove what the message names by hand, if it shall go."),
        Reason::ConfigurationApplied => ("Looks at every object again.", NOTHING),
        Reason::ConfigurationRefused => (
            "Goes on with the configuration before, and reads the file every few seconds.",
            "Mend the file: the operator's log names every place, as `check-config` does.",
        ),
        Reason::ConfigurationNeedsRestart => (
            "Goes on with the values before for the keys that the message names; all others hold.",
            "Restart the operator, or take the change back.",
        ),
        Reason::Unknown => ("-", "Look it up in the documentation of the version that wrote it."),
    }
}
