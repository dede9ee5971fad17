//! `server.json`: what is known about a server besides its data. It never holds a password.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use super::super::Owner;
use super::error::LocalError;
use super::layout::{Cluster, write_atomic};

/// The content of `server.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// The server's full name; the folder has only a hash of it.
    pub(super) identity: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) owner_uid: String,
    pub(super) port: u16,
    pub(super) version: u32,
    pub(super) admin_username: String,
    /// Milliseconds since 1970; part of the server's uid.
    pub(super) created_at: i64,
    /// What was asked for; nothing limits a server to it.
    pub(super) storage_gb: Option<u64>,
    /// What an earlier version of the operator gave to its buffers. Such a server keeps what its size gave it then until
    /// it is restarted, or until another size is asked for.
    #[serde(default, rename = "sharedBuffersMB", skip_serializing_if = "Option::is_none")]
    pub(super) shared_buffers_mb: Option<u32>,
    /// The memory asked for when that was found.
    #[serde(default, rename = "memoryMB", skip_serializing_if = "Option::is_none")]
    pub(super) memory_mb: Option<i64>,
    /// The release of the programs for whose sake it was restarted last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) restarted_for: Option<String>,
    /// Whether the server was seen to take connections. One that never did holds no data.
    pub(super) was_available: bool,
    /// Its object is gone, and it was left (`fake_delete`).
    #[serde(default)]
    pub(super) left: bool,
}

impl Record {
    /// The record of a cluster; none if there is no file.
    pub(super) fn read(cluster: &Cluster) -> Result<Option<Self>, LocalError> {
        let path = cluster.record();
        match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map(Some).map_err(|source| LocalError::Record { path, source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LocalError::io("read", &path)(error)),
        }
    }

    pub(super) fn write(&self, cluster: &Cluster) -> Result<(), LocalError> {
        let path = cluster.record();
        let bytes = serde_json::to_vec_pretty(self)
            .map_err(|source| LocalError::Record { path: path.clone(), source })?;
        write_atomic(&path, &bytes, 0o644, None)
    }

    /// Whether this is the server of that name and that object. The object's uid only informs: an object restored
    /// from a backup has another one and still means this server.
    pub(super) fn belongs_to(&self, identity: &str, owner: &Owner) -> bool {
        self.identity == identity && self.namespace == owner.namespace && self.name == owner.name
    }

    /// Whose it is, for people.
    pub(super) fn whose(&self) -> String {
        format!(
            "the local server {} belongs to the PostgreSQLServer {}/{}",
            self.identity, self.namespace, self.name
        )
    }
}
