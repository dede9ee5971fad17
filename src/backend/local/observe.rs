//! Looking at a server.

use std::fs::File;
use std::io::Read;

use crate::postgres::{Endpoint, TlsMode};

use super::super::{Health, Owner, PARAMETER, PresentServer, ServerFacts, ServerObservation, Settings};
use super::create::CREATE;
use super::error::LocalError;
use super::layout::{Cluster, exists};
use super::record::Record;
use super::settings::{EARLIER, MEMORY, POWER, RESTARTED_FOR, RUNNING, STOPPED, STORAGE, VERSION};
use super::tasks::{self, Claim, Work};
use super::{Local, conf, process, tls};

impl Local {
    pub(super) fn observe(&self, identity: &str, owner: &Owner) -> Result<ServerObservation, LocalError> {
        let cluster = self.layout.cluster(identity);
        let work = tasks::current(cluster.key());
        let (record, has_data) = read(&cluster)?;
        match record {
            Some(record) if !record.belongs_to(identity, owner) => {
                Ok(ServerObservation::NotOurs { message: record.whose() })
            }
            None if has_data => Ok(ServerObservation::NotOurs { message: self.unmarked(&cluster) }),
            Some(record) if has_data => {
                self.present(&cluster, record, owner, work.filter(|work| work.owner == *owner))
            }
            // No data: there may be one in the making.
            _ => self.unborn(identity, owner, work),
        }
    }

    fn unborn(
        &self,
        identity: &str,
        owner: &Owner,
        work: Option<Work>,
    ) -> Result<ServerObservation, LocalError> {
        let Some(work) = work.filter(|work| work.operation == CREATE) else {
            return Ok(ServerObservation::Absent);
        };
        if work.owner != *owner {
            // Somebody else's failure does not stand in the way; somebody else's creation does.
            return Ok(match work.failure {
                Some(_) => ServerObservation::Absent,
                None => ServerObservation::NotOurs {
                    message: format!(
                        "the local server {identity} is being created for the PostgreSQLServer {}/{}",
                        work.owner.namespace, work.owner.name
                    ),
                },
            });
        }
        let (health, operation) = match work.failure {
            Some(message) => (Health::Failed { message, was_available: false }, None),
            None => (unusable("it is being created"), Some(CREATE.to_owned())),
        };
        Ok(ServerObservation::Present(Box::new(PresentServer {
            uid: None,
            health,
            accepts_writes: false,
            operation,
            protected: None,
            left: false,
            facts: ServerFacts {
                admin_username: self.config.admin_username.clone(),
                ..ServerFacts::default()
            },
        })))
    }

    fn present(
        &self,
        cluster: &Cluster,
        record: Record,
        owner: &Owner,
        work: Option<Work>,
    ) -> Result<ServerObservation, LocalError> {
        let running = work.as_ref().filter(|work| work.failure.is_none()).map(|work| work.operation);
        let failure = work.and_then(|work| work.failure);
        let postmaster = process::find(cluster)?;
        let ready = postmaster.is_some_and(|postmaster| postmaster.ready);
        if ready && !record.was_available {
            note_availability(cluster, owner)?;
        }
        let system_identifier = system_identifier(cluster);
        let health = match (&system_identifier, failure) {
            (None, _) => Health::Failed {
                message: "its data is damaged".to_owned(),
                was_available: record.was_available,
            },
            _ if running == Some(CREATE) => unusable("it is being created"),
            _ if ready => Health::Usable,
            _ if postmaster.is_some() => unusable("it is starting or stopping"),
            _ if running.is_some() => unusable("it is being started or stopped"),
            (_, Some(message)) if !record.was_available => Health::Failed { message, was_available: false },
            (_, Some(message)) => unusable(&format!("it is stopped; {message}")),
            (_, None) => unusable("it is stopped"),
        };
        // One that recovers after a crash works on something, though nobody here asked for it.
        let recovering = postmaster.is_some() && !ready;
        let operation = running.or(recovering.then_some("start")).map(str::to_owned);
        Ok(ServerObservation::Present(Box::new(PresentServer {
            uid: system_identifier.map(|id| format!("{id}-{}", record.created_at)),
            accepts_writes: operation.is_none() && !matches!(health, Health::Failed { .. }),
            health,
            operation,
            protected: None,
            left: record.left,
            facts: self.facts(cluster, &record, postmaster.is_some())?,
        })))
    }

    fn facts(&self, cluster: &Cluster, record: &Record, running: bool) -> Result<ServerFacts, LocalError> {
        let mut settings = Settings::from([
            (POWER.to_owned(), if running { RUNNING } else { STOPPED }.to_owned()),
            (VERSION.to_owned(), record.version.to_string()),
        ]);
        if let Some(storage) = record.storage_gb {
            settings.insert(STORAGE.to_owned(), storage.to_string());
        }
        if let Some(earlier) = record.shared_buffers_mb {
            settings.insert(EARLIER.to_owned(), format!("{earlier}MB"));
        }
        if let Some(memory) = record.memory_mb {
            settings.insert(MEMORY.to_owned(), memory.to_string());
        }
        if let Some(release) = &record.restarted_for {
            settings.insert(RESTARTED_FOR.to_owned(), release.clone());
        }
        for (name, value) in conf::parameters_in_force(cluster)? {
            settings.insert(format!("{PARAMETER}{name}"), value);
        }
        let buffers = settings.get(&format!("{PARAMETER}shared_buffers"));
        let buffers =
            buffers.or(settings.get(EARLIER)).map_or(conf::SHARED_BUFFERS, String::as_str).to_owned();
        let full = self.installs.exactly(record.version).ok().map(|install| install.full.clone());
        Ok(ServerFacts {
            account: None,
            endpoint: Some(Endpoint {
                host: self.config.address.to_string(),
                port: record.port,
                tls: TlsMode::Verify { ca_pem: tls::trusted(cluster)? },
            }),
            admin_username: record.admin_username.clone(),
            admin_database: "postgres".to_owned(),
            // Every connection must be encrypted; who has the CA may verify it.
            sslmode: "require".to_owned(),
            version: full.or_else(|| Some(record.version.to_string())),
            size: Some(format!("{buffers} shared buffers")),
            storage_gb: record.storage_gb,
            storage_used_gb: None,
            settings,
        })
    }

    /// The sentence for a folder with data and without `server.json`.
    pub(super) fn unmarked(&self, cluster: &Cluster) -> String {
        format!(
            "{} holds data but no server.json that says whose it is; move the folder away",
            cluster.folder.display()
        )
    }
}

/// The server's uid as `observe` tells it; none if the data is damaged.
pub(super) fn uid(cluster: &Cluster, record: &Record) -> Option<String> {
    system_identifier(cluster).map(|id| format!("{id}-{}", record.created_at))
}

/// The first eight bytes of `pg_control`, in every version of PostgreSQL.
fn system_identifier(cluster: &Cluster) -> Option<u64> {
    let mut bytes = [0; 8];
    File::open(cluster.pgdata().join("global/pg_control")).ok()?.read_exact(&mut bytes).ok()?;
    Some(u64::from_ne_bytes(bytes))
}

fn unusable(message: &str) -> Health {
    Health::Unusable { message: message.to_owned() }
}

/// Record and data. Both appear and disappear together by a rename of the folder, so neither is judged by a look from
/// before it and the other by one from after it.
fn read(cluster: &Cluster) -> Result<(Option<Record>, bool), LocalError> {
    let record = Record::read(cluster)?;
    let has_data = exists(&cluster.pgdata())?;
    let record = if record.is_none() && has_data { Record::read(cluster)? } else { record };
    Ok((record, has_data))
}

/// The operator may have been killed between a server's first start and the note of it. While other work runs, that
/// work takes the note.
fn note_availability(cluster: &Cluster, owner: &Owner) -> Result<(), LocalError> {
    let Ok(_claim) = Claim::take(cluster.key(), owner, "observe") else { return Ok(()) };
    match Record::read(cluster)? {
        Some(record) => Record { was_available: true, ..record }.write(cluster),
        None => Ok(()),
    }
}
