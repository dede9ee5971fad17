//! Every connection to PostgreSQL and every SQL statement.

/// Where a server takes connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name or address; a path is the folder of a Unix socket.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
}

/// How a connection is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Not at all: sockets and cluster-internal servers that offer no TLS.
    Disable,
    /// Encrypted, the certificate not verified: only where no CA is known.
    Require,
    /// Encrypted and verified, host name included.
    Verify {
        /// The certificates trusted, PEM.
        ca_pem: String,
    },
}
