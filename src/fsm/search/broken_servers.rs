//! Server machines with a mistake in them: the search must find each, and say how it comes to harm.

use super::tests::refuted;
use super::*;
use crate::fsm::CredentialsAction::{ClearRequest, DropPending, PublishCredentials, StorePassword};
use crate::fsm::server::ServerAction::Credentials;
use crate::fsm::server::{Presence, ServerAction, ServerMachine, ServerTrigger, ServerView, classify};
use crate::fsm::{Machine, Step};

fn with_step(step: ServerStepFn) -> impl Fn(u8) -> ServerWorld {
    move |budget| ServerWorld { step, ..ServerWorld::new(budget) }
}

fn with_classify(classify: ServerClassifyFn) -> impl Fn(u8) -> ServerWorld {
    move |budget| ServerWorld { classify, ..ServerWorld::new(budget) }
}

fn publishes(step: &Step<ServerAction>) -> bool {
    step.plan.contains(&Credentials(PublishCredentials))
}

#[test]
fn pending_dropped_before_it_is_published() {
    fn step(phase: Phase, trigger: ServerTrigger) -> Step<ServerAction> {
        let step = ServerMachine::step(phase, trigger);
        match publishes(&step) {
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
        "nobody has the password of the server any more",
        &["Absent, StorePassword, CreateServer", "Unpublished, DropPending"],
    );
}

#[test]
fn empty_server_in_place_of_a_lost_one() {
    fn forgetful(view: &ServerView) -> ServerTrigger {
        match classify(view) {
            ServerTrigger::Lost => ServerTrigger::Absent,
            other => other,
        }
    }
    refuted(
        with_classify(forgetful),
        Promise::NothingLost,
        "an empty server takes the place of a lost one",
        &["the server vanishes", "Absent, StorePassword, CreateServer"],
    );
}

#[test]
fn unreadable_taken_for_absent() {
    fn hasty(view: &ServerView) -> ServerTrigger {
        match view.presence {
            Presence::Unreadable => classify(&ServerView { presence: Presence::Absent, ..*view }),
            _ => classify(view),
        }
    }
    let what = "something is done though the backend was not read";
    refuted(with_classify(hasty), Promise::NoIdleWrite, what, &["pass: Absent, StorePassword, CreateServer"]);
}

#[test]
fn server_in_creation_taken_for_absent() {
    fn blind(view: &ServerView) -> ServerTrigger {
        match view.presence {
            Presence::Busy => classify(&ServerView { presence: Presence::Absent, ..*view }),
            _ => classify(view),
        }
    }
    let what = "a server is asked for where one stands already";
    refuted(
        with_classify(blind),
        Promise::NothingLost,
        what,
        &["server 1 Creating", "pass: Absent, StorePassword"],
    );
}

#[test]
fn retained_server_deleted() {
    fn ruthless(view: &ServerView) -> ServerTrigger {
        classify(&ServerView { retain: false, ..*view })
    }
    refuted(
        with_classify(ruthless),
        Promise::NothingLost,
        "a server is deleted that was to stay",
        &["start -> Pending retain", "user deletes the object", "pass: Present, DeleteServer"],
    );
}

#[test]
fn server_left_without_its_mark() {
    fn careless(view: &ServerView) -> ServerTrigger {
        classify(&ServerView { mismarked: false, ..*view })
    }
    let left = |budget| ServerWorld { classify: careless, ..ServerWorld::new(budget) };
    let told = ["start -> Pending retain taken-over", "marked"];
    refuted(left, Promise::StatusTrue, "Ready is recorded while something is not right", &told);
    fn half(view: &ServerView) -> ServerTrigger {
        classify(&ServerView { mismarked: view.mismarked && !view.deleting, ..*view })
    }
    let told = ["user deletes the object", "pass: Retained"];
    refuted(
        with_classify(half),
        Promise::StatusTrue,
        "a server is left without the mark that says so",
        &told,
    );
}

#[test]
fn ready_before_it_is_published() {
    fn step(phase: Phase, trigger: ServerTrigger) -> Step<ServerAction> {
        let step = ServerMachine::step(phase, trigger);
        match phase.is_live() && trigger == ServerTrigger::Unpublished {
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
    fn step(phase: Phase, trigger: ServerTrigger) -> Step<ServerAction> {
        match trigger {
            ServerTrigger::PasswordUnapplied => ServerMachine::step(phase, ServerTrigger::Unpublished),
            _ => ServerMachine::step(phase, trigger),
        }
    }
    refuted(
        with_step(step),
        Promise::StatusTrue,
        "a password is published that the server refuses",
        &["ResetRequested, StorePassword", "pass: PasswordUnapplied, PublishCredentials"],
    );
}

#[test]
fn update_of_a_settled_server() {
    fn restless(view: &ServerView) -> ServerTrigger {
        match classify(view) {
            ServerTrigger::Settled if !view.taken_over => ServerTrigger::Differs,
            other => other,
        }
    }
    refuted(
        with_classify(restless),
        Promise::NoIdleWrite,
        "an update without a difference",
        &["pass: Differs, UpdateServer -> Provisioning"],
    );
}

#[test]
fn pause_not_heard() {
    fn deaf(view: &ServerView) -> ServerTrigger {
        classify(&ServerView { paused: false, ..*view })
    }
    refuted(
        with_classify(deaf),
        Promise::NoIdleWrite,
        "something is done while paused",
        &["user pauses", "pass: Unpublished, PublishCredentials"],
    );
}

#[test]
fn unapplied_password_ignored() {
    fn step(phase: Phase, trigger: ServerTrigger) -> Step<ServerAction> {
        match trigger {
            ServerTrigger::PasswordUnapplied => Step { phase, plan: &[] },
            _ => ServerMachine::step(phase, trigger),
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
fn reset_that_is_never_done_with() {
    fn step(phase: Phase, trigger: ServerTrigger) -> Step<ServerAction> {
        let step = ServerMachine::step(phase, trigger);
        match trigger == ServerTrigger::Unpublished {
            true => Step { plan: &[Credentials(PublishCredentials), Credentials(DropPending)], ..step },
            false => step,
        }
    }
    refuted(
        with_step(step),
        Promise::Heals,
        STUCK.what,
        &[
            "user asks for a reset",
            "from here on nothing goes wrong",
            "pass: ResetRequested, StorePassword",
            "pass: Unpublished, PublishCredentials, DropPending",
            "and so on for ever",
        ],
    );
}

#[test]
fn new_server_with_a_password_that_is_not_kept() {
    fn step(phase: Phase, trigger: ServerTrigger) -> Step<ServerAction> {
        let step = ServerMachine::step(phase, trigger);
        match step.plan.contains(&ServerAction::CreateServer) {
            true => Step {
                plan: &[Credentials(StorePassword), ServerAction::CreateServer, Credentials(DropPending)],
                ..step
            },
            false => step,
        }
    }
    refuted(
        with_step(step),
        Promise::NothingLost,
        "nobody has the password of the server any more",
        &["CreateServer, DropPending"],
    );
}

#[test]
fn taken_over_server_brought_to_the_spec_at_once() {
    fn eager(view: &ServerView) -> ServerTrigger {
        classify(&ServerView { taken_over: false, ..*view })
    }
    refuted(
        with_classify(eager),
        Promise::NoIdleWrite,
        "a server that was taken over is changed unasked",
        &["start -> Pending taken-over", "pass: Differs, UpdateServer"],
    );
}

#[test]
fn what_waits_is_not_applied_when_it_is_asked_for() {
    fn deaf(view: &ServerView) -> ServerTrigger {
        classify(&ServerView {
            taken_over: view.taken_over || view.idle_request,
            idle_request: false,
            ..*view
        })
    }
    refuted(
        with_classify(deaf),
        Promise::StatusTrue,
        "Ready is recorded while something is not right",
        &["start -> Pending taken-over", "user asks to apply what waits", "pass: Settled"],
    );
}
