//! What the conformance suite sees and does beside the calls.

use std::collections::BTreeMap;
use std::time::Duration;

use super::server::{Server, Service};
use super::{GROUP, Simulator};

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
            let twin = Server { name: name.to_owned(), uid, created, group, tags, ..server };
            self.inner.world().servers.insert((Service::Flexible, name.to_lowercase()), twin);
        }
    }

    /// How many of the creations that shall fail are still to come.
    #[must_use]
    pub fn creations_to_fail(&self) -> u32 {
        self.inner.world().failing_creations
    }

    /// Somebody locks a server against deletion.
    pub fn lock(&self, name: &str) {
        self.inner.world().lock(&Self::server_id(name));
    }

    /// The names of a server's locks, in lower case.
    #[must_use]
    pub fn locks(&self, name: &str) -> Vec<String> {
        let world = self.inner.world();
        let locks = world.locks.get(&Self::server_id(name).to_lowercase());
        locks.map(|locks| locks.keys().cloned().collect()).unwrap_or_default()
    }

    /// Somebody takes all locks off a server.
    pub fn unlock(&self, name: &str) {
        self.inner.world().locks.remove(&Self::server_id(name).to_lowercase());
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
