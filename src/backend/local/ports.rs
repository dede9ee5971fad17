//! Which port a server gets.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::net::{IpAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::error::LocalError;
use super::layout::Layout;
use super::record::Record;

static IN_PROCESS: Mutex<()> = Mutex::new(());

/// Whoever holds the lock has done with it in a moment, unless its process stands still: then that is told.
const HELD_AT_MOST: Duration = Duration::from_secs(10);

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
            .and_then(|file| wait_for(&file, HELD_AT_MOST).map(|()| file))
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

/// Takes the lock as soon as no other process has it.
fn wait_for(file: &File, at_most: Duration) -> io::Result<()> {
    let deadline = Instant::now() + at_most;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                let message = "another process has held it for long; does an operator stand still?";
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_lock_that_is_never_given_back_is_not_waited_for_for_ever() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || File::open(file.path()).unwrap();
        let held = open();
        wait_for(&held, Duration::ZERO).unwrap();
        let error = wait_for(&open(), Duration::from_millis(30)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(held);
        wait_for(&open(), Duration::ZERO).unwrap();
    }
}
