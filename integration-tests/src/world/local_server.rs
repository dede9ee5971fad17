//! A PostgreSQL server of the local backend, seen from behind.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio_postgres::{Client, Config, NoTls};

/// The superuser of the local backend, whom only the operator's own user can be.
const SUPERUSER: &str = "hcpg_superuser";

/// A PostgreSQL server of the local backend.
#[derive(Clone, Debug)]
pub struct LocalServer {
    folder: PathBuf,
    port: u16,
}

impl LocalServer {
    /// The server of an object, if there is one.
    pub(super) fn find(data_dir: &Path, namespace: &str, name: &str) -> Option<Self> {
        let entries = std::fs::read_dir(data_dir).ok()?;
        entries.flatten().map(|entry| entry.path()).find_map(|folder| {
            let hidden = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            let text = std::fs::read_to_string(folder.join("server.json")).ok().filter(|_| !hidden)?;
            let record: Value = serde_json::from_str(&text).ok()?;
            let port = u16::try_from(record["port"].as_u64()?).ok()?;
            (record["namespace"] == namespace && record["name"] == name).then_some(Self { folder, port })
        })
    }

    /// Its folder, with `pgdata` and `server.log`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The number of its process, as PostgreSQL notes it.
    pub fn postmaster(&self) -> Option<i32> {
        let text = std::fs::read_to_string(self.folder.join("pgdata/postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    /// Kills its processes at once, as a crash would.
    pub fn kill(&self) {
        if let Some(pid) = self.postmaster() {
            // SIGQUIT leaves no shared memory behind; an error means that it has ended already.
            let _ = kill(Pid::from_raw(pid), Signal::SIGQUIT);
        }
        while self.is_alive() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether a process of PostgreSQL works on its data.
    pub fn is_alive(&self) -> bool {
        let data = self.folder.join("pgdata");
        let Ok(entries) = std::fs::read_dir("/proc") else { return false };
        entries.flatten().any(|entry| {
            std::fs::read_link(entry.path().join("cwd")).is_ok_and(|folder| folder.starts_with(&data))
        })
    }

    /// Its log since its last start; with the server parameter `log_statement: all` every statement is in there.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.folder.join("server.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Every statement in its log from `offset` on: the word it begins with, and the line.
    pub fn statements(&self, offset: usize) -> Vec<(String, String)> {
        let log = self.log();
        let lines = log[offset..].lines().filter(|line| line.contains("LOG:"));
        lines
            .filter_map(|line| {
                let (_, rest) = line.split_once("LOG:  ")?;
                let text = match rest.strip_prefix("statement: ") {
                    Some(text) => text,
                    None => rest.strip_prefix("execute ")?.split_once(": ")?.1,
                };
                let verb = text.split_whitespace().next()?.trim_end_matches(';').to_uppercase();
                Some((verb, line.to_owned()))
            })
            .collect()
    }

    /// Logs in as its superuser over its socket: for looking at what users cannot see, and for doing damage.
    pub async fn superuser(&self, dbname: &str) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = Config::new()
            .host_path(self.folder.join("socket"))
            .port(self.port)
            .user(SUPERUSER)
            .dbname(dbname)
            .connect(NoTls)
            .await?;
        // It ends with the client; an error of it reaches whoever waits for an answer.
        tokio::spawn(connection);
        Ok(client)
    }
}
