//! The transition table of a server, as a `statig` machine over [`Phase`].
//!
//! Blocking mode, no entry or exit actions: a machine is restored from the recorded phase for every step, and restoring
//! would run them again. Effects are returned as a plan instead.

use statig::prelude::*;

use super::{ServerAction, ServerMachine, ServerTrigger, Step};
use crate::api::Phase;
use crate::fsm::CredentialsAction::{
    ClearRequest, DropPending, PublishCredentials, ReleaseFinalizer, RemoveFormerSecret, RemoveSecret,
    StorePassword, VerifyLogin,
};
use ServerAction::{
    ApplyPassword, ConfigureServer, CreateServer, Credentials, DeleteServer, MarkServer, RemoveShell,
    RestorePassword, UpdateServer,
};

type Plan = &'static [ServerAction];

const CREATE: Plan = &[Credentials(StorePassword), CreateServer];
const START_RESET: Plan = &[Credentials(StorePassword)];
// Published in the same breath: until then applications read a password that is not in force any more.
const APPLY_PASSWORD: Plan = &[ApplyPassword, Credentials(VerifyLogin), Credentials(PublishCredentials)];
const RESTORE_PASSWORD: Plan = &[RestorePassword, Credentials(VerifyLogin)];
// The new server gets a password that nobody was ever given, so that it stays unused until it was seen.
const START_AGAIN: Plan = &[Credentials(DropPending), Credentials(ClearRequest)];
const PUBLISH: Plan = &[
    Credentials(PublishCredentials),
    Credentials(ClearRequest),
    Credentials(DropPending),
    Credentials(RemoveFormerSecret),
];
const RELEASE: Plan = &[Credentials(DropPending), Credentials(ReleaseFinalizer)];
const CLEAN_UP: Plan = &[Credentials(RemoveSecret), Credentials(DropPending), Credentials(ReleaseFinalizer)];

/// The phase and plan that follow.
pub(super) fn step(phase: Phase, trigger: ServerTrigger) -> Step<ServerAction> {
    let mut machine = ServerMachine.uninitialized_state_machine();
    *machine.state_mut() = phase;
    let mut plan: Plan = &[];
    let mut machine = machine.init_with_context(&mut plan);
    machine.handle_with_context(&trigger, &mut plan);
    Step { phase: *machine.state(), plan }
}

#[state_machine(initial = "Phase::Pending", state(custom, name = "Phase"), superstate(name = "ServerPhases"))]
impl ServerMachine {
    #[superstate]
    fn live(context: &mut Plan, event: &ServerTrigger) -> Outcome<Phase> {
        match event {
            ServerTrigger::Deletion => Transition(Phase::Deleting),
            ServerTrigger::Lost => Transition(Phase::Pending),
            ServerTrigger::RecreateRequested => {
                *context = START_AGAIN;
                Transition(Phase::Pending)
            }
            // Past Provisioning a missing server is a lost one, whatever the evidence says.
            ServerTrigger::Absent => Transition(Phase::Pending),
            // Whoever has said yes is not asked again at once.
            ServerTrigger::PasswordAwaited => Transition(Phase::ResettingPassword),
            ServerTrigger::PasswordUnapplied => {
                *context = APPLY_PASSWORD;
                Transition(Phase::ResettingPassword)
            }
            ServerTrigger::ResetRequested => {
                *context = START_RESET;
                Transition(Phase::ResettingPassword)
            }
            ServerTrigger::CredentialsRefused => {
                *context = RESTORE_PASSWORD;
                Transition(Phase::ResettingPassword)
            }
            ServerTrigger::Differs => {
                *context = &[UpdateServer];
                Transition(Phase::Provisioning)
            }
            ServerTrigger::Unconfigured => {
                *context = &[ConfigureServer];
                Transition(Phase::Configuring)
            }
            ServerTrigger::Unpublished => {
                *context = PUBLISH;
                Transition(Phase::Configuring)
            }
            ServerTrigger::Mismarked => {
                *context = &[MarkServer];
                Handled
            }
            ServerTrigger::IdleRequest => {
                *context = &[Credentials(ClearRequest)];
                Handled
            }
            ServerTrigger::Settled => Transition(Phase::Ready),
            ServerTrigger::Paused
            | ServerTrigger::NotOurs
            | ServerTrigger::Replaced
            | ServerTrigger::Unreadable
            | ServerTrigger::Busy
            | ServerTrigger::Unusable
            | ServerTrigger::CreateFailed
            | ServerTrigger::ServerFailed
            | ServerTrigger::Rejected => Handled,
            ServerTrigger::DatabasesExist
            | ServerTrigger::Protected
            | ServerTrigger::Retained
            | ServerTrigger::RetainedUnpublished
            | ServerTrigger::Present
            | ServerTrigger::Gone => Handled,
        }
    }

    #[state(superstate = "live")]
    fn pending(context: &mut Plan, event: &ServerTrigger) -> Outcome<Phase> {
        match event {
            ServerTrigger::Absent => {
                *context = CREATE;
                Transition(Phase::Provisioning)
            }
            ServerTrigger::Busy | ServerTrigger::Unusable => Transition(Phase::Provisioning),
            ServerTrigger::CreateFailed => {
                *context = &[RemoveShell];
                Transition(Phase::Provisioning)
            }
            _ => Super,
        }
    }

    #[state(superstate = "live")]
    fn provisioning(context: &mut Plan, event: &ServerTrigger) -> Outcome<Phase> {
        match event {
            ServerTrigger::Absent => {
                *context = CREATE;
                Handled
            }
            ServerTrigger::CreateFailed => {
                *context = &[RemoveShell];
                Handled
            }
            _ => Super,
        }
    }

    #[state(superstate = "live")]
    fn configuring(event: &ServerTrigger) -> Outcome<Phase> {
        let _ = event;
        Super
    }

    #[state(superstate = "live")]
    fn ready(event: &ServerTrigger) -> Outcome<Phase> {
        let _ = event;
        Super
    }

    #[state(superstate = "live")]
    fn resetting_password(context: &mut Plan, event: &ServerTrigger) -> Outcome<Phase> {
        match event {
            ServerTrigger::Unpublished => {
                *context = PUBLISH;
                Handled
            }
            _ => Super,
        }
    }

    #[state]
    fn deleting(context: &mut Plan, event: &ServerTrigger) -> Outcome<Phase> {
        *context = match event {
            ServerTrigger::Present => &[DeleteServer],
            ServerTrigger::Unpublished => PUBLISH,
            ServerTrigger::Mismarked => &[MarkServer],
            ServerTrigger::Retained => RELEASE,
            ServerTrigger::RetainedUnpublished => &[Credentials(ReleaseFinalizer)],
            ServerTrigger::Gone => CLEAN_UP,
            _ => &[],
        };
        Handled
    }
}
