//! Telling people what happens: events, metrics and log of a transition.

use jiff::Timestamp;
use kube::Resource;
use kube::runtime::events::{Event, EventType};
use tracing::{debug, info};

use super::context::Context;
use super::failure::Failure;
use super::news;
use super::subject::{Note, Subject};
use crate::api::{Phase, Reason};
use crate::fsm::Machine;

/// Counts and logs the step, and tells of it where it is a turning point that nothing else has told of.
pub(super) async fn transition<S: Subject>(
    context: &Context,
    object: &S::Object,
    from: Phase,
    to: Phase,
    trigger: &'static str,
    now: Timestamp,
    told: bool,
) {
    context.metrics.transition(S::Machine::KIND, from.as_str(), to.as_str(), trigger);
    if let Some(since) = S::phase_since(object) {
        let stayed = now.duration_since(since).as_secs_f64().max(0.0);
        context.metrics.phase_left(S::Machine::KIND, from.as_str(), stayed);
    }
    info!(from = from.as_str(), to = to.as_str(), trigger, "transition");
    if !news::is_turning_point(from, to) || (told && to == Phase::Ready) {
        return;
    }
    let message = format!("{from} -> {to}: {trigger}");
    // Events of one action are counted as one, with the first one's text: each kind of transition is an action.
    tell(context, object, trigger, &Note { reason: Reason::Transition, message, warning: false }).await;
}

/// Tells what the conditions say now and did not say before; whether that was good news.
pub(super) async fn news<S: Subject>(context: &Context, earlier: &S::Object, now: &S::Object) -> bool {
    let notes = news::between(S::conditions(earlier), S::conditions(now));
    for note in &notes {
        publish(context, now, note).await;
    }
    notes.iter().any(|note| !note.warning)
}

/// Tells of a failure once, as long as the conditions of an earlier pass do not tell of the same.
pub(super) async fn failure<S: Subject>(context: &Context, earlier: &S::Object, failure: &Failure) {
    if let Some(note) = news::failure(S::conditions(earlier), failure, earlier.meta().generation) {
        publish(context, earlier, &note).await;
    }
}

/// Events tell, they do not decide: one that cannot be written is logged and forgotten.
pub(super) async fn publish<K: Resource<DynamicType = ()>>(context: &Context, object: &K, note: &Note) {
    tell(context, object, &news::action(note, object.meta().generation), note).await;
}

async fn tell<K: Resource<DynamicType = ()>>(context: &Context, object: &K, action: &str, note: &Note) {
    let event = Event {
        type_: if note.warning { EventType::Warning } else { EventType::Normal },
        reason: note.reason.as_str().to_owned(),
        note: Some(note.message.chars().take(1000).collect()),
        action: action.to_owned(),
        secondary: None,
    };
    if let Err(error) = context.recorder.publish(&event, &object.object_ref(&())).await {
        debug!("the event {} was not written: {error}", note.reason);
    }
}
