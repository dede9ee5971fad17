//! Changing a server: power, storage, parameters, password.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::Owner;
use super::account::Account;
use super::conf::{self, Parameters};
use super::error::LocalError;
use super::layout::{Cluster, exists};
use super::look::{self, Look};
use super::record::Record;
use super::tasks::Claim;
use super::{Local, process, tls};

/// Where and as whom the password is set.
pub(super) struct AdminAccess {
    pub(super) socket: PathBuf,
    pub(super) port: u16,
    pub(super) admin: String,
}

impl Local {
    /// The server, if it is there and ours.
    pub(super) fn ours(&self, identity: &str, owner: &Owner) -> Result<(Cluster, Record), LocalError> {
        let cluster = self.layout.cluster(identity);
        match Record::read(&cluster)? {
            Some(record) if !record.belongs_to(identity, owner) => {
                Err(LocalError::Conflict { message: record.whose() })
            }
            Some(record) if exists(&cluster.pgdata())? => Ok((cluster, record)),
            _ => Err(LocalError::Gone { identity: identity.to_owned() }),
        }
    }

    /// Starts a stopped server in the background, with the parameters asked for now: the old ones may be what keeps
    /// it from starting.
    pub(super) fn power_on(
        self: &Arc<Self>,
        identity: &str,
        owner: &Owner,
        wanted: Parameters,
    ) -> Result<(), LocalError> {
        let (cluster, record) = self.ours(identity, owner)?;
        let claim = Claim::take_or_busy(cluster.key(), owner, "start")?;
        if process::find(&cluster)?.is_some() {
            return Ok(());
        }
        let local = Arc::clone(self);
        let identity = identity.to_owned();
        tokio::task::spawn_blocking(move || match local.start(&cluster, record, &wanted) {
            Ok(()) => {
                tracing::info!(server = %identity, "local server started");
                drop(claim);
            }
            Err(error) => {
                tracing::warn!(server = %identity, %error, "local server not started");
                claim.fail(error.to_string());
            }
        });
        Ok(())
    }

    fn start(&self, cluster: &Cluster, mut record: Record, wanted: &Parameters) -> Result<(), LocalError> {
        let account = Account::resolve(&self.config.run_as_user)?;
        let install = self.installs.exactly(record.version)?;
        account.must_reach(&cluster.folder, &install.program("initdb"))?;
        conf::write(cluster, cluster, &record, self.config.address, &account)?;
        // Parameters that PostgreSQL refuses stay out; the difference is reported by `configure`.
        if conf::read_parameters(cluster)? != *wanted
            && conf::check_parameters(cluster, wanted, install, &account).is_ok()
        {
            conf::write_parameters(cluster, wanted, &account)?;
        }
        tls::issue(&self.layout, cluster, self.config.address, &account)?;
        process::start(cluster, record.port, install, &account)?;
        // It has all that is asked for now.
        let sized =
            Record { was_available: true, shared_buffers_mb: None, memory_mb: None, ..record.clone() };
        if sized != record {
            record = sized;
            record.write(cluster)?;
        }
        Ok(())
    }

    /// Writes down how much storage was asked for.
    pub(super) fn note_storage(
        &self,
        identity: &str,
        owner: &Owner,
        storage: Option<u64>,
    ) -> Result<(), LocalError> {
        let (cluster, _) = self.ours(identity, owner)?;
        let _claim = Claim::take_or_busy(cluster.key(), owner, "update")?;
        // Read again: work that ended in between may have written.
        let (cluster, mut record) = self.ours(identity, owner)?;
        record.storage_gb = record.storage_gb.max(storage);
        record.write(&cluster)
    }

    /// Writes down for which memory a server of an earlier version has what it has.
    pub(super) fn note_memory(
        &self,
        identity: &str,
        owner: &Owner,
        memory_mb: Option<i64>,
    ) -> Result<(), LocalError> {
        let (cluster, _) = self.ours(identity, owner)?;
        let _claim = Claim::take_or_busy(cluster.key(), owner, "update")?;
        let (cluster, record) = self.ours(identity, owner)?;
        Record { memory_mb, ..record }.write(&cluster)
    }

    /// Writes down whether the server was left when its object went.
    pub(super) fn note_left(&self, identity: &str, owner: &Owner, left: bool) -> Result<(), LocalError> {
        let (cluster, _) = self.ours(identity, owner)?;
        let _claim = Claim::take_or_busy(cluster.key(), owner, "mark")?;
        // Read again: work that ended in between may have written.
        let (cluster, record) = self.ours(identity, owner)?;
        Record { left, ..record }.write(&cluster)
    }

    /// Sets (`Some`) and unsets (`None`) parameters. If the server does not start with them, it gets the old ones back.
    ///
    /// It is restarted where `may_restart` allows it and something needs it: at most once, and not again when this is
    /// repeated.
    pub(super) fn set_parameters(
        &self,
        identity: &str,
        owner: &Owner,
        changes: &[(String, Option<String>)],
        may_restart: bool,
    ) -> Result<(), LocalError> {
        let (cluster, record) = self.ours(identity, owner)?;
        let _claim = Claim::take_or_busy(cluster.key(), owner, "configure")?;
        let old = conf::parameters_in_force(&cluster)?;
        let mut new = old.clone();
        for (name, value) in changes {
            match value {
                Some(value) => new.insert(name.clone(), value.clone()),
                None => new.remove(name),
            };
        }
        let waiting = look::last(&cluster).filter(|look| may_restart && look.waits_for_restart(&new));
        if new == old && conf::read_parameters(&cluster)? == old && waiting.is_none() {
            return conf::are_in_force(&cluster);
        }
        let account = Account::resolve(&self.config.run_as_user)?;
        let install = self.installs.exactly(record.version)?;
        conf::check_parameters(&cluster, &new, install, &account)?;
        conf::keep_in_mind(&cluster, &old)?;
        conf::write_parameters(&cluster, &new, &account)?;
        let Some(postmaster) = process::find(&cluster)? else { return Ok(()) };
        if waiting.is_none() && (new == old || !may_restart) {
            look::forget(&cluster);
            process::reload(postmaster)?;
            return conf::are_in_force(&cluster);
        }
        process::stop(&cluster)?;
        let Err(refused) = process::start(&cluster, record.port, install, &account) else {
            return self.note_restart(&cluster, waiting.as_deref());
        };
        conf::write_parameters(&cluster, &old, &account)?;
        process::start(&cluster, record.port, install, &account)?;
        Err(LocalError::Parameters { message: format!("{refused}; the values before are in force again") })
    }

    /// A server that runs another release than its programs after a restart is not restarted for that again and again.
    fn note_restart(&self, cluster: &Cluster, waiting: Option<&Look>) -> Result<(), LocalError> {
        let Some(record) = Record::read(cluster)? else { return Ok(()) };
        let restarted_for = waiting.and_then(Look::programs).cloned().or(record.restarted_for.clone());
        let sized = conf::read_parameters(cluster)?.contains_key("shared_buffers");
        let shared_buffers_mb = record.shared_buffers_mb.filter(|_| !sized);
        let noted = Record { restarted_for, shared_buffers_mb, ..record.clone() };
        if noted == record { Ok(()) } else { noted.write(cluster) }
    }

    /// How to get in as superuser; only while the server takes connections.
    pub(super) fn admin_access(&self, identity: &str, owner: &Owner) -> Result<AdminAccess, LocalError> {
        let (cluster, record) = self.ours(identity, owner)?;
        match process::find(&cluster)? {
            Some(postmaster) if postmaster.ready => {
                Ok(AdminAccess { socket: cluster.socket(), port: record.port, admin: record.admin_username })
            }
            Some(_) => Err(LocalError::Stopped { message: "it is starting or stopping".to_owned() }),
            None => Err(LocalError::Stopped { message: "it is stopped".to_owned() }),
        }
    }
}
