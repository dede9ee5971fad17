//! The operator's process as its driver sees it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use super::Failure;
use super::operator::{PEEK, TAKE};
use super::samples::Passes;

/// The processor cores the operator may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cores {
    /// Whatever the machine has.
    All,
    /// The first one, which everything else may use, too.
    One,
}

/// The operator.
pub(super) struct OperatorProcess {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl OperatorProcess {
    /// Starts it with what stands in `folder`.
    pub fn start(folder: &Path, memory: bool, cores: Cores) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bench-operator").arg("--config").arg(folder.join("config.yaml"));
        if memory {
            command.arg("--memory").arg(folder.join("memory.json"));
        }
        let log = File::options().append(true).create(true).open(folder.join("operator.log"))?;
        command
            .env("KUBECONFIG", folder.join("kubeconfig"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = match cores {
            Cores::All => command.spawn()?,
            Cores::One => on_one_core(|| command.spawn())??,
        };
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the operator has no pipes".into());
        };
        Ok(Self { child, questions: Some(stdin), answers: BufReader::new(stdout) })
    }

    /// The passes so far.
    pub fn peek(&mut self) -> Result<Passes, Failure> {
        self.ask(PEEK)
    }

    /// The passes since this was last asked.
    pub fn take(&mut self) -> Result<Passes, Failure> {
        self.ask(TAKE)
    }

    fn ask(&mut self, question: &str) -> Result<Passes, Failure> {
        let questions = self.questions.as_mut().ok_or("the operator was told to stop")?;
        writeln!(questions, "{question}")?;
        questions.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line).map_err(|error| format!("the operator ended: {error}").into())
    }

    /// Seconds of CPU it has used, without its children.
    pub fn cpu(&self) -> Result<f64, Failure> {
        let process = Pid::from_raw(i32::try_from(self.child.id())?);
        let used = clock_gettime(clock_getcpuclockid(process)?)?;
        Ok(Duration::from(used).as_secs_f64())
    }

    /// Its memory, now (`VmRSS`) or at most (`VmHWM`), in MiB.
    pub fn memory(&self, key: &str) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        Ok(kilobytes.ok_or("no memory of the operator")? / 1024.0)
    }

    /// Lets it finish what is under way.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.questions = None;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() {
                    Ok(())
                } else {
                    Err(format!("the operator ended with {status}").into())
                };
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Calls `start` with this thread bound to one core, which a process that it starts inherits.
fn on_one_core<T>(start: impl FnOnce() -> T) -> Result<T, Failure> {
    let this = Pid::from_raw(0);
    let before = sched_getaffinity(this)?;
    let first = (0..CpuSet::count()).find(|core| before.is_set(*core).unwrap_or(false));
    let mut one = CpuSet::new();
    one.set(first.ok_or("no core to run on")?)?;
    sched_setaffinity(this, &one)?;
    let started = start();
    sched_setaffinity(this, &before)?;
    Ok(started)
}

impl Drop for OperatorProcess {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
