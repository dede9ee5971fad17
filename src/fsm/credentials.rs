//! What both machines share: the way of a password from "drawn" to "published".

use strum::{EnumIter, IntoStaticStr};

/// The effects on passwords, Secrets and the object itself that both kinds have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, IntoStaticStr)]
pub enum CredentialsAction {
    /// Draw a password and store it in the pending Secret, unless one is stored already.
    StorePassword,
    /// Log in with the password that was just set.
    VerifyLogin,
    /// Write the accepted password and the facts of the server into the credentials Secret.
    PublishCredentials,
    /// Remove the requests for an action that have been carried out.
    ClearRequest,
    /// Delete the pending Secret.
    DropPending,
    /// Delete the credentials Secret of the former name, after the name in the spec was changed.
    RemoveFormerSecret,
    /// Delete the credentials Secret, if it is ours.
    RemoveSecret,
    /// Remove our finalizer, so that the object can go.
    ReleaseFinalizer,
}

impl CredentialsAction {
    /// Whether the object itself may be another one afterwards.
    pub fn changes_object(self) -> bool {
        matches!(self, Self::ClearRequest | Self::ReleaseFinalizer)
    }
}

/// The pending password, as far as the decision needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pending {
    /// There is none.
    None,
    /// There is one, and PostgreSQL refuses it or has not got it yet.
    Unapplied,
    /// There is one, and PostgreSQL accepts it.
    Accepted,
}

/// The credentials Secret, as far as the decision needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Published {
    /// There is none (certainly; "cannot be read" is a failed observation).
    Absent,
    /// There is one that belongs to somebody else.
    Foreign,
    /// Ours, and PostgreSQL refuses its password.
    Refused,
    /// Ours, its password accepted, but some fact in it is out of date or it stands under a former name.
    Stale,
    /// Ours, accepted and up to date.
    Current,
}
