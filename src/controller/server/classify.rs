//! From what was seen of a server to the small view the machine decides on. Pure.

use super::observe::{Answer, ServerSeen};
use crate::api::{DeletionPolicy, Phase};
use crate::backend::{Change, Health, Stage};
use crate::controller::awaited::Standing;
use crate::controller::requests::{Action, ResetDue};
use crate::fsm::Published;
use crate::fsm::server::{Presence, ServerView};

/// The view of this observation.
pub(super) fn view(phase: Phase, seen: &ServerSeen) -> ServerView {
    let presence = presence(seen);
    let updates = seen.due(Stage::Update);
    ServerView {
        phase,
        deleting: seen.deleting,
        paused: seen.paused,
        presence,
        evidence: seen.evidence,
        settling: seen.settling,
        recreate: seen.requests.asks_for(Action::Recreate),
        pending: seen.credentials.pending_view(),
        published: published(seen),
        awaited: seen.awaited.left().is_some(),
        reset_requested: seen.reset_due == ResetDue::Now,
        was_ready: seen.was_ready,
        differs: !updates.is_empty(),
        revivable: updates
            .iter()
            .any(|difference| matches!(difference.change, Change::Apply { revives: true, .. })),
        unconfigured: !seen.due(Stage::Configure).is_empty(),
        taken_over: seen.holds_back(),
        rejected: !seen.rejections.is_empty(),
        terminating: seen.terminating,
        idle_request: seen
            .requests
            .actions
            .iter()
            .any(|request| request.action != Some(Action::ResetPassword)),
        retain: seen.deletion == DeletionPolicy::Retain || seen.leaves_deleted,
        referenced: !seen.referenced_by.is_empty(),
        protected: seen.present().is_some_and(|server| server.protected.is_some()),
        mismarked: seen.present().is_some_and(|server| server.left != seen.is_to_bear_mark()),
    }
}

/// A published password that the server refuses, and that its backend does not take back, is as good as none.
fn published(seen: &ServerSeen) -> Published {
    match (seen.credentials.published_view(), seen.awaited) {
        (Published::Refused, Standing::Refused) if seen.credentials.pending.is_none() => Published::Absent,
        (published, _) => published,
    }
}

/// What the backend's answer and the logins together say.
pub(super) fn presence(seen: &ServerSeen) -> Presence {
    let server = match &seen.answer {
        Answer::Unreadable { .. } => return Presence::Unreadable,
        Answer::Absent => return Presence::Absent,
        Answer::NotOurs(_) => return Presence::NotOurs,
        Answer::Present(server) => server,
    };
    let replaced =
        matches!((&seen.recorded_uid, &server.uid), (Some(recorded), Some(found)) if recorded != found);
    match &server.health {
        _ if replaced => Presence::Replaced,
        Health::Failed { was_available: true, .. } => Presence::FailedUsed,
        Health::Failed { was_available: false, .. } => Presence::FailedNew,
        _ if !server.accepts_writes => Presence::Busy,
        Health::Unusable { .. } => Presence::Unusable,
        Health::Usable if seen.credentials.unreachable().is_some() => Presence::Unusable,
        Health::Usable => Presence::Usable,
    }
}
