//! From what is seen of a database to the one trigger that is taken.

use super::{DatabasePresence, DatabaseTrigger, DatabaseView, Pending, Published, ServerSeen};
use crate::api::Phase;

/// The first trigger, in order of precedence, that holds.
pub fn classify(view: &DatabaseView) -> DatabaseTrigger {
    if view.deleting && view.phase != Phase::Deleting {
        return DatabaseTrigger::Deletion;
    }
    if view.paused {
        return DatabaseTrigger::Paused;
    }
    if view.deleting { classify_deleting(view) } else { classify_live(view) }
}

fn classify_live(view: &DatabaseView) -> DatabaseTrigger {
    // A name that can never be used is worth saying before the server is there.
    if view.rejected && !view.evidence {
        return DatabaseTrigger::Rejected;
    }
    if view.server != ServerSeen::Usable {
        return DatabaseTrigger::WaitingForServer;
    }
    match view.presence {
        DatabasePresence::Unreadable => DatabaseTrigger::Unreadable,
        DatabasePresence::NotOurs => DatabaseTrigger::NotOurs,
        DatabasePresence::Absent => classify_absent(view),
        DatabasePresence::RoleMissing if view.terminating => DatabaseTrigger::Rejected,
        DatabasePresence::RoleMissing => DatabaseTrigger::RoleMissing,
        DatabasePresence::Present => classify_present(view),
    }
}

fn classify_absent(view: &DatabaseView) -> DatabaseTrigger {
    let before_use = matches!(view.phase, Phase::Pending | Phase::Provisioning);
    if view.recreate {
        // Also with the evidence gone already: the operator may have died half-way through.
        DatabaseTrigger::RecreateRequested
    } else if view.evidence || !before_use {
        // An empty database never takes the place of a lost one, unless the user says so.
        DatabaseTrigger::Lost
    } else if view.terminating || view.published == Published::Foreign {
        DatabaseTrigger::Rejected
    } else {
        DatabaseTrigger::Absent
    }
}

fn classify_present(view: &DatabaseView) -> DatabaseTrigger {
    let may_reset =
        view.pending == Pending::None && view.published != Published::Foreign && !view.terminating;
    let reset_asked = (view.reset_requested && view.was_ready) || view.published == Published::Absent;
    // A password that cannot be published is not put in force either.
    if view.pending == Pending::Unapplied && view.published != Published::Foreign {
        DatabaseTrigger::PasswordUnapplied
    } else if may_reset && reset_asked {
        DatabaseTrigger::ResetRequested
    } else if view.pending == Pending::None && view.published == Published::Refused {
        DatabaseTrigger::CredentialsRefused
    } else if view.unconfigured && !view.taken_over {
        DatabaseTrigger::Unconfigured
    } else if view.published == Published::Foreign {
        DatabaseTrigger::Rejected
    } else if view.pending == Pending::Accepted || view.published == Published::Stale {
        DatabaseTrigger::Unpublished
    } else if view.published == Published::Absent {
        DatabaseTrigger::Rejected
    } else if view.idle_request {
        DatabaseTrigger::IdleRequest
    } else {
        DatabaseTrigger::Settled
    }
}

fn classify_deleting(view: &DatabaseView) -> DatabaseTrigger {
    match (view.server, view.presence) {
        // The server's object goes, but PostgreSQL may stay, and a database that was to stay with it.
        (ServerSeen::Gone, _) if view.retain => classify_left(view),
        (ServerSeen::Gone, _) => DatabaseTrigger::Abandoned,
        (ServerSeen::Waiting, _) => DatabaseTrigger::WaitingForServer,
        (ServerSeen::Usable, DatabasePresence::Unreadable) => DatabaseTrigger::Unreadable,
        (ServerSeen::Usable, DatabasePresence::NotOurs) => classify_left(view),
        (ServerSeen::Usable, DatabasePresence::Absent) => DatabaseTrigger::Gone,
        (ServerSeen::Usable, _) if view.retain => classify_retained(view),
        (ServerSeen::Usable, DatabasePresence::RoleMissing | DatabasePresence::Present) => {
            DatabaseTrigger::Present
        }
    }
}

/// A database that stays must not lose its only password with the object.
fn classify_retained(view: &DatabaseView) -> DatabaseTrigger {
    let publishable = view.published != Published::Foreign && !view.terminating;
    match view.pending {
        Pending::Accepted if publishable => DatabaseTrigger::Unpublished,
        Pending::Accepted => DatabaseTrigger::RetainedUnpublished,
        Pending::None | Pending::Unapplied => DatabaseTrigger::Retained,
    }
}

/// What is left to its own must not be published any more, and whether a pending password is in force there cannot
/// always be told, so it is kept.
fn classify_left(view: &DatabaseView) -> DatabaseTrigger {
    match view.pending {
        Pending::None => DatabaseTrigger::Retained,
        Pending::Accepted | Pending::Unapplied => DatabaseTrigger::RetainedUnpublished,
    }
}
