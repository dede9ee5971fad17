//! Starting and stopping the servers. Only processes that we started are ever ended.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::Error;

/// How long the kernel may take to clear away a killed process.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// When a process started, in the kernel's ticks since boot; `None` when there is no such process.
///
/// Process numbers are used again; number and start time together name one process. A zombie counts as gone: it
/// runs no more, and only its parent can clear it away.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the command in parentheses and may itself hold spaces and parentheses.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if fields.next()? == "Z" {
        return None;
    }
    // The state was field 3, the start time is field 22.
    fields.nth(18)?.parse().ok()
}

/// Starts a server inside `folder`, with `<name>.log` and `<name>.pid` there.
///
/// `detached` puts it into a process group of its own, so that Ctrl-C in the terminal does not reach it.
pub(super) fn spawn(
    name: &'static str,
    binary: &Path,
    arguments: &[String],
    folder: &Path,
    detached: bool,
) -> Result<Child, Error> {
    let mut command = Command::new(binary);
    command.args(arguments);
    // Both are of Go, small here, and spend a third of their time on collecting garbage.
    command.env("GOGC", "400");
    spawn_command(name, command, folder, detached)
}

/// The same for a command with more to it than arguments. The folder must be part of its arguments or its program's path,
/// or else it is not recognised later.
pub(crate) fn spawn_command(
    name: &'static str,
    mut command: Command,
    folder: &Path,
    detached: bool,
) -> Result<Child, Error> {
    let log = log_file(folder, name);
    let stdout = create(&log)?;
    let stderr = stdout.try_clone().map_err(Error::io("opening", &log))?;
    let binary = PathBuf::from(command.get_program());
    command.current_dir(folder).stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    if detached {
        command.process_group(0);
    }
    let mut child = command.spawn().map_err(Error::io("starting", binary))?;
    if let Err(error) = note(name, &child, folder) {
        // Without the file nobody would find it again.
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    Ok(child)
}

/// Writes down which process a server is.
pub(crate) fn note(name: &str, child: &Child, folder: &Path) -> Result<(), Error> {
    let identity = format!("{} {}\n", child.id(), start_time(child.id()).unwrap_or_default());
    let pid_file = folder.join(format!("{name}.pid"));
    let mut file = create(&pid_file)?;
    file.write_all(identity.as_bytes()).map_err(Error::io("writing", &pid_file))
}

/// The process that `<name>.pid` in `folder` speaks of, if it is running.
pub(crate) fn running(folder: &Path, name: &str) -> Option<Pid> {
    let pid = recorded(&folder.join(format!("{name}.pid")), folder)?;
    i32::try_from(pid).ok().map(Pid::from_raw)
}

/// Whether the server that `<name>.pid` in `folder` speaks of is running.
pub(super) fn is_running(folder: &Path, name: &str) -> bool {
    running(folder, name).is_some()
}

/// Ends every process that a pid file in `folder` speaks of, and waits until it is gone.
pub(super) fn stop_all(folder: &Path) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for pid_file in entries.flatten().map(|entry| entry.path()) {
        if pid_file.extension().is_none_or(|extension| extension != "pid") {
            continue;
        }
        if let Some(pid) = recorded(&pid_file, folder) {
            end(pid, &pid_file, folder)?;
        }
        match fs::remove_file(&pid_file) {
            // A guard may be cleaning up the same folder.
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::io("deleting", pid_file)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn end(pid: u32, pid_file: &Path, folder: &Path) -> Result<(), Error> {
    let number = i32::try_from(pid).unwrap_or_default();
    // SIGKILL, not SIGTERM: the data is thrown away anyway, and the API server would drain for a minute.
    // An error here means that it has gone by itself, which the loop finds out.
    let _ = kill(Pid::from_raw(number), Signal::SIGKILL);
    let since = Instant::now();
    while recorded(pid_file, folder).is_some() {
        if since.elapsed() > GONE_WITHIN {
            let name = pid_file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            return Err(Error::StillRunning { name, pid: number, folder: folder.to_owned() });
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// The process of a pid file, if it still is the process that we started: same start time, and our folder among
/// its arguments.
fn recorded(pid_file: &Path, folder: &Path) -> Option<u32> {
    let identity = fs::read_to_string(pid_file).ok()?;
    let (pid, started) = identity.trim().split_once(' ')?;
    let (pid, started): (u32, u64) = (pid.parse().ok()?, started.parse().ok()?);
    if pid < 2 || start_time(pid)? != started {
        return None;
    }
    arguments_of(pid, started)?.contains(&*folder.to_string_lossy()).then_some(pid)
}

/// The arguments of a process, separated by NUL.
///
/// They are empty for the first moments after the start: `spawn` returns as soon as the new program takes over, which
/// is before the kernel has laid out its arguments. A process taken for a stranger's then would never be ended.
fn arguments_of(pid: u32, started: u64) -> Option<String> {
    let since = Instant::now();
    loop {
        let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        if !bytes.is_empty() || since.elapsed() > Duration::from_secs(1) {
            return Some(String::from_utf8_lossy(&bytes).into_owned());
        }
        if start_time(pid) != Some(started) {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The log of a server.
pub(crate) fn log_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.log"))
}

/// The last lines of a server's log, for error messages.
pub(crate) fn log_tail(folder: &Path, name: &str) -> String {
    const LINES: usize = 20;
    let bytes = fs::read(log_file(folder, name)).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

fn create(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::io("creating", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_what_it_started_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let marker = folder.path().to_string_lossy().into_owned();
        let shell = Path::new("/bin/sh");
        let script = |text: &str| vec!["-c".to_owned(), text.to_owned(), marker.clone()];
        let mut ours =
            spawn("ours", shell, &script("while :; do sleep 1; done"), folder.path(), true).unwrap();
        // A stranger that got the process number in a stale pid file: same number, our folder not in its arguments.
        let mut stranger = Command::new("/bin/sleep").arg("60").spawn().unwrap();
        let identity = format!("{} {}\n", stranger.id(), start_time(stranger.id()).unwrap());
        fs::write(folder.path().join("stranger.pid"), identity).unwrap();

        assert!(is_running(folder.path(), "ours"));
        stop_all(folder.path()).unwrap();

        assert!(!is_running(folder.path(), "ours"));
        assert!(!ours.wait().unwrap().success());
        assert!(stranger.try_wait().unwrap().is_none(), "the stranger still runs");
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }
}
