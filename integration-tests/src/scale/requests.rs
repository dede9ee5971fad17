//! What the operator asked the API server for, counted from the audit log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use super::Failure;
use crate::control_plane::AuditEvent;
use crate::operator::OPERATOR_USER;

/// Answers overtake each other on their way into the log.
const SETTLES: Duration = Duration::from_millis(500);

/// Reads the log as it grows.
pub(super) struct Requests {
    path: PathBuf,
    offset: u64,
}

/// Requests by verb and resource.
#[derive(Clone, Debug, Default)]
pub struct Count {
    /// For instance `get secrets`.
    pub by_kind: BTreeMap<String, usize>,
    /// All but watches that do not change anything.
    pub reads: usize,
    /// All that want to change something, events among them.
    pub writes: usize,
}

impl Requests {
    pub fn of(path: PathBuf) -> Self {
        Self { path, offset: 0 }
    }

    /// The operator's requests since the last call.
    pub async fn take(&mut self) -> Result<Count, Failure> {
        tokio::time::sleep(SETTLES).await;
        let mut file = BufReader::new(File::open(&self.path)?);
        file.seek(SeekFrom::Start(self.offset))?;
        let mut count = Count::default();
        let mut line = String::new();
        loop {
            line.clear();
            let read = file.read_line(&mut line)?;
            // Half a line is no event yet.
            if read == 0 || !line.ends_with('\n') {
                return Ok(count);
            }
            self.offset += u64::try_from(read)?;
            // Most of a log this long is not worth being taken apart.
            if line.contains(OPERATOR_USER) {
                let event: AuditEvent = serde_json::from_str(&line)?;
                if event.user.username == OPERATOR_USER && event.stage == "ResponseComplete" {
                    count.add(&event);
                }
            }
        }
    }
}

impl Count {
    fn add(&mut self, event: &AuditEvent) {
        let object = event.object_ref.clone().unwrap_or_default();
        let of = if object.subresource.is_empty() { "" } else { "/" };
        let kind = format!("{} {}{of}{}", event.verb, object.resource, object.subresource);
        *self.by_kind.entry(kind).or_default() += 1;
        if event.is_write() {
            self.writes += 1;
        } else if event.verb != "watch" {
            self.reads += 1;
        }
    }
}
