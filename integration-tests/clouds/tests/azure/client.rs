//! A client of the simulated Azure, small enough to see what goes over the wire.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clouds::azure::{CLIENT, GROUP, SUBSCRIPTION, Simulator, TENANT};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::TlsConnector;

pub const VERSION: &str = "2025-08-01";
pub const PASSWORD: &str = "First-password-1";

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

pub struct Client<'a> {
    pub simulator: &'a Simulator,
    pub token: String,
    pub version: &'static str,
}

impl<'a> Client<'a> {
    pub async fn new(simulator: &'a Simulator) -> Client<'a> {
        let token = token(simulator, &[("client_secret", &simulator.client_secret())]).await;
        let token = token.body["access_token"].as_str().unwrap().to_owned();
        Client { simulator, token, version: VERSION }
    }

    /// A call below the resource group's `Microsoft.DBforPostgreSQL`; none if the connection ended without an answer.
    pub async fn try_call(&self, method: &str, path: &str, body: Option<Value>) -> Option<Answer> {
        let base = format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.DBforPostgreSQL"
        );
        let path =
            if path.starts_with("/subscriptions") { path.to_owned() } else { format!("{base}/{path}") };
        let path =
            if path.contains("api-version") { path } else { format!("{path}?api-version={}", self.version) };
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let head = format!("authorization: Bearer {}\r\ncontent-type: application/json\r\n", self.token);
        send(self.simulator, method, &path, &head, &body).await
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.try_call(method, path, body).await.expect("an answer")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    /// A call that must be accepted, polled to its end: the last status document.
    pub async fn done(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let answer = self.call(method, path, body).await;
        assert_eq!(answer.status, 202, "{method} {path}: {}", answer.body);
        self.polled(&answer).await
    }

    pub async fn polled(&self, accepted: &Answer) -> Value {
        let url = accepted.header("azure-asyncoperation").expect("a URL to poll");
        let path = url.strip_prefix(self.simulator.endpoint()).expect("our own URL").to_owned();
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let status = self.get(&path).await;
            assert_eq!(status.status, 200, "{}", status.body);
            if status.body["status"] != "InProgress" {
                return status.body;
            }
            assert!(Instant::now() < deadline, "never ends: {}", status.body);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A server that is ready.
    pub async fn created(&self, name: &str) {
        let status = self.done("PUT", &format!("flexibleServers/{name}"), Some(server())).await;
        assert_eq!(status["status"], "Succeeded", "{status}");
    }

    /// Logs in as the administrator, over verified TLS.
    pub async fn login(
        &self,
        server: &str,
        user: &str,
        password: &str,
        database: &str,
    ) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
        let host = self.simulator.postgres(server).expect("a PostgreSQL").ip().to_string();
        self.login_at(&host, user, password, database).await
    }

    pub async fn login_at(
        &self,
        host: &str,
        user: &str,
        password: &str,
        database: &str,
    ) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config.host(host).user(user).password(password).dbname(database).ssl_mode(SslMode::Require);
        let tls = MakeRustlsConnect::new((*tls(self.simulator)).clone());
        let (client, connection) = config.connect(tls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

pub fn server() -> Value {
    json!({
        "location": "westeurope",
        "sku": {"name": "Standard_D2ds_v4", "tier": "GeneralPurpose"},
        "tags": {"team": "a"},
        "properties": {
            "administratorLogin": "app_admin",
            "administratorLoginPassword": PASSWORD,
            "version": "15",
            "storage": {"storageSizeGB": 32, "autoGrow": "Disabled"},
        },
    })
}

/// A single server.
pub fn single() -> Value {
    json!({
        "location": "West Europe",
        "sku": {"name": "GP_Gen5_2", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 2},
        "properties": {
            "createMode": "Default",
            "administratorLogin": "app_admin",
            "administratorLoginPassword": PASSWORD,
            "version": "11",
            "sslEnforcement": "Enabled",
            "storageProfile": {"storageMB": 102_400, "backupRetentionDays": 7, "geoRedundantBackup": "Disabled"},
        },
    })
}

/// Asks Entra with these fields besides the usual ones.
pub async fn token(simulator: &Simulator, fields: &[(&str, &str)]) -> Answer {
    let scope = format!("{}/.default", simulator.endpoint());
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", CLIENT)
        .append_pair("scope", &scope)
        .extend_pairs(fields)
        .finish();
    let head = "content-type: application/x-www-form-urlencoded\r\n";
    send(simulator, "POST", &format!("/{TENANT}/oauth2/v2.0/token"), head, &body).await.expect("an answer")
}

fn tls(simulator: &Simulator) -> Arc<rustls::ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(simulator.ca_pem().as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(config.unwrap().with_root_certificates(roots).with_no_client_auth())
}

pub async fn send(simulator: &Simulator, method: &str, path: &str, head: &str, body: &str) -> Option<Answer> {
    let host = simulator.endpoint().trim_start_matches("https://");
    let port: u16 = host.rsplit(':').next().unwrap().parse().unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(tls(simulator)).connect(name, stream).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{head}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, it)| it.parse().ok());
    if length.is_some_and(|length: usize| length != body.len()) {
        return None;
    }
    let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() };
    Some(Answer { status, headers, body })
}
