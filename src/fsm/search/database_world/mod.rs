//! A small world around the database machine: one object, one name on one server, two Secrets, a user, and bad luck.

mod effects;
mod interference;
mod promises;
mod shown;

use super::{Broken, Next, World};
use crate::api::Phase;
use crate::fsm::database::{
    DatabaseAction, DatabaseMachine, DatabasePresence, DatabaseTrigger, DatabaseView, ServerSeen, classify,
};
use crate::fsm::{Machine, Pending, Published, Step};

/// What the server under the database is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Host {
    /// Its credentials log in.
    Usable,
    /// It takes no connections, or its password is being changed; comes back by itself.
    Waiting,
    /// Its object is going, and PostgreSQL stays where it is, out of our reach.
    Going,
    /// It is gone, with everything on it.
    Gone,
}

/// The role under the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Role {
    foreign: bool,
    password: u8,
}

/// The database under the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Database {
    foreign: bool,
    /// Owner, grants or extensions differ.
    unconfigured: bool,
    /// History, not visible to the machine: somebody was given credentials that log in, so it may hold data.
    used: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct PendingSecret {
    password: u8,
    settles_reset: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct PublishedSecret {
    password: u8,
    current: bool,
}

/// Everything there is in the world of one database.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DatabaseState {
    phase: Phase,
    /// The status says that the database was there once, on this server or on another before it.
    evidence: bool,
    was_ready: bool,
    deleting: bool,
    released: bool,
    paused: bool,
    retain: bool,
    reset_asked: bool,
    recreate_asked: bool,
    foreign_secret: bool,
    /// It was there before the object's first pass, and the spec has not changed since.
    taken_over: bool,
    apply_asked: bool,
    /// The password that the original operator left on its way.
    left: Option<u8>,
    host: Host,
    role: Option<Role>,
    database: Option<Database>,
    pending: Option<PendingSecret>,
    published: Option<PublishedSecret>,
    /// History, not visible to the machine: a database that was used is gone, and nobody agreed.
    lost: bool,
    budget: u8,
}

/// How the world asks the machine for its answer, so that the tests can put a broken one in its place.
pub type DatabaseStepFn = fn(Phase, DatabaseTrigger) -> Step<DatabaseAction>;

/// How the world asks for the trigger, so that the tests can put a broken one in its place.
pub type DatabaseClassifyFn = fn(&DatabaseView) -> DatabaseTrigger;

/// The database machine in its surroundings.
pub struct DatabaseWorld {
    /// How many faults and interferences a run may hold.
    pub budget: u8,
    /// The machine under search.
    pub step: DatabaseStepFn,
    /// The classification under search.
    pub classify: DatabaseClassifyFn,
}

impl DatabaseWorld {
    /// The product's machine.
    pub fn new(budget: u8) -> Self {
        Self { budget, step: DatabaseMachine::step, classify }
    }
}

impl DatabaseState {
    fn our_role(&self) -> Option<Role> {
        self.role.filter(|role| !role.foreign)
    }

    fn our_database(&self) -> Option<Database> {
        self.database.filter(|database| !database.foreign)
    }

    fn accepts(&self, password: u8) -> bool {
        self.host == Host::Usable && self.our_role().is_some_and(|role| role.password == password)
    }

    /// What a pass finds when PostgreSQL can be asked.
    fn presence(&self) -> DatabasePresence {
        if self.host != Host::Usable {
            DatabasePresence::Unreadable
        } else if self.role.is_some_and(|role| role.foreign)
            || self.database.is_some_and(|database| database.foreign)
        {
            DatabasePresence::NotOurs
        } else if self.database.is_none() {
            DatabasePresence::Absent
        } else if self.role.is_none() {
            DatabasePresence::RoleMissing
        } else {
            DatabasePresence::Present
        }
    }

    fn view(&self, presence: DatabasePresence) -> DatabaseView {
        DatabaseView {
            phase: self.phase,
            deleting: self.deleting,
            paused: self.paused,
            server: match self.host {
                Host::Usable => ServerSeen::Usable,
                Host::Waiting => ServerSeen::Waiting,
                Host::Going | Host::Gone => ServerSeen::Gone,
            },
            presence,
            evidence: self.evidence,
            recreate: self.recreate_asked,
            pending: match self.pending {
                None => Pending::None,
                Some(pending) if self.accepts(pending.password) => Pending::Accepted,
                Some(_) => Pending::Unapplied,
            },
            published: match self.published {
                _ if self.foreign_secret => Published::Foreign,
                None => Published::Absent,
                Some(secret) if !self.accepts(secret.password) => Published::Refused,
                Some(secret) if !secret.current => Published::Stale,
                Some(_) => Published::Current,
            },
            reset_requested: self.reset_asked,
            was_ready: self.was_ready,
            unconfigured: self.our_database().is_some_and(|database| database.unconfigured),
            taken_over: self.taken_over && !self.apply_asked,
            rejected: false,
            terminating: false,
            idle_request: (self.recreate_asked || self.apply_asked) && presence == DatabasePresence::Present,
            retain: self.retain,
        }
    }

    /// Whether somebody who may still need it can find the password of our role.
    ///
    /// A role guards nothing while there is no database, nor when the database is to be dropped.
    fn password_known(&self) -> bool {
        if self.database.is_none() || (self.deleting && !self.retain) {
            return true;
        }
        self.our_role().is_none_or(|role| {
            self.pending.is_some_and(|pending| pending.password == role.password)
                || self.published.is_some_and(|secret| secret.password == role.password)
                || self.left == Some(role.password)
        })
    }

    /// Whether an action is asked for.
    fn is_anything_asked(&self) -> bool {
        self.reset_asked || self.recreate_asked || self.apply_asked
    }

    /// Whether everything is as a Ready status says.
    fn is_right(&self) -> bool {
        self.presence() == DatabasePresence::Present
            && self.our_database().is_some_and(|database| self.taken_over || !database.unconfigured)
            && self.published.is_some_and(|secret| secret.current && self.accepts(secret.password))
            && !self.foreign_secret
            && self.pending.is_none()
    }
}

impl DatabaseWorld {
    /// One pass of the driver, ended after `stop` effects (`None`: the whole plan).
    fn pass(
        &self,
        before: &DatabaseState,
        presence: DatabasePresence,
        stop: Option<usize>,
    ) -> Next<DatabaseState> {
        let mut after = before.clone();
        let mut broken = Vec::new();
        let trigger = (self.classify)(&before.view(presence));
        let step = (self.step)(before.phase, trigger);
        let name: &'static str = trigger.into();

        // record: the intent, and what was seen, before any effect
        after.phase = step.phase;
        after.was_ready |= step.phase == Phase::Ready;
        after.taken_over &= before.paused || !before.apply_asked;
        after.left = after.left.filter(|_| !after.was_ready);
        if trigger == DatabaseTrigger::RecreateRequested {
            after.taken_over = false;
            after.evidence = false;
            after.lost = false;
        } else if matches!(presence, DatabasePresence::Present | DatabasePresence::RoleMissing) {
            after.evidence = true;
        }
        promises::check_record(before, &after, trigger, &step, presence, &mut broken);

        // act
        let mut done = 0;
        for action in step.plan.iter().take(stop.unwrap_or(usize::MAX)) {
            if after.act(*action, &mut broken).is_err() {
                break;
            }
            done += 1;
        }
        if before.password_known() && !after.password_known() {
            broken.push(promises::PASSWORD_LOST);
        }
        let actions: Vec<_> =
            step.plan[..done].iter().map(|action| DatabaseMachine::action_name(*action)).collect();
        let ending = if done < step.plan.len() && stop.is_some() { ", then the operator dies" } else { "" };
        let label = match actions.is_empty() {
            true => format!("pass: {name}{ending}"),
            false => format!("pass: {name}, {}{ending}", actions.join(", ")),
        };
        Next { label, state: after, broken, taken: Some((before.phase, name)) }
    }
}

impl World for DatabaseWorld {
    type State = DatabaseState;

    fn invariants() -> &'static [Broken] {
        promises::ALL
    }

    fn initial(&self) -> Vec<DatabaseState> {
        let fresh = DatabaseState {
            phase: Phase::Pending,
            evidence: false,
            was_ready: false,
            deleting: false,
            released: false,
            paused: false,
            retain: false,
            reset_asked: false,
            recreate_asked: false,
            foreign_secret: false,
            taken_over: false,
            apply_asked: false,
            left: None,
            host: Host::Usable,
            role: None,
            database: None,
            pending: None,
            published: None,
            lost: false,
            budget: self.budget,
        };
        let foreign = Database { foreign: true, unconfigured: true, used: false };
        // What the original operator left: a database and its Secret, and an object without a phase.
        let taken_over = DatabaseState {
            taken_over: true,
            evidence: true,
            role: Some(Role { foreign: false, password: 1 }),
            database: Some(Database { foreign: false, unconfigured: true, used: true }),
            published: Some(PublishedSecret { password: 1, current: false }),
            ..fresh.clone()
        };
        // It was killed after it had changed the password; before that, nothing logs in as the role, and so it is not
        // known to be ours.
        let reset = DatabaseState { published: None, left: Some(1), ..taken_over.clone() };
        vec![
            fresh.clone(),
            taken_over,
            reset,
            DatabaseState { retain: true, ..fresh.clone() },
            DatabaseState { foreign_secret: true, ..fresh.clone() },
            DatabaseState { database: Some(foreign), ..fresh.clone() },
            DatabaseState { role: Some(Role { foreign: true, password: 0 }), ..fresh.clone() },
            DatabaseState { host: Host::Gone, ..fresh },
        ]
    }

    fn next(&self, state: &DatabaseState) -> Vec<Next<DatabaseState>> {
        if state.released {
            return Vec::new();
        }
        let mut all = vec![self.pass(state, state.presence(), None)];
        all.extend(interference::remedies(state).into_iter().map(Next::happening));
        if state.budget == 0 {
            return all;
        }
        let trigger = (self.classify)(&state.view(state.presence()));
        let plan = (self.step)(state.phase, trigger).plan.len();
        // Killed before the first effect or between two. After the last, or with its answer lost, is a whole pass: the
        // operator keeps nothing in its memory.
        let mut unlucky: Vec<_> =
            (0..plan).map(|stop| self.pass(state, state.presence(), Some(stop))).collect();
        if state.host == Host::Usable {
            unlucky.push(self.pass(state, DatabasePresence::Unreadable, None));
        }
        for next in &mut unlucky {
            next.state.budget -= 1;
        }
        all.extend(unlucky);
        all.extend(interference::all(state).into_iter().map(Next::happening));
        all
    }

    fn fair(&self, state: &DatabaseState) -> Option<(String, DatabaseState)> {
        if state.released {
            return None;
        }
        if let Some((label, next)) = interference::progress(state) {
            return Some((label.to_owned(), next));
        }
        let next = self.pass(state, state.presence(), None);
        (next.state != *state).then_some((next.label, next.state))
    }

    fn is_goal(&self, state: &DatabaseState) -> bool {
        let ready = state.phase == Phase::Ready && state.is_right() && !state.is_anything_asked();
        let waits_for_a_person = state.paused
            || matches!(state.host, Host::Going | Host::Gone)
            || state.presence() == DatabasePresence::NotOurs
            || (state.presence() == DatabasePresence::Absent && state.evidence && !state.recreate_asked)
            || state.foreign_secret;
        state.released
            || (!state.deleting && (ready || waits_for_a_person))
            || (state.deleting && state.paused)
    }
}
