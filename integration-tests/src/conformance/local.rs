//! The local backend under test: real PostgreSQL servers in a folder of their own.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hcpg::backend::{LocalBackend, ServerBackend};
use hcpg::config::Config;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::done;
use super::faults::Operation;
use super::sql::{Lead, SqlFaults};
use super::subject::{Drift, Shown, Subject, Update};
use crate::operator::{Ports, Sweeper, new_folder};

/// `initdb` as long as nobody wants it to fail; these servers need not survive a power failure.
const INITDB: &str = r#"#!/bin/sh
if [ "$1" != --version ] && rm "FOLDER/fail" 2>/dev/null; then
  echo "initdb: error: could not write: no space left on device" >&2
  exit 1
fi
exec "BIN/initdb" --no-sync "$@"
"#;

/// The local backend; its servers end with it.
pub struct Local {
    folder: PathBuf,
    ports: Ports,
    sql_faults: Option<SqlFaults>,
    // Last: it clears the folder away.
    _sweeper: Sweeper,
}

impl Local {
    /// In a new folder, with a range of ports of its own.
    pub fn new() -> Arc<Self> {
        Self::with(None)
    }

    /// With proxies between the operator and the servers.
    pub fn behind_proxies(faults: SqlFaults) -> Arc<Self> {
        Self::with(Some(faults))
    }

    fn with(sql_faults: Option<SqlFaults>) -> Arc<Self> {
        let folder = done(new_folder());
        let sweeper = done(Sweeper::start(&folder));
        let this = Self { folder, ports: done(Ports::reserve()), sql_faults, _sweeper: sweeper };
        this.prepare_programs();
        Arc::new(this)
    }

    /// With the servers on a small disk of their own; none where this process may not mount one.
    pub fn on_a_small_disk() -> Option<Arc<Self>> {
        let this = Self::new();
        let disk = this.folder.join("data");
        done(fs::create_dir(&disk));
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=192m,mode=755", "tmpfs"]).arg(&disk).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(this)
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("data/ballast")
    }

    /// The installed programs, with an `initdb` between that can be made to fail.
    fn prepare_programs(&self) {
        let installed = installed();
        done(fs::create_dir(self.programs()));
        for program in ["postgres", "pg_ctl"] {
            done(symlink(installed.join(program), self.programs().join(program)));
        }
        // The servers' user removes the file; that takes the right to write to its folder.
        done(fs::create_dir(self.orders()));
        done(fs::set_permissions(self.orders(), Permissions::from_mode(0o777)));
        let script = INITDB
            .replace("FOLDER", &self.orders().to_string_lossy())
            .replace("BIN", &installed.to_string_lossy());
        let initdb = self.programs().join("initdb");
        done(fs::write(&initdb, script));
        done(fs::set_permissions(&initdb, Permissions::from_mode(0o755)));
    }

    fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }

    fn orders(&self) -> PathBuf {
        self.folder.join("orders")
    }

    /// Where the servers are.
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn folder_of(&self, namespace: &str, name: &str) -> PathBuf {
        match folder_in(&self.data(), namespace, name) {
            Some(folder) => folder,
            None => panic!("there is no local server of {namespace}/{name}"),
        }
    }
}

/// Folders and records of all servers below `data`.
fn servers_in(data: &Path) -> Vec<(PathBuf, Value)> {
    let Ok(entries) = fs::read_dir(data) else { return Vec::new() };
    let folders = entries.flatten().map(|entry| entry.path());
    folders
        .filter(|folder| folder.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')))
        .filter_map(|folder| {
            let text = fs::read_to_string(folder.join("server.json")).ok()?;
            Some((folder, serde_json::from_str(&text).ok()?))
        })
        .collect()
}

/// The folder of the object's server below `data`.
pub(super) fn folder_in(data: &Path, namespace: &str, name: &str) -> Option<PathBuf> {
    let is_its = |record: &Value| record["namespace"] == namespace && record["name"] == name;
    servers_in(data).into_iter().find(|(_, record)| is_its(record)).map(|(folder, _)| folder)
}

/// The newest installed version, or the one that `HCPG_TEST_POSTGRES_BIN` names.
fn installed() -> PathBuf {
    if let Some(folder) = std::env::var_os("HCPG_TEST_POSTGRES_BIN") {
        return folder.into();
    }
    let versions = fs::read_dir("/usr/lib/postgresql").map(|entries| entries.flatten().collect::<Vec<_>>());
    let folders = versions.unwrap_or_default().into_iter().map(|entry| entry.path());
    let number = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = folders.filter(|folder| folder.join("bin/initdb").is_file()).max_by_key(number);
    match newest {
        Some(folder) => folder.join("bin"),
        None => panic!("no PostgreSQL in /usr/lib/postgresql; set HCPG_TEST_POSTGRES_BIN to its bin folder"),
    }
}

/// Ends the server at once; false when there is no process.
fn end(folder: &Path) -> bool {
    let pid = fs::read_to_string(folder.join("pgdata/postmaster.pid")).ok();
    let pid = pid.and_then(|text| text.lines().next()?.trim().parse().ok()).map(Pid::from_raw);
    let Some(pid) = pid else { return false };
    if kill(pid, Signal::SIGQUIT).is_err() {
        return false;
    }
    let since = Instant::now();
    while fs::exists(folder.join("pgdata/postmaster.pid")).unwrap_or_default() {
        assert!(since.elapsed() < Duration::from_secs(20), "process {pid} does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

#[async_trait]
impl Subject for Local {
    fn config(&self) -> Value {
        let (first, last) = done(self.ports.range());
        json!({
            "backend": "local",
            "allowed_backends": ["local"],
            "backends": {"local": {
                "data_dir": self.data(),
                "bin_dir": self.programs(),
                "port_first": first,
                "port_last": last,
            }},
        })
    }

    fn backend(&self, config: &Config) -> Arc<dyn ServerBackend> {
        let local: Arc<dyn ServerBackend> = match &config.backends.local {
            Some(local) => Arc::new(done(LocalBackend::new(local.clone()))),
            None => panic!("the configuration has no section backends.local"),
        };
        match &self.sql_faults {
            Some(faults) => Arc::new(Lead::around(local, self.data(), faults.clone())),
            None => local,
        }
    }

    fn spec(&self) -> Value {
        json!({"size": {"memoryMB": 128, "storageGB": 1}})
    }

    fn updates(&self) -> Vec<Update> {
        let parameter = |name, spec, shown| Update { name, spec, by: Operation::Configure, shown };
        vec![
            Update {
                name: "storage grows",
                spec: json!({"size": {"storageGB": 3}}),
                by: Operation::Update,
                shown: Shown::ByStatus("/status/server/storageGB", json!(3)),
            },
            parameter(
                "a parameter is set",
                json!({"serverParameters": {"work_mem": "7MB"}}),
                Shown::BySql("SHOW work_mem", "7MB"),
            ),
            parameter(
                "a parameter that needs a restart is set",
                json!({"serverParameters": {"max_connections": 37}}),
                Shown::BySql("SHOW max_connections", "37"),
            ),
            parameter(
                "a parameter goes back to its default",
                json!({"serverParameters": {"work_mem": null}}),
                Shown::BySql("SHOW work_mem", "4MB"),
            ),
        ]
    }

    fn drifts(&self) -> Vec<Drift> {
        let spec = json!({"serverParameters": {"work_mem": "5MB"}});
        let shown = Shown::BySql("SHOW work_mem", "5MB");
        vec![
            Drift { name: "stopped", spec: spec.clone(), by: Operation::Update, shown: shown.clone() },
            Drift { name: "parameter changed", spec, by: Operation::Configure, shown },
        ]
    }

    async fn drift(&self, drift: &Drift, namespace: &str, name: &str) {
        let folder = self.folder_of(namespace, name);
        if drift.name == "stopped" {
            assert!(end(&folder), "it was running");
        } else {
            let file = folder.join("pgdata/hcpg.conf");
            let text = done(fs::read_to_string(&file)).replace("'5MB'", "'9MB'");
            done(fs::write(&file, text));
            let postmaster = done(fs::read_to_string(folder.join("pgdata/postmaster.pid")));
            let pid = postmaster.lines().next().and_then(|line| line.trim().parse().ok());
            done(kill(Pid::from_raw(pid.unwrap_or_default()), Signal::SIGHUP));
        }
    }

    async fn servers(&self, namespace: &str) -> Vec<String> {
        let all = servers_in(&self.data()).into_iter().map(|(_, record)| record);
        let theirs = all.filter(|record| record["namespace"] == namespace);
        theirs.map(|record| record["identity"].as_str().unwrap_or_default().to_owned()).collect()
    }

    async fn vanish(&self, namespace: &str, name: &str) {
        // Away in one step, so that nobody sees it stopped and starts it again.
        let vanished = self.folder.join(format!("vanished-{namespace}-{name}"));
        done(fs::rename(self.folder_of(namespace, name), &vanished));
        let _ = end(&vanished);
        done(fs::remove_dir_all(&vanished));
    }

    async fn crash(&self, namespace: &str, name: &str) -> bool {
        end(&self.folder_of(namespace, name))
    }

    async fn exchange(&self, namespace: &str, name: &str) {
        // What tells two servers of one name apart is the moment in which each was made.
        let path = self.folder_of(namespace, name).join("server.json");
        let mut record: Value = done(serde_json::from_str(&done(fs::read_to_string(&path))));
        let made = record["createdAt"].as_i64().unwrap_or_default();
        record["createdAt"] = json!(made ^ 1);
        let aside = path.with_extension("exchanged");
        done(fs::write(&aside, record.to_string()));
        done(fs::rename(aside, path));
    }

    async fn fill_disk(&self) -> bool {
        let disk = self.data();
        let mounted = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        if !mounted.contains(&format!(" {} ", disk.display())) {
            return false;
        }
        let mut file = done(fs::File::create(self.ballast()));
        // Until there is no room: the error is what is asked for.
        while file.write_all(&[0; 64 << 10]).is_ok() {}
        while file.write_all(&[0; 512]).is_ok() {}
        true
    }

    async fn free_disk(&self) {
        done(fs::remove_file(self.ballast()));
    }

    async fn fail_next_creation(&self) {
        done(fs::write(self.orders().join("fail"), ""));
    }

    fn has_failed_creation(&self) -> bool {
        !self.orders().join("fail").exists()
    }
}
