//! A data folder of its own for each test; nothing runs on after it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::api::{ParameterValue, PostgreSQLServerSpec};
use crate::backend::local::layout::{Cluster, Layout};
use crate::backend::local::{process, tasks};
use crate::backend::{
    DesiredServer, Health, LocalBackend, Owner, PresentServer, Read, Removal, ServerBackend, ServerIdentity,
    ServerObservation, Stage, Urgency,
};
use crate::config::LocalConfig;
use crate::postgres::{Endpoint, TlsMode};
use crate::secrets::Password;

const PORTS_PER_TEST: u16 = 4;
static TESTS: AtomicU16 = AtomicU16::new(0);

/// The password given to `create` in all tests.
pub(super) const FIRST: &str = "first-Passw0rd-7vQ";

pub(super) struct Host {
    pub(super) backend: LocalBackend,
    pub(super) config: LocalConfig,
    programs: Option<PathBuf>,
    _folder: TempDir,
}

impl Host {
    pub(super) fn new() -> Self {
        // Another version than the newest installed one can be put to the test.
        Self::with(std::env::var("HCPG_TEST_POSTGRES_BIN").ok())
    }

    /// Programs in a folder of their own; the file `release` in it, where there is one, is what they say of themselves.
    pub(super) fn with_wrapped_programs() -> (Self, PathBuf) {
        let plain = Self::new();
        let install = plain.backend.local.installs.choose(None).unwrap().clone();
        let wrapped = tempfile::Builder::new().prefix("hcpg-bin-").tempdir().unwrap().keep();
        fs::set_permissions(&wrapped, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["initdb", "pg_ctl", "postgres"] {
            let real = install.program(name);
            let release = wrapped.join("release");
            let (real, release) = (real.display(), release.display());
            let script = format!(
                "#!/bin/sh\n[ {name} = postgres ] && [ \"$1\" = --version ] && [ -f '{release}' ] && exec cat '{release}'\n\
                 exec '{real}' \"$@\"\n"
            );
            fs::write(wrapped.join(name), script).unwrap();
            fs::set_permissions(wrapped.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut host = Self::with(Some(wrapped.display().to_string()));
        host.programs = Some(wrapped.clone());
        (host, wrapped)
    }

    fn with(bin_dir: Option<String>) -> Self {
        let folder = tempfile::Builder::new().prefix("hcpg-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // Test processes run beside each other.
        let first = 15_000
            + u16::try_from(std::process::id() % 250).unwrap() * 64
            + TESTS.fetch_add(1, Ordering::Relaxed) % 16 * PORTS_PER_TEST;
        let config: LocalConfig = serde_json::from_value(serde_json::json!({
            "bin_dir": bin_dir,
            "data_dir": folder.path().join("data"),
            "port_first": first,
            "port_last": first + PORTS_PER_TEST - 1,
        }))
        .unwrap();
        Self { backend: LocalBackend::new(config.clone()).unwrap(), config, programs: None, _folder: folder }
    }

    /// The same configuration in a new operator.
    pub(super) async fn restarted(&self) -> LocalBackend {
        let backend = LocalBackend::new(self.config.clone()).unwrap();
        backend.begin().await;
        backend
    }

    pub(super) fn layout(&self) -> Layout {
        Layout { root: self.config.data_dir.clone() }
    }

    pub(super) fn cluster(&self, owner: &Owner) -> Cluster {
        self.layout().cluster(&self.identity(owner).name)
    }

    pub(super) fn identity(&self, owner: &Owner) -> ServerIdentity {
        self.backend.identity(owner).unwrap()
    }

    pub(super) async fn create(&self, owner: &Owner, spec: &PostgreSQLServerSpec) {
        let desired = DesiredServer::new(owner, spec);
        self.backend.create(&self.identity(owner), &desired, &Password::new(FIRST)).await.unwrap();
    }

    /// Creates a server and waits for it.
    pub(super) async fn created(&self, owner: &Owner, spec: &PostgreSQLServerSpec) -> PresentServer {
        self.create(owner, spec).await;
        self.until(owner, |server| server.health == Health::Usable && server.operation.is_none()).await
    }

    pub(super) async fn observe(&self, owner: &Owner) -> ServerObservation {
        self.backend.observe(&self.identity(owner), owner, Read::Direct(Urgency::User)).await.unwrap()
    }

    pub(super) async fn present(&self, owner: &Owner) -> PresentServer {
        match self.observe(owner).await {
            ServerObservation::Present(server) => *server,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn until(
        &self,
        owner: &Owner,
        wanted: impl Fn(&PresentServer) -> bool,
    ) -> PresentServer {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let server = self.present(owner).await;
            if wanted(&server) {
                return server;
            }
            assert!(Instant::now() < deadline, "{server:?}");
            assert!(!matches!(server.health, Health::Failed { .. }), "{server:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Carries out all differences of one stage, as the controller would; how many there were.
    pub(super) async fn apply(&self, owner: &Owner, spec: &PostgreSQLServerSpec, stage: Stage) -> usize {
        let desired = DesiredServer::new(owner, spec);
        let mut differences = self.backend.differences(&desired, &self.present(owner).await.facts);
        differences.retain(|difference| difference.is_applied_by(stage));
        let identity = self.identity(owner);
        match stage {
            Stage::Update => self.backend.update(&identity, &desired, &differences).await.unwrap(),
            Stage::Configure => self.backend.configure(&identity, &desired, &differences).await.unwrap(),
        }
        differences.len()
    }

    pub(super) async fn delete(&self, owner: &Owner) {
        self.backend.delete(&self.identity(owner), owner, None, Removal::Delete).await.unwrap();
    }

    /// Every file below the data folder in which `text` stands.
    pub(super) fn files_with(&self, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.config.data_dir.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() && contains(&fs::read(entry.path()).unwrap(), text) {
                    found.push(entry.path().display().to_string());
                }
            }
        }
        found
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let clusters = self.layout().clusters().unwrap_or_default();
        for cluster in &clusters {
            let deadline = Instant::now() + Duration::from_secs(30);
            let running = || tasks::current(cluster.key()).is_some_and(|work| work.failure.is_none());
            while running() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = process::stop(cluster);
        }
        if let Some(programs) = &self.programs {
            let _ = fs::remove_dir_all(programs);
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Every process on this host with `text` in its arguments.
pub(super) fn processes_with(text: &str) -> Vec<String> {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok()))
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .filter(|arguments| contains(arguments, text))
        .map(|arguments| String::from_utf8_lossy(&arguments).into_owned())
        .collect()
}

pub(super) fn owner(name: &str) -> Owner {
    Owner { namespace: "shop".to_owned(), name: name.to_owned(), uid: format!("uid-of-{name}") }
}

pub(super) fn spec_with(parameters: &[(&str, &str)]) -> PostgreSQLServerSpec {
    let server_parameters: BTreeMap<_, _> = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), ParameterValue::Text((*value).to_owned())))
        .collect();
    PostgreSQLServerSpec { server_parameters, ..PostgreSQLServerSpec::default() }
}

/// A login over verified TLS.
pub(super) async fn login(
    endpoint: &Endpoint,
    user: &str,
    password: &str,
) -> Result<Client, tokio_postgres::Error> {
    login_to("postgres", endpoint, user, password).await
}

/// A login to another database over verified TLS.
pub(super) async fn login_to(
    database: &str,
    endpoint: &Endpoint,
    user: &str,
    password: &str,
) -> Result<Client, tokio_postgres::Error> {
    let TlsMode::Verify { ca_pem } = &endpoint.tls else { panic!("{endpoint:?}") };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut config = config(endpoint, user, password);
    config.dbname(database).ssl_mode(tokio_postgres::config::SslMode::Require);
    let (client, connection) = config.connect(MakeRustlsConnect::new(tls)).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A login without TLS.
pub(super) async fn plain_login(
    endpoint: &Endpoint,
    user: &str,
    password: &str,
) -> Result<(), tokio_postgres::Error> {
    config(endpoint, user, password).connect(NoTls).await.map(|_| ())
}

fn config(endpoint: &Endpoint, user: &str, password: &str) -> Config {
    let mut config = Config::new();
    config.host(&endpoint.host).port(endpoint.port).user(user).password(password).dbname("postgres");
    config
}

/// SQLSTATE of an error.
pub(super) fn code(error: &tokio_postgres::Error) -> String {
    error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned())
}

/// The first column of the first row.
pub(super) async fn ask(client: &Client, query: &str) -> String {
    let rows = client.simple_query(query).await.unwrap();
    rows.iter()
        .find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .unwrap_or_default()
}
