//! Database machines with a mistake in them: the search must find each, and say how it comes to harm.

use super::tests::refuted;
use super::*;
use crate::fsm::CredentialsAction::{ClearRequest, DropPending, PublishCredentials};
use crate::fsm::database::DatabaseAction::Credentials;
use crate::fsm::database::{
    DatabaseAction, DatabaseMachine, DatabasePresence, DatabaseTrigger, DatabaseView, ServerSeen, classify,
};
use crate::fsm::{Machine, Step};

fn with_step(step: DatabaseStepFn) -> impl Fn(u8) -> DatabaseWorld {
    move |budget| DatabaseWorld { step, ..DatabaseWorld::new(budget) }
}

fn with_classify(classify: DatabaseClassifyFn) -> impl Fn(u8) -> DatabaseWorld {
    move |budget| DatabaseWorld { classify, ..DatabaseWorld::new(budget) }
}

#[test]
fn pending_dropped_before_it_is_published() {
    fn step(phase: Phase, trigger: DatabaseTrigger) -> Step<DatabaseAction> {
        let step = DatabaseMachine::step(phase, trigger);
        match step.plan.contains(&Credentials(PublishCredentials)) {
            true => Step {
                plan: &[Credentials(DropPending), Credentials(PublishCredentials), Credentials(ClearRequest)],
                ..step
            },
            false => step,
        }
    }
    refuted(
        with_step(step),
        Promise::NothingLost,
        "nobody has the password of the role any more",
        &["Absent, StorePassword, CreateRole, CreateDatabase", "Unpublished, DropPending"],
    );
}

#[test]
fn empty_database_in_place_of_a_lost_one() {
    fn forgetful(view: &DatabaseView) -> DatabaseTrigger {
        match classify(view) {
            DatabaseTrigger::Lost => DatabaseTrigger::Absent,
            other => other,
        }
    }
    refuted(
        with_classify(forgetful),
        Promise::NothingLost,
        "an empty database takes the place of a lost one",
        &["somebody drops the database", "Absent, StorePassword, CreateRole, CreateDatabase"],
    );
}

#[test]
fn role_kept_with_its_published_password_when_started_again() {
    fn step(phase: Phase, trigger: DatabaseTrigger) -> Step<DatabaseAction> {
        match trigger {
            DatabaseTrigger::RecreateRequested => {
                Step { phase: Phase::Pending, plan: &[Credentials(ClearRequest)] }
            }
            _ => DatabaseMachine::step(phase, trigger),
        }
    }
    refuted(
        with_step(step),
        Promise::NothingLost,
        "an empty database takes the place of a lost one",
        &[
            "PublishCredentials, then the operator dies",
            "user asks to recreate",
            "somebody drops the database",
            "CreateDatabase -> Provisioning | server Usable | role password 1 | database used",
            "somebody drops the database",
            "CreateDatabase",
        ],
    );
}

#[test]
fn retained_database_dropped() {
    fn ruthless(view: &DatabaseView) -> DatabaseTrigger {
        classify(&DatabaseView { retain: false, ..*view })
    }
    refuted(
        with_classify(ruthless),
        Promise::NothingLost,
        "a database is dropped that was to stay",
        &["start -> Pending retain", "user deletes the object", "pass: Present, DropDatabase, DropRole"],
    );
}

#[test]
fn retained_database_abandoned_with_its_server() {
    fn careless(view: &DatabaseView) -> DatabaseTrigger {
        let abandoned = view.deleting && !view.paused && view.server == ServerSeen::Gone;
        match abandoned && view.phase == Phase::Deleting {
            true => DatabaseTrigger::Abandoned,
            false => classify(view),
        }
    }
    refuted(
        with_classify(careless),
        Promise::NothingLost,
        "nobody has the password of the role any more",
        &[
            "retain",
            "user deletes the object",
            "the server's object goes, PostgreSQL stays",
            "pass: Abandoned, RemoveSecret, DropPending, ReleaseFinalizer",
        ],
    );
}

#[test]
fn object_released_without_a_look() {
    fn hasty(view: &DatabaseView) -> DatabaseTrigger {
        match view.phase == Phase::Deleting && !view.paused && view.presence == DatabasePresence::Present {
            true => DatabaseTrigger::Retained,
            false => classify(view),
        }
    }
    refuted(
        with_classify(hasty),
        Promise::NothingLost,
        "the object goes and its role or database stays behind",
        &[
            "user deletes the object",
            "ReleaseFinalizer -> Deleting seen-before deleting released taken-over | server Usable | role password 1 | database used",
        ],
    );
}

#[test]
fn ready_before_it_is_published() {
    fn step(phase: Phase, trigger: DatabaseTrigger) -> Step<DatabaseAction> {
        let step = DatabaseMachine::step(phase, trigger);
        match phase.is_live() && trigger == DatabaseTrigger::Unpublished {
            true => Step { phase: Phase::Ready, ..step },
            false => step,
        }
    }
    refuted(
        with_step(step),
        Promise::StatusTrue,
        "Ready is recorded while something is not right",
        &["published 1 out of date", "pass: Unpublished, PublishCredentials"],
    );
}

#[test]
fn password_published_before_it_is_in_force() {
    fn step(phase: Phase, trigger: DatabaseTrigger) -> Step<DatabaseAction> {
        match trigger {
            DatabaseTrigger::PasswordUnapplied => DatabaseMachine::step(phase, DatabaseTrigger::Unpublished),
            _ => DatabaseMachine::step(phase, trigger),
        }
    }
    refuted(
        with_step(step),
        Promise::StatusTrue,
        "a password is published that PostgreSQL refuses",
        &["somebody changes the password", "pass: PasswordUnapplied, PublishCredentials"],
    );
}

#[test]
fn configuration_of_a_settled_database() {
    fn restless(view: &DatabaseView) -> DatabaseTrigger {
        match classify(view) {
            DatabaseTrigger::Settled if !view.taken_over => DatabaseTrigger::Unconfigured,
            other => other,
        }
    }
    refuted(
        with_classify(restless),
        Promise::NoIdleWrite,
        "a configuration without a difference",
        &["pass: Unconfigured, ConfigureDatabase -> Configuring"],
    );
}

#[test]
fn foreign_database_taken_for_ours() {
    fn greedy(view: &DatabaseView) -> DatabaseTrigger {
        match view.presence {
            DatabasePresence::NotOurs => {
                classify(&DatabaseView { presence: DatabasePresence::Present, ..*view })
            }
            _ => classify(view),
        }
    }
    refuted(
        with_classify(greedy),
        Promise::NoIdleWrite,
        "a role or database of somebody else is written to",
        &["foreign role", "pass: PasswordUnapplied, ApplyPassword"],
    );
}

#[test]
fn server_that_waits_not_waited_for() {
    fn impatient(view: &DatabaseView) -> DatabaseTrigger {
        match view.server {
            ServerSeen::Waiting => classify(&DatabaseView {
                server: ServerSeen::Usable,
                presence: DatabasePresence::Present,
                ..*view
            }),
            _ => classify(view),
        }
    }
    refuted(
        with_classify(impatient),
        Promise::NoIdleWrite,
        "SQL is sent to a server that is not usable",
        &["the server goes down", "server Waiting"],
    );
}

#[test]
fn unapplied_password_ignored() {
    fn step(phase: Phase, trigger: DatabaseTrigger) -> Step<DatabaseAction> {
        match trigger {
            DatabaseTrigger::PasswordUnapplied => Step { phase, plan: &[] },
            _ => DatabaseMachine::step(phase, trigger),
        }
    }
    refuted(
        with_step(step),
        Promise::Heals,
        STUCK.what,
        &["from here on nothing goes wrong", "ResetRequested, StorePassword", "and there it stays"],
    );
}

#[test]
fn missing_role_ignored() {
    fn step(phase: Phase, trigger: DatabaseTrigger) -> Step<DatabaseAction> {
        match trigger {
            DatabaseTrigger::RoleMissing => Step { phase, plan: &[] },
            _ => DatabaseMachine::step(phase, trigger),
        }
    }
    refuted(with_step(step), Promise::Heals, STUCK.what, &["somebody drops the role", "and there it stays"]);
}

#[test]
fn taken_over_database_brought_to_the_spec_at_once() {
    fn eager(view: &DatabaseView) -> DatabaseTrigger {
        classify(&DatabaseView { taken_over: false, ..*view })
    }
    refuted(
        with_classify(eager),
        Promise::NoIdleWrite,
        "a database that was taken over is changed unasked",
        &["start -> Pending seen-before taken-over", "pass: Unconfigured, ConfigureDatabase"],
    );
}
