//! Taking a server away.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};

use jiff::Timestamp;

use super::super::Owner;
use super::error::LocalError;
use super::layout::{Cluster, exists, remove_tree, rename};
use super::record::Record;
use super::tasks::Claim;
use super::{Local, observe, process};

impl Local {
    /// Stops and removes the server, if it is ours and still the one that is meant.
    pub(super) fn delete(&self, identity: &str, owner: &Owner, uid: Option<&str>) -> Result<(), LocalError> {
        let cluster = self.layout.cluster(identity);
        let claim = Claim::take_or_busy(cluster.key(), owner, "delete")?;
        if let Err(error) = self.delete_claimed(&cluster, identity, owner, uid) {
            // What failed before is still true.
            claim.leave();
            return Err(error);
        }
        tracing::info!(server = %identity, "local server deleted");
        Ok(())
    }

    fn delete_claimed(
        &self,
        cluster: &Cluster,
        identity: &str,
        owner: &Owner,
        uid: Option<&str>,
    ) -> Result<(), LocalError> {
        let has_data = exists(&cluster.pgdata())?;
        match Record::read(cluster)? {
            None if has_data => return Err(LocalError::Conflict { message: self.unmarked(cluster) }),
            None => {}
            Some(record) if !record.belongs_to(identity, owner) => {
                return Err(LocalError::Conflict { message: record.whose() });
            }
            Some(record) => {
                let found = observe::uid(cluster, &record);
                if has_data && uid.is_some() && found.as_deref() != uid {
                    return Err(LocalError::Conflict {
                        message: format!("another server stands under the name {identity}; it is left alone"),
                    });
                }
            }
        }
        if exists(&cluster.folder)? {
            self.discard(cluster, identity)?;
        }
        let staging = self.layout.staging(identity);
        if exists(&staging.folder)? {
            process::kill_leftovers(&staging)?;
            remove_tree(&staging.folder)?;
        }
        self.layout.sweep()
    }

    /// What is being made or removed when the operator is killed counts as absent, so nobody asks for it any more. Only
    /// the operator that leads may do this: a folder that grows may be the work of another one.
    ///
    /// Once per process: later it would be the work of this one, since a changed configuration makes a new backend.
    pub(super) fn clear_leftovers(&self) -> Result<(), LocalError> {
        static CLEARED: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);
        let is_first =
            CLEARED.lock().unwrap_or_else(PoisonError::into_inner).insert(self.layout.root.clone());
        if !is_first {
            return Ok(());
        }
        for staging in self.layout.stagings()? {
            process::kill_leftovers(&staging)?;
            remove_tree(&staging.folder)?;
        }
        self.layout.sweep()
    }

    /// Stops the server and removes its folder; it is gone from the moment of the rename.
    pub(super) fn discard(&self, cluster: &Cluster, identity: &str) -> Result<(), LocalError> {
        process::stop(cluster)?;
        let doomed = self.layout.doomed(identity, Timestamp::now().as_millisecond());
        rename(&cluster.folder, &doomed)?;
        remove_tree(&doomed)
    }
}
