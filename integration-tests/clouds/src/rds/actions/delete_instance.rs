//! `DeleteDBInstance`.

use std::sync::Arc;

use crate::rds::realm::{Realm, identifier, not_found};
use crate::rds::snapshot::Snapshot;
use crate::rds::wire::{Answer, Form, Refusal, combination, invalid};
use crate::rds::{life, life_of_clusters};

pub(super) fn perform(realm: &Arc<Realm>, form: &Form) -> Answer {
    let id = identifier(form.need("DBInstanceIdentifier")?)?;
    let skip = form.flag("SkipFinalSnapshot")?.unwrap_or(false);
    let snapshot = form.text("FinalDBSnapshotIdentifier");
    form.flag("DeleteAutomatedBackups")?;
    form.nothing_else()?;
    let snapshot = snapshot.map(|name| snapshot_name(&name)).transpose()?;
    let mut state = realm.state();
    let found = state.instances.get(&id).ok_or_else(|| not_found(&id))?.clone();
    if found.protected() {
        return Err(combination(
            "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        ));
    }
    let state_refuses = || {
        let message = format!("Instance {id} is {}, and cannot be deleted that way now.", found.status);
        Refusal(400, "InvalidDBInstanceState", message)
    };
    if found.cluster.is_some() {
        if snapshot.is_some() {
            return Err(combination(
                "FinalDBSnapshotIdentifier can not be specified when deleting a cluster instance",
            ));
        }
    } else if skip == snapshot.is_some() {
        return Err(combination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified, and not with it.",
        ));
    }
    match found.status.as_str() {
        "creating" | "deleting" => return Err(state_refuses()),
        "failed" | "incompatible-restore" | "incompatible-network" if snapshot.is_some() => {
            return Err(state_refuses());
        }
        _ => {}
    }
    if let Some(name) = &snapshot {
        if state.snapshots.contains_key(name) {
            return Err(Refusal(400, "DBSnapshotAlreadyExists", format!("{name} already exists.")));
        }
        if state.snapshots.len() >= state.quotas.snapshots {
            let message = "Cannot create more than the quota of manual snapshots.";
            return Err(Refusal(400, "SnapshotQuotaExceeded", message.to_owned()));
        }
        let made = Snapshot::of_instance(name, &found, realm.arn("snapshot", name), realm.now());
        state.snapshots.insert(name.clone(), made);
    }
    let mut xml = String::new();
    if let Some(instance) = state.instances.get_mut(&id) {
        "deleting".clone_into(&mut instance.status);
        xml = instance.xml();
    }
    drop(state);
    match found.cluster {
        Some(cluster) => life_of_clusters::delete_member(realm, id, found.resource_id, cluster),
        None => life::delete(realm, id, found.resource_id, snapshot),
    }
    Ok(xml)
}

/// As an identifier, up to 255 characters.
pub(super) fn snapshot_name(name: &str) -> Result<String, Refusal> {
    let id = name.to_lowercase();
    let legal = (1..=255).contains(&id.len())
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !id.contains("--")
        && !id.ends_with('-');
    if legal { Ok(id) } else { Err(invalid(format!("{name} is not a valid snapshot identifier."))) }
}
