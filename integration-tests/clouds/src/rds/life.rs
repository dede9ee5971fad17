//! What happens to instances after a call was answered: one task for each change, by the simulator's clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::postgres::{Address, Admin, Error, Server, carry_over};

use super::groups::restart;
use super::instance::Pending;
use super::realm::Realm;
use super::versions::major;

/// Makes what stands behind a new instance, then shows it: `creating`, `backing-up`, `available`.
pub(super) fn create(realm: &Arc<Realm>, id: String, uid: String, admin: Admin, fails: bool) {
    let realm = realm.clone();
    tokio::spawn(async move {
        realm.state_lasts().await;
        let (parameters, authority, retention) = {
            let state = realm.state();
            let Some(it) = state.instances.get(&id).filter(|it| it.resource_id == uid) else { return };
            (state.parameters_of(&id), it.ca.clone(), it.retention)
        };
        let made = match Address::reserve() {
            Ok(address) if !fails => {
                Server::create(&realm.cloud.pool, address, &authority, admin, &parameters).await
            }
            Ok(_) => Err(Error::Interrupted),
            Err(error) => Err(error),
        };
        let server = match made {
            Ok(server) => Arc::new(server),
            // Parameters that PostgreSQL does not start with, for one.
            Err(Error::Start { .. }) => {
                return realm.change(&id, &uid, |it| it.status = "incompatible-parameters".to_owned());
            }
            Err(error) => {
                if !fails {
                    tell(&id, "was not created", &error);
                }
                return realm.change(&id, &uid, |it| it.status = "failed".to_owned());
            }
        };
        let first = if retention > 0 { "backing-up" } else { "available" };
        realm.change(&id, &uid, |it| {
            it.server = Some(server);
            it.group.written = parameters;
            it.status = first.to_owned();
        });
        realm.state_lasts().await;
        realm.change(&id, &uid, |it| {
            if it.status == "backing-up" {
                it.status = "available".to_owned();
            }
        });
    });
}

/// The state that shows while these changes are carried out.
fn shown(pending: &Pending) -> &'static str {
    let only_password = Pending { password: None, ..pending.clone() }.is_empty();
    match (&pending.version, only_password) {
        (Some(_), _) => "upgrading",
        (None, true) => "resetting-master-credentials",
        (None, false) => "modifying",
    }
}

/// Which of the pending changes are carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// The others go on waiting.
    Password,
}

/// Carries out pending changes of an instance.
pub(super) fn apply(realm: &Arc<Realm>, id: &str, uid: &str, part: Part) {
    let (mut pending, mut admin, mut server) = (Pending::default(), String::new(), None);
    let now = realm.now();
    realm.change(id, uid, |it| {
        pending = match part {
            Part::All => it.pending.clone(),
            Part::Password => Pending { password: it.pending.password.clone(), ..Pending::default() },
        };
        admin.clone_from(&it.admin);
        server.clone_from(&it.server);
        it.parked = it.parked.filter(|_| part == Part::Password);
        shown(&pending).clone_into(&mut it.status);
    });
    let (realm, id, uid) = (realm.clone(), id.to_owned(), uid.to_owned());
    tokio::spawn(async move {
        realm.state_lasts().await;
        let done = match &server {
            Some(server) => carry_out(&realm, (&id, &uid), &pending, &admin, server).await,
            None => Outcome::Done,
        };
        let grown = pending.storage.is_some();
        realm.change(&id, &uid, |it| {
            match part {
                Part::All => it.pending = Pending::default(),
                Part::Password => it.pending.password = None,
            }
            if let Some(storage) = pending.storage {
                it.storage = storage;
                it.storage_changes.push(now);
            }
            it.class = pending.class.unwrap_or(std::mem::take(&mut it.class));
            it.multi_az = pending.multi_az.unwrap_or(it.multi_az);
            it.retention = pending.retention.unwrap_or(it.retention);
            it.ca = pending.ca.unwrap_or(std::mem::take(&mut it.ca));
            it.subnet_group = pending.subnet_group.unwrap_or(std::mem::take(&mut it.subnet_group));
            if let (Some(version), false) = (pending.version, done == Outcome::NotUpgraded) {
                it.version = version;
            }
            it.status = match done {
                Outcome::Down => "incompatible-parameters",
                Outcome::Failed => "failed",
                _ if grown => "storage-optimization",
                _ => "available",
            }
            .to_owned();
        });
        if grown {
            realm.state_lasts().await;
            realm.change(&id, &uid, |it| {
                if it.status == "storage-optimization" {
                    it.status = "available".to_owned();
                }
            });
        }
    });
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// The service's check before an upgrade failed: all is as it was.
    NotUpgraded,
    /// PostgreSQL does not start with its parameters.
    Down,
    /// Something that never happens to a healthy simulation; said on stderr.
    Failed,
}

/// How long a change waits for PostgreSQL, which may be coming up again after a crash.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says what went wrong in the simulation itself: a test that waits in vain shall show why.
pub(super) fn tell(id: &str, what: &str, error: &Error) {
    eprintln!("the simulated RDS: {id} {what}: {error}");
}

/// Sets a password, as the service does: again and again, until PostgreSQL answers. False when it never does.
pub(super) async fn set_password(id: &str, server: &Server, admin: &str, password: &str) -> bool {
    let since = Instant::now();
    loop {
        match server.set_password(admin, password).await {
            Ok(()) => return true,
            Err(error) if since.elapsed() > PATIENCE => {
                tell(id, "did not get its password", &error);
                return false;
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn carry_out(
    realm: &Arc<Realm>,
    (id, uid): (&str, &str),
    pending: &Pending,
    admin: &str,
    server: &Arc<Server>,
) -> Outcome {
    let mut server = server.clone();
    if let Some(ca) = &pending.ca {
        server.set_authority(ca);
        let written = realm.state().instances.get(id).map(|it| it.group.written.clone());
        match server.write(&written.unwrap_or_default()) {
            Ok(()) => server.reload(),
            Err(error) => {
                tell(id, "did not get its certificate", &error);
                return Outcome::Failed;
            }
        }
    }
    let mut outcome = Outcome::Done;
    if let Some(version) = pending.version.as_ref().filter(|version| major(version) != server.asked_major()) {
        let parameters = realm.state().parameters_of(id);
        match carry_over(&server, major(version), &parameters).await {
            Ok(newer) => {
                server = Arc::new(newer);
                realm.change(id, uid, |it| it.server = Some(server.clone()));
            }
            Err(error) => {
                realm.change(id, uid, |it| it.upgrade_failure = Some(error.to_string()));
                outcome = Outcome::NotUpgraded;
            }
        }
    }
    // It does not run while its storage is full.
    let restarts = pending.version.is_some()
        || pending.class.is_some()
        || pending.subnet_group.is_some()
        || !server.runs();
    if restarts && !restart(realm, id, uid, &server).await {
        return Outcome::Down;
    }
    if let Some(password) = &pending.password
        && !set_password(id, &server, admin, password).await
    {
        return Outcome::Failed;
    }
    outcome
}

/// Restarts an instance; a cluster's member restarts the server that it shares.
pub(super) fn reboot(realm: &Arc<Realm>, id: &str, uid: &str, server: Option<Arc<Server>>) {
    let (realm, id, uid) = (realm.clone(), id.to_owned(), uid.to_owned());
    tokio::spawn(async move {
        let well = match &server {
            Some(server) => restart(&realm, &id, &uid, server).await,
            None => true,
        };
        realm.state_lasts().await;
        let status = if well { "available" } else { "incompatible-parameters" };
        realm.change(&id, &uid, |it| it.status = status.to_owned());
    });
}

/// An instance goes; its final snapshot is there before it is gone.
pub(super) fn delete(realm: &Arc<Realm>, id: String, uid: String, snapshot: Option<String>) {
    let realm = realm.clone();
    tokio::spawn(async move {
        realm.state_lasts().await;
        let mut state = realm.state();
        if let Some(snapshot) = snapshot.and_then(|name| state.snapshots.get_mut(&name)) {
            snapshot.status = "available".to_owned();
        }
        if state.instances.get(&id).is_some_and(|it| it.resource_id == uid) {
            state.instances.remove(&id);
        }
    });
}
