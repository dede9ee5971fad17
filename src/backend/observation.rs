//! What a backend says about a server.

use crate::postgres::Endpoint;

use super::Settings;

/// The answer to "is there a server, and is it ours".
#[derive(Clone, Debug)]
pub enum ServerObservation {
    /// The service says that there is none. "Cannot be read" is an error, never this.
    Absent,
    /// There is one, and it belongs to the asking object.
    Present(Box<PresentServer>),
    /// There is one under that name, and it belongs to somebody else.
    NotOurs {
        /// Whose it seems to be, for people.
        message: String,
    },
}

/// A server of ours.
#[derive(Clone, Debug)]
pub struct PresentServer {
    /// The backend's immutable id; none while the server is not far enough to have one.
    pub uid: Option<String>,
    /// Whether it takes connections.
    pub health: Health,
    /// Whether it takes changes now.
    pub accepts_writes: bool,
    /// What it is working on, if anything.
    pub operation: Option<String>,
    /// How to lift the protection against deletion, for people; none where there is no protection.
    pub protected: Option<String>,
    /// Whether it bears the mark that its object is gone: see [`super::ServerBackend::mark`].
    pub left: bool,
    /// What it is like.
    pub facts: ServerFacts,
}

impl PresentServer {
    /// Whether it takes connections or is known to have taken some, so that somebody may have data in it.
    pub fn was_used(&self) -> bool {
        matches!(self.health, Health::Usable | Health::Failed { was_available: true, .. })
    }
}

/// Whether a server takes connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Usable,
    /// It does not, and it is not clear that it failed for good.
    Unusable {
        /// Why, for people.
        message: String,
    },
    /// The backend calls it failed.
    Failed {
        /// Why, for people.
        message: String,
        /// Whether it had ever been available; an empty shell may be removed, a used server never.
        was_available: bool,
    },
}

/// What a server is like.
#[derive(Clone, Debug, Default)]
pub struct ServerFacts {
    /// The account it is in, where the backend tells.
    pub account: Option<String>,
    /// Where it takes connections.
    pub endpoint: Option<Endpoint>,
    /// The user name of the administrator.
    pub admin_username: String,
    /// The database the administrator logs in to.
    pub admin_database: String,
    /// What applications put in as `sslmode`.
    pub sslmode: String,
    /// The running version of PostgreSQL.
    pub version: Option<String>,
    /// The size in the backend's words.
    pub size: Option<String>,
    /// Allocated storage in GB.
    pub storage_gb: Option<u64>,
    /// How much of it is used, in GB, rounded up; none where the backend does not tell.
    pub storage_used_gb: Option<u64>,
    /// Every compared field with its value.
    pub settings: Settings,
}
