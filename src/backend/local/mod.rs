//! PostgreSQL servers on the operator's own host.
//!
//! Each server is a cluster in a folder of its own below `data_dir`, listens on a loopback port, takes encrypted
//! connections only, and outlives the operator's process.

mod account;
mod bootstrap_sql;
mod change;
mod check;
mod conf;
mod create;
mod delete;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod install;
mod layout;
mod look;
mod observe;
mod pod;
mod ports;
mod process;
mod record;
mod settings;
mod sizes;
mod tasks;
mod tls;
mod unsupported;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::config::LocalConfig;
use crate::secrets::Password;

use super::{
    BackendError, DesiredServer, Difference, Health, Owner, PARAMETER, Read, Rejection, Removal,
    ServerBackend, ServerFacts, ServerIdentity, ServerObservation, Stage,
};
use create::Plan;
use install::Installs;
use layout::Layout;

pub use error::LocalConfigError;

/// Pause between two looks at work in the background.
const LOOK: Duration = Duration::from_millis(20);

/// The backend `local`.
#[derive(Clone, Debug)]
pub struct LocalBackend {
    local: Arc<Local>,
}

/// Its blocking inside.
#[derive(Debug)]
struct Local {
    config: LocalConfig,
    layout: Layout,
    installs: Installs,
}

impl LocalBackend {
    /// Checks the configuration and looks for installed versions. Nothing is written.
    ///
    /// # Errors
    /// When a key of the configuration cannot be used or no PostgreSQL is found.
    pub fn new(config: LocalConfig) -> Result<Self, LocalConfigError> {
        check::config(&config)?;
        if let Some(problem) = pod::loses(&config.data_dir).filter(|_| !config.allow_data_loss) {
            return Err(LocalConfigError::Fleeting { folder: config.data_dir, problem });
        }
        let installs = Installs::find(config.program_folders())?;
        let layout = Layout { root: config.data_dir.clone() };
        let local = Local { config, layout, installs };
        Ok(Self { local: Arc::new(local) })
    }

    /// Completes the facts by what only the running server can tell.
    async fn ask(&self, identity: &str, facts: &mut ServerFacts) {
        let Some(port) = facts.endpoint.as_ref().map(|endpoint| endpoint.port) else { return };
        let major = facts.settings.get(settings::VERSION).and_then(|version| version.parse().ok());
        let programs = async {
            let release = move |local: &Arc<Local>| local.installs.exactly(major?).ok()?.release();
            self.blocking(move |local| Ok(release(local))).await.ok().flatten()
        };
        if let Some(look) = look::at(&self.local.layout.cluster(identity), port, programs).await {
            look.complete(facts);
        }
    }

    /// Runs blocking work to its end, even if nobody waits for it any more.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Local>) -> Result<T, error::LocalError> + Send + 'static,
    ) -> Result<T, BackendError> {
        let local = Arc::clone(&self.local);
        match tokio::task::spawn_blocking(move || work(&local)).await {
            Ok(result) => result.map_err(BackendError::from),
            Err(_) => Err(BackendError::transient("the local backend's work ended unexpectedly")),
        }
    }
}

#[async_trait]
impl ServerBackend for LocalBackend {
    fn name(&self) -> &'static str {
        "local"
    }

    fn admin_username(&self) -> String {
        self.local.config.admin_username.clone()
    }

    /// A look at files and a process. A server is made in one or two seconds.
    fn first_poll(&self) -> Option<Duration> {
        Some(Duration::from_millis(250))
    }

    fn identity(&self, owner: &Owner) -> Result<ServerIdentity, Rejection> {
        let pattern = &self.local.config.name_pattern;
        let name = pattern.replace("{namespace}", &owner.namespace).replace("{name}", &owner.name);
        Ok(ServerIdentity { name, account: None, region: None, group: None })
    }

    /// Everything that is installed could be created.
    fn lists_extensions(&self) -> bool {
        true
    }

    fn leaves_deleted(&self) -> bool {
        self.local.config.fake_delete
    }

    fn unsupported(&self, desired: &DesiredServer<'_>) -> Vec<Rejection> {
        unsupported::of(desired.spec, &self.local.installs)
    }

    fn validate(&self, desired: &DesiredServer<'_>) -> Result<(), Vec<Rejection>> {
        settings::validate(desired.spec, &self.local.installs)
    }

    /// Removes what an operator that ended left half made or half removed.
    async fn begin(&self) {
        let cleared = self.blocking(|local| local.clear_leftovers()).await;
        if let Err(error) = cleared {
            tracing::warn!(%error, "what an earlier operator left behind cannot be removed");
        }
    }

    async fn at_rest(&self) {
        while tasks::any() {
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn observe(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        _: Read,
    ) -> Result<ServerObservation, BackendError> {
        let (name, owner) = (identity.name.clone(), owner.clone());
        let mut observation = self.blocking(move |local| local.observe(&name, &owner)).await?;
        if let ServerObservation::Present(server) = &mut observation
            && server.health == Health::Usable
        {
            self.ask(&identity.name, &mut server.facts).await;
        }
        Ok(observation)
    }

    fn differences(&self, desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference> {
        settings::differences(desired, facts, &self.local.installs)
    }

    async fn create(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        password: &Password,
    ) -> Result<(), BackendError> {
        let plan = Plan {
            identity: identity.name.clone(),
            owner: desired.owner.clone(),
            version: desired.spec.version.clone(),
            storage_gb: settings::storage_gb(desired.spec),
            parameters: settings::parameters(desired.spec, &self.local.installs),
            password: password.clone(),
        };
        self.blocking(move |local| local.create(plan)).await
    }

    async fn update(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let asked = |field: &str| {
            differences
                .iter()
                .any(|difference| difference.field == field && difference.is_applied_by(Stage::Update))
        };
        let (storage, power) = (asked(settings::STORAGE), asked(settings::POWER));
        let memory = settings::memory_mb(desired.spec).filter(|_| asked(settings::MEMORY));
        let (name, owner) = (identity.name.clone(), desired.owner.clone());
        let storage_gb = settings::storage_gb(desired.spec);
        let parameters = settings::parameters(desired.spec, &self.local.installs);
        self.blocking(move |local| {
            if storage {
                local.note_storage(&name, &owner, storage_gb)?;
            }
            if memory.is_some() {
                local.note_memory(&name, &owner, memory)?;
            }
            if power { local.power_on(&name, &owner, parameters) } else { Ok(()) }
        })
        .await
    }

    async fn configure(
        &self,
        identity: &ServerIdentity,
        desired: &DesiredServer<'_>,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let wanted = settings::parameters(desired.spec, &self.local.installs);
        let changes: Vec<(String, Option<String>)> = differences
            .iter()
            .filter(|difference| difference.is_applied_by(Stage::Configure))
            .filter_map(|difference| difference.field.strip_prefix(PARAMETER))
            .map(|name| (name.to_owned(), wanted.get(name).cloned()))
            .collect();
        let of_stage = |difference: &&Difference| difference.is_applied_by(Stage::Configure);
        let may_restart = differences.iter().filter(of_stage).any(Difference::restarts);
        let (name, owner) = (identity.name.clone(), desired.owner.clone());
        self.blocking(move |local| local.set_parameters(&name, &owner, &changes, may_restart)).await
    }

    async fn set_admin_password(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        password: &Password,
    ) -> Result<(), BackendError> {
        let (name, owner, password) = (identity.name.clone(), owner.clone(), password.clone());
        let access = self.blocking(move |local| local.admin_access(&name, &owner)).await?;
        // A task of its own: a caller that stops waiting does not leave half a session behind.
        let work = tokio::spawn(async move {
            bootstrap_sql::set_password(&access.socket, access.port, &access.admin, &password).await
        });
        match work.await {
            Ok(result) => result.map_err(BackendError::from),
            Err(_) => Err(BackendError::transient("setting the administrator's password ended unexpectedly")),
        }
    }

    async fn mark(&self, identity: &ServerIdentity, owner: &Owner, left: bool) -> Result<(), BackendError> {
        let (name, owner) = (identity.name.clone(), owner.clone());
        self.blocking(move |local| local.note_left(&name, &owner, left)).await
    }

    async fn delete(
        &self,
        identity: &ServerIdentity,
        owner: &Owner,
        uid: Option<&str>,
        removal: Removal,
    ) -> Result<(), BackendError> {
        if matches!(removal, Removal::SnapshotAndDelete { .. }) {
            return Err(BackendError::rejected("the local backend keeps no snapshots; use Delete or Retain"));
        }
        let (name, owner, uid) = (identity.name.clone(), owner.clone(), uid.map(str::to_owned));
        self.blocking(move |local| local.delete(&name, &owner, uid.as_deref())).await
    }
}
