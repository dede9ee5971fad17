//! The one real PostgreSQL behind all servers of the memory backend.

use std::path::Path;
use std::time::{Duration, Instant};

use hcpg::api::PostgreSQLServerSpec;
use hcpg::backend::{
    DesiredServer, Health, LocalBackend, Owner, Read, ServerBackend, ServerObservation, Urgency,
};
use hcpg::config::LocalConfig;
use hcpg::postgres::TlsMode;
use hcpg::secrets::Password;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::Client;

use super::Failure;
use crate::world::Credentials;

/// How long it may take to come up.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// The database the servers' administrators log in to.
const DATABASE: &str = "bench";
/// Of no value: it lives as long as the measurement, on loopback.
const PASSWORD: &str = "bench-of-the-operator";

/// How to reach it as somebody who may make roles.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Host {
    /// Its address.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// The authority of its certificate.
    pub ca_pem: String,
    /// Who may make roles.
    pub username: String,
    /// The database to log in to.
    pub database: String,
}

impl Host {
    /// Starts one below `folder`, by the backend `local`. It ends when the folder is swept.
    pub async fn start(folder: &Path, (first, last): (u16, u16)) -> Result<Self, Failure> {
        let config: LocalConfig = serde_json::from_value(
            json!({"data_dir": folder.join("host"), "port_first": first, "port_last": last}),
        )?;
        let username = config.admin_username.clone();
        let backend = LocalBackend::new(config)?;
        // Durability is not what is measured.
        let spec: PostgreSQLServerSpec = serde_json::from_value(json!({
            "credentialsSecret": "unused",
            "size": {"memoryMB": 512},
            "serverParameters": {
                "max_connections": 200, "fsync": false, "full_page_writes": false, "synchronous_commit": false,
            },
        }))?;
        let owner = Owner { namespace: "bench".to_owned(), name: "host".to_owned(), uid: "host".to_owned() };
        let identity = backend.identity(&owner).map_err(|rejection| rejection.message)?;
        let desired = DesiredServer::new(&owner, &spec);
        backend.create(&identity, &desired, &Password::new(PASSWORD)).await?;
        let since = Instant::now();
        let endpoint = loop {
            if let ServerObservation::Present(server) =
                backend.observe(&identity, &owner, Read::Direct(Urgency::User)).await?
                && server.health == Health::Usable
                && server.accepts_writes
                && let Some(endpoint) = server.facts.endpoint
            {
                break endpoint;
            }
            if since.elapsed() > READY_WITHIN {
                return Err("PostgreSQL does not come up".into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let TlsMode::Verify { ca_pem } = endpoint.tls else { return Err("PostgreSQL shows no CA".into()) };
        let database = "postgres".to_owned();
        let first = Self { address: endpoint.host, port: endpoint.port, ca_pem, username, database };
        first.connect().await?.batch_execute(&format!("CREATE DATABASE {DATABASE}")).await?;
        Ok(Self { database: DATABASE.to_owned(), ..first })
    }

    /// A connection as somebody who may make roles.
    pub async fn connect(&self) -> Result<Client, Failure> {
        let credentials = Credentials {
            host: self.address.clone(),
            port: self.port,
            dbname: self.database.clone(),
            username: self.username.clone(),
            password: PASSWORD.to_owned(),
            sslmode: "require".to_owned(),
            ca: Some(self.ca_pem.clone()),
        };
        Ok(credentials.connect().await?)
    }
}
