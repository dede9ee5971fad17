//! Every reason a condition or an event can carry, in one place.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumMessage, IntoStaticStr};

/// Why a condition has its value, in one word. The list is closed: dashboards and alerts may match on it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumIter,
    EnumMessage,
    IntoStaticStr,
)]
pub enum Reason {
    /// Everything is as asked and published.
    Available,
    /// What exists is what the spec asks for.
    InSync,
    /// Nothing is in flight.
    Idle,
    /// Nothing stands in the way.
    NotStalled,
    /// The published credentials logged in.
    LoginSucceeded,
    /// The server or database is being created.
    Creating,
    /// What exists differs from the spec and is being changed.
    Updating,
    /// Settings are being put in place.
    Configuring,
    /// The credentials Secret is being written.
    Publishing,
    /// A new password is being set.
    ResettingPassword,
    /// The published password was refused and is being put back in force.
    RestoringPassword,
    /// The object is being deleted.
    Deleting,
    /// The backend is working on the server.
    Busy,
    /// The server does not take connections.
    Unusable,
    /// No credentials are published yet.
    NotPublished,
    /// The server cannot be reached from the operator.
    Unreachable,
    /// The server refuses the published password.
    CredentialsRefused,
    /// What exists differs from the spec and is not being changed; the message says why.
    NotApplied,
    /// What was there before this operator differs from the spec, and is changed only with the next change of the spec or
    /// by the action `apply-now`.
    TakenOver,
    /// What differs interrupts connections when it is changed, and waits for the maintenance window, as
    /// `spec.changeWindow` asks.
    AwaitingWindow,
    /// A change is being made that interrupts connections.
    Restarting,
    /// The spec asks for something that this backend does not do; it has no effect.
    NotSupported,
    /// The object carries `operator/paused`.
    PausedByUser,
    /// The operator is configured to read only.
    ObserveOnly,
    /// A server or database of that name exists and does not belong to this object.
    NotOurs,
    /// A role or database of that name exists and does not belong to this object.
    NameConflict,
    /// The name is reserved by PostgreSQL or by the platform.
    ReservedName,
    /// The Secret named in the spec exists and does not belong to this object.
    SecretConflict,
    /// The server existed and is gone. The action `recreate` starts again with an empty one.
    ServerLost,
    /// The database existed and is gone. The action `recreate` starts again with an empty one.
    DatabaseLost,
    /// Another server stands under the pinned name.
    ServerReplaced,
    /// The backend could not be read.
    BackendUnreadable,
    /// The backend refused the request; the message says which field.
    Rejected,
    /// The operator lacks a right, or a quota or policy of the cluster forbids it; the message says which.
    Forbidden,
    /// The spec asks for something this backend cannot do.
    InvalidSpec,
    /// The backend is not configured or not allowed.
    BackendNotAvailable,
    /// Creation failed before the server was ever available; it is tried again.
    CreateFailed,
    /// The server failed after it had been available.
    ServerFailed,
    /// A password was reset a short while ago; the next request for one waits.
    ResetThrottled,
    /// The namespace is being deleted, so nothing new is created in it.
    NamespaceTerminating,
    /// The database waits for its server; the message says what for.
    WaitingForServer,
    /// Databases refer to the server, so it is not deleted.
    DatabasesExist,
    /// The server is protected against deletion; the message says how to lift it.
    Protected,
    /// Work goes on for longer than `reconcile.progress_deadline_seconds`; the message says on what.
    DeadlineExceeded,
    /// Objects were changed under the operator's hands; it looks again.
    Conflict,
    /// A request failed and is tried again.
    Transient,
    /// The server was kept on deletion, as the policy asks.
    Retained,
    /// The phase changed; carried by events only.
    Transition,
    /// A request for an action was carried out; carried by events only.
    ActionDone,
    /// A request for an action is not known; carried by events only.
    UnknownAction,
    /// Deletion ended without touching PostgreSQL; the message names what stays behind. Carried by events only.
    LeftBehind,
    /// The changed configuration is in force. Carried by events on the operator's Lease only.
    ConfigurationApplied,
    /// The changed configuration cannot be used, and the one before stays in force. Carried by events on the operator's
    /// Lease only.
    ConfigurationRefused,
    /// Part of the changed configuration holds after a restart only; the message names the keys. Carried by events on
    /// the operator's Lease only.
    ConfigurationNeedsRestart,
    /// Written by another version of the operator, and not known to this one; only ever read.
    #[serde(other)]
    Unknown,
}

impl Reason {
    /// The reason as it stands in conditions, events and metric labels.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
