//! Where a server is, how to speak to it, and as whom.

use std::fmt;
use std::time::Duration;

use crate::failpoints;
use crate::secrets::Password;

/// The address of a PostgreSQL server and how far its TLS can be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name or IP address; a value starting with `/` is the directory of a Unix socket.
    pub host: String,
    /// TCP port, or the number in the name of the Unix socket.
    pub port: u16,
    /// How the connection is protected. Ignored on a Unix socket, where PostgreSQL speaks no TLS.
    pub tls: TlsMode,
}

impl Endpoint {
    /// Whether this is a Unix socket.
    pub fn is_unix_socket(&self) -> bool {
        self.host.starts_with('/')
    }

    /// Whether what is sent can be read by the intended server only.
    pub(super) fn is_private(&self) -> bool {
        self.is_unix_socket() || matches!(self.tls, TlsMode::Verify { .. })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How a TCP connection is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// No TLS.
    Disable,
    /// Encrypted, the certificate is not verified. Only for servers that offer no CA: whoever can redirect the traffic
    /// can read it.
    Require,
    /// Encrypted, and the certificate must be issued by one of these CAs for the endpoint's host name or IP address.
    Verify {
        /// One or more CA certificates in PEM.
        ca_pem: String,
    },
}

/// Who logs in, and to which database.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The role that logs in.
    pub user: &'a str,
    /// Its password; `None` only for peer authentication on a Unix socket.
    pub password: Option<&'a Password>,
    /// The database to connect to.
    pub dbname: &'a str,
}

/// How long to wait for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the whole way in: name lookup, TCP, TLS and authentication together.
    pub connect: Duration,
    /// For one statement. The server cancels it then; a client-side bound a little later covers a server that is gone.
    pub statement: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let statement = failpoints::statement_limit(Duration::from_secs(60));
        Self { connect: Duration::from_secs(5), statement }
    }
}
