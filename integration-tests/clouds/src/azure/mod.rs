//! Azure Resource Manager and Entra's token endpoint, as far as servers of Azure Database for PostgreSQL need them: see
//! `azure.md` for what is and is not simulated.
//!
//! Marks: [S] from the official Swagger, [D] from documentation, [R] was seen to be so, [K] general knowledge.

mod below;
mod budget;
mod certificate;
pub mod contract;
mod control;
mod databases;
mod entra;
mod firewall;
mod flavour;
mod flexible;
mod locks;
mod network;
mod operations;
mod route;
mod rules;
mod seen;
mod serve;
mod server;
mod servers;
mod settings;
mod single;
mod switch;
mod target;
mod wire;

pub use serve::Call;
pub use server::{HighAvailability, Server, Service, Storage, Window};
pub use settings::Setting;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::postgres::{Error, Pool};
use entra::Tokens;
use operations::Operation;

/// The tenant that gives out tokens.
pub const TENANT: &str = "00000000-0000-4000-8000-00000000000a";
/// The application that may have them.
pub const CLIENT: &str = "00000000-0000-4000-8000-00000000000b";
/// The subscription.
pub const SUBSCRIPTION: &str = "00000000-0000-4000-8000-00000000000c";
/// The resource group that is there from the beginning.
pub const GROUP: &str = "databases";

/// The name of the certificate authority: one of those that the service uses [D].
const AUTHORITY: &str = "DigiCert Global Root G2";
/// A creation takes so many times as long as anything else.
const CREATION: u32 = 5;

/// A simulated Azure; ends when it is dropped, with its servers.
pub struct Simulator {
    inner: Arc<Inner>,
    listener: tokio::task::JoinHandle<()>,
}

struct Inner {
    pool: Pool,
    /// For single servers: their gates end TLS.
    singles: Pool,
    clock: Clock,
    pace: Duration,
    endpoint: String,
    faults: Faults,
    log: Mutex<Vec<Call>>,
    world: Mutex<World>,
    tokens: Mutex<Tokens>,
    /// None: as many calls as one likes.
    budget: Mutex<Option<budget::Budget>>,
    made: AtomicU64,
}

/// Everything that there is.
#[derive(Default)]
struct World {
    /// Resource groups: name in lower case → as it was created.
    groups: BTreeMap<String, String>,
    /// By service and name: names are unique in all of Azure [K].
    servers: BTreeMap<(Service, String), Server>,
    /// Scope → name → lock.
    locks: BTreeMap<String, BTreeMap<String, locks::Lock>>,
    /// What else there is, as it is described: path in lower case → resource.
    documents: BTreeMap<String, serde_json::Value>,
    operations: BTreeMap<String, Operation>,
    failing_creations: u32,
    failing_operations: u32,
    /// The service is retired, and takes no new servers unless a test wants some.
    single_servers_open: bool,
    /// Servers on a page of a list.
    page: Option<usize>,
}

impl Simulator {
    /// Starts one on a port of loopback; what a server does lasts for a fifth of a second, a creation for a second.
    pub async fn start() -> Result<Self, Error> {
        Self::with_pace(Duration::from_millis(200)).await
    }

    /// What a server does lasts for at least so long by the simulator's clock, a creation five times as long.
    pub async fn with_pace(pace: Duration) -> Result<Self, Error> {
        let pool = Pool::new(&flavour::AZURE, &[AUTHORITY])?;
        let singles = pool.beside(&flavour::SINGLE)?;
        let door = serve::Door::open(&pool).await?;
        let inner = Arc::new(Inner {
            pool,
            singles,
            clock: Clock::default(),
            pace,
            endpoint: door.endpoint.clone(),
            faults: Faults::default(),
            log: Mutex::default(),
            world: Mutex::new(World {
                groups: BTreeMap::from([(GROUP.to_owned(), GROUP.to_owned())]),
                ..World::default()
            }),
            tokens: Mutex::new(Tokens::new()),
            budget: Mutex::default(),
            made: AtomicU64::new(1),
        });
        let listener = tokio::spawn(door.listen(inner.clone()));
        Ok(Self { inner, listener })
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.listener.abort();
        self.inner.world().servers.clear();
    }
}

impl Inner {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn budget(&self) -> MutexGuard<'_, Option<budget::Budget>> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// An id that has not been used yet.
    fn id(&self) -> String {
        format!("00000000-0000-4000-9000-{:012x}", self.made.fetch_add(1, Ordering::Relaxed))
    }

    /// Until so much time has passed by our clock.
    async fn lasts(&self, time: Duration) {
        let begin = self.clock.now();
        while self.clock.now().duration_since(begin).unsigned_abs() < time {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
