//! What the conformance suite sees and does beside the calls.

use std::time::Duration;

use super::Simulator;

impl Simulator {
    /// The names of all servers.
    #[must_use]
    pub fn servers(&self) -> Vec<String> {
        self.inner.world().servers.keys().map(|(_, name)| name.clone()).collect()
    }

    /// How many of the creations that shall fail are still to come.
    #[must_use]
    pub fn creations_to_fail(&self) -> u32 {
        self.inner.world().failing_creations
    }

    /// PostgreSQL of a server crashes, and the service starts it again. False where none runs.
    pub fn crash_briefly(&self, name: &str) -> bool {
        let Some(server) = self.postgres(name).filter(|server| server.runs()) else { return false };
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
