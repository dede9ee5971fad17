//! One pass over one object, the same for both kinds: observe, classify, step, record, act, record.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};
use tracing::{Instrument, debug, info, warn};

use super::context::{Context, SOON};
use super::failure::Failure;
use super::subject::{Pass, Subject};
use super::turns::Claim;
use super::{backoff, finalizer, record, tell};
use crate::api::{Phase, Reason};
use crate::backend::Retry;
use crate::fence;
use crate::fsm::{Machine, Step};

#[cfg(test)]
mod tests;

/// A pass that takes longer is given up, which is no worse than a crash: whatever hangs must not hold the object.
const LONGEST: Duration = Duration::from_secs(300);

/// How a pass ended.
enum End {
    /// Nothing to do but to look again then.
    Settled(Duration),
    /// The object is gone, or not ours to hold.
    Gone,
    /// Something was done; how often it had been done before, and was not enough.
    Acted(u32),
    /// A change was refused, and the rest goes on without it.
    Refused(Failure),
    /// The object changed under our hands.
    Outdated,
}

/// What comes after a transition.
enum Next<K> {
    /// Nothing now.
    Over(End),
    /// A look at once, at the object as our own write returned it; and at the credentials Secret, if it did too.
    On(Box<K>, Option<Box<Secret>>),
}

/// So many transitions follow each other at once; more are no progress but a circle, and wait like any other.
const AT_ONCE: usize = 4;

/// The controller's reconcile function. Its errors are handled here, so it has none.
pub async fn reconcile<S: Subject>(
    object: Arc<S::Object>,
    context: Arc<Context>,
) -> Result<Action, std::convert::Infallible> {
    let span = tracing::info_span!(
        "reconcile",
        kind = S::Machine::KIND,
        namespace = object.namespace().unwrap_or_default(),
        name = object.name_any(),
        phase = S::phase(&object).as_str(),
    );
    let uid = object.uid().unwrap_or_default();
    // Our own finalizer wakes the object too; a service that asked for time shall have it.
    if let Some(left) = context.backoffs.held(&uid) {
        return Ok(Action::requeue(left));
    }
    let started = Instant::now();
    let pass = pass::<S>(&context, &object).instrument(span.clone());
    // Around the time limit, too: a pass of a process that must not act any more ends in no way at all.
    let end = fence::within(tokio::time::timeout(LONGEST, pass)).await.unwrap_or_else(|_| {
        let message =
            format!("the pass was given up after {} s: something does not answer", LONGEST.as_secs());
        Err(Failure::new(Reason::Transient, message, Retry::Backoff(None)))
    });
    let (outcome, action) = match end {
        Ok(end) => {
            context.backoffs.succeeded(&uid);
            match end {
                End::Settled(wait) => ("settled", Action::requeue(wait)),
                End::Acted(times) => {
                    context.begin_anew(&uid);
                    ("acted", Action::requeue(context.soon(times)))
                }
                End::Refused(failure) => {
                    span.in_scope(|| warn!(reason = failure.reason.as_str(), "{failure}"));
                    ("refused", Action::requeue(SOON))
                }
                End::Outdated => ("outdated", Action::requeue(backoff::jittered(SOON))),
                End::Gone => {
                    context.backoffs.forget(&uid);
                    context.forget(&uid);
                    ("gone", Action::await_change())
                }
            }
        }
        Err(failure) => {
            let wait = match failure.retry {
                Retry::Backoff(Some(wait)) => {
                    heed(&context, &uid, &failure);
                    wait.max(context.backoffs.next(&uid))
                }
                Retry::Backoff(None) => context.backoffs.next(&uid),
                Retry::Poll => context.wait(&uid, failure.reason.as_str(), object.meta().generation),
                Retry::Slowly => backoff::jittered(context.slowly()),
            };
            span.in_scope(|| warn!(reason = failure.reason.as_str(), wait = ?wait, "{failure}"));
            ("failed", Action::requeue(wait))
        }
    };
    context.metrics.reconcile(S::Machine::KIND, outcome, started.elapsed().as_secs_f64());
    Ok(action)
}

/// Looks at the object, and goes on at once where what was done is only known to us: on the object as our own write
/// returned it, which is as live as one that is read.
async fn pass<S: Subject>(context: &Context, cached: &S::Object) -> Result<End, Failure> {
    let api: Api<S::Object> =
        Api::namespaced(context.client.clone(), &cached.namespace().unwrap_or_default());
    // The store may not hold our own last write yet, and a decision on an old status would repeat it. Where it holds
    // just that one, or there is none, nobody has written since as far as anybody has told us, and whatever follows is
    // compared.
    let read = !context.versions.take(cached);
    let object = match read {
        true => api.get_opt(&cached.name_any()).await?,
        false => Some(cached.clone()),
    };
    let Some(object) = object else { return Ok(End::Gone) };
    if object.uid() != cached.uid() || (is_deleting(&object) && !finalizer::is_held(&object)) {
        return Ok(End::Gone);
    }
    let mut next = go::<S>(context, &api, object, read, None).await?;
    for _ in 1..AT_ONCE {
        match next {
            Next::Over(end) => return Ok(end),
            Next::On(object, secret) => next = go::<S>(context, &api, *object, false, secret).await?,
        }
    }
    Ok(match next {
        Next::Over(end) => end,
        Next::On(..) => End::Acted(0),
    })
}

/// One transition at most, of an object that was read, or that our own last write returned.
async fn go<S: Subject>(
    context: &Context,
    api: &Api<S::Object>,
    object: S::Object,
    read: bool,
    secret: Option<Box<Secret>>,
) -> Result<Next<S::Object>, Failure> {
    let now = Timestamp::now();
    let (uid, generation) = (object.uid().unwrap_or_default(), object.meta().generation);

    let (mut seen, trigger) = match look::<S>(context, &object, secret).await {
        Ok(seen) => seen,
        Err(failure) if failure.conflict => return Ok(Next::Over(End::Outdated)),
        Err(failure) => {
            heed(context, &uid, &failure);
            let status = S::describe_unobserved(context, &object, &failure, now);
            if let Some(recorded) = write_down::<S>(context, api, &object, &status).await? {
                tell::news::<S>(context, &object, &recorded).await;
                tell::failure::<S>(context, &object, &failure).await;
            }
            return Err(failure);
        }
    };
    if let Some(asked) = S::asked_to_wait(&seen) {
        context.backoffs.hold(&uid, asked);
    }
    let before = S::phase(&object);
    let mut step = S::Machine::step(before, trigger);
    let turn = S::turn(context, &seen, step.plan);
    if matches!(turn, Claim::Taken) {
        step = Step { phase: before, plan: &[] };
    }
    debug!(trigger = name_of::<S>(trigger), to = step.phase.as_str(), actions = step.plan.len(), "decided");

    let effects = !step.plan.is_empty() || (before != Phase::Pending && !S::is_paused(&seen));
    let object = match prepare::<S>(api, object, effects).await? {
        Some(object) => object,
        None => return Ok(Next::Over(End::Outdated)),
    };
    let status = S::describe(
        context,
        &Pass {
            object: &object,
            seen: &seen,
            trigger,
            phase: step.phase,
            acts: !step.plan.is_empty(),
            failure: None,
            again: context.attempts.is_again(&uid, name_of::<S>(trigger), generation),
            now,
        },
    );
    let earlier = object;
    let Some(object) = write_down::<S>(context, api, &earlier, &status).await? else {
        return Ok(Next::Over(End::Outdated));
    };
    let told = tell::news::<S>(context, &earlier, &object).await;
    if step.phase != before {
        let trigger = name_of::<S>(trigger);
        tell::transition::<S>(context, &object, before, step.phase, trigger, now, told).await;
    }
    if step.plan.is_empty() {
        context.versions.note(&object);
        return Ok(Next::Over(if matches!(turn, Claim::Taken) {
            End::Settled(context.wait_for_turn(&uid))
        } else if step.phase == before || trigger == S::settled() {
            End::Settled(S::pace(context, &object, &seen, trigger))
        } else {
            End::Acted(0)
        }));
    }
    // Nothing was written, so that nothing shows whether the object is still the one that was decided on.
    if !read && object.resource_version() == earlier.resource_version() {
        return Ok(Next::Over(End::Acted(0)));
    }

    match act::<S>(context, &object, &mut seen, trigger, &step).await {
        Ok(()) => {
            let object = match S::afterwards(&object, &seen, Timestamp::now()) {
                Some(status) => write_down::<S>(context, api, &object, &status).await?.unwrap_or(object),
                None => object,
            };
            let times = context.attempts.succeeded(&uid, name_of::<S>(trigger), generation);
            if times > 0 || !step.plan.iter().all(|action| S::is_of_credentials(*action)) {
                // What was taken off the object made another version of it.
                if !step.plan.iter().any(|action| S::changes_object(*action)) {
                    context.versions.note(&object);
                }
                return Ok(Next::Over(End::Acted(times)));
            }
            if let Some(memory) = S::memory(context, &object, &seen) {
                context.settled.remember(&uid, memory);
            }
            Ok(Next::On(Box::new(object), S::written(seen)))
        }
        Err(failure) if failure.conflict => {
            debug!("{failure}");
            Ok(Next::Over(End::Outdated))
        }
        Err(failure) => {
            heed(context, &uid, &failure);
            context.attempts.failed(&uid, name_of::<S>(trigger), generation);
            // What was told before this pass began counts: meanwhile the conditions may tell of the new attempt.
            tell::failure::<S>(context, &earlier, &failure).await;
            // It is remembered: the next pass decides without it, and tells.
            if step.plan.iter().any(|action| steps_aside::<S>(&failure, *action)) {
                return Ok(Next::Over(End::Refused(failure)));
            }
            let pass = Pass {
                object: &object,
                seen: &seen,
                trigger,
                phase: step.phase,
                acts: true,
                failure: Some(&failure),
                again: false,
                now: Timestamp::now(),
            };
            write_down::<S>(context, api, &object, &S::describe(context, &pass)).await?;
            Err(failure)
        }
    }
}

/// Records the status. What keeps it from being written is told by an event: the status cannot tell.
async fn write_down<S: Subject>(
    context: &Context,
    api: &Api<S::Object>,
    object: &S::Object,
    status: &S::Status,
) -> Result<Option<S::Object>, Failure> {
    let recorded = record::status::<S>(api, object, status).await;
    if let Err(failure) = &recorded {
        tell::failure::<S>(context, object, failure).await;
    }
    recorded
}

/// A service that asked for time gets it, also if the failure cannot be written down.
fn heed(context: &Context, uid: &str, failure: &Failure) {
    if let Retry::Backoff(Some(wait)) = failure.retry {
        context.backoffs.hold(uid, wait);
    }
}

/// Observes and classifies. Memory may say that there is nothing to do; for anything else everything is looked at.
async fn look<S: Subject>(
    context: &Context,
    object: &S::Object,
    secret: Option<Box<Secret>>,
) -> Result<(S::Observation, super::subject::TriggerOf<S>), Failure> {
    let uid = object.meta().uid.as_deref().unwrap_or_default();
    let mut seen = S::observe(context, object, secret).await?;
    let mut trigger = S::classify(object, &seen);
    if S::is_remembered(&seen) {
        if trigger == S::settled() {
            return Ok((seen, trigger));
        }
        context.settled.forget(uid);
        seen = S::observe(context, object, None).await?;
        trigger = S::classify(object, &seen);
    }
    match S::memory(context, object, &seen).filter(|_| trigger == S::settled()) {
        Some(memory) => context.settled.remember(uid, memory),
        None => context.settled.forget(uid),
    }
    Ok((seen, trigger))
}

/// Whether a refused change must not stand in the way of everything behind it.
fn steps_aside<S: Subject>(failure: &Failure, action: super::subject::ActionOf<S>) -> bool {
    failure.retry == Retry::Slowly && S::is_change(action)
}

/// Puts our finalizer on the object where there are or will be effects, also when somebody has taken it off: without it
/// a deletion would leave everything behind. None when the object changed since it was read.
async fn prepare<S: Subject>(
    api: &Api<S::Object>,
    object: S::Object,
    effects: bool,
) -> Result<Option<S::Object>, Failure> {
    if !effects || is_deleting(&object) || finalizer::is_held(&object) {
        return Ok(Some(object));
    }
    match finalizer::hold(api, &object).await {
        Ok(held) => Ok(Some(held)),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409 | 422) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn act<S: Subject>(
    context: &Context,
    object: &S::Object,
    seen: &mut S::Observation,
    trigger: super::subject::TriggerOf<S>,
    step: &Step<super::subject::ActionOf<S>>,
) -> Result<(), Failure> {
    let uid = object.uid().unwrap_or_default();
    for action in step.plan {
        let name = S::Machine::action_name(*action);
        let started = Instant::now();
        let answer = S::act(context, object, seen, trigger, *action).await;
        let outcome = match &answer {
            Ok(_) => "ok",
            Err(failure) if failure.conflict => "conflict",
            Err(_) => "failed",
        };
        context.metrics.action(S::Machine::KIND, name, outcome, started.elapsed().as_secs_f64());
        match answer {
            Ok(notes) => {
                info!(action = name, "done");
                for note in notes {
                    tell::publish(context, object, &note).await;
                }
            }
            Err(failure) => {
                if steps_aside::<S>(&failure, *action) {
                    let generation = object.meta().generation.unwrap_or_default();
                    context.refusals.remember(&uid, name, generation, &failure.message);
                }
                return Err(failure);
            }
        }
    }
    Ok(())
}

fn is_deleting<K: Resource>(object: &K) -> bool {
    object.meta().deletion_timestamp.is_some()
}

fn name_of<S: Subject>(trigger: super::subject::TriggerOf<S>) -> &'static str {
    trigger.into()
}
