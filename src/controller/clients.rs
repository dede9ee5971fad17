//! The ways to the API server.

use std::time::Duration;

use kube::client::ClientBuilder;
use kube::{Client, Config};

use crate::fence;

/// How long an answer may take. Without a limit a connection that says nothing would hold its object's pass for ever.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// How long a watch may be silent: a little longer than the API server is asked to let it run.
const WATCHES_SAY_WITHIN: Duration = Duration::from_secs(330);

/// Clients with the same rights and different patience, which say something as long as this process may act.
#[derive(Clone)]
pub struct Clients {
    /// For single requests: each is answered, or fails, within half a minute.
    pub requests: Client,
    /// For watches, which are silent for long.
    pub watches: Client,
}

impl Clients {
    /// Both clients to one API server.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn of(config: Config) -> Result<Self, kube::Error> {
        Ok(Self {
            requests: bounded(config.clone(), ANSWERS_WITHIN)?,
            watches: bounded(config, WATCHES_SAY_WITHIN)?,
        })
    }
}

fn bounded(mut config: Config, silence: Duration) -> Result<Client, kube::Error> {
    config.read_timeout = Some(silence);
    // Else the time that a connection was idle in the pool would count.
    config.reset_reader_on_write = true;
    Ok(ClientBuilder::try_from((config, fence::connections()))?.build())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::Ipv4Addr;

    use k8s_openapi::api::core::v1::Namespace;
    use kube::Api;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_api_server_that_says_nothing_is_not_waited_for_for_ever() {
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let config = Config::new(url.parse().unwrap());
        // The kernel takes the connection, and nobody ever reads from it.
        let namespaces: Api<Namespace> = Api::all(bounded(config, Duration::from_millis(100)).unwrap());
        let asked = tokio::time::timeout(Duration::from_secs(10), namespaces.get("any")).await;
        assert!(asked.unwrap().is_err());
    }
}
