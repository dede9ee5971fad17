//! A control plane of its own for each measurement, and the objects in it.

use std::path::PathBuf;

use futures::{TryStreamExt, stream};
use hcpg::api::{Phase, PostgreSQLDatabase, PostgreSQLServer};
use kube::Client;
use kube::api::{Api, ListParams, PostParams};
use serde_json::{Value, json};

use super::Failure;
use super::host::Host;
use super::memory::Memory;
use super::process::{Cores, OperatorProcess};
use super::requests::Requests;
use super::stages::Load;
use crate::control_plane::{Cluster, ControlPlane, Options, create_namespace, kubeconfig};
use crate::operator::{OPERATOR_NAMESPACE, Ports, SERVICE_ACCOUNT, Sweeper, install, new_folder};
use crate::world::{database_object, secret_of, server_object};

/// Where the objects are.
const NAMESPACE: &str = "bench";
/// How many objects are being created at the same time.
const PARALLEL: usize = 16;

/// Everything but the operator.
pub(super) struct World {
    pub load: Load,
    pub requests: Requests,
    client: Client,
    folder: PathBuf,
    ports: Ports,
    _plane: Cluster,
    // Last: it clears the folder away.
    _sweeper: Sweeper,
}

impl World {
    pub async fn start(load: Load) -> Result<Self, Failure> {
        let folder = new_folder()?;
        let sweeper = Sweeper::start(&folder)?;
        let plane = ControlPlane::start(Options::throw_away()).await?;
        let requests = Requests::of(plane.audit_log().path().to_owned());
        let plane = Cluster::Ours(plane);
        let client = plane.client().await?;
        install(&client).await?;
        create_namespace(&client, NAMESPACE).await?;
        let login = plane.kubeconfig_for_service_account(OPERATOR_NAMESPACE, SERVICE_ACCOUNT).await?;
        // The folder is the postgres user's to enter; the login is nobody else's to read.
        kubeconfig::write(&folder.join("kubeconfig"), &login)?;
        let ports = Ports::reserve()?;
        if let Some(create_seconds) = load.memory {
            let host = Host::start(&folder, ports.range()?).await?;
            let memory = Memory { host, create_seconds, file: folder.join("servers.json") };
            std::fs::write(folder.join("memory.json"), serde_json::to_vec(&memory)?)?;
        }
        Ok(Self { load, requests, client, folder, ports, _plane: plane, _sweeper: sweeper })
    }

    /// The operator, with that many seconds between two looks at an object.
    pub fn operator(&self, resync: u64, cores: Cores) -> Result<OperatorProcess, Failure> {
        let (first, last) = self.ports.range()?;
        let config = json!({
            "backend": "local",
            "backends": {"local": {
                "data_dir": self.folder.join("data"), "port_first": first, "port_last": last,
            }},
            "reconcile": {"resync_seconds": resync, "login_seconds": self.load.login_seconds},
        });
        std::fs::write(self.folder.join("config.yaml"), serde_saphyr::to_string(&config)?)?;
        OperatorProcess::start(&self.folder, self.load.memory.is_some(), cores)
    }

    /// Creates all objects; returns when the API server has them.
    pub async fn create(&self) -> Result<(), Failure> {
        let servers = (0..self.load.servers).map(|number| {
            let name = server(number);
            ("postgresqlservers", server_object(&name, &secret_of(&name)))
        });
        let databases = (0..self.load.databases).map(|number| {
            let name = format!("app-{number}");
            let server = server(number % self.load.servers);
            ("postgresqldatabases", database_object(&name, &server, &secret_of(&name)))
        });
        stream::iter(servers.chain(databases).map(Ok))
            .try_for_each_concurrent(PARALLEL, |(kind, object)| self.create_one(kind, object))
            .await
    }

    async fn create_one(&self, kind: &str, object: Value) -> Result<(), Failure> {
        let params = PostParams::default();
        if kind == "postgresqlservers" {
            let api: Api<PostgreSQLServer> = Api::namespaced(self.client.clone(), NAMESPACE);
            api.create(&params, &serde_json::from_value(object)?).await?;
        } else {
            let api: Api<PostgreSQLDatabase> = Api::namespaced(self.client.clone(), NAMESPACE);
            api.create(&params, &serde_json::from_value(object)?).await?;
        }
        Ok(())
    }

    /// How many objects are Ready, by their own words.
    pub async fn ready(&self) -> Result<usize, Failure> {
        let servers: Api<PostgreSQLServer> = Api::namespaced(self.client.clone(), NAMESPACE);
        let databases: Api<PostgreSQLDatabase> = Api::namespaced(self.client.clone(), NAMESPACE);
        let all = ListParams::default();
        let servers = servers.list(&all).await?.items.into_iter().filter_map(|one| one.status?.phase);
        let databases = databases.list(&all).await?.items.into_iter().filter_map(|one| one.status?.phase);
        Ok(servers.chain(databases).filter(|phase| *phase == Phase::Ready).count())
    }

    /// The end of the operator's log, for when something goes wrong.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read(self.folder.join("operator.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

fn server(number: usize) -> String {
    format!("server-{number}")
}
