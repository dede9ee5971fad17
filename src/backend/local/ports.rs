//! Which port a server gets.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::net::{IpAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::LocalError;
use super::layout::Layout;
use super::record::Record;

static IN_PROCESS: Mutex<()> = Mutex::new(());

/// Held from choosing a port until `server.json` names it: against this process and against other ones.
pub(super) struct Allocation {
    _file: File,
    _in_process: MutexGuard<'static, ()>,
}

impl Allocation {
    pub(super) fn lock(layout: &Layout) -> Result<Self, LocalError> {
        let in_process = IN_PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
        let path = layout.lock();
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(LocalError::io("lock", &path))?;
        Ok(Self { _file: file, _in_process: in_process })
    }

    /// The lowest port that no server has and that can be listened on.
    pub(super) fn port(
        &self,
        layout: &Layout,
        address: IpAddr,
        first: u16,
        last: u16,
    ) -> Result<u16, LocalError> {
        let mut taken = BTreeSet::new();
        for cluster in layout.clusters()? {
            if let Some(record) = Record::read(&cluster)? {
                taken.insert(record.port);
            }
        }
        (first..=last)
            .filter(|port| !taken.contains(port))
            .find(|port| TcpListener::bind((address, *port)).is_ok())
            .ok_or(LocalError::PortsExhausted { first, last })
    }
}
