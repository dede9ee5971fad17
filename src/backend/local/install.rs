//! The installed versions of PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::account::{bare_command, run};
use super::error::{LocalConfigError, LocalError};

const DEBIAN: &str = "/usr/lib/postgresql";
const LIMIT: Duration = Duration::from_secs(10);

/// One installed version.
#[derive(Clone, Debug)]
pub(super) struct Install {
    pub(super) major: u32,
    /// For people: `15.14`.
    pub(super) full: String,
    bin: PathBuf,
    /// Parameter → when a change takes effect, in PostgreSQL's words (`postmaster`: at a restart).
    contexts: BTreeMap<String, String>,
    /// Names of the extensions that can be created; empty where they cannot be told.
    extensions: BTreeSet<String>,
}

impl Install {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Whether a change of this parameter needs a restart.
    pub(super) fn needs_restart(&self, parameter: &str) -> bool {
        self.contexts.get(parameter).is_some_and(|context| context.trim() == "postmaster")
    }

    /// Whether databases can create this extension.
    pub(super) fn has_extension(&self, name: &str) -> bool {
        self.extensions.contains(name)
    }

    /// The known parameter that somebody may have meant, where `complaint` of PostgreSQL's is about an unknown one.
    pub(super) fn suggestion(&self, complaint: &str) -> Option<&str> {
        let (_, rest) = complaint.split_once("unrecognized configuration parameter \"")?;
        let (unknown, _) = rest.split_once('"')?;
        nearest(unknown, self.contexts.keys())
    }

    /// The release of the programs now: they may have been replaced since the operator's start.
    pub(super) fn release(&self) -> Option<String> {
        release(&said(&self.bin, "--version")?)
    }

    fn probe(bin: &Path) -> Option<Self> {
        let said = |arg| said(bin, arg);
        if !bin.join("initdb").is_file() || !bin.join("pg_ctl").is_file() {
            return None;
        }
        let full = release(&said("--version")?)?;
        let major = full.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        let contexts = said("--describe-config")?
            .lines()
            .filter_map(|line| {
                let mut columns = line.split('\t');
                Some((columns.next()?.to_ascii_lowercase(), columns.next()?.to_ascii_lowercase()))
            })
            .collect();
        Some(Self { major, full, bin: bin.to_path_buf(), contexts, extensions: extensions(bin) })
    }
}

fn said(bin: &Path, argument: &str) -> Option<String> {
    let mut command = bare_command(&bin.join("postgres"));
    command.arg(argument);
    run(command, None, LIMIT).ok().filter(|finished| finished.success).map(|finished| finished.stdout)
}

/// Out of "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", "... 18beta1".
fn release(version: &str) -> Option<String> {
    Some(version.split_whitespace().nth(2)?.to_owned())
}

/// The extensions beside these programs, by their control files.
fn extensions(bin: &Path) -> BTreeSet<String> {
    let mut command = bare_command(&bin.join("pg_config"));
    command.arg("--sharedir");
    let said = run(command, None, LIMIT).ok().filter(|finished| finished.success);
    // Builds that can be moved have no pg_config.
    let share = said
        .map_or_else(|| bin.join("../share/postgresql"), |finished| PathBuf::from(finished.stdout.trim()));
    let entries = fs::read_dir(share.join("extension")).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|name| Some(name.strip_suffix(".control")?.to_owned())).collect()
}

/// The name with the fewest letters to change, if they are few.
fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let (distance, name) =
        known.map(|name| (distance(unknown, name), name)).min_by_key(|(distance, _)| *distance)?;
    (distance <= (unknown.len() / 4).clamp(1, 3)).then_some(name.as_str())
}

/// Levenshtein's distance.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (above + 1).min(row[j] + 1).min(diagonal + usize::from(a != b));
            diagonal = above;
        }
    }
    row[other.len()]
}

/// All installed versions, the newest first; never empty.
#[derive(Clone, Debug)]
pub(super) struct Installs(Vec<Install>);

impl Installs {
    /// Looks in the configured folders only, else in the packages' usual place, else along `PATH`.
    pub(super) fn find(configured: Option<Vec<PathBuf>>) -> Result<Self, LocalConfigError> {
        let (folders, searched) = match configured {
            Some(folders) => {
                let names: Vec<String> = folders.iter().map(|one| one.display().to_string()).collect();
                (folders, format!("initdb in {}", names.join(", ")))
            }
            None => (usual_folders(), format!("initdb below {DEBIAN} and along PATH")),
        };
        let mut found: Vec<Install> = folders.iter().filter_map(|folder| Install::probe(folder)).collect();
        found.sort_by_key(|install| std::cmp::Reverse(install.major));
        found.dedup_by_key(|install| install.major);
        if found.is_empty() { Err(LocalConfigError::NoPostgres { searched }) } else { Ok(Self(found)) }
    }

    /// Nothing is installed.
    #[cfg(fuzzing)]
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// The version a new server gets.
    pub(super) fn choose(&self, asked: Option<&str>) -> Result<&Install, LocalError> {
        let newest = self.0.first();
        let chosen = match explicit(asked) {
            None => newest,
            Some(asked) => self.0.iter().find(|install| install.major.to_string() == asked),
        };
        chosen.ok_or_else(|| self.missing(asked.unwrap_or("latest")))
    }

    /// The version an existing server needs.
    pub(super) fn exactly(&self, major: u32) -> Result<&Install, LocalError> {
        self.0.iter().find(|install| install.major == major).ok_or_else(|| self.missing(&major.to_string()))
    }

    fn missing(&self, wanted: &str) -> LocalError {
        let shown =
            |install: &Install| format!("{} ({} in {})", install.major, install.full, install.bin.display());
        let installed: Vec<String> = self.0.iter().map(shown).collect();
        LocalError::Version { wanted: wanted.to_owned(), installed: installed.join(", ") }
    }
}

/// The version somebody asked for by number.
pub(super) fn explicit(asked: Option<&str>) -> Option<&str> {
    asked.map(str::trim).filter(|asked| !asked.is_empty() && *asked != "latest" && *asked != "default")
}

fn usual_folders() -> Vec<PathBuf> {
    let packaged = fs::read_dir(DEBIAN)
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect::<Vec<_>>())
        .unwrap_or_default();
    let along_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let packaged_found = packaged.iter().any(|folder| folder.join("initdb").is_file());
    if packaged_found { packaged } else { along_path.unwrap_or_default() }
}
