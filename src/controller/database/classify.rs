//! From what was seen of a database to the small view the machine decides on. Pure.

use super::observe::DatabaseSeen;
use crate::api::Phase;
use crate::controller::requests::{Action, ResetDue};
use crate::fsm::database::{DatabasePresence, DatabaseView};
use crate::postgres::{DatabaseState, Existence};

/// The view of this observation.
pub(super) fn view(phase: Phase, seen: &DatabaseSeen) -> DatabaseView {
    DatabaseView {
        phase,
        deleting: seen.deleting,
        paused: seen.paused,
        server: seen.server.seen,
        presence: presence(seen),
        evidence: seen.evidence,
        recreate: seen.requests.asks_for(Action::Recreate),
        pending: seen.credentials.pending_view(),
        published: seen.credentials.published_view(),
        reset_requested: seen.reset_due == ResetDue::Now,
        was_ready: seen.was_ready,
        unconfigured: seen.refused.is_none()
            && matches!(&seen.state, Some(Ok(state)) if !state.is_configured()),
        taken_over: seen.holds_back(),
        rejected: seen.names.is_err(),
        terminating: seen.terminating,
        idle_request: seen
            .requests
            .actions
            .iter()
            .any(|request| request.action != Some(Action::ResetPassword)),
        retain: seen.retain,
    }
}

pub(super) fn presence(seen: &DatabaseSeen) -> DatabasePresence {
    let state = match &seen.state {
        None | Some(Err(_)) => return DatabasePresence::Unreadable,
        Some(Ok(state)) => state,
    };
    if is_foreign(state, seen.adopts_unmarked) {
        return DatabasePresence::NotOurs;
    }
    match (&state.database, &state.role) {
        (Existence::Absent, _) => DatabasePresence::Absent,
        (_, Existence::Absent) => DatabasePresence::RoleMissing,
        // The role may log in, and still there is no answer: nothing may follow from that.
        _ if state.role_can_login && seen.credentials.unreachable().is_some() => DatabasePresence::Unreadable,
        _ => DatabasePresence::Present,
    }
}

fn is_foreign(state: &DatabaseState, adopts_unmarked: bool) -> bool {
    [&state.database, &state.role].into_iter().any(|existence| match existence {
        Existence::Absent | Existence::Ours => false,
        Existence::Unmarked => !adopts_unmarked,
        Existence::Foreign { .. } => true,
    })
}
