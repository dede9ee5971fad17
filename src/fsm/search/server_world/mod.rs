//! A small world around the server machine: one object, one server name, two Secrets, a user, and bad luck.

mod effects;
mod interference;
mod promises;

use super::{Broken, Next, World};
use crate::api::Phase;
use crate::fsm::server::{Presence, ServerAction, ServerMachine, ServerTrigger, ServerView, classify};
use crate::fsm::{Machine, Pending, Published, Step};

/// What the server of the world is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Creating,
    FailedNew,
    Available,
    /// Not taking connections; comes back by itself.
    Down,
    /// Not taking connections until it is updated.
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Server {
    foreign: bool,
    uid: u8,
    password: u8,
    stage: Stage,
    differs: bool,
    unconfigured: bool,
    /// It bears the mark that it was left.
    marked: bool,
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

/// Everything there is in the world of one server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ServerState {
    phase: Phase,
    recorded_uid: Option<u8>,
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
    server: Option<Server>,
    pending: Option<PendingSecret>,
    published: Option<PublishedSecret>,
    /// History, not visible to the machine: a server whose credentials were handed out is gone, and nobody agreed.
    lost: bool,
    budget: u8,
}

/// How the world asks the machine for its answer, so that the tests can put a broken one in its place.
pub type ServerStepFn = fn(Phase, ServerTrigger) -> Step<ServerAction>;

/// How the world asks for the trigger, so that the tests can put a broken one in its place.
pub type ServerClassifyFn = fn(&ServerView) -> ServerTrigger;

/// The server machine in its surroundings.
pub struct ServerWorld {
    /// How many faults and interferences a run may hold.
    pub budget: u8,
    /// The machine under search.
    pub step: ServerStepFn,
    /// The classification under search.
    pub classify: ServerClassifyFn,
}

impl ServerWorld {
    /// The product's machine.
    pub fn new(budget: u8) -> Self {
        Self { budget, step: ServerMachine::step, classify }
    }
}

impl std::fmt::Debug for ServerState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.phase)?;
        for (name, holds) in [
            ("was-ready", self.was_ready),
            ("deleting", self.deleting),
            ("released", self.released),
            ("paused", self.paused),
            ("retain", self.retain),
            ("reset-asked", self.reset_asked),
            ("recreate-asked", self.recreate_asked),
            ("foreign-secret", self.foreign_secret),
            ("taken-over", self.taken_over),
            ("apply-asked", self.apply_asked),
            ("lost", self.lost),
        ] {
            if holds {
                write!(f, " {name}")?;
            }
        }
        match self.server {
            None => write!(f, " | no server")?,
            Some(server) => {
                let whose = if server.foreign { "foreign " } else { "" };
                write!(f, " | {whose}server {} {:?} password {}", server.uid, server.stage, server.password)?;
                if server.differs {
                    write!(f, " differs")?;
                }
                if server.unconfigured {
                    write!(f, " unconfigured")?;
                }
                if server.marked {
                    write!(f, " marked")?;
                }
            }
        }
        write!(f, " | recorded {:?}", self.recorded_uid)?;
        write!(f, " | pending {:?}", self.pending.map(|pending| pending.password))?;
        match self.published {
            None => write!(f, " | published None"),
            Some(secret) if secret.current => write!(f, " | published {}", secret.password),
            Some(secret) => write!(f, " | published {} out of date", secret.password),
        }
    }
}

impl ServerState {
    fn usable(&self) -> Option<Server> {
        self.server.filter(|server| !server.foreign && server.stage == Stage::Available)
    }

    fn presence(&self) -> Presence {
        match self.server {
            None => Presence::Absent,
            Some(server) if server.foreign => Presence::NotOurs,
            Some(server) if self.recorded_uid.is_some_and(|uid| uid != server.uid) => Presence::Replaced,
            Some(server) => match server.stage {
                Stage::Creating => Presence::Busy,
                Stage::FailedNew => Presence::FailedNew,
                Stage::Available => Presence::Usable,
                Stage::Down | Stage::Stopped => Presence::Unusable,
            },
        }
    }

    fn view(&self, presence: Presence) -> ServerView {
        let accepts = |password: u8| self.usable().is_some_and(|server| server.password == password);
        let server = self.server.filter(|server| !server.foreign);
        ServerView {
            phase: self.phase,
            deleting: self.deleting,
            paused: self.paused,
            presence,
            evidence: self.recorded_uid.is_some(),
            settling: false,
            recreate: self.recreate_asked,
            pending: match self.pending {
                None => Pending::None,
                Some(pending) if accepts(pending.password) => Pending::Accepted,
                Some(_) => Pending::Unapplied,
            },
            published: match self.published {
                _ if self.foreign_secret => Published::Foreign,
                None => Published::Absent,
                Some(secret) if !accepts(secret.password) => Published::Refused,
                Some(secret) if !secret.current => Published::Stale,
                Some(_) => Published::Current,
            },
            awaited: false,
            reset_requested: self.reset_asked,
            was_ready: self.was_ready,
            differs: server.is_some_and(|server| server.differs),
            revivable: server.is_some_and(|server| server.stage == Stage::Stopped),
            unconfigured: server.is_some_and(|server| server.unconfigured),
            taken_over: self.taken_over && !self.apply_asked,
            rejected: false,
            terminating: false,
            idle_request: (self.recreate_asked || self.apply_asked) && presence == Presence::Usable,
            retain: self.retain,
            referenced: false,
            protected: false,
            mismarked: self.is_mismarked(),
        }
    }

    /// Whether an action is asked for.
    fn is_anything_asked(&self) -> bool {
        self.reset_asked || self.recreate_asked || self.apply_asked
    }

    /// Whether everything is as a Ready status says.
    fn is_right(&self) -> bool {
        self.usable().is_some_and(|server| {
            (self.taken_over || !(server.differs || server.unconfigured))
                && !self.is_mismarked()
                && self.recorded_uid.is_none_or(|uid| uid == server.uid)
                && self.published.is_some_and(|secret| secret.current && secret.password == server.password)
        }) && !self.foreign_secret
            && self.pending.is_none()
    }
}

impl ServerWorld {
    /// One pass of the driver, ended after `stop` effects (`None`: the whole plan).
    fn pass(&self, before: &ServerState, presence: Presence, stop: Option<usize>) -> Next<ServerState> {
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
        if trigger == ServerTrigger::RecreateRequested {
            after.taken_over = false;
            after.recorded_uid = None;
            after.lost = false;
        } else if let (Presence::Usable, Some(server)) = (presence, before.server) {
            after.recorded_uid = after.recorded_uid.or(Some(server.uid));
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
            step.plan[..done].iter().map(|action| ServerMachine::action_name(*action)).collect();
        let ending = if done < step.plan.len() && stop.is_some() { ", then the operator dies" } else { "" };
        let label = match actions.is_empty() {
            true => format!("pass: {name}{ending}"),
            false => format!("pass: {name}, {}{ending}", actions.join(", ")),
        };
        Next { label, state: after, broken, taken: Some((before.phase, name)) }
    }
}

impl World for ServerWorld {
    type State = ServerState;

    fn invariants() -> &'static [Broken] {
        promises::ALL
    }

    fn initial(&self) -> Vec<ServerState> {
        let fresh = ServerState {
            phase: Phase::Pending,
            recorded_uid: None,
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
            server: None,
            pending: None,
            published: None,
            lost: false,
            budget: self.budget,
        };
        let foreign = Server {
            foreign: true,
            uid: 0,
            password: 0,
            stage: Stage::Available,
            differs: true,
            unconfigured: true,
            marked: false,
        };
        // What the original operator left: a server and its Secret, and an object without a phase.
        let taken_over = ServerState {
            taken_over: true,
            recorded_uid: Some(1),
            server: Some(Server { foreign: false, uid: 1, password: 1, ..foreign }),
            published: Some(PublishedSecret { password: 1, current: false }),
            ..fresh.clone()
        };
        // It was killed while it changed the password: before the server had the new one, or after.
        let half_reset = ServerState { published: None, left: Some(2), ..taken_over.clone() };
        let reset = ServerState { left: Some(1), ..half_reset.clone() };
        // An earlier object of that name went, and left its server.
        let left = ServerState {
            retain: true,
            server: taken_over.server.map(|server| Server { marked: true, ..server }),
            ..taken_over.clone()
        };
        let half_made = ServerState {
            recorded_uid: None,
            server: reset.server.map(|server| Server { stage: Stage::Creating, differs: false, ..server }),
            ..reset.clone()
        };
        vec![
            taken_over,
            ServerState { retain: true, ..fresh.clone() },
            ServerState { foreign_secret: true, ..fresh.clone() },
            ServerState { server: Some(foreign), ..fresh.clone() },
            fresh,
            half_made,
            half_reset,
            left,
            reset,
        ]
    }

    fn next(&self, state: &ServerState) -> Vec<Next<ServerState>> {
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
        unlucky.push(self.pass(state, Presence::Unreadable, None));
        for next in &mut unlucky {
            next.state.budget -= 1;
        }
        all.extend(unlucky);
        all.extend(interference::all(state).into_iter().map(Next::happening));
        all
    }

    fn fair(&self, state: &ServerState) -> Option<(String, ServerState)> {
        if state.released {
            return None;
        }
        if let Some((label, next)) = interference::progress(state) {
            return Some((label.to_owned(), next));
        }
        let next = self.pass(state, state.presence(), None);
        (next.state != *state).then_some((next.label, next.state))
    }

    fn is_goal(&self, state: &ServerState) -> bool {
        let ready = state.phase == Phase::Ready && state.is_right() && !state.is_anything_asked();
        // Starting it, or removing what failed, would be a write.
        let untouched = state.taken_over
            && state.server.is_some_and(|server| matches!(server.stage, Stage::Stopped | Stage::FailedNew));
        let waits_for_a_person = state.paused
            || untouched
            || matches!(state.presence(), Presence::NotOurs | Presence::Replaced)
            || (state.presence() == Presence::Absent
                && state.recorded_uid.is_some()
                && !state.recreate_asked)
            || state.foreign_secret;
        state.released
            || (!state.deleting && (ready || waits_for_a_person))
            || (state.deleting && state.paused)
    }
}
