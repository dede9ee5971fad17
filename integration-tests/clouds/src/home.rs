//! The folder of this process for everything that must not outlive it, and the guard that sees to that.
//!
//! `Drop` does not run when a process is killed, calls `exit`, or keeps things in a `static`. Hence a small shell reads
//! from a pipe whose other end only this process holds: the read ends when the process is gone, however that happened.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Waits for the end of the owner, then ends the PostgreSQL servers whose data lie in the folder, and deletes it.
///
/// `QUIT` lets PostgreSQL give back its shared memory, which `KILL` would leave behind.
const SCRIPT: &str = r#"
cat >/dev/null
sleep 0.2 # a server started in the owner's last moment shows its arguments only now
end() {
  for process in /proc/[0-9]*; do
    case $(tr '\0' ' ' <"$process/cmdline") in *"postgres -D $1/"*) kill "-$2" "${process#/proc/}" ;; esac
  done
}
end "$1" QUIT
sleep 1
end "$1" KILL
for _ in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf "$1" && [ ! -e "$1" ] && break
  sleep 0.2
done
"#;

struct Home {
    folder: PathBuf,
    /// Holds the pipe open.
    _guard: Child,
}

static HOME: Mutex<Option<Home>> = Mutex::new(None);

/// The folder of this process, made at the first call. It goes with the process.
pub fn folder() -> io::Result<PathBuf> {
    let mut home = HOME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(home) = &*home {
        return Ok(home.folder.clone());
    }
    let folder = tempfile::Builder::new().prefix("clouds-").tempdir()?.keep();
    // PostgreSQL runs as another user when this process is root.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
    let guard = guard(&folder)?;
    *home = Some(Home { folder: folder.clone(), _guard: guard });
    Ok(folder)
}

fn guard(folder: &Path) -> io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", SCRIPT, "clouds-guard"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C in the terminal must not reach it: then it has work to do.
        .process_group(0)
        .spawn()
}
