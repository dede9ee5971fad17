//! Conditions: the answers to "is it usable", "is it as asked", "is work in flight", "is it stuck".

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumMessage, IntoStaticStr};

use super::Reason;

/// The conditions both kinds carry.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumIter,
    EnumMessage,
    IntoStaticStr,
)]
pub enum ConditionType {
    /// The published credentials are believed to be usable.
    Ready,
    /// What exists is what the spec asks for.
    Synced,
    /// Work is in flight, or something is awaited that comes by itself.
    Reconciling,
    /// The operator cannot go on by itself; the reason says what is needed.
    Stalled,
    /// The spec asks for something that the backend does not do; present only then. Everything else goes on.
    Limited,
    /// No writes are made, because the object or the operator asks for none.
    Paused,
    /// The published credentials were seen to log in (Unknown: no route to the server from here).
    LoginVerified,
}

/// Kubernetes' three-valued truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Display)]
#[schemars(transform = super::schema::words)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It cannot be told.
    Unknown,
}

impl From<bool> for ConditionStatus {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// One observation of an object's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What is observed: Ready, Synced, Reconciling, Stalled, Limited, Paused or LoginVerified.
    #[serde(rename = "type")]
    #[schemars(with = "String", length(min = 1, max = 316))]
    pub type_: ConditionType,
    /// Whether it holds: True, False, or Unknown where it cannot be told.
    pub status: ConditionStatus,
    /// Why, in one CamelCase word out of the list in the documentation.
    // Not an enum in the schema: an operator with a new reason must be able to write it under an older definition.
    #[schemars(
        with = "String",
        regex(pattern = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"),
        length(max = 1024)
    )]
    pub reason: Reason,
    /// Why, in one sentence for people. Never holds a secret.
    #[schemars(length(max = 32768))]
    pub message: String,
    /// When the status of this condition last changed.
    pub last_transition_time: Time,
    /// The generation of the spec this was observed for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// `new` with the transition times of `old` where the truth value did not change.
pub fn conditions_with(old: &[Condition], mut new: Vec<Condition>, now: Timestamp) -> Vec<Condition> {
    for condition in &mut new {
        condition.last_transition_time = old
            .iter()
            .find(|before| before.type_ == condition.type_ && before.status == condition.status)
            .map_or(Time(now), |before| before.last_transition_time.clone());
    }
    new.sort_by_key(|condition| condition.type_);
    new
}
