//! What holds for every phase and every trigger of both machines.

use std::collections::HashSet;

use strum::IntoEnumIterator;

use super::database::DatabaseMachine;
use super::server::ServerMachine;
use super::*;

/// What may only be done once the object is being deleted.
const ENDS: [&str; 5] = ["DeleteServer", "DropDatabase", "DropRole", "RemoveSecret", "ReleaseFinalizer"];

fn both(check: fn() -> usize, other: fn() -> usize) {
    assert!(check() > 0 && other() > 0);
}

fn every_pair<M: Machine>(check: impl Fn(Phase, M::Trigger, Step<M::Action>)) -> usize {
    let mut pairs = 0;
    for phase in Phase::iter() {
        for trigger in M::triggers() {
            check(phase, trigger, M::step(phase, trigger));
            pairs += 1;
        }
    }
    pairs
}

fn every_action<M: Machine>(mut meet: impl FnMut(M::Action)) {
    for phase in Phase::iter() {
        for trigger in M::triggers() {
            M::step(phase, trigger).plan.iter().for_each(|action| meet(*action));
        }
    }
}

fn names<M: Machine>(step: Step<M::Action>) -> Vec<&'static str> {
    step.plan.iter().map(|action| M::action_name(*action)).collect()
}

#[test]
fn every_pair_has_one_answer() {
    fn check<M: Machine>() -> usize {
        every_pair::<M>(|phase, trigger, step| assert_eq!(step, M::step(phase, trigger)))
    }
    assert_eq!(check::<ServerMachine>(), 6 * ServerMachine::triggers().len());
    assert_eq!(check::<DatabaseMachine>(), 6 * DatabaseMachine::triggers().len());
}

#[test]
fn deleting_is_never_left() {
    fn check<M: Machine>() -> usize {
        every_pair::<M>(|phase, trigger, step| {
            assert!(phase != Phase::Deleting || step.phase == Phase::Deleting, "{trigger:?}");
        })
    }
    both(check::<ServerMachine>, check::<DatabaseMachine>);
}

#[test]
fn ready_is_entered_with_nothing_left_to_do() {
    fn check<M: Machine>() -> usize {
        every_pair::<M>(|phase, trigger, step| {
            let entered = step.phase == Phase::Ready && phase != Phase::Ready;
            assert!(!entered || step.plan.is_empty(), "{phase} × {trigger:?}");
        })
    }
    both(check::<ServerMachine>, check::<DatabaseMachine>);
}

#[test]
fn nothing_ends_while_the_object_lives() {
    fn check<M: Machine>() -> usize {
        every_pair::<M>(|phase, trigger, step| {
            let ends = names::<M>(step).iter().any(|name| ENDS.contains(name));
            assert!(phase == Phase::Deleting || !ends, "{phase} × {trigger:?}");
        })
    }
    both(check::<ServerMachine>, check::<DatabaseMachine>);
}

#[test]
fn nothing_is_created_while_the_object_goes() {
    const BEGINS: [&str; 5] =
        ["StorePassword", "CreateServer", "CreateRole", "CreateDatabase", "ApplyPassword"];
    fn check<M: Machine>() -> usize {
        every_pair::<M>(|phase, trigger, step| {
            let begins = names::<M>(step).iter().any(|name| BEGINS.contains(name));
            assert!(phase != Phase::Deleting || !begins, "{trigger:?}");
        })
    }
    both(check::<ServerMachine>, check::<DatabaseMachine>);
}

#[test]
fn the_finalizer_goes_last_and_the_pending_password_after_it_is_published() {
    fn check<M: Machine>() -> usize {
        every_pair::<M>(|phase, trigger, step| {
            let names = names::<M>(step);
            let at = |name| names.iter().position(|other| *other == name);
            assert!(at("ReleaseFinalizer").is_none_or(|at| at + 1 == names.len()), "{phase} × {trigger:?}");
            if let (Some(publish), Some(drop)) = (at("PublishCredentials"), at("DropPending")) {
                assert!(publish < drop, "{phase} × {trigger:?}");
            }
        })
    }
    both(check::<ServerMachine>, check::<DatabaseMachine>);
}

#[test]
fn actions_and_triggers_have_names_of_their_own() {
    fn check<M: Machine>() -> usize {
        let mut seen: Vec<M::Action> = Vec::new();
        every_action::<M>(|action| {
            if !seen.contains(&action) {
                seen.push(action);
            }
        });
        let names: HashSet<_> = seen.iter().map(|action| M::action_name(*action)).collect();
        assert_eq!(names.len(), seen.len());
        let triggers: HashSet<&'static str> = M::triggers().into_iter().map(Into::into).collect();
        assert_eq!(triggers.len(), M::triggers().len());
        names.len()
    }
    both(check::<ServerMachine>, check::<DatabaseMachine>);
}
