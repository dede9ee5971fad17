//! What the conformance suite sees and does beside the calls.

use std::time::Duration;

use super::{Instance, Simulator};

impl Simulator {
    /// All instances as the service knows them, of whatever account and region.
    #[must_use]
    pub fn instances(&self) -> Vec<Instance> {
        let realms = self.cloud.each();
        realms
            .iter()
            .flat_map(|realm| realm.state().instances.values().cloned().collect::<Vec<_>>())
            .collect()
    }

    /// How many of the creations that shall fail are still to come.
    #[must_use]
    pub fn creations_to_fail(&self) -> u32 {
        self.cloud.each().iter().map(|realm| realm.state().failing_creations).min().unwrap_or_default()
    }

    /// Ends the PostgreSQL behind an instance as a crash would; the service starts it again. False where none runs.
    pub fn crash(&self, id: &str) -> bool {
        let server = self.instance(id).and_then(|instance| instance.server);
        let Some(server) = server.filter(|server| server.runs()) else { return false };
        server.kill();
        tokio::spawn(async move {
            while server.runs() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            // It is tried again by nobody: whatever waits for it says so.
            let _ = server.start().await;
        });
        true
    }
}
