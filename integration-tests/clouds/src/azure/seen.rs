//! What the conformance suite sees and does beside the calls.

use std::collections::BTreeMap;
use std::time::Duration;

use super::server::Server;
use super::{GROUP, SUBSCRIPTION, Simulator};

impl Simulator {
    /// All servers as the service knows them.
    #[must_use]
    pub fn servers(&self) -> Vec<Server> {
        self.inner.world().servers.values().cloned().collect()
    }

    /// One more server that is like another one, with other tags and the same PostgreSQL behind.
    pub fn twin(&self, of: &str, name: &str, tags: BTreeMap<String, String>) {
        let (uid, created) = (self.inner.id(), self.inner.clock.now().to_string());
        let group = GROUP.to_owned();
        if let Some(server) = self.server(of) {
            let service = server.service;
            let twin = Server { name: name.to_owned(), uid, created, group, tags, ..server };
            self.inner.world().servers.insert((service, name.to_lowercase()), twin);
        }
    }

    /// How many of the creations that shall fail are still to come.
    #[must_use]
    pub fn creations_to_fail(&self) -> u32 {
        self.inner.world().failing_creations
    }

    /// Somebody locks a server against deletion.
    pub fn lock(&self, name: &str) {
        if let Some(id) = self.server(name).map(|server| server.id()) {
            self.inner.world().lock(&id);
        }
    }

    /// The names of a server's locks, in lower case.
    #[must_use]
    pub fn locks(&self, name: &str) -> Vec<String> {
        let Some(id) = self.server(name).map(|server| server.id().to_lowercase()) else { return Vec::new() };
        let world = self.inner.world();
        let locks = world.locks.get(&id);
        locks.map(|locks| locks.keys().cloned().collect()).unwrap_or_default()
    }

    /// Somebody takes all locks off a server.
    pub fn unlock(&self, name: &str) {
        if let Some(id) = self.server(name).map(|server| server.id()) {
            self.inner.world().locks.remove(&id.to_lowercase());
        }
    }

    /// Something of Microsoft.Network in the first resource group, such as `privateEndpoints/shop`; none: there is no
    /// such thing.
    #[must_use]
    pub fn network(&self, what: &str) -> Option<serde_json::Value> {
        self.inner.world().documents.get(&network_id(what).to_lowercase()).cloned()
    }

    /// Somebody puts something there, as it is described.
    pub fn put_network(&self, what: &str, mut described: serde_json::Value) {
        described["id"] = network_id(what).into();
        described["name"] = what.rsplit('/').next().into();
        self.inner.world().documents.insert(network_id(what).to_lowercase(), described);
    }

    /// PostgreSQL of a server crashes, and the service starts it again. False where none runs.
    pub fn crash_briefly(&self, name: &str) -> bool {
        let Some(server) = self.postgres(name).filter(|server| server.runs()) else { return false };
        server.kill();
        let name = name.to_owned();
        tokio::spawn(async move {
            while server.runs() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            // It is tried again by nobody; whoever waits for it in vain shall see why.
            if let Err(error) = server.start().await {
                eprintln!("the simulated Azure: {name} did not come up again: {error}");
            }
        });
        true
    }
}

fn network_id(what: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Network/{what}")
}
