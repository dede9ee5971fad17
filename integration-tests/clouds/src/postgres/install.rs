//! The installed versions of PostgreSQL, and the user that runs them.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User, chown, geteuid};

use super::error::Error;
use crate::home;

const DEBIAN: &str = "/usr/lib/postgresql";

/// One installed version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Install {
    /// Its major version.
    pub major: u32,
    pub(super) bin: PathBuf,
}

/// The project's own binaries first (`integration-tests/postgres/fetch.sh`, a folder for each full version), then the
/// distribution's packages; one of each major version, the newest last.
#[must_use]
pub fn installs() -> Vec<Install> {
    let mut found: Vec<Install> = Vec::new();
    for folder in [cache().map(|cache| cache.join("postgres")), Some(PathBuf::from(DEBIAN))] {
        let entries = folder.into_iter().flat_map(fs::read_dir).flatten().flatten();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        folders.sort();
        for (major, bin) in folders.iter().filter_map(|folder| Some((major(folder)?, folder.join("bin")))) {
            let known = found.iter().any(|install| install.major == major);
            if !known && bin.join("initdb").is_file() && bin.join("postgres").is_file() {
                found.push(Install { major, bin });
            }
        }
    }
    found.sort_by_key(|install| install.major);
    found
}

/// From a folder's name: `15.18.0-beta.17`, `15`.
fn major(folder: &Path) -> Option<u32> {
    folder.file_name()?.to_str()?.split('.').next()?.parse().ok()
}

/// The asked major version; if it is not installed, the nearest that is: a simulated cloud is of use with one
/// installed version, too.
pub fn nearest(major: u32) -> Result<Install, Error> {
    installs().into_iter().min_by_key(|install| install.major.abs_diff(major)).ok_or(Error::NoPostgres)
}

/// Where `fetch.sh` puts them: root's home is closed to the user that PostgreSQL runs as.
fn cache() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("HCPG_CACHE") {
        return Some(PathBuf::from(folder));
    }
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None if geteuid().is_root() => PathBuf::from("/var/cache"),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".cache"),
    };
    Some(base.join("hybrid-cloud-postgresql-operator"))
}

/// The user that servers run as: `postgres` if this process is root, which PostgreSQL refuses to be; else our own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account(Option<(Uid, Gid)>);

impl Account {
    pub(super) fn resolve() -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        match User::from_name("postgres") {
            Ok(Some(user)) => Ok(Self(Some((user.uid, user.gid)))),
            _ => Err(Error::NoUser),
        }
    }

    /// A program as this user, without a shell and with little of our environment.
    pub(super) fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null()).current_dir(folder);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        if let Some((uid, gid)) = self.0 {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
        command
    }

    /// Gives a file or folder to this user.
    pub(super) fn own(self, path: &Path) -> Result<(), Error> {
        match self.0 {
            Some((uid, gid)) => {
                chown(path, Some(uid), Some(gid)).map_err(|error| Error::io("give away", path)(error.into()))
            }
            None => Ok(()),
        }
    }

    /// The version's programs where this user can run them: a cache in the home of root is closed to it, then they are
    /// copied.
    pub(super) fn reachable(self, install: &Install) -> Result<PathBuf, Error> {
        let home = home::folder().map_err(Error::io("make", "a temporary folder"))?;
        let said = self.command(&install.bin.join("postgres"), &home).arg("--version").output();
        if said.is_ok_and(|said| said.status.success()) {
            return Ok(install.bin.clone());
        }
        let whole = install.bin.parent().unwrap_or(&install.bin);
        let copy = home.join(format!("postgresql-{}", install.major));
        if !copy.exists() {
            run("cp", Command::new("cp").args(["-rL", "--"]).arg(whole).arg(&copy))?;
            run("chmod", Command::new("chmod").args(["-R", "a+rX", "--"]).arg(&copy))?;
        }
        Ok(copy.join("bin"))
    }
}

/// Runs a program to its end.
pub(super) fn run(program: &'static str, command: &mut Command) -> Result<(), Error> {
    let finished = command.stdin(Stdio::null()).output().map_err(Error::io("run", program))?;
    if finished.status.success() {
        return Ok(());
    }
    let output = [finished.stdout, finished.stderr].concat();
    Err(Error::Program { program, output: String::from_utf8_lossy(&output).trim().to_owned() })
}
