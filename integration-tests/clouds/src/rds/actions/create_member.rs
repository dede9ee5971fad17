//! `CreateDBInstance` with `DBClusterIdentifier`: a member of an Aurora cluster.

use std::sync::Arc;

use crate::rds::cluster::OWN_ADDRESSES;
use crate::rds::groups::GroupKind;
use crate::rds::instance::Pending;
use crate::rds::plain::Of;
use crate::rds::realm::{Realm, cluster_not_found};
use crate::rds::storage::Storage;
use crate::rds::wire::{Answer, Form, Refusal, combination, invalid};
use crate::rds::{AUTHORITY, Instance, life_of_clusters, versions, windows};

use super::wish::{Wish, class_for};

pub(super) fn perform(
    realm: &Arc<Realm>,
    form: &Form,
    id: String,
    engine: &'static str,
    cluster_id: &str,
) -> Answer {
    let wish = Wish::read(form, Of::Member, true, &realm.place)?;
    let field = wish.of_the_cluster().or(form.get("MasterUsername").map(|_| "MasterUsername"));
    let field = field.or(form.get("DBName").map(|_| "DBName"));
    let tags = form.tags()?;
    form.nothing_else()?;

    super::tags::check(&tags)?;
    if let Some(field) = field {
        return Err(combination(format!(
            "The requested DB Instance will be a member of a DB Cluster. Set {field} for the DB Cluster."
        )));
    }
    if engine != versions::AURORA {
        return Err(combination(format!(
            "The engine name requested for your DB instance ({engine}) doesn't match the engine name of your DB \
             cluster (aurora-postgresql)."
        )));
    }
    let class = wish.class.unwrap_or_default();
    class_for(engine, &class)?;
    wish.plain.check()?;

    let mut state = realm.state();
    if state.instances.contains_key(&id) {
        return Err(Refusal(400, "DBInstanceAlreadyExists", "DB instance already exists".to_owned()));
    }
    if state.instances.len() >= state.quotas.instances {
        return Err(Refusal(400, "InstanceQuotaExceeded", "DB Instance quota exceeded".to_owned()));
    }
    let cluster = state.clusters.get(cluster_id).ok_or_else(|| cluster_not_found(cluster_id))?.clone();
    if ["deleting", "failed"].contains(&cluster.status.as_str()) {
        let message = format!("DB Cluster {cluster_id} is {}.", cluster.status);
        return Err(Refusal(400, "InvalidDBClusterStateFault", message));
    }
    if class == "db.serverless" && cluster.scaling.is_none() {
        return Err(invalid(
            "Set the Serverless v2 scaling configuration on the parent DB cluster before creating a Serverless v2 DB \
             instance.",
        ));
    }
    if let Some(version) = &wish.version
        && realm.cloud.versions().resolve(engine, Some(version))? != cluster.version
        && *version != versions::major(&cluster.version).to_string()
    {
        return Err(combination(
            "The engine version that you requested for your DB instance does not match the engine version of your DB \
             cluster.",
        ));
    }
    if wish.subnet_group.as_ref().is_some_and(|group| *group != cluster.subnet_group) {
        return Err(combination("The DB subnet group of a member is that of its DB cluster."));
    }
    if state.members(cluster_id).count() >= 16 {
        return Err(Refusal(
            400,
            "InvalidDBClusterStateFault",
            "A DB cluster has one writer and at most 15 readers.".to_owned(),
        ));
    }
    let (_, maintenance_window) =
        windows::windows((Some(&cluster.backup_window), wish.maintenance_window.as_deref()), None)?;
    let family = versions::family(engine, &cluster.version);
    let group = state.group_for(GroupKind::Instance, wish.group.as_deref(), &family)?;
    let taken: Vec<usize> = state.members(cluster_id).map(|it| it.address).collect();
    let own = (2..2 + OWN_ADDRESSES).find(|at| !taken.contains(at)).unwrap_or(1);
    let kind = if cluster.io_optimized { "aurora-iopt1" } else { "aurora" };
    let instance = Instance {
        resource_id: format!("db-SIM{:023}", realm.cloud.number()),
        status: "creating".to_owned(),
        engine,
        class,
        version: cluster.version.clone(),
        storage: Storage { kind: kind.to_owned(), size: 1, iops: None, throughput: None },
        max_storage: None,
        used: 0,
        admin: cluster.admin.clone(),
        database: cluster.database.clone(),
        retention: cluster.retention,
        multi_az: false,
        subnet_group: cluster.subnet_group.clone(),
        security_groups: cluster.security_groups.clone(),
        backup_window: cluster.backup_window.clone(),
        maintenance_window,
        ca: wish.ca.unwrap_or_else(|| AUTHORITY.to_owned()),
        group,
        upgrade_failure: None,
        tags,
        writer: state.members(cluster_id).next().is_none(),
        cluster: Some(cluster_id.to_owned()),
        plain: wish.plain,
        pending: Pending::default(),
        parked: None,
        storage_changes: Vec::new(),
        arn: realm.arn("db", &id),
        created: realm.now(),
        server: None,
        address: own,
        id: id.clone(),
    };
    let fails = state.failing_creations > 0;
    state.failing_creations = state.failing_creations.saturating_sub(1);
    let (xml, uid) = (instance.xml(), instance.resource_id.clone());
    state.instances.insert(id.clone(), instance);
    drop(state);
    life_of_clusters::create_member(realm, (id, uid), cluster_id.to_owned(), fails);
    Ok(xml)
}
