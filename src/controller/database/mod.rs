//! The controller of `PostgreSQLDatabase`.

mod act;
mod classify;
mod describe;
mod observe;
mod server;
mod verdict;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;

use super::context::Context;
use super::failure::Failure;
use super::requests::ResetDue;
use super::settled::Memory;
use super::subject::{Note, Pass, Subject};
use super::turns::Claim;
use crate::api::{Condition, DatabaseStatus, Phase, PostgreSQLDatabase};
use crate::fsm::CredentialsAction;
use crate::fsm::database::{DatabaseAction, DatabaseMachine, DatabaseTrigger};

pub use observe::DatabaseSeen;

/// The kind `PostgreSQLDatabase`.
pub struct Databases;

#[async_trait]
impl Subject for Databases {
    type Object = PostgreSQLDatabase;
    type Machine = DatabaseMachine;
    type Observation = DatabaseSeen;
    type Status = DatabaseStatus;

    fn settled() -> DatabaseTrigger {
        DatabaseTrigger::Settled
    }

    fn status(object: &PostgreSQLDatabase) -> Option<&DatabaseStatus> {
        object.status.as_ref()
    }

    fn phase(object: &PostgreSQLDatabase) -> Phase {
        object.status.as_ref().and_then(|status| status.phase).unwrap_or_default()
    }

    fn phase_since(object: &PostgreSQLDatabase) -> Option<Timestamp> {
        Some(object.status.as_ref()?.phase_since.as_ref()?.0)
    }

    fn conditions(object: &PostgreSQLDatabase) -> &[Condition] {
        object.status.as_ref().map_or(&[], |status| &status.conditions)
    }

    async fn observe(
        context: &Context,
        object: &PostgreSQLDatabase,
        written: Option<Box<Secret>>,
    ) -> Result<DatabaseSeen, Failure> {
        observe::observe(context, object, written).await
    }

    fn written(seen: DatabaseSeen) -> Option<Box<Secret>> {
        seen.credentials.written()
    }

    fn is_remembered(seen: &DatabaseSeen) -> bool {
        seen.remembered || seen.credentials.remembered
    }

    fn memory(context: &Context, object: &PostgreSQLDatabase, seen: &DatabaseSeen) -> Option<Memory> {
        let login = seen.credentials.login_that_worked()?;
        let wishes = context.settled.wishes(object, seen.server.access.as_ref()?.parts());
        Some(Memory { wishes, login, database: seen.state.clone().and_then(Result::ok) })
    }

    fn is_paused(seen: &DatabaseSeen) -> bool {
        seen.paused
    }

    fn classify(object: &PostgreSQLDatabase, seen: &DatabaseSeen) -> DatabaseTrigger {
        crate::fsm::database::classify(&classify::view(Self::phase(object), seen))
    }

    fn describe(context: &Context, pass: &Pass<'_, Self>) -> DatabaseStatus {
        describe::describe(context, pass)
    }

    fn describe_unobserved(
        context: &Context,
        object: &PostgreSQLDatabase,
        failure: &Failure,
        now: Timestamp,
    ) -> DatabaseStatus {
        let mut status = object.status.clone().unwrap_or_default();
        let generation = object.metadata.generation;
        status.conditions =
            super::conditions::unobserved(&status.conditions, failure, generation, context.deadline(), now);
        status
    }

    async fn act(
        context: &Context,
        object: &PostgreSQLDatabase,
        seen: &mut DatabaseSeen,
        trigger: DatabaseTrigger,
        action: DatabaseAction,
    ) -> Result<Vec<Note>, Failure> {
        act::act(context, object, seen, trigger, action).await
    }

    fn is_change(action: DatabaseAction) -> bool {
        matches!(action, DatabaseAction::ConfigureDatabase)
    }

    fn is_of_credentials(action: DatabaseAction) -> bool {
        matches!(action, DatabaseAction::Credentials(action) if action != CredentialsAction::ReleaseFinalizer)
    }

    fn changes_object(action: DatabaseAction) -> bool {
        matches!(action, DatabaseAction::Credentials(action) if action.changes_object())
    }

    fn turn(context: &Context, seen: &DatabaseSeen, plan: &[DatabaseAction]) -> Claim {
        // CREATE DATABASE copies a template that nobody else may be using: one statement of the kind at a time.
        if !plan.contains(&DatabaseAction::CreateDatabase) {
            return Claim::NotNeeded;
        }
        context.turns.take(seen.server.uid.as_deref().unwrap_or_default())
    }

    fn pace(
        context: &Context,
        object: &PostgreSQLDatabase,
        seen: &DatabaseSeen,
        trigger: DatabaseTrigger,
    ) -> Duration {
        let (uid, generation) = (&seen.owner.uid, object.metadata.generation);
        let wait = match trigger {
            // A change of the server's object wakes the database; what PostgreSQL does wakes nobody.
            DatabaseTrigger::WaitingForServer | DatabaseTrigger::Unreadable => {
                context.wait(uid, trigger.into(), generation)
            }
            DatabaseTrigger::NotOurs | DatabaseTrigger::Lost | DatabaseTrigger::Rejected => {
                context.pause(uid, trigger.into(), generation)
            }
            // Asked for before there was anything to reset; nobody wakes the object for it again.
            DatabaseTrigger::Settled if seen.reset_due == ResetDue::Now => context.wait_for_turn(uid),
            _ => {
                context.settled(uid);
                super::pace::settled(context, seen.refused.is_some())
            }
        };
        super::pace::until_reset(wait, seen.reset_due)
    }
}
