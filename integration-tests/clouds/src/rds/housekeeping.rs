//! What the service does on its own: maintenance windows, automatic minor upgrades, storage that grows or is full.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::realm::{Realm, State};
use super::{Cloud, life, life_of_clusters};

/// As often as this in real time; what the clock passed over in between happens then.
const ROUND: Duration = Duration::from_millis(20);

/// Ends with the simulator.
pub(super) async fn keep(cloud: Weak<Cloud>) {
    while let Some(cloud) = cloud.upgrade() {
        let realms: Vec<Arc<Realm>> = cloud.realms().values().cloned().collect();
        drop(cloud);
        for realm in realms {
            round(&realm);
        }
        tokio::time::sleep(ROUND).await;
    }
}

fn round(realm: &Arc<Realm>) {
    let now = realm.now();
    let versions = realm.cloud.versions().clone();
    let mut due = Vec::new();
    let mut due_clusters = Vec::new();
    let mut stopped = Vec::new();
    {
        let mut state = realm.state();
        for it in state.instances.values_mut().filter(|it| it.cluster.is_none()) {
            let takes = it.plain.is("AutoMinorVersionUpgrade") && it.pending.version.is_none();
            if let Some((newer, since)) = versions.automatic(it.engine, &it.version).filter(|_| takes) {
                it.pending.version = Some(newer);
                it.parked.get_or_insert(since.max(it.created));
            }
            let ready = ["available", "storage-optimization"].contains(&it.status.as_str());
            if ready
                && it.parked.is_some_and(|since| super::windows::began(&it.maintenance_window, since, now))
            {
                due.push((it.id.clone(), it.resource_id.clone()));
            }
        }
        for it in state.clusters.values_mut() {
            let window = &it.maintenance_window;
            let began = it.parked.is_some_and(|since| super::windows::began(window, since, now));
            if began && it.status == "available" {
                due_clusters.push((it.id.clone(), it.resource_id.clone()));
            }
        }
        storage(&mut state, &mut due, &mut stopped);
    }
    for (id, uid) in due {
        life::apply(realm, &id, &uid, life::Part::All);
    }
    for (id, uid) in due_clusters {
        life_of_clusters::apply(realm, &id, &uid, life::Part::All);
    }
    for server in stopped {
        tokio::spawn(async move {
            if let Err(error) = server.stop().await {
                life::tell(&server.ip().to_string(), "was not stopped", &error);
            }
        });
    }
}

/// Less than a tenth is free: it grows by a tenth or 10 GiB, up to its limit (user guide, "Managing capacity
/// automatically"). Nothing is free: `storage-full`, and nothing answers until it is made larger.
fn storage(
    state: &mut State,
    due: &mut Vec<(String, String)>,
    stopped: &mut Vec<Arc<crate::postgres::Server>>,
) {
    for it in state.instances.values_mut().filter(|it| it.cluster.is_none() && it.used > 0) {
        let size = it.storage.size;
        if it.status != "available" || it.pending.storage.is_some() {
            continue;
        }
        let most = it.max_storage.unwrap_or(size);
        if u64::from(it.used) * 10 > u64::from(size) * 9 && size < most {
            let grown = (size + 10).max(size + size.div_ceil(10)).min(most);
            it.pending.storage = Some(super::storage::Storage { size: grown, ..it.storage.clone() });
            due.push((it.id.clone(), it.resource_id.clone()));
        } else if it.used >= size {
            it.status = "storage-full".to_owned();
            stopped.extend(it.server.clone());
        }
    }
}
