//! Where things lie: the binary cache and each cluster's folder, all outside the working tree.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::error::Error;
use super::process;

/// The part of a throw-away cluster's folder name before its owner's identity.
const RUN_PREFIX: &str = "run-";

/// The folder of everything that we keep outside the working tree: `HCPG_CACHE`, or our folder in the user's cache.
///
/// `build.sh` follows the same rule.
pub fn cache() -> Result<PathBuf, Error> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = variable("HCPG_CACHE")
        .or_else(|| {
            variable("XDG_CACHE_HOME")
                .or_else(|| variable("HOME").map(|home| home.join(".cache")))
                .map(|caches| caches.join("hybrid-cloud-postgresql-operator"))
        })
        .ok_or(Error::NoCacheFolder)?;
    // Absolute, because the servers run inside their folder.
    std::path::absolute(&folder).map_err(Error::io("resolving", folder))
}

/// The folder of all clusters' folders.
pub fn clusters() -> Result<PathBuf, Error> {
    Ok(cache()?.join("clusters"))
}

/// The folder of the cluster that `cluster-up` starts and `cluster-down` deletes.
pub fn default_cluster() -> Result<PathBuf, Error> {
    Ok(clusters()?.join("default"))
}

/// A new folder for a cluster that lives as long as this process.
///
/// Its name carries the owner's identity (process number and start time), so that it can be told atomically
/// whether the owner is still there.
pub(super) fn throw_away() -> Result<PathBuf, Error> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let pid = std::process::id();
    let started = process::start_time(pid).unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Ok(clusters()?.join(format!("{RUN_PREFIX}{pid}-{started}-{number}")))
}

/// Stops and deletes throw-away clusters whose owner is gone, for instance after a crash of the machine.
pub(super) fn clear_stale_runs(clusters: &Path) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(clusters) else { return Ok(()) };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(owner_is_gone) {
            process::stop_all(&entry.path())?;
            delete(&entry.path())?;
        }
    }
    Ok(())
}

fn owner_is_gone(name: &str) -> bool {
    let mut parts = name.strip_prefix(RUN_PREFIX).unwrap_or_default().split('-');
    let (Some(Ok(pid)), Some(Ok(started))) =
        (parts.next().map(str::parse::<u32>), parts.next().map(str::parse::<u64>))
    else {
        return false;
    };
    process::start_time(pid) != Some(started)
}

/// Makes a folder that only its owner may enter: it holds private keys and etcd's unprotected socket.
pub(super) fn create_private(folder: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Error::io("creating", folder))
}

/// Deletes a folder with everything in it; none being there is fine.
pub(super) fn delete(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("deleting", folder)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_runs_of_dead_owners_are_stale() {
        let me = std::process::id();
        let started = process::start_time(me).unwrap();
        assert!(!owner_is_gone(&format!("run-{me}-{started}-0")), "we are alive");
        assert!(owner_is_gone(&format!("run-{me}-{}-0", started + 1)), "another process had our number");
        assert!(owner_is_gone("run-4194399-1-0"), "no process has that number");
        assert!(!owner_is_gone("default"), "a kept cluster has no owner");
    }

    #[test]
    fn a_stale_run_goes_with_its_process() {
        let clusters = tempfile::tempdir().unwrap();
        let stale = clusters.path().join("run-4194399-1-0");
        create_private(&stale).unwrap();
        let arguments = ["-c", "while :; do sleep 1; done", &stale.to_string_lossy()].map(str::to_owned);
        let mut server = process::spawn("server", Path::new("/bin/sh"), &arguments, &stale, true).unwrap();
        let kept = clusters.path().join("default");
        create_private(&kept).unwrap();

        // At once, while the new process does not show its arguments yet.
        clear_stale_runs(clusters.path()).unwrap();

        assert!(!stale.exists());
        let ended = server.try_wait().unwrap();
        // Whatever the outcome, the test must not leave it behind or wait for it.
        let _ = server.kill();
        assert!(ended.is_some_and(|status| !status.success()));
        assert!(kept.exists());
    }
}
