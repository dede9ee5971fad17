//! Cleaning up after an operator, whether its owner ends as planned, panics or is killed.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::error::Error;

/// See there.
const SCRIPT: &str = include_str!("sweep.sh");

/// Ends everything that runs in `folder` and deletes it. A folder that is not there is fine.
pub fn sweep(folder: &Path) -> Result<(), Error> {
    let output =
        command(folder, &[]).stdin(Stdio::null()).output().map_err(Error::io("running", "/bin/sh"))?;
    if output.status.success() {
        return Ok(());
    }
    let message = format!("cannot be cleared away: {}", String::from_utf8_lossy(&output.stderr).trim());
    Err(Error::File { path: folder.to_owned(), message })
}

/// Sweeps a folder when its owner is gone, or when it is dropped.
///
/// `Drop` does not run in a killed process nor for a `static`. The kernel closes a dead process' pipes, though, and a
/// small shell at the other end of one notices.
pub(crate) struct Sweeper(Child);

impl Sweeper {
    pub(crate) fn start(folder: &Path) -> Result<Self, Error> {
        command(folder, &["wait"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in the terminal must not reach it: then it has work to do.
            .process_group(0)
            .spawn()
            .map(Self)
            .map_err(Error::io("starting", "/bin/sh"))
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        // `wait` closes the pipe first. An error would mean that it is gone already.
        let _ = self.0.wait();
    }
}

fn command(folder: &Path, more: &[&str]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", SCRIPT, "operator-sweeper"]).arg(folder).args(more);
    command
}
