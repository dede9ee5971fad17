//! The machine of a `PostgreSQLDatabase`.

mod classify;
mod machine;
#[cfg(test)]
mod tests;

use strum::{EnumIter, EnumMessage, IntoEnumIterator, IntoStaticStr};

use super::{CredentialsAction, Machine, Pending, Published, Step};
use crate::api::Phase;

pub use classify::classify;

/// What is seen of a database, as far as the decision needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DatabaseView {
    /// The recorded phase.
    pub phase: Phase,
    /// The object is being deleted.
    pub deleting: bool,
    /// The user or the operator's configuration asks for no writes.
    pub paused: bool,
    /// The server the database lives on.
    pub server: ServerSeen,
    /// What PostgreSQL answers; means nothing while the server is not usable.
    pub presence: DatabasePresence,
    /// Something says that the database existed.
    pub evidence: bool,
    /// The user asked to start again with an empty database.
    pub recreate: bool,
    /// The pending password.
    pub pending: Pending,
    /// The credentials Secret.
    pub published: Published,
    /// A password reset is asked for, and due.
    pub reset_requested: bool,
    /// The object has been Ready before.
    pub was_ready: bool,
    /// Owner, grants or extensions differ.
    pub unconfigured: bool,
    /// It was there before the object's first pass, and nobody has asked for a change since: differences are told, and
    /// not applied.
    pub taken_over: bool,
    /// The spec cannot be carried out; the reason stands in the conditions.
    pub rejected: bool,
    /// The namespace is being deleted, so no Secret can be made in it.
    pub terminating: bool,
    /// A request is there that asks for nothing, or for nothing known.
    pub idle_request: bool,
    /// The database stays when the object goes.
    pub retain: bool,
}

/// The server of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServerSeen {
    /// Its object is certainly not there, is being deleted, or its server is lost.
    Gone,
    /// It does not take our connections now, or its credentials are being changed.
    Waiting,
    /// Its credentials log in.
    Usable,
}

/// What PostgreSQL answers about a database and its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatabasePresence {
    /// It could not be asked.
    Unreadable,
    /// There is no database; a role of ours may be there.
    Absent,
    /// The database or the role belongs to somebody else.
    NotOurs,
    /// The database is there and ours, and its role is not there.
    RoleMissing,
    /// Both are there and ours.
    Present,
}

impl DatabasePresence {
    /// Whether the database is there and ours.
    pub fn is_there(self) -> bool {
        matches!(self, Self::RoleMissing | Self::Present)
    }
}

/// What can be seen, in the order of precedence in which it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, EnumMessage, IntoStaticStr)]
pub enum DatabaseTrigger {
    /// The object is to be deleted.
    Deletion,
    /// No writes are wanted.
    Paused,
    /// The server is not there, not usable, or its credentials are being changed.
    WaitingForServer,
    /// PostgreSQL cannot be read.
    Unreadable,
    /// A database or role of that name belongs to somebody else.
    NotOurs,
    /// The user asked to start again in place of a lost database.
    RecreateRequested,
    /// The database existed and is gone.
    Lost,
    /// There is no database, and there never was one.
    Absent,
    /// The database is there, and its role is gone.
    RoleMissing,
    /// A password is pending that PostgreSQL refuses or has not got.
    PasswordUnapplied,
    /// A new password is asked for, or the credentials Secret is gone.
    ResetRequested,
    /// PostgreSQL refuses the published password.
    CredentialsRefused,
    /// Owner, grants or extensions differ from the spec.
    Unconfigured,
    /// The accepted password or the server's facts are not in the Secret yet.
    Unpublished,
    /// A request for an action asks for nothing, or for nothing known.
    IdleRequest,
    /// Everything is as asked and published.
    Settled,
    /// Nothing can proceed until an input changes.
    Rejected,
    /// Deleting: the server is gone or going, so nothing is left to do in PostgreSQL.
    Abandoned,
    /// Deleting: the database stays, by policy or because it is not ours.
    Retained,
    /// Deleting: the database stays, and its password cannot be published; the pending Secret stays too.
    RetainedUnpublished,
    /// Deleting: the database or its role is there and ours.
    Present,
    /// Deleting: database and role are certainly gone.
    Gone,
}

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatabaseAction {
    /// Create the role with the pending password; a role of ours that is there already gets that password.
    CreateRole,
    /// Create the database, owned by the role.
    CreateDatabase,
    /// Put owner, grants and extensions right.
    ConfigureDatabase,
    /// Set the pending password.
    ApplyPassword,
    /// Put the published password back in force.
    RestorePassword,
    /// End its sessions and drop the database.
    DropDatabase,
    /// Drop the role with everything granted to it.
    DropRole,
    /// Work on passwords, Secrets and the object itself.
    Credentials(CredentialsAction),
}

/// The machine of a `PostgreSQLDatabase`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DatabaseMachine;

impl Machine for DatabaseMachine {
    type Trigger = DatabaseTrigger;
    type Action = DatabaseAction;
    const KIND: &'static str = "database";

    fn step(phase: Phase, trigger: DatabaseTrigger) -> Step<DatabaseAction> {
        machine::step(phase, trigger)
    }

    fn triggers() -> Vec<DatabaseTrigger> {
        DatabaseTrigger::iter().collect()
    }

    fn action_name(action: DatabaseAction) -> &'static str {
        match action {
            DatabaseAction::CreateRole => "CreateRole",
            DatabaseAction::CreateDatabase => "CreateDatabase",
            DatabaseAction::ConfigureDatabase => "ConfigureDatabase",
            DatabaseAction::ApplyPassword => "ApplyPassword",
            DatabaseAction::RestorePassword => "RestorePassword",
            DatabaseAction::DropDatabase => "DropDatabase",
            DatabaseAction::DropRole => "DropRole",
            DatabaseAction::Credentials(action) => action.into(),
        }
    }
}
