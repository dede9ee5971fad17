//! What tests need from elsewhere: scripts of ours find it in the cache, or fetch it in seconds.

use std::path::Path;
use std::process::{Command, Stdio};

/// Why something cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be had: {script} {problem}; what it says stands above")]
pub struct NotToBeHad {
    what: String,
    script: String,
    problem: String,
}

/// What the script, a path in this package, prints. Its progress is seen.
///
/// # Errors
/// When the script fails, or its answer is not `understood`.
pub fn fetch<T>(
    what: &str,
    script: &str,
    arguments: &[String],
    understood: impl FnOnce(&str) -> Option<T>,
) -> Result<T, NotToBeHad> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let failed =
        |problem: String| NotToBeHad { what: what.to_owned(), script: script.display().to_string(), problem };
    let output = Command::new(&script)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(format!("cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!("ended with {}", output.status)));
    }
    understood(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| failed("gives an answer that is not understood".to_owned()))
}

/// For a test, or a part of one, that may be left out on a machine without a network, but not in CI (`CI` is set).
///
/// `None` has been told loudly; the test or part ends there.
///
/// # Panics
/// In CI, when it cannot be had.
pub fn or_leave_out<T>(found: Result<T, NotToBeHad>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(error) if std::env::var_os("CI").is_some() => panic!("{error}"),
        Err(error) => {
            println!("NOT RUN: {error}");
            None
        }
    }
}
