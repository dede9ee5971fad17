//! The operating system user the servers run as, and how programs are started.

use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::{User, geteuid};

use super::error::LocalError;

/// More of a program's output is of no use to anybody.
const OUTPUT_LIMIT: u64 = 1024 * 1024;

/// Who runs the servers.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    /// The operator's own user; it may log in over the socket as well.
    pub(super) operator: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Whether the operator is root and has to change to this user.
    pub(super) switch: bool,
}

/// How a program ended.
pub(super) struct Finished {
    pub(super) success: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Account {
    /// The configured user when the operator is root (PostgreSQL refuses to run as root), else the operator's own.
    pub(super) fn resolve(run_as_user: &str) -> Result<Self, LocalError> {
        let effective = geteuid();
        let own = lookup(&effective.to_string(), User::from_uid(effective))?;
        let user = if effective.is_root() {
            lookup(run_as_user, User::from_name(run_as_user))?
        } else {
            own.clone()
        };
        if user.uid.is_root() {
            return Err(LocalError::User {
                user: user.name,
                problem: "PostgreSQL refuses to run as root".to_owned(),
            });
        }
        Ok(Self {
            name: user.name,
            operator: own.name,
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            switch: effective.is_root(),
        })
    }

    /// A program as this user, without a shell and without the operator's environment, which may hold secrets.
    pub(super) fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = bare_command(program);
        command.current_dir(folder);
        if self.switch {
            // As root the standard library also drops the supplementary groups.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Whether this user gets into `folder`. The answer is the kernel's own, so access lists count.
    pub(super) fn must_reach(&self, folder: &Path, harmless: &Path) -> Result<(), LocalError> {
        let mut command = self.command(harmless, folder);
        command.arg("--version");
        match run(command, None, Duration::from_secs(10)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(LocalError::Unreachable {
                user: self.name.clone(),
                folder: self.closed(folder, harmless),
            }),
            Err(error) => Err(LocalError::io("run", harmless)(error)),
            Ok(_) => Ok(()),
        }
    }

    /// The outermost folder whose mode keeps this user from the folder or the program.
    fn closed(&self, folder: &Path, program: &Path) -> PathBuf {
        let on_the_way = |path: &Path| {
            let mut parts: Vec<PathBuf> = path.ancestors().map(Path::to_path_buf).collect();
            parts.reverse();
            parts
        };
        let mut parts = on_the_way(folder).into_iter().chain(on_the_way(program));
        parts.find(|part| !self.may_search(part)).unwrap_or_else(|| folder.to_path_buf())
    }

    fn may_search(&self, path: &Path) -> bool {
        path.metadata().is_ok_and(|found| {
            let bit = if found.uid() == self.uid {
                0o100
            } else if found.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            found.mode() & bit != 0
        })
    }
}

fn lookup(name: &str, found: nix::Result<Option<User>>) -> Result<User, LocalError> {
    let problem = match found {
        Ok(Some(user)) => return Ok(user),
        Ok(None) => "there is no such user".to_owned(),
        Err(error) => format!("it cannot be looked up: {error}"),
    };
    Err(LocalError::User { user: name.to_owned(), problem })
}

/// A program with nothing of the operator's environment but what finds programs, language and time zone.
pub(super) fn bare_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null());
    for name in ["PATH", "LANG", "TZ"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// Runs a program to its end. `input` must fit into a pipe's buffer (64 kB).
pub(super) fn run(mut command: Command, input: Option<&[u8]>, limit: Duration) -> io::Result<Finished> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn()?;
    if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
        // A program that ended before reading says why by its exit status and its output.
        let _ = pipe.write_all(input);
    }
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("it did not end within {} s", limit.as_secs()),
            ));
        }
        thread::sleep(Duration::from_millis(10));
    };
    Ok(Finished {
        success: status.success(),
        stdout: stdout.join().unwrap_or_default(),
        stderr: stderr.join().unwrap_or_default(),
    })
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.by_ref().take(OUTPUT_LIMIT).read_to_end(&mut bytes);
            // Read on, so that the program never blocks on a full pipe.
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
