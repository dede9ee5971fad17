//! `ModifyDBInstance`.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::rds::groups::{GroupKind, is_default};
use crate::rds::instance::Pending;
use crate::rds::life::{self, Part};
use crate::rds::plain::Of;
use crate::rds::realm::{Realm, State, identifier};
use crate::rds::storage::limit;
use crate::rds::wire::{Answer, Form, Refusal, combination, invalid};
use crate::rds::{Instance, versions, windows};

use super::wish::{Wish, class_for};

/// So many changes of the storage within a day (user guide, "Modifying settings").
const STORAGE_CHANGES: usize = 4;
const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn perform(realm: &Arc<Realm>, form: &Form) -> Answer {
    let id = identifier(form.need("DBInstanceIdentifier")?)?;
    let member = realm.state().instances.get(&id).is_some_and(|it| it.cluster.is_some());
    let of = if member { Of::Member } else { Of::Instance };
    let wish = Wish::read(form, of, false, &realm.place)?;
    let at_once = form.flag("ApplyImmediately")?.unwrap_or(false);
    let allow_major = form.flag("AllowMajorVersionUpgrade")?.unwrap_or(false);
    form.flag("CertificateRotationRestart")?;
    form.nothing_else()?;

    let mut state = realm.state();
    // Everything is checked on a copy: a refused change changes nothing.
    let mut it = state.usable(&id)?.clone();
    if it.cluster.is_some() {
        if let Some(field) = wish.of_the_cluster().or(wish.version.as_ref().map(|_| "EngineVersion")) {
            return Err(combination(format!("{field} is managed by the DB cluster of this DB instance.")));
        }
        if wish.class.as_deref() == Some("db.serverless")
            && it
                .cluster
                .as_ref()
                .and_then(|id| state.clusters.get(id))
                .is_some_and(|it| it.scaling.is_none())
        {
            return Err(invalid(
                "Set the Serverless v2 scaling configuration on the parent DB cluster first.",
            ));
        }
    }
    let pending = pending(realm, &it, &wish, allow_major)?;
    regroup(&state, &mut it, &wish, pending.version.as_deref())?;
    let asked = (wish.backup_window.as_deref(), wish.maintenance_window.as_deref());
    let now = (it.backup_window.as_str(), it.maintenance_window.as_str());
    (it.backup_window, it.maintenance_window) = windows::windows(asked, Some(now))?;
    // The other subnets are an outage, and wait (botocore, ModifyDBInstance, DBSubnetGroupName).
    let mut pending = pending;
    if let Some(group) = wish.subnet_group {
        pending.subnet_group = Some(state.subnet_group(Some(group))?).filter(|name| *name != it.subnet_group);
    }
    it.plain = it.plain.changed(wish.plain)?;
    if !wish.security_groups.is_empty() {
        it.security_groups = wish.security_groups;
    }
    if wish.max_storage.is_some() {
        let size = pending.storage.as_ref().map_or(it.storage.size, |storage| storage.size);
        it.max_storage = limit(wish.max_storage, size)?;
    }
    // From one number of days to another it changes as soon as possible; to 0 or from it there is an outage.
    if let Some(days) = pending.retention.filter(|days| *days > 0 && it.retention > 0) {
        it.retention = days;
        pending.retention = None;
    }
    // A password changes as soon as possible, whatever was said (botocore, MasterUserPassword).
    let part = if at_once { Part::All } else { Part::Password };
    let waits = !at_once && !Pending { password: None, ..pending.clone() }.is_empty();
    let password = pending.password.is_some();
    it.pending.merge(pending);
    let starts = if at_once { !it.pending.is_empty() } else { password };
    if waits {
        it.parked.get_or_insert(realm.now());
    }
    // The answer shows the state before.
    let (xml, uid) = (it.xml(), it.resource_id.clone());
    state.instances.insert(id.clone(), it);
    drop(state);
    if starts {
        life::apply(realm, &id, &uid, part);
    }
    Ok(xml)
}

/// What does not change in the moment of the call.
fn pending(realm: &Realm, it: &Instance, wish: &Wish, allow_major: bool) -> Result<Pending, Refusal> {
    let asked_version = wish.version.as_deref();
    let version = match asked_version {
        Some(asked) => realm.cloud.versions().upgrade(it.engine, &it.version, asked, allow_major)?,
        None => None,
    };
    let storage = it.storage.change(&wish.storage)?;
    let storage = (storage != it.storage).then_some(storage);
    if storage.is_some() {
        let now = realm.now();
        let recent = it.storage_changes.iter().filter(|at| now.duration_since(**at) < DAY).count();
        if it.status == "storage-optimization" || recent >= STORAGE_CHANGES {
            return Err(combination(
                "You can't currently modify the storage of this DB instance because the previous storage change is \
                 being optimized.",
            ));
        }
    }
    if let Some(class) = &wish.class {
        class_for(it.engine, class)?;
    }
    Ok(Pending {
        class: wish.class.clone().filter(|class| *class != it.class),
        storage,
        version,
        multi_az: wish.multi_az.filter(|two| *two != it.multi_az),
        retention: wish.retention.filter(|days| *days != it.retention),
        ca: wish.ca.clone().filter(|ca| *ca != it.ca),
        subnet_group: None,
        password: wish.password.clone(),
    })
}

/// A group comes into force with the next reboot. A new major version needs a group of its family: the default, unless
/// a group of somebody's own is in use (botocore, ModifyDBInstance, EngineVersion).
fn regroup(state: &State, it: &mut Instance, wish: &Wish, upgrade: Option<&str>) -> Result<(), Refusal> {
    let family = versions::family(it.engine, upgrade.unwrap_or(&it.version));
    let other_family = family != versions::family(it.engine, &it.version);
    if let Some(asked) = wish.group.as_deref() {
        let mut used = state.group_for(GroupKind::Instance, Some(asked), &family)?;
        if used.name != it.group.name {
            used.written = std::mem::take(&mut it.group.written);
            "pending-reboot".clone_into(&mut used.status);
            it.group = used;
        }
        return Ok(());
    }
    if other_family && !is_default(&it.group.name) {
        return Err(combination(format!(
            "The current DB instance uses the parameter group {}: name a DB parameter group of {family} for the new \
             version.",
            it.group.name
        )));
    }
    if other_family {
        it.group = state.group_for(GroupKind::Instance, None, &family)?;
    }
    Ok(())
}
