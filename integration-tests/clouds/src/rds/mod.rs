//! Amazon RDS for PostgreSQL and Aurora, as far as the life of instances and clusters goes: see `README.md` for what is
//! and is not simulated.

mod actions;
mod catalogue;
mod cluster;
mod control;
mod groups;
mod housekeeping;
mod instance;
mod life;
mod life_of_clusters;
mod plain;
mod realm;
mod serve;
mod simulator;
mod snapshot;
mod storage;
mod sts;
mod versions;
mod windows;
mod wire;

pub use cluster::{Cluster, Scaling};
pub use instance::{GroupUse, Instance};
pub use realm::{Place, Quotas};
pub use simulator::{Call, Simulator};
pub use snapshot::Snapshot;
pub use storage::Storage;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::postgres::Pool;
use crate::rds_flavour::AUTHORITIES;

use realm::Realm;

/// What a new instance's certificate comes from.
const AUTHORITY: &str = AUTHORITIES[1];

/// What all accounts and regions share.
struct Cloud {
    pool: Pool,
    clock: Clock,
    pace: Duration,
    faults: Faults,
    log: Mutex<Vec<Call>>,
    realms: Mutex<BTreeMap<Place, Arc<Realm>>>,
    versions: Mutex<versions::Versions>,
    sessions: Mutex<sts::Sessions>,
    made: AtomicU64,
    /// Held while a cluster's server is made or ended.
    cluster_servers: tokio::sync::Mutex<()>,
}

impl Cloud {
    fn number(&self) -> u64 {
        self.made.fetch_add(1, Ordering::Relaxed)
    }

    fn realms(&self) -> MutexGuard<'_, BTreeMap<Place, Arc<Realm>>> {
        self.realms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn realm(self: &Arc<Self>, place: &Place) -> Arc<Realm> {
        let mut realms = self.realms();
        let made = || Arc::new(Realm::new(self.clone(), place.clone()));
        realms.entry(place.clone()).or_insert_with(made).clone()
    }

    fn versions(&self) -> MutexGuard<'_, versions::Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sessions(&self) -> MutexGuard<'_, sts::Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until the state has lasted long enough by our clock.
    async fn state_lasts(&self) {
        let begin = self.clock.now();
        while self.clock.now().duration_since(begin).unsigned_abs() < self.pace {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
