//! From what is seen of a server to the one trigger that is taken.

use super::{Pending, Presence, Published, ServerTrigger, ServerView};
use crate::api::Phase;

/// The first trigger, in order of precedence, that holds.
pub fn classify(view: &ServerView) -> ServerTrigger {
    if view.deleting && view.phase != Phase::Deleting {
        return ServerTrigger::Deletion;
    }
    if view.paused {
        return ServerTrigger::Paused;
    }
    if view.deleting { classify_deleting(view) } else { classify_live(view) }
}

fn classify_live(view: &ServerView) -> ServerTrigger {
    match view.presence {
        Presence::NotOurs => ServerTrigger::NotOurs,
        Presence::Replaced => ServerTrigger::Replaced,
        Presence::Unreadable => ServerTrigger::Unreadable,
        Presence::Absent => classify_absent(view),
        Presence::Busy => ServerTrigger::Busy,
        Presence::FailedNew if is_our_shell(view) => ServerTrigger::CreateFailed,
        Presence::FailedNew | Presence::FailedUsed => ServerTrigger::ServerFailed,
        Presence::Unusable if view.revivable && !view.taken_over => ServerTrigger::Differs,
        Presence::Unusable => ServerTrigger::Unusable,
        Presence::Usable => classify_usable(view),
    }
}

/// Whether what failed is what is left of a creation that we asked for.
fn is_our_shell(view: &ServerView) -> bool {
    is_before_use(view.phase) && !view.evidence && !view.taken_over
}

/// Whether in this phase a server may not have been available yet.
fn is_before_use(phase: Phase) -> bool {
    matches!(phase, Phase::Pending | Phase::Provisioning)
}

fn classify_absent(view: &ServerView) -> ServerTrigger {
    if view.settling {
        ServerTrigger::Busy
    } else if view.recreate {
        // Also with the evidence gone already: the operator may have died half-way through.
        ServerTrigger::RecreateRequested
    } else if view.evidence || !is_before_use(view.phase) {
        // An empty server never takes the place of a lost one, unless the user says so.
        ServerTrigger::Lost
    } else if view.rejected || view.terminating || view.published == Published::Foreign {
        // Begin nothing that could not be published in the end.
        ServerTrigger::Rejected
    } else {
        ServerTrigger::Absent
    }
}

fn classify_usable(view: &ServerView) -> ServerTrigger {
    let may_reset = view.pending == Pending::None && view.published != Published::Foreign;
    let reset_asked = (view.reset_requested && view.was_ready) || view.published == Published::Absent;
    // A password that cannot be published is not put in force either.
    if view.pending == Pending::Unapplied && view.published != Published::Foreign {
        if view.awaited { ServerTrigger::PasswordAwaited } else { ServerTrigger::PasswordUnapplied }
    } else if may_reset && reset_asked && !view.terminating {
        ServerTrigger::ResetRequested
    } else if view.pending == Pending::None && view.published == Published::Refused {
        if view.awaited { ServerTrigger::PasswordAwaited } else { ServerTrigger::CredentialsRefused }
    } else if view.differs && !view.taken_over {
        ServerTrigger::Differs
    } else if view.unconfigured && !view.taken_over {
        ServerTrigger::Unconfigured
    } else if view.published == Published::Foreign {
        ServerTrigger::Rejected
    } else if view.pending == Pending::Accepted || view.published == Published::Stale {
        ServerTrigger::Unpublished
    } else if view.published == Published::Absent {
        ServerTrigger::Rejected
    } else if view.mismarked {
        ServerTrigger::Mismarked
    } else if view.idle_request {
        ServerTrigger::IdleRequest
    } else {
        ServerTrigger::Settled
    }
}

fn classify_deleting(view: &ServerView) -> ServerTrigger {
    match view.presence {
        Presence::Unreadable => ServerTrigger::Unreadable,
        Presence::NotOurs | Presence::Replaced => ServerTrigger::Retained,
        Presence::Absent if view.settling => ServerTrigger::Busy,
        Presence::Absent => ServerTrigger::Gone,
        _ if view.referenced => ServerTrigger::DatabasesExist,
        Presence::Busy => ServerTrigger::Busy,
        _ if view.retain && view.mismarked => ServerTrigger::Mismarked,
        _ if view.retain => classify_retained(view),
        _ if view.protected => ServerTrigger::Protected,
        Presence::Unusable | Presence::FailedNew | Presence::FailedUsed | Presence::Usable => {
            ServerTrigger::Present
        }
    }
}

/// A server that stays must not take its only password with the object.
fn classify_retained(view: &ServerView) -> ServerTrigger {
    let publishable = view.published != Published::Foreign && !view.terminating;
    match (view.pending, view.presence) {
        (Pending::None, _) => ServerTrigger::Retained,
        // One that was set a moment ago may be the only one in another moment.
        (Pending::Unapplied, Presence::Usable) if !view.awaited => ServerTrigger::Retained,
        (Pending::Accepted, _) if publishable => ServerTrigger::Unpublished,
        // Whether a pending password is in force can only be told by a login, so it is kept.
        (Pending::Accepted | Pending::Unapplied, _) => ServerTrigger::RetainedUnpublished,
    }
}
