//! What stands behind a server: the trait every backend implements.
//!
//! A backend observes and acts; it decides nothing. Whether and when something is done is decided by the state machine
//! in [`crate::fsm`].

mod around;
#[cfg(feature = "clouds")]
mod aws;
#[cfg(feature = "clouds")]
mod azure;
#[cfg(feature = "clouds")]
mod cloud;
mod error;
#[cfg(not(fuzzing))]
mod local;
/// Open to the fuzz targets only.
#[cfg(fuzzing)]
pub mod local;
mod logins;
mod notes;
mod observation;
mod parameters;
mod read;
mod select;
mod semantics;
mod setup;
pub mod sizes;

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::api::{DeletionPolicy, PostgreSQLServerSpec, WeeklyWindow};
use crate::secrets::Password;

pub use around::{Around, Call, Hook, Operation};
#[cfg(feature = "clouds")]
pub use aws::{AuroraBackend, AwsConfigError, RdsBackend};
#[cfg(feature = "clouds")]
pub use azure::{AzureConfigError, FlexibleBackend, SingleBackend, Variables};
pub use error::{BackendError, Retry};
pub use local::{LocalBackend, LocalConfigError};
pub use logins::Logins;
pub use notes::Notes;
pub use observation::{Health, PresentServer, ServerFacts, ServerObservation};
pub use parameters::{FIREWALL_RULE, PARAMETER, asked_parameters, parameter_text};
pub use read::{Read, Urgency};
pub use select::{Backends, SelectError};
pub use semantics::{
    Change, Difference, FieldRule, Rejection, Semantics, Settings, Stage, abandoned, compare,
};
pub use setup::{SetupError, all};

/// The Kubernetes object a server belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// Where a server lives. Pinned in the object's status before the first effect; from then on never computed again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerIdentity {
    /// The server's name in the backend.
    pub name: String,
    /// The account or subscription, where the backend has such a thing.
    pub account: Option<String>,
    /// The region or location, where the backend has such a thing.
    pub region: Option<String>,
    /// The resource group or namespace, where the backend has such a thing.
    pub group: Option<String>,
}

/// What a server shall be like.
#[derive(Clone, Copy, Debug)]
pub struct DesiredServer<'a> {
    /// Whose server it is.
    pub owner: &'a Owner,
    /// The user's words.
    pub spec: &'a PostgreSQLServerSpec,
    /// Names of the server parameters that we have set, as the status says: only these are ever reset.
    pub managed: &'a [String],
    /// Names of the firewall rules that we have set, as the status says: only these are ever removed.
    pub managed_rules: &'a [String],
}

impl<'a> DesiredServer<'a> {
    /// A server for which nothing was set yet.
    pub fn new(owner: &'a Owner, spec: &'a PostgreSQLServerSpec) -> Self {
        Self { owner, spec, managed: &[], managed_rules: &[] }
    }
}

/// How a server is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The server and its data are deleted.
    Delete,
    /// A final snapshot is taken first.
    SnapshotAndDelete {
        /// When the object's deletion was asked for. It is the same in every attempt, so a snapshot that is named after it
        /// is taken once, however often the request is repeated.
        since: Timestamp,
    },
}

/// One kind of PostgreSQL server.
///
/// * No effect may be assumed to be synchronous: `create` returns when the backend has accepted the request, and the
///   progress is seen by `observe`.
/// * Every writing call is idempotent: called again after a crash or a lost answer, it leads to the same end.
/// * Dropping a returned future cancels the waiting, never half an effect.
#[async_trait]
pub trait ServerBackend: Send + Sync {
    /// The backend's name in configuration, spec and status.
    fn name(&self) -> &'static str;

    /// The user name of the administrator in new servers.
    fn admin_username(&self) -> String;

    /// How the names of logins to these servers are spelled.
    fn logins(&self) -> Logins {
        Logins::default()
    }

    /// Whether new servers are made at all. Those that are there are looked after in any case. Pure.
    ///
    /// # Errors
    /// Why there are none, and what to do instead.
    fn creates(&self) -> Result<(), Rejection> {
        Ok(())
    }

    /// How long after an accepted request a new server may still be missing from answers.
    fn settling_time(&self) -> Duration {
        Duration::ZERO
    }

    /// How soon after the creation of a server has begun it is looked at for the first time, where looking costs nothing;
    /// from then on less and less often. None: as often as the configuration says.
    fn first_poll(&self) -> Option<Duration> {
        None
    }

    /// What happens to a server whose object does not say so, when the object is deleted. `of_original`: the original
    /// operator has worked on the object.
    fn default_deletion(&self, _of_original: bool) -> DeletionPolicy {
        DeletionPolicy::default()
    }

    /// Whether servers are never deleted, whatever their objects say, but bear a mark from then on: see [`Self::mark`].
    fn leaves_deleted(&self) -> bool {
        false
    }

    /// Whether databases stay when their objects are deleted.
    fn leaves_databases(&self) -> bool {
        false
    }

    /// Whether a server that stays because its object says `Retain` bears a mark from then on: see [`Self::mark`].
    fn marks_retained(&self) -> bool {
        false
    }

    /// Whether something is to be seen to when a server is gone: see [`Self::conclude`].
    fn concludes(&self) -> bool {
        false
    }

    /// Whether the operator has to see to it that databases create only the extensions in `spec.extensions` of their
    /// server, where any are listed. Elsewhere the service itself does.
    fn lists_extensions(&self) -> bool {
        false
    }

    /// Names of the firewall rules that are asked for, where the backend has such rules. Pure.
    fn firewall_rules(&self, _desired: &DesiredServer<'_>) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// The weekly window of a server whose object names none.
    fn default_window(&self, _facts: &ServerFacts) -> WeeklyWindow {
        WeeklyWindow::DEFAULT
    }

    /// What the spec asks for and this backend does not do, though it can do the rest: it is told, and does not stand in
    /// the way. Pure.
    fn unsupported(&self, _desired: &DesiredServer<'_>) -> Vec<Rejection> {
        Vec::new()
    }

    /// Called once, before anything else but pure questions, when this process begins to act: until then another one
    /// may have been at work.
    async fn begin(&self) {}

    /// Completes when nothing that this process has begun is under way any more.
    async fn at_rest(&self) {}

    /// What this process knows of a server and its service would not tell another one: kept in the object's status.
    fn notes(&self, _identity: &ServerIdentity) -> Notes {
        Notes::default()
    }

    /// What was kept of that, by whatever process: called before each look. What this process knows by itself is newer.
    fn recall(&self, _identity: &ServerIdentity, _kept: &Notes) {}

    /// Where a new server of this owner will live. Pure.
    ///
    /// # Errors
    /// The rejection when no legal name can be made.
    fn identity(&self, owner: &Owner) -> Result<ServerIdentity, Rejection>;

    /// What in the spec this backend cannot do. Pure.
    ///
    /// # Errors
    /// Every rejected field.
    fn validate(&self, desired: &DesiredServer<'_>) -> Result<(), Vec<Rejection>>;

    /// Reads the server, as fresh as `read` says. Absence is only ever the answer of a direct read.
    ///
    /// # Errors
    /// When the backend could not be read; "does not exist" is not an error.
    async fn observe(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        read: Read,
    ) -> Result<ServerObservation, BackendError>;

    /// How the server differs from the wish. Pure.
    fn differences(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference>;

    /// Asks for a new server with this administrator password. A server of that name that is already there is an
    /// [`BackendError::Conflict`], unless it is ours: then nothing is done.
    ///
    /// # Errors
    /// When the request was refused or its answer did not arrive.
    async fn create(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError>;

    /// Carries out the given differences of the stage [`Stage::Update`].
    ///
    /// # Errors
    /// When a request was refused or its answer did not arrive.
    async fn update(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError>;

    /// Carries out the given differences of the stage [`Stage::Configure`].
    ///
    /// # Errors
    /// When a request was refused or its answer did not arrive.
    async fn configure(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError>;

    /// Sets the administrator's password.
    ///
    /// # Errors
    /// When the request was refused or its answer did not arrive.
    async fn set_admin_password(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        password: &Password,
    ) -> Result<(), BackendError>;

    /// Sets or takes off the mark that says that the server's object is gone and the server was left as it is
    /// ([`PresentServer::left`]). Asked of backends only that [`Self::leaves_deleted`] or that [`Self::marks_retained`],
    /// or whose servers bear the mark.
    ///
    /// # Errors
    /// When the request was refused or its answer did not arrive.
    async fn mark(
        &self,
        _identity: &ServerIdentity,
        _owner: &Owner,
        _left: bool,
    ) -> Result<(), BackendError> {
        Err(BackendError::rejected("this backend does not mark servers"))
    }

    /// Takes the server away, if it is ours and, where `uid` is given, still the same one.
    ///
    /// # Errors
    /// When the request was refused (also by a protection) or its answer did not arrive.
    async fn delete(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError>;

    /// Called when the server is gone, before its object is let go, of backends that [`Self::concludes`]: looks whether
    /// what had to become of it is there, such as a final snapshot, and takes away what belonged to it alone.
    /// `last_seen`: what the server, if it had ever been ready, was last seen working on while its object was being
    /// deleted. One that went by somebody else's hand may have left nothing.
    ///
    /// # Errors
    /// When something is missing that has to be there, or a request was refused or its answer did not arrive.
    async fn conclude(
        &self,
        _identity: &ServerIdentity,
        _owner: &Owner,
        _removal: Removal,
        _last_seen: Option<&str>,
    ) -> Result<(), BackendError> {
        Ok(())
    }
}
