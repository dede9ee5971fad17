//! The four promises, as far as the world of a server can break them.

use super::ServerState;
use crate::api::Phase;
use crate::fsm::Step;
use crate::fsm::search::{Broken, Promise};
use crate::fsm::server::{Presence, ServerAction, ServerTrigger};

pub(super) const EMPTY_FOR_LOST: Broken =
    Broken { promise: Promise::NothingLost, what: "an empty server takes the place of a lost one" };
pub(super) const SECOND_SERVER: Broken =
    Broken { promise: Promise::NothingLost, what: "a server is asked for where one stands already" };
pub(super) const DELETED: Broken =
    Broken { promise: Promise::NothingLost, what: "a server is deleted that was to stay" };
pub(super) const PASSWORD_LOST: Broken =
    Broken { promise: Promise::NothingLost, what: "nobody has the password of the server any more" };
pub(super) const LEFT_BEHIND: Broken =
    Broken { promise: Promise::NothingLost, what: "the object goes and its server stays behind" };
pub(super) const LEFT_UNMARKED: Broken =
    Broken { promise: Promise::StatusTrue, what: "a server is left without the mark that says so" };
pub(super) const REFUSED_PUBLISHED: Broken =
    Broken { promise: Promise::StatusTrue, what: "a password is published that the server refuses" };
pub(super) const NOT_READY: Broken =
    Broken { promise: Promise::StatusTrue, what: "Ready is recorded while something is not right" };
pub(super) const FOREIGN_TOUCHED: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "a server of somebody else is written to" };
pub(super) const TAKEN_OVER_CHANGED: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "a server that was taken over is changed unasked" };
pub(super) const FOREIGN_SECRET_TOUCHED: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "a Secret of somebody else is written to" };
pub(super) const UNSEEN: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "something is done though the backend was not read" };
pub(super) const IDLE_UPDATE: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "an update without a difference" };
pub(super) const IDLE_CONFIGURATION: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "a configuration without a difference" };
pub(super) const IDLE_MARK: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "a mark is set that is right already" };
pub(super) const IDLE_PASSWORD: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "a password is set that is in force already" };
pub(super) const IDLE_PASS: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "something is done when nothing is to be done" };
pub(super) const WHILE_PAUSED: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "something is done while paused" };

/// All of them.
pub(super) const ALL: &[Broken] = &[
    EMPTY_FOR_LOST,
    SECOND_SERVER,
    DELETED,
    PASSWORD_LOST,
    LEFT_BEHIND,
    LEFT_UNMARKED,
    REFUSED_PUBLISHED,
    NOT_READY,
    FOREIGN_TOUCHED,
    TAKEN_OVER_CHANGED,
    FOREIGN_SECRET_TOUCHED,
    UNSEEN,
    IDLE_UPDATE,
    IDLE_CONFIGURATION,
    IDLE_MARK,
    IDLE_PASSWORD,
    IDLE_PASS,
    WHILE_PAUSED,
];

impl ServerState {
    /// Whether the mark of our server is not as it should be: what stays when its object goes bears one.
    pub(super) fn is_mismarked(&self) -> bool {
        let ours = self.server.filter(|server| !server.foreign);
        ours.is_some_and(|server| server.marked != (self.deleting && self.retain))
    }

    /// Whether somebody who may still need it can find the password of our server.
    pub(super) fn password_known(&self) -> bool {
        self.server.filter(|server| !server.foreign).is_none_or(|server| {
            self.pending.is_some_and(|pending| pending.password == server.password)
                || self.published.is_some_and(|secret| secret.password == server.password)
                || self.left == Some(server.password)
        })
    }

    /// Whether somebody was given credentials that log in to our server, so that it may hold data.
    pub(super) fn handed_out(&self) -> bool {
        let published = self.published.map(|secret| secret.password);
        self.server.is_some_and(|server| published == Some(server.password))
    }
}

/// What holds for the status that is written before the effects, and for whether there may be any.
pub(super) fn check_record(
    before: &ServerState,
    after: &ServerState,
    trigger: ServerTrigger,
    step: &Step<ServerAction>,
    presence: Presence,
    broken: &mut Vec<Broken>,
) {
    let entered =
        step.phase == Phase::Ready && (before.phase != Phase::Ready || trigger == ServerTrigger::Settled);
    if entered && !after.is_right() {
        broken.push(NOT_READY);
    }
    if step.plan.is_empty() {
        return;
    }
    if before.paused {
        broken.push(WHILE_PAUSED);
    }
    let wanted = before.is_anything_asked() || before.deleting;
    if before.phase == Phase::Ready && before.is_right() && !wanted {
        broken.push(IDLE_PASS);
    }
    if presence == Presence::Unreadable {
        broken.push(UNSEEN);
    }
}
