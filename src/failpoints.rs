//! The points between every two effects, at which a test may end the operator.
//!
//! An effect is whatever outlives the process: a write to the API server, a call that changes something in a backend, a
//! statement, a step of the `local` backend. Each says here that it is done, in the one place through which all of its
//! kind go, so that none is forgotten. Without the feature `failpoints`, which only the tests ask for, nothing of this
//! is compiled in.

/// Where the names of the effects go, one a line, while they happen.
#[cfg(feature = "failpoints")]
pub const TRACE: &str = "HCPG_EFFECTS";

/// An effect is done, and nobody heard of it yet. With `FAILPOINTS="<effect>=return"` the process ends here by SIGKILL.
#[cfg(feature = "failpoints")]
pub fn done(effect: &str) {
    note(effect);
    fail::fail_point!(effect, |_| {
        // An error means that the signal could not be sent, and the test will miss the death.
        let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
        // The signal may take effect on another thread first; this one does nothing more.
        loop {
            std::thread::park();
        }
    });
}

/// An effect is done.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn done(_effect: &str) {}

/// Reads `FAILPOINTS`; the points are forgotten when the answer is dropped.
#[cfg(feature = "failpoints")]
pub fn scenario() -> fail::FailScenario<'static> {
    fail::FailScenario::setup()
}

/// How long a statement may take, where a test wants to see it given up sooner than usual.
#[cfg(feature = "failpoints")]
static STATEMENTS: std::sync::OnceLock<std::time::Duration> = std::sync::OnceLock::new();

/// From now on no statement of this process may take longer. Only the first call counts.
#[cfg(feature = "failpoints")]
pub fn bound_statements(limit: std::time::Duration) {
    // An error means that it was said before.
    let _ = STATEMENTS.set(limit);
}

/// How long a statement may take that may usually take `limit`.
#[cfg(feature = "failpoints")]
pub fn statement_limit(limit: std::time::Duration) -> std::time::Duration {
    STATEMENTS.get().copied().unwrap_or(limit)
}

/// How long a statement may take that may usually take `limit`.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub const fn statement_limit(limit: std::time::Duration) -> std::time::Duration {
    limit
}

#[cfg(feature = "failpoints")]
fn note(effect: &str) {
    use std::io::Write;

    let Some(path) = std::env::var_os(TRACE) else { return };
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    // A line is written at once, so that lines of threads do not mix. Without the file the test finds nothing.
    let _ = file.and_then(|mut file| file.write_all(format!("{effect}\n").as_bytes()));
}
