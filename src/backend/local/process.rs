//! Server processes: found through `postmaster.pid` and `/proc`, started, reloaded and stopped.
//!
//! They are nobody's children: they go on while the operator restarts, and the next one finds them again.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fence;

use super::account::{Account, run};
use super::conf;
use super::error::LocalError;
use super::install::Install;
use super::layout::Cluster;
use crate::failpoints;

/// How long a helper program may take.
pub(super) const TOOL_LIMIT: Duration = Duration::from_secs(120);
const START_SECONDS: &str = "60";
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A running server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Postmaster {
    pub(super) pid: Pid,
    /// Whether it takes connections.
    pub(super) ready: bool,
}

/// The server that runs on this data, if any.
pub(super) fn find(cluster: &Cluster) -> Result<Option<Postmaster>, LocalError> {
    let pgdata = cluster.pgdata();
    let Some(text) = read_pid_file(&pgdata)? else { return Ok(None) };
    let Some(pid) = pid_in(&text).filter(|pid| runs_on(*pid, &pgdata)) else { return Ok(None) };
    // The eighth line is PostgreSQL's own word for its state.
    let ready = text.lines().nth(7).is_some_and(|state| state.trim() == "ready");
    Ok(Some(Postmaster { pid, ready }))
}

/// Starts the server and waits for it. Its files must be in place.
pub(super) fn start(
    cluster: &Cluster,
    port: u16,
    install: &Install,
    account: &Account,
) -> Result<(), LocalError> {
    wait_for_orphans(&cluster.pgdata())?;
    clear_stale_locks(cluster, port)?;
    let log = cluster.log();
    empty_log(&log, account)?;
    let program = install.program("pg_ctl");
    let mut command = account.command(&program, &cluster.folder);
    command.args(["start", "--wait", "--silent", "--timeout", START_SECONDS, "--log"]).arg(&log);
    command.arg("--pgdata").arg(cluster.pgdata());
    fence::pass_blocking();
    let finished = run(command, None, TOOL_LIMIT).map_err(LocalError::io("run", &program))?;
    // One that still recovers after a crash takes as long as it takes.
    if finished.success || find(cluster)?.is_some() {
        failpoints::done("local server started");
        // It has read what stands in its files.
        return conf::are_in_force(cluster);
    }
    let logged = fs::read(&log).map_err(LocalError::io("read", &log))?;
    let logged = String::from_utf8_lossy(&logged);
    let message = complaint(if logged.trim().is_empty() { &finished.stderr } else { &logged });
    Err(LocalError::Tool { tool: "the server does not start", message })
}

/// After a kill its children need a moment to notice.
fn wait_for_orphans(pgdata: &Path) -> Result<(), LocalError> {
    let deadline = Instant::now() + STOP_LIMIT;
    loop {
        let orphans = postgres_processes(pgdata)?;
        if orphans.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let message = format!("processes of an earlier run still work on its data: {orphans:?}");
            return Err(LocalError::Tool { tool: "the server does not start", message });
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The log starts anew with the server, so it does not grow for ever.
fn empty_log(log: &Path, account: &Account) -> Result<(), LocalError> {
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(log);
    let file = opened.map_err(LocalError::io("open", log))?;
    if account.switch {
        fchown(&file, Some(account.uid), Some(account.gid))
            .map_err(LocalError::io("change the owner of", log))?;
    }
    Ok(())
}

/// Lets the server read its configuration again.
pub(super) fn reload(postmaster: Postmaster) -> Result<(), LocalError> {
    signal(postmaster.pid, Signal::SIGHUP)?;
    failpoints::done("local server reloads");
    Ok(())
}

/// Stops the server: sessions are ended; if that takes too long, as in a crash, from which PostgreSQL recovers.
pub(super) fn stop(cluster: &Cluster) -> Result<(), LocalError> {
    let Some(postmaster) = find(cluster)? else { return Ok(()) };
    for how in [Signal::SIGINT, Signal::SIGQUIT] {
        signal(postmaster.pid, how)?;
        let deadline = Instant::now() + STOP_LIMIT;
        while Instant::now() < deadline {
            if !runs_on(postmaster.pid, &cluster.pgdata()) {
                failpoints::done("local server stopped");
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
    Err(LocalError::Tool { tool: "the server does not stop", message: format!("process {}", postmaster.pid) })
}

/// Ends whatever an interrupted creation left running in its staging folder. Its data is thrown away.
pub(super) fn kill_leftovers(cluster: &Cluster) -> Result<(), LocalError> {
    for pid in postgres_processes(&cluster.pgdata())? {
        signal(pid, Signal::SIGKILL)?;
    }
    Ok(())
}

/// PostgreSQL trusts the number in its lock files as long as some process has it: another program after a reboot, or
/// a dead server that nobody has waited for yet, as in containers. Only called when no process of PostgreSQL works on
/// that data.
fn clear_stale_locks(cluster: &Cluster, port: u16) -> Result<(), LocalError> {
    let socket_lock = cluster.socket().join(format!(".s.PGSQL.{port}.lock"));
    for path in [cluster.pgdata().join("postmaster.pid"), socket_lock] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(LocalError::io("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_pid_file(pgdata: &Path) -> Result<Option<String>, LocalError> {
    let path = pgdata.join("postmaster.pid");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LocalError::io("read", &path)(error)),
    }
}

/// A standalone backend writes its number with a minus sign. Zero and one would mean other things to `kill`.
fn pid_in(text: &str) -> Option<Pid> {
    let number: i32 = text.lines().next()?.trim().parse().ok()?;
    number.checked_abs().filter(|number| *number > 1).map(Pid::from_raw)
}

/// Whether this process is a PostgreSQL server whose `-D` is that folder. Numbers are used again, names are not.
fn runs_on(pid: Pid, pgdata: &Path) -> bool {
    let arguments = arguments(pid);
    let wanted = fs::canonicalize(pgdata);
    arguments.iter().zip(arguments.iter().skip(1)).any(|(option, value)| {
        let value = Path::new(value);
        (option == "-D" || option == "--pgdata")
            && (value == pgdata
                || wanted.as_ref().is_ok_and(|wanted| fs::canonicalize(value).is_ok_and(|v| v == *wanted)))
    })
}

fn arguments(pid: Pid) -> Vec<OsString> {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    raw.split(|byte| *byte == 0)
        .filter(|part| !part.is_empty())
        .map(|part| OsString::from_vec(part.to_vec()))
        .collect()
}

/// Every process of PostgreSQL that was started for this data or works in it, children included.
fn postgres_processes(pgdata: &Path) -> Result<Vec<Pid>, LocalError> {
    let wanted = fs::canonicalize(pgdata).unwrap_or_else(|_| pgdata.to_path_buf());
    let entries = fs::read_dir("/proc").map_err(LocalError::io("read", Path::new("/proc")))?;
    let found = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw))
        .filter(|pid| is_postgres(*pid))
        .filter(|pid| {
            fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == wanted) || runs_on(*pid, pgdata)
        })
        .collect();
    Ok(found)
}

fn is_postgres(pid: Pid) -> bool {
    let arguments = arguments(pid);
    // Children change their title to "postgres: …".
    let title = arguments.first().map(PathBuf::from).unwrap_or_default();
    let name = title.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name == "postgres" || name == "initdb" || title.to_string_lossy().starts_with("postgres:")
}

fn signal(pid: Pid, signal: Signal) -> Result<(), LocalError> {
    fence::pass_blocking();
    match kill(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => {
            Err(LocalError::Tool { tool: "kill", message: format!("{signal} to process {pid}: {error}") })
        }
    }
}

/// What PostgreSQL complained about, in at most a few lines: the lines that name a fault, else the last ones. Never
/// the lines that repeat a statement, which may hold anything.
pub(super) fn complaint(output: &str) -> String {
    let lines: Vec<&str> = output
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.contains("STATEMENT:"))
        .collect();
    let has = |line: &&str, words: &[&str]| words.iter().any(|word| line.contains(word));
    let named: Vec<&str> = lines
        .iter()
        .filter(|line| {
            has(line, &["FATAL:", "PANIC:", "ERROR:", "error:", "could not", "invalid", "unrecognized"])
        })
        .map(|line| line.split_once("]: ").or_else(|| line.split_once("] ")).map_or(*line, |(_, rest)| rest))
        .collect();
    let from = if named.is_empty() { lines } else { named };
    let text = from.into_iter().take(3).collect::<Vec<_>>().join("; ");
    text.chars().take(500).collect()
}
