//! Leads the operator to each server by way of a proxy.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use hcpg::backend::{Around, BackendError, Call, Hook, ServerBackend, ServerObservation};
use tokio::sync::Mutex;

use super::SqlFaults;
use super::proxy::{Proxy, Target};
use crate::conformance::local::folder_in;

/// What a backend tells of a server's port is the proxy's.
pub struct Lead {
    faults: SqlFaults,
    /// Where the servers are.
    data: PathBuf,
    /// By namespace.
    proxies: Mutex<HashMap<String, Proxy>>,
}

impl Lead {
    /// `inner`, whose servers are in `data`, with proxies before them.
    pub fn around(inner: Arc<dyn ServerBackend>, data: PathBuf, faults: SqlFaults) -> Around<Self> {
        Around::new(inner, Self { faults, data, proxies: Mutex::default() })
    }

    /// Where the proxy before that server listens.
    async fn port(&self, namespace: &str, target: Target) -> std::io::Result<u16> {
        let mut proxies = self.proxies.lock().await;
        if let Some(proxy) = proxies.get(namespace) {
            proxy.lead_to(target);
            return Ok(proxy.port);
        }
        let proxy = Proxy::start(target, self.faults.clone(), namespace).await?;
        let port = proxy.port;
        proxies.insert(namespace.to_owned(), proxy);
        Ok(port)
    }
}

impl Hook for Lead {
    async fn observe(
        &self,
        call: Call<'_>,
        look: impl Future<Output = Result<ServerObservation, BackendError>> + Send,
    ) -> Result<ServerObservation, BackendError> {
        let mut seen = look.await?;
        if let ServerObservation::Present(server) = &mut seen
            && let Some(endpoint) = &mut server.facts.endpoint
            && let Some(folder) = folder_in(&self.data, &call.owner.namespace, &call.owner.name)
        {
            let target = Target { host: endpoint.host.clone(), port: endpoint.port, tls: folder.join("tls") };
            let port = self.port(&call.owner.namespace, target).await;
            endpoint.port = port.map_err(|error| BackendError::transient(error.to_string()))?;
        }
        Ok(seen)
    }

    async fn write(
        &self,
        _: Call<'_>,
        change: impl Future<Output = Result<(), BackendError>> + Send,
    ) -> Result<(), BackendError> {
        change.await
    }
}
