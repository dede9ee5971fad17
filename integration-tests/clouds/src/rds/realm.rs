//! What one account has in one region.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::groups::{Group, GroupKind};
use super::snapshot::Snapshot;
use super::wire::{Refusal, invalid};
use super::{Cloud, Cluster, Instance};

/// An account and a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Twelve digits.
    pub account: String,
    /// For example `eu-central-1`.
    pub region: String,
}

/// How much an account may have in a region (user guide, "Quotas").
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// DB instances.
    pub instances: usize,
    /// Aurora clusters.
    pub clusters: usize,
    /// Snapshots that somebody asked for, of instances and of clusters each.
    pub snapshots: usize,
    /// Parameter groups of either kind.
    pub groups: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { instances: 40, clusters: 40, snapshots: 100, groups: 50 }
    }
}

pub(super) struct Realm {
    pub(super) cloud: Arc<Cloud>,
    pub(super) place: Place,
    state: Mutex<Kept>,
}

struct Kept {
    state: State,
    /// What so many further reads see.
    stale: Option<(State, u32)>,
}

#[derive(Clone)]
pub(super) struct State {
    pub(super) instances: BTreeMap<String, Instance>,
    pub(super) clusters: BTreeMap<String, Cluster>,
    /// Of instances, and of clusters.
    pub(super) snapshots: BTreeMap<String, Snapshot>,
    pub(super) cluster_snapshots: BTreeMap<String, Snapshot>,
    pub(super) groups: BTreeMap<(GroupKind, String), Group>,
    pub(super) subnet_groups: Vec<String>,
    pub(super) failing_creations: u32,
    pub(super) quotas: Quotas,
}

pub(super) struct StateGuard<'a>(MutexGuard<'a, Kept>);

impl std::ops::Deref for StateGuard<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        &self.0.state
    }
}

impl std::ops::DerefMut for StateGuard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.0.state
    }
}

impl Realm {
    pub(super) fn new(cloud: Arc<Cloud>, place: Place) -> Self {
        let state = State {
            instances: BTreeMap::new(),
            clusters: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            cluster_snapshots: BTreeMap::new(),
            groups: super::groups::defaults(&place),
            subnet_groups: vec!["default".to_owned()],
            failing_creations: 0,
            quotas: Quotas::default(),
        };
        Self { cloud, place, state: Mutex::new(Kept { state, stale: None }) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> StateGuard<'_> {
        StateGuard(self.kept())
    }

    /// What a read sees: all, or, while changes have not spread, what there was before.
    pub(super) fn view(&self) -> State {
        let mut kept = self.kept();
        if let Some((old, left)) = kept.stale.take() {
            if left > 1 {
                kept.stale = Some((old.clone(), left - 1));
            }
            return old;
        }
        kept.state.clone()
    }

    /// So many further reads see what is there now.
    pub(super) fn hold_back(&self, reads: u32, seen: State) {
        self.kept().stale = (reads > 0).then_some((seen, reads));
    }

    pub(super) fn now(&self) -> Timestamp {
        self.cloud.clock.now()
    }

    pub(super) fn arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:rds:{}:{}:{kind}:{name}", self.place.region, self.place.account)
    }

    /// Changes an instance if it is still the same one, and not about to go.
    pub(super) fn change(&self, id: &str, uid: &str, how: impl FnOnce(&mut Instance)) {
        if let Some(instance) = self.state().instances.get_mut(id)
            && instance.resource_id == uid
            && instance.status != "deleting"
        {
            how(instance);
        }
    }

    /// The same for a cluster.
    pub(super) fn change_cluster(&self, id: &str, uid: &str, how: impl FnOnce(&mut Cluster)) {
        if let Some(cluster) = self.state().clusters.get_mut(id)
            && cluster.resource_id == uid
            && cluster.status != "deleting"
        {
            how(cluster);
        }
    }

    pub(super) async fn state_lasts(&self) {
        self.cloud.state_lasts().await;
    }
}

impl State {
    pub(super) fn members<'a>(&'a self, cluster: &'a str) -> impl Iterator<Item = &'a Instance> {
        self.instances.values().filter(move |it| it.cluster.as_deref() == Some(cluster))
    }

    pub(super) fn cluster_xml(&self, cluster: &Cluster) -> String {
        cluster.xml(self.members(&cluster.id))
    }

    pub(super) fn subnet_group(&self, asked: Option<String>) -> Result<String, Refusal> {
        let name = asked.unwrap_or_else(|| "default".to_owned());
        if self.subnet_groups.contains(&name) {
            return Ok(name);
        }
        Err(Refusal(404, "DBSubnetGroupNotFoundFault", format!("DBSubnetGroup {name} not found.")))
    }

    /// The instance, which must be in a state that takes changes.
    pub(super) fn usable(&mut self, id: &str) -> Result<&mut Instance, Refusal> {
        let instance = self.instances.get_mut(id).ok_or_else(|| not_found(id))?;
        if !["available", "storage-optimization", "storage-full", "incompatible-parameters"]
            .contains(&instance.status.as_str())
        {
            let message = format!("Database instance is not in available state: {}.", instance.status);
            return Err(Refusal(400, "InvalidDBInstanceState", message));
        }
        Ok(instance)
    }

    /// The cluster, which must be in a state that takes changes.
    pub(super) fn usable_cluster(&mut self, id: &str) -> Result<&mut Cluster, Refusal> {
        let cluster = self.clusters.get_mut(id).ok_or_else(|| cluster_not_found(id))?;
        if cluster.status != "available" {
            let message = format!("The DB cluster is not in available state: {}.", cluster.status);
            return Err(Refusal(400, "InvalidDBClusterStateFault", message));
        }
        Ok(cluster)
    }
}

pub(super) fn not_found(id: &str) -> Refusal {
    Refusal(404, "DBInstanceNotFound", format!("DBInstance {id} not found."))
}

pub(super) fn cluster_not_found(id: &str) -> Refusal {
    Refusal(404, "DBClusterNotFoundFault", format!("DBCluster {id} not found."))
}

/// One to 63 letters, digits and hyphens, a letter first, no two hyphens in a row and none at the end; stored in lower
/// case (botocore, `DBInstanceIdentifier`).
pub(super) fn identifier(text: &str) -> Result<String, Refusal> {
    let id = text.to_lowercase();
    let legal = id.len() <= 63
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !id.contains("--")
        && !id.ends_with('-');
    if legal { Ok(id) } else { Err(invalid(format!("{text} is not a valid identifier."))) }
}
