//! The simulator, and what tests do with it beside its calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::postgres::{Error, Pool};
use crate::rds_flavour::{AUTHORITIES, RDS};

use super::life::tell;
use super::realm::Realm;
use super::{Cloud, Cluster, Instance, Place, Quotas, Snapshot, housekeeping, serve, sts, versions};

/// One call, as it arrived. Passwords and tokens are left out.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Call {
    /// For example `CreateDBInstance`.
    pub action: String,
    /// Whom it is about: the identifier of an instance, else of a cluster, else a group's name.
    pub id: String,
    /// The account of whoever signed it.
    pub account: String,
    /// The region it was signed for.
    pub region: String,
    /// All other fields.
    pub fields: BTreeMap<String, String>,
    /// The HTTP status of the answer; 0: there was none.
    pub status: u16,
}

/// A simulated RDS; ends when it is dropped, with its servers.
pub struct Simulator {
    pub(super) cloud: Arc<Cloud>,
    endpoint: String,
    tasks: [tokio::task::JoinHandle<()>; 2],
}

impl Simulator {
    /// Starts one on a port of loopback; each state of an instance lasts for a fifth of a second.
    pub async fn start() -> Result<Self, Error> {
        Self::with_pace(Duration::from_millis(200)).await
    }

    /// Each state of an instance lasts for at least so long by the simulator's clock.
    pub async fn with_pace(pace: Duration) -> Result<Self, Error> {
        let socket = TcpListener::bind("127.0.0.1:0").await.map_err(Error::io("bind", "127.0.0.1"))?;
        let address = socket.local_addr().map_err(Error::io("bind", "127.0.0.1"))?;
        let cloud = Arc::new(Cloud {
            pool: Pool::new(&RDS, &AUTHORITIES)?,
            clock: Clock::default(),
            pace,
            faults: Faults::default(),
            log: Mutex::default(),
            realms: Mutex::default(),
            versions: Mutex::default(),
            sessions: Mutex::new(sts::Sessions::default()),
            made: std::sync::atomic::AtomicU64::new(1),
            cluster_servers: tokio::sync::Mutex::default(),
        });
        let serving = cloud.clone();
        let listener = tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let cloud = serving.clone();
                tokio::spawn(async move {
                    let service =
                        hyper::service::service_fn(move |request| serve::serve(cloud.clone(), request));
                    // An error is a connection that was closed, by the client or by a fault.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        let keeper = tokio::spawn(housekeeping::keep(Arc::downgrade(&cloud)));
        Ok(Self { cloud, endpoint: format!("http://{address}"), tasks: [listener, keeper] })
    }

    /// The URL for `AWS_ENDPOINT_URL_RDS` and `AWS_ENDPOINT_URL_STS`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The certificate authorities of the servers.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.cloud.pool.authorities().bundle()
    }

    /// The certificate of one authority, by the name that the service gives it.
    #[must_use]
    pub fn authority_pem(&self, name: &str) -> Option<String> {
        self.cloud.pool.authorities().pem(name).map(str::to_owned)
    }

    /// The faults of calls.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.cloud.faults
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.cloud.clock
    }

    /// All calls so far.
    #[must_use]
    pub fn log(&self) -> Vec<Call> {
        self.cloud.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The instance as the service knows it, of whatever account and region.
    #[must_use]
    pub fn instance(&self, id: &str) -> Option<Instance> {
        self.cloud.find_instance(id, |it| it.clone())
    }

    /// The instance as the service knows it.
    #[must_use]
    pub fn instance_at(&self, place: &Place, id: &str) -> Option<Instance> {
        self.cloud.realm(place).state().instances.get(id).cloned()
    }

    /// The cluster as the service knows it, of whatever account and region.
    #[must_use]
    pub fn cluster(&self, id: &str) -> Option<Cluster> {
        self.cloud.each().iter().find_map(|realm| realm.state().clusters.get(id).cloned())
    }

    /// The snapshot of an instance or a cluster, of whatever account and region.
    #[must_use]
    pub fn snapshot(&self, id: &str) -> Option<Snapshot> {
        self.cloud.each().iter().find_map(|realm| {
            let state = realm.state();
            state.snapshots.get(id).or_else(|| state.cluster_snapshots.get(id)).cloned()
        })
    }

    /// The value that a parameter group sets.
    #[must_use]
    pub fn group_value(&self, group: &str, parameter: &str) -> Option<String> {
        let find = |realm: &Arc<Realm>| {
            let state = realm.state();
            let group = state.groups.values().find(|it| it.name == group)?;
            group.values.get(parameter).map(|set| set.value.clone())
        };
        self.cloud.each().iter().find_map(find)
    }

    /// Changes an instance behind everybody's back; its record only, not the server behind.
    pub fn drift(&self, id: &str, change: impl FnOnce(&mut Instance)) {
        self.cloud.find_instance(id, change);
    }

    /// The same for a cluster.
    pub fn drift_cluster(&self, id: &str, change: impl FnOnce(&mut Cluster)) {
        for realm in self.cloud.each() {
            if let Some(cluster) = realm.state().clusters.get_mut(id) {
                return change(cluster);
            }
        }
    }

    /// The instance or cluster is gone, without a call; a cluster with its members.
    pub fn vanish(&self, id: &str) {
        self.cloud.vanish(id);
    }

    /// Another instance or cluster has its name: it looks the same, and is another, with another unique id.
    pub fn replace(&self, id: &str) {
        self.cloud.replace(id);
    }

    /// The next so many creations of instances end in `failed`.
    pub fn fail_creations(&self, times: u32) {
        for realm in self.cloud.each() {
            realm.state().failing_creations = times;
        }
    }

    /// How much an account may have.
    pub fn set_quotas(&self, quotas: Quotas) {
        for realm in self.cloud.each() {
            realm.state().quotas = quotas;
        }
    }

    /// One more subnet group; at first there is `default`.
    pub fn add_subnet_group(&self, name: &str) {
        for realm in self.cloud.each() {
            realm.state().subnet_groups.push(name.to_owned());
        }
    }

    /// The service publishes one more minor version of PostgreSQL, and brings instances that take automatic upgrades
    /// to it in their maintenance windows.
    pub fn release(&self, version: &str) {
        let now = self.cloud.clock.now();
        self.cloud.versions().release(versions::POSTGRES, version, now);
    }

    /// Calls signed with this access key are of this account; other keys are of the account `123456789012`.
    pub fn add_access_key(&self, key: &str, account: &str) {
        self.cloud.sessions().add(key, account);
    }
}

/// For many servers, and for servers that suffer.
impl Simulator {
    /// All instances as the service knows them, of all accounts and regions.
    #[must_use]
    pub fn instances(&self) -> Vec<Instance> {
        let of = |realm: Arc<Realm>| realm.state().instances.values().cloned().collect::<Vec<_>>();
        self.cloud.each().into_iter().flat_map(of).collect()
    }

    /// One more instance that is like another one, with other tags and the same PostgreSQL behind.
    pub fn twin(&self, of: &str, id: &str, tags: BTreeMap<String, String>) {
        for realm in self.cloud.each() {
            let resource_id = format!("db-SIM{:023}", self.cloud.number());
            let (id, arn) = (id.to_owned(), realm.arn("db", id));
            let mut state = realm.state();
            if let Some(instance) = state.instances.get(of).cloned() {
                let twin = Instance { id: id.clone(), resource_id, arn, tags: tags.clone(), ..instance };
                state.instances.insert(id, twin);
            }
        }
    }

    /// All clusters as the service knows them, of all accounts and regions.
    #[must_use]
    pub fn clusters(&self) -> Vec<Cluster> {
        let of = |realm: Arc<Realm>| realm.state().clusters.values().cloned().collect::<Vec<_>>();
        self.cloud.each().into_iter().flat_map(of).collect()
    }

    /// One more cluster that is like another one, with other tags and the same PostgreSQL behind. Its members are called
    /// as those of the other one, with its own name in place of the other's, and have no tags.
    pub fn twin_cluster(&self, of: &str, id: &str, tags: BTreeMap<String, String>) {
        for realm in self.cloud.each() {
            let mut state = realm.state();
            let Some(cluster) = state.clusters.get(of).cloned() else { continue };
            let members: Vec<Instance> = state.members(of).cloned().collect();
            for member in members {
                let name = format!("{id}{}", member.id.strip_prefix(of).unwrap_or(&member.id));
                let resource_id = format!("db-SIM{:023}", self.cloud.number());
                let (cluster, arn) = (Some(id.to_owned()), realm.arn("db", &name));
                let tags = BTreeMap::new();
                let twin = Instance { id: name.clone(), resource_id, arn, cluster, tags, ..member };
                state.instances.insert(name, twin);
            }
            let resource_id = format!("cluster-SIM{:018}", self.cloud.number());
            let arn = realm.arn("cluster", id);
            let twin = Cluster { id: id.to_owned(), resource_id, arn, tags: tags.clone(), ..cluster };
            state.clusters.insert(id.to_owned(), twin);
        }
    }

    /// Ends the PostgreSQL behind an instance or a cluster as a crash would; the service starts it again. False where none runs.
    pub fn crash(&self, id: &str) -> bool {
        let of_cluster = || self.cluster(id).and_then(|it| it.server);
        let server = self.cloud.find_instance(id, |it| it.server.clone()).flatten().or_else(of_cluster);
        let Some(server) = server.filter(|server| server.runs()) else { return false };
        server.kill();
        let (cloud, id) = (self.cloud.clone(), id.to_owned());
        tokio::spawn(async move {
            while server.runs() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            cloud.state_lasts().await;
            if let Err(error) = server.start().await {
                tell(&id, "did not come up again", &error);
            }
        });
        true
    }

    /// How many of the creations that shall fail are still to come.
    #[must_use]
    pub fn creations_to_fail(&self) -> u32 {
        self.cloud.each().iter().map(|realm| realm.state().failing_creations).max().unwrap_or_default()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        for realm in std::mem::take(&mut *self.cloud.realms()).into_values() {
            let mut state = realm.state();
            state.instances.clear();
            state.clusters.clear();
        }
    }
}

impl Cloud {
    /// All realms, the one that calls are in by default among them.
    pub(super) fn each(self: &Arc<Self>) -> Vec<Arc<Realm>> {
        self.realm(&Place { account: sts::ACCOUNT.to_owned(), region: "eu-central-1".to_owned() });
        self.realms().values().cloned().collect()
    }

    pub(super) fn find_instance<T>(
        self: &Arc<Self>,
        id: &str,
        with: impl FnOnce(&mut Instance) -> T,
    ) -> Option<T> {
        for realm in self.each() {
            if let Some(instance) = realm.state().instances.get_mut(id) {
                return Some(with(instance));
            }
        }
        None
    }

    pub(super) fn vanish(self: &Arc<Self>, id: &str) {
        for realm in self.each() {
            let mut state = realm.state();
            state.instances.retain(|name, it| name != id && it.cluster.as_deref() != Some(id));
            state.clusters.remove(id);
        }
    }

    pub(super) fn replace(self: &Arc<Self>, id: &str) {
        for realm in self.each() {
            let mut state = realm.state();
            if let Some(it) = state.instances.get_mut(id) {
                it.resource_id = format!("db-SIM{:023}", self.number());
            }
            if let Some(it) = state.clusters.get_mut(id) {
                it.resource_id = format!("cluster-SIM{:018}", self.number());
            }
        }
    }
}
