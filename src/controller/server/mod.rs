//! The controller of `PostgreSQLServer`.

mod act;
mod classify;
mod describe;
mod managed;
mod observe;
mod verdict;
mod waiting;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;

use super::context::Context;
use super::failure::Failure;
use super::requests::ResetDue;
use super::settled::Memory;
use super::subject::{Note, Pass, Subject};
use crate::api::{Condition, Phase, PostgreSQLServer, ServerStatus};
use crate::fsm::CredentialsAction;
use crate::fsm::server::{ServerAction, ServerMachine, ServerTrigger};

pub use observe::ServerSeen;

/// The kind `PostgreSQLServer`.
pub struct Servers;

#[async_trait]
impl Subject for Servers {
    type Object = PostgreSQLServer;
    type Machine = ServerMachine;
    type Observation = ServerSeen;
    type Status = ServerStatus;

    fn settled() -> ServerTrigger {
        ServerTrigger::Settled
    }

    fn status(object: &PostgreSQLServer) -> Option<&ServerStatus> {
        object.status.as_ref()
    }

    fn phase(object: &PostgreSQLServer) -> Phase {
        object.status.as_ref().and_then(|status| status.phase).unwrap_or_default()
    }

    fn phase_since(object: &PostgreSQLServer) -> Option<Timestamp> {
        Some(object.status.as_ref()?.phase_since.as_ref()?.0)
    }

    fn conditions(object: &PostgreSQLServer) -> &[Condition] {
        object.status.as_ref().map_or(&[], |status| &status.conditions)
    }

    async fn observe(
        context: &Context,
        object: &PostgreSQLServer,
        written: Option<Box<Secret>>,
    ) -> Result<ServerSeen, Failure> {
        observe::observe(context, object, written).await
    }

    fn written(seen: ServerSeen) -> Option<Box<Secret>> {
        seen.credentials.written()
    }

    fn is_remembered(seen: &ServerSeen) -> bool {
        seen.credentials.remembered
    }

    fn memory(context: &Context, object: &PostgreSQLServer, seen: &ServerSeen) -> Option<Memory> {
        let login = seen.credentials.login_that_worked()?;
        Some(Memory { wishes: observe::wishes(context, object), login, database: None })
    }

    fn asked_to_wait(seen: &ServerSeen) -> Option<Duration> {
        Some(seen.retry_after()).filter(|wait| !wait.is_zero())
    }

    fn is_paused(seen: &ServerSeen) -> bool {
        seen.paused
    }

    fn classify(object: &PostgreSQLServer, seen: &ServerSeen) -> ServerTrigger {
        crate::fsm::server::classify(&classify::view(Self::phase(object), seen))
    }

    fn describe(context: &Context, pass: &Pass<'_, Self>) -> ServerStatus {
        describe::describe(context, pass)
    }

    fn describe_unobserved(
        context: &Context,
        object: &PostgreSQLServer,
        failure: &Failure,
        now: Timestamp,
    ) -> ServerStatus {
        let mut status = object.status.clone().unwrap_or_default();
        status.conditions = super::conditions::unobserved(
            &status.conditions,
            failure,
            object.metadata.generation,
            context.deadline(),
            now,
        );
        status
    }

    async fn act(
        context: &Context,
        object: &PostgreSQLServer,
        seen: &mut ServerSeen,
        trigger: ServerTrigger,
        action: ServerAction,
    ) -> Result<Vec<Note>, Failure> {
        let outcome = act::act(context, object, seen, trigger, action).await;
        seen.note();
        outcome
    }

    fn afterwards(object: &PostgreSQLServer, seen: &ServerSeen, now: Timestamp) -> Option<ServerStatus> {
        describe::afterwards(object, seen, now)
    }

    fn is_change(action: ServerAction) -> bool {
        matches!(action, ServerAction::UpdateServer | ServerAction::ConfigureServer)
    }

    fn is_of_credentials(action: ServerAction) -> bool {
        matches!(action, ServerAction::Credentials(action) if action != CredentialsAction::ReleaseFinalizer)
    }

    fn changes_object(action: ServerAction) -> bool {
        matches!(action, ServerAction::Credentials(action) if action.changes_object())
    }

    fn pace(
        context: &Context,
        object: &PostgreSQLServer,
        seen: &ServerSeen,
        trigger: ServerTrigger,
    ) -> Duration {
        let (uid, generation) = (&seen.owner.uid, object.metadata.generation);
        let wait = match trigger {
            ServerTrigger::Unreadable if seen.backend.is_err() => {
                context.pause(uid, trigger.into(), generation)
            }
            ServerTrigger::Busy | ServerTrigger::Unusable => {
                // One that is made for the first time; what mends an older one may go on and off.
                let backend = seen.backend.as_ref().ok().filter(|_| !seen.was_ready);
                let first = backend.and_then(|backend| backend.first_poll());
                context.wait_for_backend(uid, trigger.into(), generation, first)
            }
            // No longer than until it may be set once more.
            ServerTrigger::PasswordAwaited => {
                let wait = context.wait(uid, trigger.into(), generation);
                wait.min(seen.awaited.left().unwrap_or(wait))
            }
            ServerTrigger::DatabasesExist | ServerTrigger::Unreadable => {
                context.wait(uid, trigger.into(), generation)
            }
            ServerTrigger::Lost
            | ServerTrigger::Replaced
            | ServerTrigger::NotOurs
            | ServerTrigger::ServerFailed
            | ServerTrigger::Rejected
            | ServerTrigger::Protected => context.pause(uid, trigger.into(), generation),
            // Asked for before there was anything to reset; nobody wakes the object for it again.
            ServerTrigger::Settled if seen.reset_due == ResetDue::Now => context.wait_for_turn(uid),
            _ => {
                context.settled(uid);
                super::pace::settled(context, !seen.refused.is_empty())
            }
        };
        let wait = super::pace::until(wait, seen.waiting.until);
        super::pace::until_reset(wait.max(seen.retry_after()), seen.reset_due)
    }
}
