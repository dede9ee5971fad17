//! What only a running server can tell: its release, what is in force, and how much storage it uses.
//!
//! Asked of the server at bounded intervals, and remembered for as long as it runs.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::SimpleQueryMessage;

use super::super::{PARAMETER, ServerFacts};
use super::bootstrap_sql::superuser;
use super::conf::Parameters;
use super::layout::Cluster;

/// What was seen this short a while ago is not asked for again.
const INTERVAL: Duration = Duration::from_secs(30);
const LIMIT: Duration = Duration::from_secs(5);

/// Begins the names of settings that are compared with nothing; they say more about a parameter.
pub(super) const CONTEXT: &str = "context.";
pub(super) const PENDING: &str = "pending.";
pub(super) const UNFIT: &str = "unfit.";
/// The release that runs, and the one of the programs.
pub(super) const RELEASE: &str = "release";
pub(super) const PROGRAMS: &str = "programs";

/// A parameter in a file that PostgreSQL cannot apply while it runs shows in `pg_file_settings`, also before the server
/// has read the file.
const QUERY: &str = "
    SELECT 'release', current_setting('server_version'), ''
    UNION ALL SELECT 'used', ((SELECT coalesce(sum(pg_database_size(oid)), 0) FROM pg_database)
        + (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()))::text, ''
    UNION ALL SELECT 'context', name, context FROM pg_settings WHERE name LIKE '%.%'
    UNION ALL SELECT CASE WHEN s.context = 'postmaster' THEN 'pending' ELSE 'unfit' END, s.name,
        current_setting(s.name, true)
    FROM pg_settings s
    WHERE s.pending_restart
        OR lower(s.name) IN (SELECT lower(name) FROM pg_file_settings WHERE error IS NOT NULL AND NOT applied)";

/// What a running server told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// The release that runs: `15.14`.
    release: String,
    /// The release of its programs, which may have been replaced since its start.
    programs: Option<String>,
    used_bytes: u64,
    /// Parameters of extensions, and when a change takes effect.
    contexts: BTreeMap<String, String>,
    /// Parameters that differ from the files until a restart, with the values in force.
    pending: Parameters,
    /// Parameters whose values PostgreSQL does not take, with the values in force.
    unfit: Parameters,
}

struct Remembered {
    /// The server's lock file: another one after every start.
    run: String,
    at: Instant,
    look: Arc<Look>,
}

static LOOKS: LazyLock<Mutex<HashMap<PathBuf, Remembered>>> = LazyLock::new(Mutex::default);

fn all() -> MutexGuard<'static, HashMap<PathBuf, Remembered>> {
    LOOKS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run_of(cluster: &Cluster) -> Option<String> {
    fs::read_to_string(cluster.pgdata().join("postmaster.pid")).ok()
}

/// What this run of the server told last, however long ago.
pub(super) fn last(cluster: &Cluster) -> Option<Arc<Look>> {
    let run = run_of(cluster)?;
    all().get(cluster.key()).filter(|known| known.run == run).map(|known| Arc::clone(&known.look))
}

/// Its files have changed: it is asked again the next time.
pub(super) fn forget(cluster: &Cluster) {
    all().remove(cluster.key());
}

/// Asks the server, unless it told a short while ago. `programs` tells the release of its programs. Without an answer,
/// what it told before stands.
pub(super) async fn at(
    cluster: &Cluster,
    port: u16,
    programs: impl Future<Output = Option<String>>,
) -> Option<Arc<Look>> {
    let run = run_of(cluster)?;
    let fresh = all()
        .get(cluster.key())
        .filter(|known| known.run == run && known.at.elapsed() < INTERVAL)
        .map(|known| Arc::clone(&known.look));
    if fresh.is_some() {
        return fresh;
    }
    match tokio::time::timeout(LIMIT, ask(&cluster.socket(), port)).await {
        Ok(Ok(told)) => {
            let look = Arc::new(Look { programs: programs.await, ..told });
            let remembered = Remembered { run, at: Instant::now(), look: Arc::clone(&look) };
            all().insert(cluster.key().to_path_buf(), remembered);
            Some(look)
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, folder = %cluster.folder.display(), "a local server did not tell about itself");
            last(cluster)
        }
        Err(_) => last(cluster),
    }
}

async fn ask(socket: &Path, port: u16) -> Result<Look, tokio_postgres::Error> {
    let (client, connection) = superuser(socket, port).await?;
    let answer = client.simple_query(QUERY).await;
    connection.abort();
    let rows = answer?;
    let rows = rows.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((row.get(0)?, row.get(1)?, row.get(2).unwrap_or_default())),
        _ => None,
    });
    Ok(read(rows))
}

fn read<'a>(rows: impl Iterator<Item = (&'a str, &'a str, &'a str)>) -> Look {
    let mut look = Look::default();
    for (kind, name, value) in rows {
        let into = match kind {
            "release" => {
                look.release = name.split_whitespace().next().unwrap_or_default().to_owned();
                continue;
            }
            "used" => {
                look.used_bytes = name.parse().unwrap_or_default();
                continue;
            }
            "context" => &mut look.contexts,
            "pending" => &mut look.pending,
            _ => &mut look.unfit,
        };
        into.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    look
}

impl Look {
    /// Whether only a restart brings into force what stands in the server's files.
    pub(super) fn waits_for_restart(&self, ours: &Parameters) -> bool {
        ours.keys().any(|name| self.pending.contains_key(name))
            || self.programs.as_ref().is_some_and(|programs| *programs != self.release)
    }

    /// The release of the programs.
    pub(super) fn programs(&self) -> Option<&String> {
        self.programs.as_ref()
    }

    /// Puts into the facts what is in force, in place of what stands in the files.
    pub(super) fn complete(&self, facts: &mut ServerFacts) {
        facts.version = Some(self.release.clone());
        facts.storage_used_gb = Some(self.used_bytes.div_ceil(1 << 30));
        if let Some(buffers) = self.pending.get("shared_buffers") {
            facts.size = Some(format!("{buffers} shared buffers"));
        }
        let settings = &mut facts.settings;
        settings.insert(RELEASE.to_owned(), self.release.clone());
        if let Some(programs) = &self.programs {
            settings.insert(PROGRAMS.to_owned(), programs.clone());
        }
        for (name, context) in &self.contexts {
            settings.insert(format!("{CONTEXT}{name}"), context.clone());
        }
        for (start, parameters) in [(PENDING, &self.pending), (UNFIT, &self.unfit)] {
            for (name, in_force) in parameters {
                // Those that are not in our file are not ours.
                if let Some(written) = settings.insert(format!("{PARAMETER}{name}"), in_force.clone()) {
                    settings.insert(format!("{start}{name}"), written);
                } else {
                    settings.remove(&format!("{PARAMETER}{name}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_tell_what_is_in_force_and_not_what_stands_in_the_files() {
        let look = read(
            [
                ("release", "15.14 (Debian 15.14-0+deb12u1)", ""),
                ("used", "1073741825", ""),
                ("context", "pg_stat_statements.max", "postmaster"),
                ("pending", "Shared_Buffers", "64MB"),
                ("pending", "max_wal_senders", "10"),
                ("unfit", "auto_explain.log_format", "text"),
            ]
            .into_iter(),
        );
        let mut facts = ServerFacts::default();
        let written = [("parameter.shared_buffers", "128MB"), ("parameter.auto_explain.log_format", "odd")];
        facts.settings = written.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        look.complete(&mut facts);
        let expected = [
            ("context.pg_stat_statements.max", "postmaster"),
            ("parameter.auto_explain.log_format", "text"),
            ("parameter.shared_buffers", "64MB"),
            ("pending.shared_buffers", "128MB"),
            ("release", "15.14"),
            ("unfit.auto_explain.log_format", "odd"),
        ];
        assert_eq!(facts.settings, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!((facts.storage_used_gb, facts.version.as_deref()), (Some(2), Some("15.14")));
        assert_eq!(facts.size.as_deref(), Some("64MB shared buffers"));
        let ours = |name: &str| Parameters::from([(name.to_owned(), "1".to_owned())]);
        assert!(
            look.waits_for_restart(&ours("shared_buffers")) && !look.waits_for_restart(&ours("work_mem"))
        );
    }
}
