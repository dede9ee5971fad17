//! The way in: TLS, and SCRAM in the driver's place.
//!
//! A login by SCRAM hashes the password 4,096 times before it can say anything. From password, salt and count always
//! follow the same two keys, and salt and count stay as they are until the password is changed, so that a client may
//! remember the keys (RFC 5802, section 5.1). The driver does not, and cannot be told keys: for the operator, which
//! tries the same logins again and again, that was a third of all it did. Therefore the first messages of a connection
//! over TLS are exchanged here, and the driver goes on from there; whatever is not SCRAM is left to the driver as it is.

mod entrance;
mod keys;
mod scram;
mod tls;

#[cfg(test)]
mod tests;

use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, Connection, Socket};

use super::endpoint::{Endpoint, Login, Timeouts};
use super::error::SqlError;
use entrance::{Entered, Entrance};

const APPLICATION_NAME: &str = "hybrid-cloud-postgresql-operator";

/// How long the client waits beyond the server's own statement timeout before it gives the server up.
pub(super) const GRACE: std::time::Duration = std::time::Duration::from_secs(2);

/// What drives a connection. It ends with the client.
pub(super) type Wire = Connection<Socket, Entered>;

/// Connects and logs in. `action` is for the error.
pub(super) async fn log_in(
    endpoint: &Endpoint,
    login: &Login<'_>,
    timeouts: Timeouts,
    action: &str,
) -> Result<(Client, Wire), SqlError> {
    let ssl_mode = match endpoint.tls {
        _ if endpoint.is_unix_socket() => SslMode::Disable,
        super::TlsMode::Disable => SslMode::Disable,
        super::TlsMode::Require | super::TlsMode::Verify { .. } => SslMode::Require,
    };
    let mut config = Config::new();
    config
        .host(&endpoint.host)
        .port(endpoint.port)
        .user(login.user)
        .dbname(login.dbname)
        .application_name(APPLICATION_NAME)
        .ssl_mode(ssl_mode)
        .tcp_user_timeout(timeouts.statement + GRACE);
    if let Some(password) = login.password {
        config.password(password.expose());
    }
    let entrance = Entrance::new(tls::client_config(endpoint)?, login, APPLICATION_NAME);
    config.connect(entrance).await.map_err(|error| SqlError::from_driver(&error, action, endpoint))
}
