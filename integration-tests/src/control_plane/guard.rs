//! A guard outlives the process that owns a throw-away control plane, and cleans up after it.
//!
//! `Drop` does not run when a test process is killed, calls `exit`, or keeps the control plane in a `static`. The kernel
//! could signal the servers then, but only by `unsafe` code. Hence a small shell reads from a pipe whose other end
//! only the owner holds: the read ends when the owner is gone, however that happened.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::error::Error;

/// Waits for the end of the owner, then ends the processes of the folder's pid files and deletes the folder.
///
/// A pid file is believed only if the process has the start time written there and our folder among its arguments:
/// see `process::recorded`.
const SCRIPT: &str = r#"
cat >/dev/null
[ -e "$1" ] || exit 0 # the owner has cleaned up itself
sleep 0.2 # a server started in the owner's last moment shows its arguments only now
for file in "$1"/*.pid; do
  read -r pid started <"$file" || continue
  case $(tr '\0' '\n' <"/proc/$pid/cmdline") in *"$1"*) ;; *) continue ;; esac
  # Without "pid (command) " the start time is field 20.
  now=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 20)
  [ "$now" = "$started" ] && kill -9 "$pid"
done
for _ in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf "$1" && [ ! -e "$1" ] && break
  sleep 0.2
done
"#;

/// The owner's end of the pipe, and the shell at the other end.
pub(super) struct Guard(Child);

impl Guard {
    /// Starts the guard of `folder`.
    pub fn start(folder: &Path) -> Result<Self, Error> {
        let shell = Path::new("/bin/sh");
        Command::new(shell)
            .args(["-c", SCRIPT, "control-plane-guard"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in the terminal must not reach it: then it has work to do.
            .process_group(0)
            .spawn()
            .map(Self)
            .map_err(Error::io("starting", shell))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // `wait` closes the pipe first. An error would mean that the guard is gone already.
        let _ = self.0.wait();
    }
}
