//! A small world around the server machine: one object, one server name, two Secrets, a user, and bad luck.

use super::{Broken, Next, Promise, World};
use crate::api::Phase;
use crate::fsm::server::{Presence, ServerAction, ServerMachine, ServerTrigger, ServerView, classify};
use crate::fsm::{CredentialsAction, Machine, Pending, Published, Step};

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
    server: Option<Server>,
    pending: Option<PendingSecret>,
    published: Option<PublishedSecret>,
    /// History, not visible to the machine: a server whose credentials were handed out is gone, and nobody agreed.
    lost: bool,
    passwords_drawn: u8,
    servers_made: u8,
    budget: u8,
}

/// The function under search, so that the tests can put a broken one in its place.
pub type StepFn = fn(Phase, ServerTrigger) -> Step<ServerAction>;

/// The server machine in its surroundings.
pub struct ServerWorld {
    /// How many faults and interferences a run may hold.
    pub budget: u8,
    /// The machine under search.
    pub step: StepFn,
}

impl ServerWorld {
    /// The product's machine.
    pub fn new(budget: u8) -> Self {
        Self { budget, step: ServerMachine::step }
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
            reset_requested: self.reset_asked,
            was_ready: self.was_ready,
            differs: server.is_some_and(|server| server.differs),
            revivable: server.is_some_and(|server| server.stage == Stage::Stopped),
            unconfigured: server.is_some_and(|server| server.unconfigured),
            rejected: false,
            terminating: false,
            idle_request: self.recreate_asked && presence == Presence::Usable,
            retain: self.retain,
            referenced: false,
            protected: false,
        }
    }

    /// Whether somebody who may still need it can find the password of our server.
    fn password_known(&self) -> bool {
        self.server.filter(|server| !server.foreign).is_none_or(|server| {
            self.pending.is_some_and(|pending| pending.password == server.password)
                || self.published.is_some_and(|secret| secret.password == server.password)
        })
    }

    /// Whether somebody was given credentials that log in to our server, so that it may hold data.
    fn handed_out(&self) -> bool {
        let published = self.published.map(|secret| secret.password);
        self.server.is_some_and(|server| published == Some(server.password))
    }

    /// Whether everything is as a Ready status says.
    fn is_right(&self) -> bool {
        self.usable().is_some_and(|server| {
            !server.differs
                && !server.unconfigured
                && self.recorded_uid.is_none_or(|uid| uid == server.uid)
                && self.published.is_some_and(|secret| secret.current && secret.password == server.password)
        }) && self.pending.is_none()
    }

    /// The effect of one action; `Err` when it is refused without effect.
    fn act(&mut self, action: ServerAction, broken: &mut Vec<Broken>) -> Result<(), ()> {
        if let Some(server) = self.server {
            let touches = matches!(
                action,
                ServerAction::UpdateServer
                    | ServerAction::ConfigureServer
                    | ServerAction::ApplyPassword
                    | ServerAction::RestorePassword
                    | ServerAction::DeleteServer
                    | ServerAction::RemoveShell
            );
            if touches && server.foreign {
                broken.push(Broken {
                    promise: Promise::NoIdleWrite,
                    what: "a server of somebody else is written to",
                });
            }
        }
        match action {
            ServerAction::CreateServer => {
                if self.server.is_some() {
                    return Err(());
                }
                if self.lost {
                    broken.push(Broken {
                        promise: Promise::NothingLost,
                        what: "an empty server takes the place of a lost one",
                    });
                }
                let pending = self.pending.ok_or(())?;
                self.servers_made += 1;
                self.server = Some(Server {
                    foreign: false,
                    uid: self.servers_made,
                    password: pending.password,
                    stage: Stage::Creating,
                    differs: false,
                    unconfigured: true,
                });
            }
            ServerAction::RemoveShell => {
                self.server.filter(|server| server.stage == Stage::FailedNew).ok_or(())?;
                self.server = None;
            }
            ServerAction::UpdateServer => {
                let server = self.server.as_mut().ok_or(())?;
                if !server.differs && server.stage == Stage::Available {
                    broken.push(Broken {
                        promise: Promise::NoIdleWrite,
                        what: "an update without a difference",
                    });
                }
                server.differs = false;
                if server.stage == Stage::Stopped {
                    server.stage = Stage::Available;
                }
            }
            ServerAction::ConfigureServer => {
                let server = self.server.as_mut().ok_or(())?;
                if !server.unconfigured {
                    broken.push(Broken {
                        promise: Promise::NoIdleWrite,
                        what: "a configuration without a difference",
                    });
                }
                server.unconfigured = false;
            }
            ServerAction::ApplyPassword => {
                self.set_password(self.pending.map(|pending| pending.password), broken)?
            }
            ServerAction::RestorePassword => {
                self.set_password(self.published.map(|secret| secret.password), broken)?
            }
            ServerAction::DeleteServer => {
                if !self.deleting || self.retain {
                    broken.push(Broken {
                        promise: Promise::NothingLost,
                        what: "a server is deleted that was to stay",
                    });
                }
                self.server = None;
            }
            ServerAction::Credentials(action) => self.act_on_credentials(action, broken)?,
        }
        Ok(())
    }

    fn set_password(&mut self, password: Option<u8>, broken: &mut Vec<Broken>) -> Result<(), ()> {
        let password = password.ok_or(())?;
        let server = self.server.as_mut().filter(|server| server.stage == Stage::Available).ok_or(())?;
        if server.password == password {
            broken.push(Broken {
                promise: Promise::NoIdleWrite,
                what: "a password is set that is in force already",
            });
        }
        server.password = password;
        Ok(())
    }

    fn act_on_credentials(&mut self, action: CredentialsAction, broken: &mut Vec<Broken>) -> Result<(), ()> {
        match action {
            CredentialsAction::StorePassword => {
                if self.pending.is_none() {
                    self.passwords_drawn += 1;
                    self.pending = Some(PendingSecret {
                        password: self.passwords_drawn,
                        settles_reset: self.reset_asked,
                    });
                }
            }
            CredentialsAction::VerifyLogin => {
                let password =
                    self.pending.map(|p| p.password).or(self.published.map(|p| p.password)).ok_or(())?;
                self.usable().filter(|server| server.password == password).ok_or(())?;
            }
            CredentialsAction::PublishCredentials => {
                if self.foreign_secret {
                    return Err(());
                }
                let password =
                    self.pending.map(|p| p.password).or(self.published.map(|p| p.password)).ok_or(())?;
                if self.usable().is_some_and(|server| server.password != password) {
                    broken.push(Broken {
                        promise: Promise::StatusTrue,
                        what: "a password is published that the server refuses",
                    });
                }
                self.published = Some(PublishedSecret { password, current: true });
            }
            CredentialsAction::ClearRequest => {
                self.recreate_asked = false;
                if self.pending.is_some_and(|pending| pending.settles_reset) {
                    self.reset_asked = false;
                }
            }
            CredentialsAction::DropPending => self.pending = None,
            CredentialsAction::RemoveFormerSecret => {}
            CredentialsAction::RemoveSecret => self.published = None,
            CredentialsAction::ReleaseFinalizer => {
                if self.server.is_some_and(|server| !server.foreign)
                    && !self.retain
                    && self.presence() != Presence::Replaced
                {
                    broken.push(Broken {
                        promise: Promise::NothingLost,
                        what: "the object goes and its server stays behind",
                    });
                }
                self.released = true;
            }
        }
        Ok(())
    }
}

impl ServerWorld {
    /// One pass of the driver, ended after `stop` effects (`None`: the whole plan).
    fn pass(
        &self,
        before: &ServerState,
        presence: Presence,
        stop: Option<usize>,
    ) -> (String, ServerState, Vec<Broken>) {
        let mut after = before.clone();
        let mut broken = Vec::new();
        let trigger = classify(&before.view(presence));
        let step = (self.step)(before.phase, trigger);
        let name: &str = trigger.into();

        // record: the intent, and what was seen, before any effect
        after.phase = step.phase;
        after.was_ready |= step.phase == Phase::Ready;
        if trigger == ServerTrigger::RecreateRequested {
            after.recorded_uid = None;
            after.lost = false;
        } else if let (Presence::Usable, Some(server)) = (presence, before.server) {
            after.recorded_uid = after.recorded_uid.or(Some(server.uid));
        }
        if step.phase == Phase::Ready && trigger == ServerTrigger::Settled && !after.is_right() {
            broken.push(Broken {
                promise: Promise::StatusTrue,
                what: "Ready is recorded while something is not right",
            });
        }
        if before.phase == Phase::Ready
            && before.is_right()
            && trigger == ServerTrigger::Settled
            && !step.plan.is_empty()
        {
            broken.push(Broken {
                promise: Promise::NoIdleWrite,
                what: "something is done when nothing is to be done",
            });
        }
        if before.paused && !step.plan.is_empty() {
            broken.push(Broken { promise: Promise::NoIdleWrite, what: "something is done while paused" });
        }

        // act
        let mut done = 0;
        let limit = stop.unwrap_or(usize::MAX);
        for action in step.plan.iter().take(limit) {
            if after.act(*action, &mut broken).is_err() {
                break;
            }
            done += 1;
        }
        if before.password_known() && !after.password_known() {
            broken.push(Broken {
                promise: Promise::NothingLost,
                what: "nobody has the password of the server any more",
            });
        }
        let actions: Vec<_> =
            step.plan[..done].iter().map(|action| ServerMachine::action_name(*action)).collect();
        let ending = if done < step.plan.len() && stop.is_some() { ", then the operator dies" } else { "" };
        let label = match actions.is_empty() {
            true => format!("pass: {name}{ending}"),
            false => format!("pass: {name}, {}{ending}", actions.join(", ")),
        };
        (label, after, broken)
    }

    /// Everything users and bad luck can do.
    fn interferences(state: &ServerState) -> Vec<(&'static str, ServerState)> {
        let mut all = Vec::new();
        let mut add = |label, applies: bool, change: &dyn Fn(&mut ServerState)| {
            if applies {
                let mut next = state.clone();
                change(&mut next);
                next.budget -= 1;
                all.push((label, next));
            }
        };
        let live = !state.deleting;
        let available = state.usable().is_some();
        fn on(state: &mut ServerState, change: impl Fn(&mut Server)) {
            if let Some(server) = state.server.as_mut() {
                change(server);
            }
        }
        add("user deletes the object", live, &|s| s.deleting = true);
        add("user asks for a reset", live && !state.reset_asked, &|s| s.reset_asked = true);
        add("user asks to recreate", live && !state.recreate_asked, &|s| s.recreate_asked = true);
        add("user pauses", !state.paused, &|s| s.paused = true);
        add("user deletes the Secret", state.published.is_some(), &|s| s.published = None);
        add("user deletes the pending Secret", state.pending.is_some(), &|s| s.pending = None);
        add("a foreign Secret takes the name", state.published.is_none() && !state.foreign_secret, &|s| {
            s.foreign_secret = true;
        });
        add("somebody changes the password", available, &|s| on(s, |server| server.password = 0));
        add("the server drifts", available, &|s| on(s, |server| server.differs = true));
        add("a setting drifts", available, &|s| on(s, |server| server.unconfigured = true));
        add("the endpoint moves", available && state.published.is_some(), &|s| {
            s.published = s.published.map(|secret| PublishedSecret { current: false, ..secret });
        });
        add("the server goes down", available, &|s| on(s, |server| server.stage = Stage::Down));
        add("the server is stopped", available, &|s| on(s, |server| server.stage = Stage::Stopped));
        add("the server vanishes", available, &|s| {
            s.lost |= s.handed_out();
            s.server = None;
        });
        add("the server is replaced by another", available, &|s| {
            s.lost |= s.handed_out();
            s.servers_made += 1;
            let uid = s.servers_made;
            on(s, |server| {
                server.uid = uid;
                server.password = 0;
            });
        });
        add("the server passes to somebody else", available, &|s| on(s, |server| server.foreign = true));
        let creating = state.server.is_some_and(|server| server.stage == Stage::Creating);
        add("creation fails", creating, &|s| on(s, |server| server.stage = Stage::FailedNew));
        all
    }

    fn progress(state: &ServerState) -> Option<ServerState> {
        let server = state.server?;
        matches!(server.stage, Stage::Creating | Stage::Down).then(|| {
            let mut next = state.clone();
            next.server = Some(Server { stage: Stage::Available, ..server });
            next
        })
    }
}

impl World for ServerWorld {
    type State = ServerState;

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
            server: None,
            pending: None,
            published: None,
            lost: false,
            passwords_drawn: 0,
            servers_made: 0,
            budget: self.budget,
        };
        let foreign = Server {
            foreign: true,
            uid: 0,
            password: 0,
            stage: Stage::Available,
            differs: true,
            unconfigured: true,
        };
        vec![
            ServerState { retain: true, ..fresh.clone() },
            ServerState { foreign_secret: true, ..fresh.clone() },
            ServerState { server: Some(foreign), ..fresh.clone() },
            fresh,
        ]
    }

    fn next(&self, state: &ServerState) -> Vec<Next<ServerState>> {
        if state.released {
            return Vec::new();
        }
        let mut all = Vec::new();
        let (label, after, broken) = self.pass(state, state.presence(), None);
        all.push(Next { label, state: after, broken });
        if let Some(next) = Self::progress(state) {
            all.push(Next { label: "the server gets ready".to_owned(), state: next, broken: Vec::new() });
        }
        if state.paused {
            all.push(Next {
                label: "user ends the pause".to_owned(),
                state: ServerState { paused: false, ..state.clone() },
                broken: Vec::new(),
            });
        }
        if state.foreign_secret {
            all.push(Next {
                label: "the foreign Secret is removed".to_owned(),
                state: ServerState { foreign_secret: false, ..state.clone() },
                broken: Vec::new(),
            });
        }
        if state.budget == 0 {
            return all;
        }
        let plan = (self.step)(state.phase, classify(&state.view(state.presence()))).plan.len();
        // Killed before the first effect, between two, or after the last with its answer lost.
        for stop in 0..=plan {
            let (label, mut after, broken) = self.pass(state, state.presence(), Some(stop));
            after.budget -= 1;
            all.push(Next { label, state: after, broken });
        }
        let (label, mut after, broken) = self.pass(state, Presence::Unreadable, None);
        after.budget -= 1;
        all.push(Next { label, state: after, broken });
        for (label, after) in Self::interferences(state) {
            all.push(Next { label: label.to_owned(), state: after, broken: Vec::new() });
        }
        all
    }

    fn fair(&self, state: &ServerState) -> Option<(String, ServerState)> {
        if state.released {
            return None;
        }
        if let Some(next) = Self::progress(state) {
            return Some(("the server gets ready".to_owned(), next));
        }
        let (label, after, _) = self.pass(state, state.presence(), None);
        (after != *state).then_some((label, after))
    }

    fn is_goal(&self, state: &ServerState) -> bool {
        let ready =
            state.phase == Phase::Ready && state.is_right() && !state.reset_asked && !state.recreate_asked;
        let waits_for_a_person = state.paused
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
