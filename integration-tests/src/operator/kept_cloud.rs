//! The simulated cloud of the demo: a process of its own, which goes on when the one that started it has ended.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use clouds::{azure, rds};
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

/// Which cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum CloudKind {
    /// Amazon RDS.
    Awsrds,
    /// Amazon Aurora.
    Awsaurora,
    /// Azure's flexible servers.
    Azurepostgresflexible,
}

/// What an operator needs to get to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCloud {
    config: Value,
    environment: Vec<(String, String)>,
}

impl KeptCloud {
    /// The one in that folder; `program` starts one if there is none. It gets the name of a file as its last argument,
    /// and has to [`Self::run`] with it.
    pub async fn start(folder: &Path, kind: CloudKind, mut program: Command) -> Result<Self, Error> {
        let notes = folder.join(NOTES);
        let noted = |notes: &Path| -> Option<Self> {
            fs::read_to_string(notes).ok().and_then(|text| serde_json::from_str(&text).ok())
        };
        if process::running(folder, NAME).is_none() {
            // What an earlier one has noted; there may be nothing.
            let _ = fs::remove_file(&notes);
            program.arg(&notes);
            process::spawn_command(NAME, program, folder, true)?;
        }
        let since = Instant::now();
        loop {
            if let Some(noted) = noted(&notes) {
                if noted.is(kind) {
                    return Ok(noted);
                }
                let message = "another cloud runs there; `make demo-down` ends it".to_owned();
                return Err(Error::File { path: notes, message });
            }
            if process::running(folder, NAME).is_none() || since.elapsed() > STARTED_WITHIN {
                let message = format!("it did not start: {}", process::log_tail(folder, NAME));
                return Err(Error::File { path: notes, message });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Is the cloud until it is told to end.
    pub async fn run(kind: CloudKind, notes: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let authorities = notes.with_extension("pem");
        match kind {
            CloudKind::Awsrds | CloudKind::Awsaurora => {
                let simulator = rds::Simulator::start().await?;
                fs::write(&authorities, simulator.ca_pem())?;
                Self::aws(kind, simulator.endpoint(), &authorities).serve(notes, simulator).await
            }
            CloudKind::Azurepostgresflexible => {
                let simulator = azure::Simulator::start().await?;
                fs::write(&authorities, simulator.ca_pem())?;
                Self::flexible(&simulator, &authorities).serve(notes, simulator).await
            }
        }
    }

    /// Notes how to get to the cloud, which lives until the process is told to end.
    async fn serve<S>(
        self,
        notes: &Path,
        simulator: S,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        // In one step, so that nobody reads half of it; and by nobody else, since it holds what lets in.
        let aside = notes.with_extension("new");
        fs::write(&aside, serde_json::to_vec(&self)?)?;
        fs::set_permissions(&aside, Permissions::from_mode(0o600))?;
        fs::rename(aside, notes)?;
        signal(SignalKind::terminate())?.recv().await;
        drop(simulator);
        Ok(())
    }

    fn aws(kind: CloudKind, endpoint: &str, authorities: &Path) -> Self {
        let (backend, small) = match kind {
            CloudKind::Awsaurora => ("awsaurora", json!({"instance_type": "db.t4g.medium"})),
            _ => ("awsrds", json!({"instance_type": "db.t4g.medium", "storage_type": "gp3"})),
        };
        let section = json!({
            "region": "eu-central-1",
            "subnet_group": "default",
            "endpoint": endpoint,
            "sts_endpoint": endpoint,
            "extra_ca_file": authorities,
            "default_class": "small",
            "classes": {"small": small},
        });
        let environment =
            CREDENTIALS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { config: config(backend, &section), environment }
    }

    fn flexible(simulator: &azure::Simulator, authorities: &Path) -> Self {
        let section = crate::azure::section(simulator.endpoint(), authorities);
        let environment = crate::azure::variables(simulator);
        Self { config: config("azurepostgresflexible", &section), environment }
    }

    /// The configuration of an operator whose servers are there.
    pub fn config(&self) -> Value {
        self.config.clone()
    }

    /// The variables of its process.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment.clone()
    }

    fn is(&self, kind: CloudKind) -> bool {
        serde_json::to_value(kind).is_ok_and(|kind| {
            kind.as_str()
                .zip(self.config["backend"].as_str())
                .is_some_and(|(kind, it)| kind.eq_ignore_ascii_case(it))
        })
    }
}

fn config(backend: &str, section: &Value) -> Value {
    json!({
        "backend": backend,
        "allowed_backends": [backend],
        "backends": {backend: section},
        "reconcile": {"poll_seconds": 1},
    })
}
