//! `DeleteDBCluster`.

use std::sync::Arc;

use crate::rds::life_of_clusters;
use crate::rds::realm::{Realm, cluster_not_found, identifier};
use crate::rds::snapshot::Snapshot;
use crate::rds::wire::{Answer, Form, Refusal, combination};

use super::delete_instance::snapshot_name;

pub(super) fn perform(realm: &Arc<Realm>, form: &Form) -> Answer {
    let id = identifier(form.need("DBClusterIdentifier")?)?;
    let skip = form.flag("SkipFinalSnapshot")?.unwrap_or(false);
    let snapshot = form.text("FinalDBSnapshotIdentifier");
    form.flag("DeleteAutomatedBackups")?;
    form.nothing_else()?;
    let snapshot = snapshot.map(|name| snapshot_name(&name)).transpose()?;
    let mut state = realm.state();
    let found = state.clusters.get(&id).ok_or_else(|| cluster_not_found(&id))?.clone();
    if found.protected() {
        return Err(combination(
            "Cannot delete protected Cluster, please disable deletion protection and try again.",
        ));
    }
    if skip == snapshot.is_some() {
        return Err(combination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified, and not with it.",
        ));
    }
    let state_refuses = |message: String| Refusal(400, "InvalidDBClusterStateFault", message);
    if ["creating", "deleting"].contains(&found.status.as_str()) {
        return Err(state_refuses(format!("DB Cluster {id} is {}.", found.status)));
    }
    if state.members(&id).any(|it| it.status != "deleting") {
        let message = "Cluster cannot be deleted, it still contains DB instances in non-deleting state.";
        return Err(state_refuses(message.to_owned()));
    }
    if let Some(name) = &snapshot {
        if state.cluster_snapshots.contains_key(name) {
            return Err(Refusal(
                400,
                "DBClusterSnapshotAlreadyExistsFault",
                format!("{name} already exists."),
            ));
        }
        if state.cluster_snapshots.len() >= state.quotas.snapshots {
            let message = "Cannot create more than the quota of manual snapshots.";
            return Err(Refusal(400, "SnapshotQuotaExceeded", message.to_owned()));
        }
        let made = Snapshot::of_cluster(name, &found, realm.arn("cluster-snapshot", name), realm.now());
        state.cluster_snapshots.insert(name.clone(), made);
    }
    if let Some(it) = state.clusters.get_mut(&id) {
        "deleting".clone_into(&mut it.status);
    }
    let xml = state.clusters.get(&id).map(|it| state.cluster_xml(it)).unwrap_or_default();
    drop(state);
    life_of_clusters::delete(realm, id, found.resource_id, snapshot);
    Ok(xml)
}
