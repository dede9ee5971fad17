//! Logging in as users do: with what stands in the Secret, and nothing else.

use std::sync::Arc;

use hcpg::secrets::field;
use k8s_openapi::api::core::v1::Secret;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What stands in a credentials Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Database.
    pub dbname: String,
    /// Role.
    pub username: String,
    /// Its password.
    pub password: String,
    /// libpq's `sslmode`.
    pub sslmode: String,
    /// `ca.crt`.
    pub ca: Option<String>,
}

impl Credentials {
    /// Reads a Secret; none if a key is missing.
    pub fn from_secret(secret: &Secret) -> Option<Self> {
        Some(Self {
            host: field(secret, "host")?,
            port: field(secret, "port")?.parse().ok()?,
            dbname: field(secret, "dbname")?,
            username: field(secret, "username")?,
            password: field(secret, "password")?,
            sslmode: field(secret, "sslmode")?,
            ca: field(secret, "ca.crt"),
        })
    }

    /// Logs in; the server's certificate must be signed by `ca.crt` and bear the host's name.
    pub async fn connect(&self) -> Result<Client, LoginError> {
        let ca = self.ca.as_deref().ok_or(LoginError::NoCa)?;
        let (client, connection) = Config::new()
            .host(&self.host)
            .port(self.port)
            .dbname(&self.dbname)
            .user(&self.username)
            .password(&self.password)
            .ssl_mode(SslMode::Require)
            .connect(trusting(ca)?)
            .await?;
        // It ends with the client; an error of it reaches whoever waits for an answer.
        tokio::spawn(connection);
        Ok(client)
    }

    /// Whether the server refuses these credentials; anything else that goes wrong is an error.
    pub async fn is_refused(&self) -> Result<bool, LoginError> {
        match self.connect().await {
            Ok(_) => Ok(false),
            Err(LoginError::Postgres(error))
                if error.code().is_some_and(|code| code.code().starts_with("28")) =>
            {
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }
}

/// TLS to servers whose certificate one of these CAs, PEM, has signed.
///
/// # Errors
/// When they cannot be used.
pub fn trusting(ca: &str) -> Result<MakeRustlsConnect, LoginError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        let certificate = certificate.map_err(|error| LoginError::Tls(error.to_string()))?;
        roots.add(certificate)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(tls))
}

/// Why nobody could log in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// There is no `ca.crt`.
    #[error("the Secret has no ca.crt")]
    NoCa,
    /// `ca.crt` cannot be used.
    #[error("TLS: {0}")]
    Tls(String),
    /// The server, or the way to it.
    #[error("{0:?}")]
    Postgres(#[from] tokio_postgres::Error),
}

impl From<rustls::Error> for LoginError {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error.to_string())
    }
}
