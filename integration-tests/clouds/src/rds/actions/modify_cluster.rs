//! `ModifyDBCluster`.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::rds::cluster::ClusterPending;
use crate::rds::groups::{GroupKind, is_default};
use crate::rds::life::Part;
use crate::rds::plain::{Of, PlainFields};
use crate::rds::realm::{Realm, identifier};
use crate::rds::wire::{Answer, Form, combination};
use crate::rds::{life_of_clusters, versions, windows};

use super::create_cluster::{LONGEST_PASSWORD, scaling, storage_type};

/// The storage type changes to I/O-optimised once in so long (user guide, "Storage configurations").
const BETWEEN_IO_CHANGES: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) fn perform(realm: &Arc<Realm>, form: &Form) -> Answer {
    let id = identifier(form.need("DBClusterIdentifier")?)?;
    super::port(form, "Port")?;
    let password = super::password(form, LONGEST_PASSWORD)?;
    let asked_version = form.text("EngineVersion");
    let retention = super::retention(form.number("BackupRetentionPeriod")?, 1)?;
    let asked_windows = (form.text("PreferredBackupWindow"), form.text("PreferredMaintenanceWindow"));
    let subnet_group = form.text("DBSubnetGroupName");
    let security_groups = form.list("VpcSecurityGroupIds.VpcSecurityGroupId");
    let asked_group = form.text("DBClusterParameterGroupName");
    let members_group = form.text("DBInstanceParameterGroupName");
    let io_optimized = storage_type(form)?;
    let scaling = scaling(form)?;
    let at_once = form.flag("ApplyImmediately")?.unwrap_or(false);
    let allow_major = form.flag("AllowMajorVersionUpgrade")?.unwrap_or(false);
    let plain = PlainFields::read(form, Of::Cluster, false, &realm.place)?;
    form.nothing_else()?;

    let mut state = realm.state();
    // Everything is checked on a copy: a refused change changes nothing.
    let mut it = state.usable_cluster(&id)?.clone();
    let version = match asked_version {
        Some(asked) => realm.cloud.versions().upgrade(versions::AURORA, &it.version, &asked, allow_major)?,
        None => None,
    };
    let family = versions::family(versions::AURORA, version.as_deref().unwrap_or(&it.version));
    let other_family = family != versions::family(versions::AURORA, &it.version);
    if asked_group.is_some() || other_family {
        if other_family && asked_group.is_none() && !is_default(&it.group.name) {
            return Err(combination(format!(
                "The current DB cluster uses the parameter group {}: name one of {family} for the new version.",
                it.group.name
            )));
        }
        let mut used = state.group_for(GroupKind::Cluster, asked_group.as_deref(), &family)?;
        if used.name != it.group.name {
            used.written = std::mem::take(&mut it.group.written);
            if !other_family {
                "pending-reboot".clone_into(&mut used.status);
            }
            it.group = used;
        }
    }
    let mut members = Vec::new();
    // Only with a new major version (botocore, ModifyDBCluster, DBInstanceParameterGroupName).
    if members_group.is_some() && !other_family {
        return Err(combination("DBInstanceParameterGroupName is valid for a major version upgrade only."));
    }
    if other_family {
        let group = state.group_for(GroupKind::Instance, members_group.as_deref(), &family)?;
        let own = state.members(&id).find(|it| !is_default(&it.group.name));
        if let (Some(own), None) = (own, &members_group) {
            return Err(combination(format!(
                "The DB instance {} uses the parameter group {}: name one of {family} for the new version.",
                own.id, own.group.name
            )));
        }
        members.extend(state.members(&id).map(|it| (it.id.clone(), group.clone())));
    }
    let now = (it.backup_window.as_str(), it.maintenance_window.as_str());
    let asked = (asked_windows.0.as_deref(), asked_windows.1.as_deref());
    (it.backup_window, it.maintenance_window) = windows::windows(asked, Some(now))?;
    if let Some(group) = subnet_group {
        it.subnet_group = state.subnet_group(Some(group))?;
    }
    if let Some(io_optimized) = io_optimized.filter(|wanted| *wanted != it.io_optimized) {
        let soon = it.io_changed.is_some_and(|at| realm.now().duration_since(at) < BETWEEN_IO_CHANGES);
        if io_optimized && soon {
            return Err(combination("The storage type can be changed to aurora-iopt1 once every 30 days."));
        }
        it.io_optimized = io_optimized;
        it.io_changed = if io_optimized { Some(realm.now()) } else { it.io_changed };
    }
    it.plain = it.plain.changed(plain)?;
    it.scaling = scaling.or(it.scaling);
    it.retention = retention.unwrap_or(it.retention);
    if !security_groups.is_empty() {
        it.security_groups = security_groups;
    }
    // A password changes at once, whatever was said (botocore, ModifyDBCluster, ApplyImmediately).
    let newer = ClusterPending { version, password };
    let part = if at_once { Part::All } else { Part::Password };
    let waits = !at_once && newer.version.is_some();
    let password = newer.password.is_some();
    it.pending.merge(newer);
    let starts = if at_once { !it.pending.is_empty() } else { password };
    if waits {
        it.parked.get_or_insert(realm.now());
    }
    for member in state.instances.values_mut().filter(|member| member.cluster.as_ref() == Some(&id)) {
        member.retention = it.retention;
        member.subnet_group.clone_from(&it.subnet_group);
        member.security_groups.clone_from(&it.security_groups);
        member.backup_window.clone_from(&it.backup_window);
        member.storage.kind = if it.io_optimized { "aurora-iopt1" } else { "aurora" }.to_owned();
        if let Some((_, group)) = members.iter().find(|(id, _)| *id == member.id) {
            member.group = group.clone();
        }
    }
    let (xml, uid) = (state.cluster_xml(&it), it.resource_id.clone());
    state.clusters.insert(id.clone(), it);
    drop(state);
    if starts {
        life_of_clusters::apply(realm, &id, &uid, part);
    }
    Ok(xml)
}
