//! PostgreSQL of every major version: `postgres/fetch.sh` finds or fetches the server programs.
//!
//! All have OpenSSL (TLS), ICU and PostgreSQL's own extensions (contrib), `uuid-ossp` and `xml2` among them. The languages
//! PL/Perl, PL/Python and PL/Tcl are listed and cannot be created: their libraries are missing. There is no `psql`; the
//! distribution's own speaks to all of them. Every user can read them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The major versions that the operator works with, the oldest first.
pub const MAJORS: [u32; 7] = [12, 13, 14, 15, 16, 17, 18];

/// The server programs of one major version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresVersion {
    /// For example 17.
    pub major: u32,
    /// The folder with `initdb`, `pg_ctl` and `postgres`.
    pub bin: PathBuf,
}

/// Why versions cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL {majors:?} cannot be had: {script} {problem}; what it says stands above")]
pub struct NotToBeHad {
    majors: Vec<u32>,
    script: String,
    problem: String,
}

/// The wanted versions, in the order of the question. What is missing is fetched, which takes seconds.
///
/// # Errors
/// Without a network, on another system than Linux on x86_64, or where npm is missing and may not be installed.
pub fn fetch(majors: &[u32]) -> Result<Vec<PostgresVersion>, NotToBeHad> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("postgres/fetch.sh");
    let failed = |problem: String| NotToBeHad {
        majors: majors.to_vec(),
        script: script.display().to_string(),
        problem,
    };
    let output = Command::new(&script)
        .args(majors.iter().map(u32::to_string))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(format!("cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!("ended with {}", output.status)));
    }
    let found: Vec<PostgresVersion> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let (major, bin) = line.split_once('=')?;
            Some(PostgresVersion { major: major.parse().ok()?, bin: PathBuf::from(bin) })
        })
        .collect();
    if found.iter().map(|version| version.major).eq(majors.iter().copied()) {
        Ok(found)
    } else {
        Err(failed("gives an answer that is not understood".to_owned()))
    }
}

/// As [`fetch`], for a test that may be left out on a machine without a network, but not in CI (`CI` is set).
///
/// `None` has been told loudly; the test ends there.
///
/// # Panics
/// In CI, when they cannot be had.
pub fn fetch_or_leave_out(majors: &[u32]) -> Option<Vec<PostgresVersion>> {
    match fetch(majors) {
        Ok(found) => Some(found),
        Err(error) if std::env::var_os("CI").is_some() => panic!("{error}"),
        Err(error) => {
            println!("NOT RUN: {error}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_major_is_there_and_is_what_it_says() {
        let Some(versions) = fetch_or_leave_out(&MAJORS) else { return };
        for version in versions {
            for program in ["initdb", "pg_ctl", "postgres"] {
                let output = Command::new(version.bin.join(program)).arg("--version").output().unwrap();
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(said.contains(&format!("(PostgreSQL) {}.", version.major)), "{program}: {said}");
            }
        }
    }

    #[test]
    fn a_major_that_nobody_pinned_cannot_be_had() {
        let error = fetch(&[11]).unwrap_err();
        assert!(error.to_string().contains("[11]"), "{error}");
    }
}
