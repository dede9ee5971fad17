//! `backends.local`.

use std::net::IpAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// PostgreSQL servers on the operator's own host: for trying out, development and CI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LocalConfig {
    /// Folder that holds one folder per server. At most 70 bytes long, since Unix sockets stand below it.
    pub data_dir: PathBuf,
    /// Loopback address the servers listen on.
    #[serde(default = "default_address")]
    pub address: IpAddr,
    /// First port of the range.
    #[schemars(range(min = 1024))]
    #[serde(default = "default_port_first")]
    pub port_first: u16,
    /// Last port of the range.
    #[schemars(range(min = 1024))]
    #[serde(default = "default_port_last")]
    pub port_last: u16,
    /// Folder with `initdb`, `pg_ctl` and `postgres`. For several versions: folders with `:` between them, or a pattern
    /// such as `/opt/postgresql/*/bin`. Empty: all under `/usr/lib/postgresql`, else from `PATH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bin_dir: Option<PathBuf>,
    /// Operating system user the servers run as when the operator runs as root.
    #[serde(default = "default_run_as_user")]
    pub run_as_user: String,
    /// User name of the administrator in new servers.
    #[serde(default = "default_admin_username")]
    pub admin_username: String,
    /// Whether servers are kept when their objects are deleted: they only get a mark, which is taken off when an object of
    /// that name comes back. For trying the operator out where nothing may get lost.
    #[serde(default)]
    pub fake_delete: bool,
    /// Whether `data_dir` may lie in a pod where it is lost with the pod: on its own file system, in memory, or in an
    /// `emptyDir`. Without this the operator does not start there.
    #[serde(default)]
    pub allow_data_loss: bool,
    /// Pattern of server names, with `{namespace}` and `{name}`.
    #[serde(default = "default_name_pattern")]
    pub name_pattern: String,
}

impl LocalConfig {
    /// The folders that `bin_dir` means, whether they have programs or not; none where it is empty.
    pub fn program_folders(&self) -> Option<Vec<PathBuf>> {
        let written = self.bin_dir.as_ref()?.to_string_lossy().into_owned();
        let folders = written.split(':').filter(|part| !part.is_empty()).flat_map(|part| {
            let found: Vec<PathBuf> =
                glob::glob(part).map(|paths| paths.flatten().collect()).unwrap_or_default();
            // What is no pattern, or matches nothing, is told as it is written.
            if found.is_empty() { vec![PathBuf::from(part)] } else { found }
        });
        Some(folders.collect())
    }
}

/// The superuser of local servers, whom only the operator itself can be.
pub const LOCAL_SUPERUSER: &str = "hcpg_superuser";

fn default_address() -> IpAddr {
    IpAddr::from([127, 0, 0, 1])
}

fn default_port_first() -> u16 {
    54320
}

fn default_port_last() -> u16 {
    54519
}

fn default_run_as_user() -> String {
    "postgres".to_owned()
}

fn default_admin_username() -> String {
    "postgres".to_owned()
}

fn default_name_pattern() -> String {
    "{namespace}-{name}".to_owned()
}
