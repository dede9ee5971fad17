//! The machine of a `PostgreSQLServer`.

mod classify;
mod machine;
#[cfg(test)]
mod tests;

use strum::{EnumIter, EnumMessage, IntoEnumIterator, IntoStaticStr};

use super::{CredentialsAction, Machine, Pending, Published, Step};
use crate::api::Phase;

pub use classify::classify;

/// What is seen of a server, as far as the decision needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServerView {
    /// The recorded phase.
    pub phase: Phase,
    /// The object is being deleted.
    pub deleting: bool,
    /// The user or the operator's configuration asks for no writes.
    pub paused: bool,
    /// What the backend answers.
    pub presence: Presence,
    /// Something says that the server existed: its recorded id, or what the original operator left.
    pub evidence: bool,
    /// A create was asked for so recently that absence means nothing yet.
    pub settling: bool,
    /// The user asked to start again with an empty server.
    pub recreate: bool,
    /// The pending password.
    pub pending: Pending,
    /// The credentials Secret.
    pub published: Published,
    /// The password that is to be in force was set, with the backend's consent, so recently that a refusal means nothing
    /// yet.
    pub awaited: bool,
    /// A password reset is asked for, and due.
    pub reset_requested: bool,
    /// The object has been Ready before.
    pub was_ready: bool,
    /// Something differs that an update puts right.
    pub differs: bool,
    /// An update may bring an unusable server back.
    pub revivable: bool,
    /// Something differs that a configuration puts right.
    pub unconfigured: bool,
    /// It was there before the object's first pass, and nobody has asked for a change since: differences are told, and
    /// not applied.
    pub taken_over: bool,
    /// The spec cannot be carried out for a new server; the reason stands in the conditions.
    pub rejected: bool,
    /// The namespace is being deleted, so no Secret can be made in it.
    pub terminating: bool,
    /// A request is there that asks for nothing, or for nothing known.
    pub idle_request: bool,
    /// The server stays when the object goes.
    pub retain: bool,
    /// Databases that are not being deleted refer to the server.
    pub referenced: bool,
    /// The backend protects the server against deletion.
    pub protected: bool,
    /// The mark that tells that the object is gone and the server was left is missing, or stands there without reason.
    pub mismarked: bool,
}

/// What the backend answers about a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// It could not be asked.
    Unreadable,
    /// There is no such server.
    Absent,
    /// There is one of somebody else.
    NotOurs,
    /// There is one of ours, but not the one that was recorded.
    Replaced,
    /// The backend is working on it.
    Busy,
    /// It does not take connections.
    Unusable,
    /// The backend calls it failed, and it never was available.
    FailedNew,
    /// The backend calls it failed, and it had been available.
    FailedUsed,
    /// It takes connections and changes.
    Usable,
}

/// What can be seen, in the order of precedence in which it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, EnumMessage, IntoStaticStr)]
pub enum ServerTrigger {
    /// The object is to be deleted.
    Deletion,
    /// No writes are wanted.
    Paused,
    /// The server under the name belongs to somebody else.
    NotOurs,
    /// The user asked to start again in place of a lost server.
    RecreateRequested,
    /// The server existed and is gone.
    Lost,
    /// Another server stands under the name.
    Replaced,
    /// The backend cannot be read.
    Unreadable,
    /// There is no server, and there never was one.
    Absent,
    /// The backend is working on the server.
    Busy,
    /// The server does not take connections.
    Unusable,
    /// Creation failed before the server was ever available.
    CreateFailed,
    /// The server failed after it had been available.
    ServerFailed,
    /// A password was set, and the server does not take it yet.
    PasswordAwaited,
    /// A password is pending that the server refuses or has not got.
    PasswordUnapplied,
    /// A new password is asked for, or the credentials Secret is gone.
    ResetRequested,
    /// The server refuses the published password.
    CredentialsRefused,
    /// The server differs from the spec.
    Differs,
    /// Settings of the server differ from the spec.
    Unconfigured,
    /// The accepted password or the server's facts are not in the Secret yet.
    Unpublished,
    /// The mark that tells that the server was left is missing, or stands there without reason.
    Mismarked,
    /// A request for an action asks for nothing, or for nothing known.
    IdleRequest,
    /// Everything is as asked and published.
    Settled,
    /// Nothing can proceed until an input changes.
    Rejected,
    /// Deleting: databases refer to the server.
    DatabasesExist,
    /// Deleting: the backend protects the server.
    Protected,
    /// Deleting: the server stays, by policy or because it is not ours.
    Retained,
    /// Deleting: the server stays, and its password cannot be published; the pending Secret stays too.
    RetainedUnpublished,
    /// Deleting: the server is there and ours.
    Present,
    /// Deleting: the server is certainly gone.
    Gone,
}

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServerAction {
    /// Ask the backend for a server with the pending password.
    CreateServer,
    /// Remove what a failed creation left.
    RemoveShell,
    /// Put differences right.
    UpdateServer,
    /// Put settings right.
    ConfigureServer,
    /// Set the pending password.
    ApplyPassword,
    /// Put the published password back in force.
    RestorePassword,
    /// Mark the server as left, or take that mark off.
    MarkServer,
    /// Delete the server, with a final snapshot where the policy asks for one.
    DeleteServer,
    /// Work on passwords, Secrets and the object itself.
    Credentials(CredentialsAction),
}

/// The machine of a `PostgreSQLServer`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerMachine;

impl Machine for ServerMachine {
    type Trigger = ServerTrigger;
    type Action = ServerAction;
    const KIND: &'static str = "server";

    fn step(phase: Phase, trigger: ServerTrigger) -> Step<ServerAction> {
        machine::step(phase, trigger)
    }

    fn triggers() -> Vec<ServerTrigger> {
        ServerTrigger::iter().collect()
    }

    fn action_name(action: ServerAction) -> &'static str {
        match action {
            ServerAction::CreateServer => "CreateServer",
            ServerAction::RemoveShell => "RemoveShell",
            ServerAction::UpdateServer => "UpdateServer",
            ServerAction::ConfigureServer => "ConfigureServer",
            ServerAction::ApplyPassword => "ApplyPassword",
            ServerAction::RestorePassword => "RestorePassword",
            ServerAction::MarkServer => "MarkServer",
            ServerAction::DeleteServer => "DeleteServer",
            ServerAction::Credentials(action) => action.into(),
        }
    }
}
