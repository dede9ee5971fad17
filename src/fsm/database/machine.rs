//! The transition table of a database, as a `statig` machine over [`Phase`]; see the server's for the rules of the house.

use statig::prelude::*;

use super::{DatabaseAction, DatabaseMachine, DatabaseTrigger, Step};
use crate::api::Phase;
use crate::fsm::CredentialsAction::{
    ClearRequest, DropPending, PublishCredentials, ReleaseFinalizer, RemoveFormerSecret, RemoveSecret,
    StorePassword, VerifyLogin,
};
use DatabaseAction::{
    ApplyPassword, ConfigureDatabase, CreateDatabase, CreateRole, Credentials, DropDatabase, DropRole,
    RestorePassword,
};

type Plan = &'static [DatabaseAction];

const CREATE: Plan = &[Credentials(StorePassword), CreateRole, CreateDatabase];
const RECREATE_ROLE: Plan = &[Credentials(StorePassword), CreateRole];
const START_RESET: Plan = &[Credentials(StorePassword)];
// Published in the same breath: until then applications read a password that is not in force any more.
const APPLY_PASSWORD: Plan = &[ApplyPassword, Credentials(VerifyLogin), Credentials(PublishCredentials)];
const RESTORE_PASSWORD: Plan = &[RestorePassword, Credentials(VerifyLogin)];
const START_AGAIN: Plan = &[Credentials(DropPending), Credentials(ClearRequest)];
const PUBLISH: Plan = &[
    Credentials(PublishCredentials),
    Credentials(ClearRequest),
    Credentials(DropPending),
    Credentials(RemoveFormerSecret),
];
const RELEASE: Plan = &[Credentials(DropPending), Credentials(ReleaseFinalizer)];
const CLEAN_UP: Plan = &[Credentials(RemoveSecret), Credentials(DropPending), Credentials(ReleaseFinalizer)];
// A role without its database still holds grants, so it is dropped also when the database is gone already.
const DROP: Plan = &[DropDatabase, DropRole];
const DROP_ROLE_AND_CLEAN_UP: Plan =
    &[DropRole, Credentials(RemoveSecret), Credentials(DropPending), Credentials(ReleaseFinalizer)];

/// The phase and plan that follow.
pub(super) fn step(phase: Phase, trigger: DatabaseTrigger) -> Step<DatabaseAction> {
    let mut machine = DatabaseMachine.uninitialized_state_machine();
    *machine.state_mut() = phase;
    let mut plan: Plan = &[];
    let mut machine = machine.init_with_context(&mut plan);
    machine.handle_with_context(&trigger, &mut plan);
    Step { phase: *machine.state(), plan }
}

#[state_machine(
    initial = "Phase::Pending",
    state(custom, name = "Phase"),
    superstate(name = "DatabasePhases")
)]
impl DatabaseMachine {
    #[superstate]
    fn live(context: &mut Plan, event: &DatabaseTrigger) -> Outcome<Phase> {
        match event {
            DatabaseTrigger::Deletion => Transition(Phase::Deleting),
            DatabaseTrigger::Lost => Transition(Phase::Pending),
            DatabaseTrigger::RecreateRequested => {
                *context = START_AGAIN;
                Transition(Phase::Pending)
            }
            // Past Provisioning a missing database is a lost one, whatever the evidence says.
            DatabaseTrigger::Absent => Transition(Phase::Pending),
            DatabaseTrigger::RoleMissing => {
                *context = RECREATE_ROLE;
                Transition(Phase::ResettingPassword)
            }
            DatabaseTrigger::PasswordUnapplied => {
                *context = APPLY_PASSWORD;
                Transition(Phase::ResettingPassword)
            }
            DatabaseTrigger::ResetRequested => {
                *context = START_RESET;
                Transition(Phase::ResettingPassword)
            }
            DatabaseTrigger::CredentialsRefused => {
                *context = RESTORE_PASSWORD;
                Transition(Phase::ResettingPassword)
            }
            DatabaseTrigger::Unconfigured => {
                *context = &[ConfigureDatabase];
                Transition(Phase::Configuring)
            }
            DatabaseTrigger::Unpublished => {
                *context = PUBLISH;
                Transition(Phase::Configuring)
            }
            DatabaseTrigger::IdleRequest => {
                *context = &[Credentials(ClearRequest)];
                Handled
            }
            DatabaseTrigger::Settled => Transition(Phase::Ready),
            DatabaseTrigger::Paused
            | DatabaseTrigger::WaitingForServer
            | DatabaseTrigger::Unreadable
            | DatabaseTrigger::NotOurs
            | DatabaseTrigger::Rejected => Handled,
            DatabaseTrigger::Abandoned
            | DatabaseTrigger::Retained
            | DatabaseTrigger::RetainedUnpublished
            | DatabaseTrigger::Present
            | DatabaseTrigger::Gone => Handled,
        }
    }

    #[state(superstate = "live")]
    fn pending(context: &mut Plan, event: &DatabaseTrigger) -> Outcome<Phase> {
        match event {
            DatabaseTrigger::Absent => {
                *context = CREATE;
                Transition(Phase::Provisioning)
            }
            _ => Super,
        }
    }

    #[state(superstate = "live")]
    fn provisioning(context: &mut Plan, event: &DatabaseTrigger) -> Outcome<Phase> {
        match event {
            DatabaseTrigger::Absent => {
                *context = CREATE;
                Handled
            }
            _ => Super,
        }
    }

    #[state(superstate = "live")]
    fn configuring(event: &DatabaseTrigger) -> Outcome<Phase> {
        let _ = event;
        Super
    }

    #[state(superstate = "live")]
    fn ready(event: &DatabaseTrigger) -> Outcome<Phase> {
        let _ = event;
        Super
    }

    #[state(superstate = "live")]
    fn resetting_password(context: &mut Plan, event: &DatabaseTrigger) -> Outcome<Phase> {
        match event {
            DatabaseTrigger::Unpublished => {
                *context = PUBLISH;
                Handled
            }
            _ => Super,
        }
    }

    #[state]
    fn deleting(context: &mut Plan, event: &DatabaseTrigger) -> Outcome<Phase> {
        *context = match event {
            DatabaseTrigger::Present => DROP,
            DatabaseTrigger::Unpublished => PUBLISH,
            DatabaseTrigger::Retained => RELEASE,
            DatabaseTrigger::RetainedUnpublished => &[Credentials(ReleaseFinalizer)],
            DatabaseTrigger::Abandoned => CLEAN_UP,
            DatabaseTrigger::Gone => DROP_ROLE_AND_CLEAN_UP,
            _ => &[],
        };
        Handled
    }
}
