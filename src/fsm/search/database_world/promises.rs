//! The four promises, as far as the world of a database can break them.

use super::DatabaseState;
use crate::api::Phase;
use crate::fsm::Step;
use crate::fsm::database::{DatabaseAction, DatabasePresence, DatabaseTrigger};
use crate::fsm::search::{Broken, Promise};

pub(super) const EMPTY_FOR_LOST: Broken =
    Broken { promise: Promise::NothingLost, what: "an empty database takes the place of a lost one" };
pub(super) const DROPPED: Broken =
    Broken { promise: Promise::NothingLost, what: "a database is dropped that was to stay" };
pub(super) const ROLE_DROPPED: Broken =
    Broken { promise: Promise::NothingLost, what: "the role of a database that stays is dropped" };
pub(super) const PASSWORD_LOST: Broken =
    Broken { promise: Promise::NothingLost, what: "nobody has the password of the role any more" };
pub(super) const SECRET_LOST: Broken =
    Broken { promise: Promise::NothingLost, what: "the Secret of a database that stays is removed" };
pub(super) const LEFT_BEHIND: Broken =
    Broken { promise: Promise::NothingLost, what: "the object goes and its role or database stays behind" };
pub(super) const REFUSED_PUBLISHED: Broken =
    Broken { promise: Promise::StatusTrue, what: "a password is published that PostgreSQL refuses" };
pub(super) const NOT_READY: Broken =
    Broken { promise: Promise::StatusTrue, what: "Ready is recorded while something is not right" };
pub(super) const FOREIGN_TOUCHED: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "a role or database of somebody else is written to" };
pub(super) const TAKEN_OVER_CHANGED: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "a database that was taken over is changed unasked" };
pub(super) const FOREIGN_SECRET_TOUCHED: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "a Secret of somebody else is written to" };
pub(super) const OUT_OF_REACH: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "SQL is sent to a server that is not usable" };
pub(super) const UNSEEN: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "something is done though PostgreSQL was not read" };
pub(super) const IDLE_CONFIGURATION: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "a configuration without a difference" };
pub(super) const IDLE_PASSWORD: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "a password is set that is in force already" };
pub(super) const IDLE_PASS: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "something is done when nothing is to be done" };
pub(super) const WHILE_PAUSED: Broken =
    Broken { promise: Promise::NoIdleWrite, what: "something is done while paused" };

/// All of them.
pub(super) const ALL: &[Broken] = &[
    EMPTY_FOR_LOST,
    DROPPED,
    ROLE_DROPPED,
    PASSWORD_LOST,
    SECRET_LOST,
    LEFT_BEHIND,
    REFUSED_PUBLISHED,
    NOT_READY,
    FOREIGN_TOUCHED,
    TAKEN_OVER_CHANGED,
    FOREIGN_SECRET_TOUCHED,
    OUT_OF_REACH,
    UNSEEN,
    IDLE_CONFIGURATION,
    IDLE_PASSWORD,
    IDLE_PASS,
    WHILE_PAUSED,
];

/// What holds for the status that is written before the effects, and for whether there may be any.
pub(super) fn check_record(
    before: &DatabaseState,
    after: &DatabaseState,
    trigger: DatabaseTrigger,
    step: &Step<DatabaseAction>,
    presence: DatabasePresence,
    broken: &mut Vec<Broken>,
) {
    let entered = step.phase == Phase::Ready
        && (before.phase != Phase::Ready || matches!(trigger, DatabaseTrigger::Settled));
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
    if presence == DatabasePresence::Unreadable && before.host == super::Host::Usable {
        broken.push(UNSEEN);
    }
}
