//! What the driver needs to know about a kind.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::Resource;
use kube::core::NamespaceResourceScope;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::Context;
use super::failure::Failure;
use super::settled::Memory;
use super::turns::Claim;
use crate::api::{Condition, Phase, Reason};
use crate::fsm::Machine;

/// The action type of a kind.
pub type ActionOf<S> = <<S as Subject>::Machine as Machine>::Action;
/// The trigger type of a kind.
pub type TriggerOf<S> = <<S as Subject>::Machine as Machine>::Trigger;

/// What a status is computed from.
pub struct Pass<'a, S: Subject> {
    /// The object as it was read.
    pub object: &'a S::Object,
    /// What was seen.
    pub seen: &'a S::Observation,
    /// What was made of it.
    pub trigger: TriggerOf<S>,
    /// The phase that follows.
    pub phase: Phase,
    /// Whether the plan holds anything.
    pub acts: bool,
    /// What went wrong afterwards, if anything did.
    pub failure: Option<&'a Failure>,
    /// The same plan failed the last time.
    pub again: bool,
    /// The time of the pass.
    pub now: Timestamp,
}

/// Something to tell in an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its reason.
    pub reason: Reason,
    /// One sentence.
    pub message: String,
    /// Whether it is a warning.
    pub warning: bool,
}

/// A kind: how it is observed, decided, described and acted upon. The order of these steps is the driver's.
#[async_trait]
pub trait Subject: Send + Sync + 'static {
    /// The custom resource.
    type Object: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + Serialize
        + DeserializeOwned
        + Send
        + Sync;
    /// Its machine.
    type Machine: Machine<Trigger: Send + Sync, Action: Send + Sync>;
    /// What is read before a decision.
    type Observation: Send + Sync;
    /// `.status`.
    type Status: Serialize + PartialEq + Clone + Send + Sync;

    /// The trigger that says that there is nothing to do.
    fn settled() -> TriggerOf<Self>
    where
        Self: Sized;

    /// The status as it was read.
    fn status(object: &Self::Object) -> Option<&Self::Status>;

    /// The recorded phase.
    fn phase(object: &Self::Object) -> Phase;

    /// The recorded phase and since when it is recorded.
    fn phase_since(object: &Self::Object) -> Option<Timestamp>;

    /// The recorded conditions.
    fn conditions(object: &Self::Object) -> &[Condition];

    /// Reads everything the decision needs, and writes nothing.
    ///
    /// # Errors
    /// When the API server could not be read; an unreadable backend is an observation.
    ///
    /// `written` is the credentials Secret, where our own write has just returned it.
    async fn observe(
        context: &Context,
        object: &Self::Object,
        written: Option<Box<Secret>>,
    ) -> Result<Self::Observation, Failure>;

    /// The credentials Secret, if this pass has written it.
    fn written(seen: Self::Observation) -> Option<Box<Secret>>;

    /// Whether a part of it is remembered from an earlier pass.
    fn is_remembered(seen: &Self::Observation) -> bool;

    /// What may be remembered of it, if it is settled.
    fn memory(context: &Context, object: &Self::Object, seen: &Self::Observation) -> Option<Memory>;

    /// How long the backend asked to be left alone, if it did.
    fn asked_to_wait(_seen: &Self::Observation) -> Option<Duration> {
        None
    }

    /// Whether nobody wants writes.
    fn is_paused(seen: &Self::Observation) -> bool;

    /// The trigger. Pure.
    fn classify(object: &Self::Object, seen: &Self::Observation) -> TriggerOf<Self>
    where
        Self: Sized;

    /// The status that tells of this pass. Pure.
    fn describe(context: &Context, pass: &Pass<'_, Self>) -> Self::Status
    where
        Self: Sized;

    /// The status when nothing could be observed. Pure.
    fn describe_unobserved(
        context: &Context,
        object: &Self::Object,
        failure: &Failure,
        now: Timestamp,
    ) -> Self::Status;

    /// Carries out one action; idempotent.
    ///
    /// # Errors
    /// When it was refused, or its answer did not arrive.
    async fn act(
        context: &Context,
        object: &Self::Object,
        seen: &mut Self::Observation,
        trigger: TriggerOf<Self>,
        action: ActionOf<Self>,
    ) -> Result<Vec<Note>, Failure>
    where
        Self: Sized;

    /// The status when all actions were carried out, where they have begun something that has to be known to whoever
    /// begins anew. Pure.
    fn afterwards(_: &Self::Object, _: &Self::Observation, _: Timestamp) -> Option<Self::Status>
    where
        Self: Sized,
    {
        None
    }

    /// Whether the action brings what exists to what the spec asks for. After a refusal, observations leave out what it
    /// was to change.
    fn is_change(action: ActionOf<Self>) -> bool
    where
        Self: Sized;

    /// Whether the action is only about Secrets and the object itself. Then what follows can be looked at at once, while
    /// what a backend was asked for takes its time.
    fn is_of_credentials(action: ActionOf<Self>) -> bool
    where
        Self: Sized;

    /// Whether the action may write the object itself.
    fn changes_object(action: ActionOf<Self>) -> bool
    where
        Self: Sized;

    /// The turn that the plan needs, held until it is carried out. Most plans need none.
    fn turn(_: &Context, _: &Self::Observation, _: &[ActionOf<Self>]) -> Claim
    where
        Self: Sized,
    {
        Claim::NotNeeded
    }

    /// When to look again after a pass that did nothing.
    fn pace(
        context: &Context,
        object: &Self::Object,
        seen: &Self::Observation,
        trigger: TriggerOf<Self>,
    ) -> Duration
    where
        Self: Sized;
}
