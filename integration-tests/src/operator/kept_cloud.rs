//! The simulated cloud of the demo: a process of its own, which goes on when the one that started it has ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clouds::rds::Simulator;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::Error;
use crate::aws::CREDENTIALS;
use crate::control_plane::process;

/// The name of its log and of the file with its process number.
const NAME: &str = "cloud";
/// Where it says how to get to it.
const NOTES: &str = "cloud.json";
const STARTED_WITHIN: Duration = Duration::from_secs(30);

/// How to get to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCloud {
    endpoint: String,
    authorities: PathBuf,
}

impl KeptCloud {
    /// The one in that folder; `program` starts one if there is none. It gets the name of a file as its last argument,
    /// and has to [`Self::run`] with it.
    pub async fn start(folder: &Path, mut program: Command) -> Result<Self, Error> {
        let notes = folder.join(NOTES);
        if process::running(folder, NAME).is_none() {
            // What an earlier one has noted; there may be nothing.
            let _ = fs::remove_file(&notes);
            program.arg(&notes);
            process::spawn_command(NAME, program, folder, true)?;
        }
        let since = Instant::now();
        loop {
            let noted = fs::read_to_string(&notes).ok().and_then(|text| serde_json::from_str(&text).ok());
            if let Some(noted) = noted {
                return Ok(noted);
            }
            if process::running(folder, NAME).is_none() || since.elapsed() > STARTED_WITHIN {
                let message = format!("it did not start: {}", process::log_tail(folder, NAME));
                return Err(Error::File { path: notes, message });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Is the cloud until it is told to end.
    pub async fn run(notes: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let simulator = Simulator::start().await?;
        let authorities = notes.with_extension("pem");
        fs::write(&authorities, simulator.ca_pem())?;
        let noted = Self { endpoint: simulator.endpoint().to_owned(), authorities };
        // In one step, so that nobody reads half of it.
        let aside = notes.with_extension("new");
        fs::write(&aside, serde_json::to_vec(&noted)?)?;
        fs::rename(aside, notes)?;
        signal(SignalKind::terminate())?.recv().await;
        Ok(())
    }

    /// The configuration of an operator whose servers are there.
    pub fn config(&self) -> Value {
        json!({
            "backend": "awsrds",
            "allowed_backends": ["awsrds"],
            "backends": {"awsrds": {
                "region": "eu-central-1",
                "subnet_group": "default",
                "endpoint": self.endpoint,
                "sts_endpoint": self.endpoint,
                "extra_ca_file": self.authorities,
                "default_class": "small",
                "classes": {"small": {"instance_type": "db.t4g.medium", "storage_type": "gp3"}},
            }},
            "reconcile": {"poll_seconds": 1},
        })
    }

    /// The variables of its process.
    pub fn environment(&self) -> Vec<(String, String)> {
        CREDENTIALS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }
}
