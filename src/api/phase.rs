//! The phase of an object: what the operator is doing with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};

/// What the operator is doing with an object. The state of both state machines, stored in `.status.phase`.
///
/// A phase says "its actions may be in flight", not "they succeeded"; whether the credentials work is said by the
/// condition `Ready`.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumIter,
    IntoStaticStr,
)]
#[schemars(transform = super::schema::words)]
pub enum Phase {
    /// Seen, and nothing begun; also the place of an object whose server was lost.
    #[default]
    Pending,
    /// The server or database is being created or changed.
    Provisioning,
    /// It exists; its settings and the credentials Secret are being put in place.
    Configuring,
    /// Everything is as asked and published.
    Ready,
    /// A new password is being set, verified and published.
    ResettingPassword,
    /// The object is being deleted.
    Deleting,
}

impl Phase {
    /// The phase as it stands in `.status.phase` and in metric labels.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether the object is not being deleted.
    pub fn is_live(self) -> bool {
        self != Phase::Deleting
    }
}
