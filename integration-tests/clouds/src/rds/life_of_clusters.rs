//! What happens to clusters and their members after a call was answered.

use std::sync::Arc;

use crate::postgres::{Admin, Error, Server, carry_over};

use super::cluster::ClusterPending;
use super::groups::{GroupKind, restart};
use super::life::{Part, set_password, tell};
use super::realm::{Realm, State};
use super::versions::major;

/// A new cluster gets available, without a server: that comes with its first member.
pub(super) fn create(realm: &Arc<Realm>, id: String, uid: String) {
    let realm = realm.clone();
    tokio::spawn(async move {
        realm.state_lasts().await;
        realm.change_cluster(&id, &uid, |it| it.status = "available".to_owned());
    });
}

/// A new member gets available; the first one brings up what stands behind the cluster.
pub(super) fn create_member(realm: &Arc<Realm>, (id, uid): (String, String), cluster: String, fails: bool) {
    let realm = realm.clone();
    tokio::spawn(async move {
        realm.state_lasts().await;
        let server = match server(&realm, &cluster).await {
            Ok(server) if !fails => server,
            made => {
                if let (Err(error), false) = (made, fails) {
                    tell(&id, "was not created", &error);
                }
                return realm.change(&id, &uid, |it| it.status = "failed".to_owned());
            }
        };
        realm.change(&id, &uid, |it| {
            it.server = Some(server);
            it.status = "available".to_owned();
        });
        settle_writer(&mut realm.state(), &cluster);
    });
}

/// What stands behind a cluster, running. Members that come up at the same time wait for each other.
async fn server(realm: &Arc<Realm>, cluster: &str) -> Result<Arc<Server>, Error> {
    let _one_at_a_time = realm.cloud.cluster_servers.lock().await;
    let (known, addresses, admin, parameters) = {
        let state = realm.state();
        let it = state.clusters.get(cluster).ok_or(Error::Interrupted)?;
        let admin = Admin {
            name: it.admin.clone(),
            password: it.password.clone().unwrap_or_default(),
            database: it.database.clone(),
            major: major(&it.version),
        };
        let parameters = state.effective(GroupKind::Cluster, &it.group.name);
        (it.server.clone(), it.addresses.clone(), admin, parameters)
    };
    if let Some(server) = known {
        server.start().await?;
        return Ok(server);
    }
    let made = Server::create_at(&realm.cloud.pool, addresses, super::AUTHORITY, admin, &parameters).await?;
    let made = Arc::new(made);
    let mut state = realm.state();
    let it = state.clusters.get_mut(cluster).ok_or(Error::Interrupted)?;
    it.server = Some(made.clone());
    it.group.written = parameters;
    Ok(made)
}

/// The writer is whoever was it; else the available member of the least promotion tier.
pub(super) fn settle_writer(state: &mut State, cluster: &str) {
    let alive = |it: &&super::Instance| it.server.is_some() && it.status != "deleting";
    if state.members(cluster).filter(alive).any(|it| it.writer) {
        return;
    }
    let tier =
        |it: &super::Instance| it.field("PromotionTier").and_then(|tier| tier.parse().ok()).unwrap_or(1_u32);
    let next = state.members(cluster).filter(alive).min_by_key(|it| tier(it)).map(|it| it.id.clone());
    for it in state.instances.values_mut().filter(|it| it.cluster.as_deref() == Some(cluster)) {
        it.writer = next.as_ref() == Some(&it.id);
    }
}

/// Carries out pending changes of a cluster.
pub(super) fn apply(realm: &Arc<Realm>, id: &str, uid: &str, part: Part) {
    let (mut pending, mut admin, mut server) = (ClusterPending::default(), String::new(), None);
    realm.change_cluster(id, uid, |it| {
        pending = match part {
            Part::All => it.pending.clone(),
            Part::Password => ClusterPending { version: None, password: it.pending.password.clone() },
        };
        admin.clone_from(&it.admin);
        server.clone_from(&it.server);
        it.parked = it.parked.filter(|_| part == Part::Password);
        let shown = match (&pending.version, &pending.password) {
            (Some(_), _) => "upgrading",
            (None, Some(_)) => "resetting-master-credentials",
            (None, None) => "modifying",
        };
        shown.clone_into(&mut it.status);
    });
    let (realm, id, uid) = (realm.clone(), id.to_owned(), uid.to_owned());
    tokio::spawn(async move {
        realm.state_lasts().await;
        let mut upgraded = true;
        if let (Some(version), Some(old)) = (&pending.version, &server) {
            match upgrade(&realm, &id, version, old).await {
                Some(newer) => server = Some(newer),
                None => upgraded = false,
            }
        }
        let mut well = true;
        if let (Some(password), Some(server)) = (&pending.password, &server) {
            well = set_password(&id, server, &admin, password).await;
        }
        realm.change_cluster(&id, &uid, |it| {
            match part {
                Part::All => it.pending = ClusterPending::default(),
                Part::Password => it.pending.password = None,
            }
            // For the first member, where there is none yet.
            it.password = pending.password.or(it.password.take());
            if let (Some(version), true) = (&pending.version, upgraded) {
                it.version.clone_from(version);
            }
            it.status = if well { "available" } else { "failed" }.to_owned();
        });
    });
}

/// The members' version is the cluster's.
async fn upgrade(realm: &Arc<Realm>, id: &str, version: &str, old: &Arc<Server>) -> Option<Arc<Server>> {
    let writer =
        realm.state().members(id).find(|it| it.writer).map(|it| (it.id.clone(), it.resource_id.clone()));
    let server = if major(version) == old.asked_major() {
        old.clone()
    } else {
        let parameters = realm.state().clusters.get(id).map(|it| it.group.name.clone());
        let parameters = realm.state().effective(GroupKind::Cluster, &parameters.unwrap_or_default());
        match carry_over(old, major(version), &parameters).await {
            Ok(newer) => Arc::new(newer),
            Err(error) => {
                if let Some(it) = realm.state().clusters.get_mut(id) {
                    it.upgrade_failure = Some(error.to_string());
                }
                return None;
            }
        }
    };
    {
        let mut state = realm.state();
        for it in state.instances.values_mut().filter(|it| it.cluster.as_deref() == Some(id)) {
            it.version = version.to_owned();
            it.server = it.server.take().map(|_| server.clone());
        }
        if let Some(it) = state.clusters.get_mut(id) {
            it.server = Some(server.clone());
        }
    }
    if let Some((member, uid)) = writer {
        restart(realm, &member, &uid, &server).await;
    }
    Some(server)
}

/// A member goes. Without any member nothing answers, and the data stays.
pub(super) fn delete_member(realm: &Arc<Realm>, id: String, uid: String, cluster: String) {
    let realm = realm.clone();
    tokio::spawn(async move {
        realm.state_lasts().await;
        let idle = {
            let mut state = realm.state();
            if state.instances.get(&id).is_some_and(|it| it.resource_id == uid) {
                state.instances.remove(&id);
            }
            settle_writer(&mut state, &cluster);
            let deserted = state.members(&cluster).next().is_none();
            state.clusters.get(&cluster).filter(|_| deserted).and_then(|it| it.server.clone())
        };
        if let Some(server) = idle {
            let _one_at_a_time = realm.cloud.cluster_servers.lock().await;
            let still_deserted = realm.state().members(&cluster).next().is_none();
            if still_deserted && let Err(error) = server.stop().await {
                tell(&cluster, "was not stopped", &error);
            }
        }
    });
}

/// A cluster goes; its final snapshot is there before it is gone.
pub(super) fn delete(realm: &Arc<Realm>, id: String, uid: String, snapshot: Option<String>) {
    let realm = realm.clone();
    tokio::spawn(async move {
        realm.state_lasts().await;
        let mut state = realm.state();
        if let Some(snapshot) = snapshot.and_then(|name| state.cluster_snapshots.get_mut(&name)) {
            snapshot.status = "available".to_owned();
        }
        if state.clusters.get(&id).is_some_and(|it| it.resource_id == uid) {
            state.clusters.remove(&id);
        }
    });
}
