//! `CreateDBCluster`.

use std::sync::Arc;

use crate::postgres::Address;
use crate::rds::cluster::{Cluster, ClusterPending, OWN_ADDRESSES, Scaling};
use crate::rds::groups::GroupKind;
use crate::rds::plain::{Of, PlainFields};
use crate::rds::realm::{Realm, identifier};
use crate::rds::wire::{Answer, Form, Refusal, combination, invalid};
use crate::rds::{life_of_clusters, versions, windows};

/// Documented for Aurora (botocore, CreateDBCluster, MasterUserPassword).
pub(super) const LONGEST_PASSWORD: usize = 41;

pub(super) fn perform(realm: &Arc<Realm>, form: &Form) -> Answer {
    let id = identifier(form.need("DBClusterIdentifier")?)?;
    let engine = versions::engine(form.need("Engine")?)?;
    if engine != versions::AURORA {
        return Err(combination("Only clusters of aurora-postgresql are simulated."));
    }
    match form.get("EngineMode") {
        None | Some("provisioned") => {}
        Some(other) => return Err(invalid(format!("The engine mode {other} is not simulated."))),
    }
    super::port(form, "Port")?;
    let admin = super::admin(form)?;
    let password = super::password(form, LONGEST_PASSWORD)?;
    let version = form.text("EngineVersion");
    let database = form.text("DatabaseName");
    let retention = super::retention(form.number("BackupRetentionPeriod")?, 1)?.unwrap_or(1);
    let windows = (form.text("PreferredBackupWindow"), form.text("PreferredMaintenanceWindow"));
    let subnet_group = form.text("DBSubnetGroupName");
    let security_groups = form.list("VpcSecurityGroupIds.VpcSecurityGroupId");
    let group = form.text("DBClusterParameterGroupName");
    let io_optimized = storage_type(form)?.unwrap_or(false);
    let scaling = scaling(form)?;
    // The service chooses three of its own where fewer are named.
    let zones = form.list("AvailabilityZones.AvailabilityZone");
    let plain = PlainFields::read(form, Of::Cluster, true, &realm.place)?;
    let tags = form.tags()?;
    form.nothing_else()?;

    super::tags::check(&tags)?;
    if zones.len() > 3 {
        return Err(invalid("A DB cluster has at most three availability zones."));
    }
    let password = password.ok_or_else(|| invalid("MasterUserPassword must be given."))?;
    let (backup_window, maintenance_window) =
        windows::windows((windows.0.as_deref(), windows.1.as_deref()), None)?;
    let version = realm.cloud.versions().resolve(engine, version.as_deref())?;

    let mut state = realm.state();
    if state.clusters.contains_key(&id) {
        return Err(Refusal(400, "DBClusterAlreadyExistsFault", "DB Cluster already exists".to_owned()));
    }
    if state.clusters.len() >= state.quotas.clusters {
        return Err(Refusal(403, "DBClusterQuotaExceededFault", "DB cluster quota exceeded".to_owned()));
    }
    let subnet_group = state.subnet_group(subnet_group)?;
    let family = versions::family(engine, &version);
    let group = state.group_for(GroupKind::Cluster, group.as_deref(), &family)?;
    let addresses: Result<Vec<Address>, _> = (0..2 + OWN_ADDRESSES).map(|_| Address::reserve()).collect();
    let addresses = addresses.map_err(|error| Refusal(500, "InternalFailure", error.to_string()))?;
    let cluster = Cluster {
        resource_id: format!("cluster-SIM{:018}", realm.cloud.number()),
        status: "creating".to_owned(),
        version,
        admin,
        database,
        retention,
        subnet_group,
        security_groups: super::create_instance::or_default(security_groups),
        backup_window,
        maintenance_window,
        io_optimized,
        scaling,
        group,
        upgrade_failure: None,
        tags,
        plain,
        password: Some(password),
        pending: ClusterPending::default(),
        parked: None,
        io_changed: None,
        arn: realm.arn("cluster", &id),
        created: realm.now(),
        addresses: Arc::new(addresses),
        server: None,
        id: id.clone(),
    };
    let (xml, uid) = (state.cluster_xml(&cluster), cluster.resource_id.clone());
    state.clusters.insert(id.clone(), cluster);
    drop(state);
    life_of_clusters::create(realm, id, uid);
    Ok(xml)
}

/// Whether it is `aurora-iopt1`.
pub(super) fn storage_type(form: &Form) -> Result<Option<bool>, Refusal> {
    match form.get("StorageType") {
        None => Ok(None),
        Some("aurora") => Ok(Some(false)),
        Some("aurora-iopt1") => Ok(Some(true)),
        Some(other) => Err(Refusal(
            400,
            "StorageTypeNotSupported",
            format!("The storage type {other} is not supported by aurora-postgresql."),
        )),
    }
}

/// Capacity units in half steps (botocore, `ServerlessV2ScalingConfiguration`).
pub(super) fn scaling(form: &Form) -> Result<Option<Scaling>, Refusal> {
    let field = |name: &str| format!("ServerlessV2ScalingConfiguration.{name}");
    let min: Option<f64> = form.number(&field("MinCapacity"))?;
    let max: Option<f64> = form.number(&field("MaxCapacity"))?;
    let pause: Option<u32> = form.number(&field("SecondsUntilAutoPause"))?;
    let (Some(min), Some(max)) = (min, max) else {
        return match (min, max, pause) {
            (None, None, None) => Ok(None),
            _ => Err(invalid("ServerlessV2ScalingConfiguration needs MinCapacity and MaxCapacity.")),
        };
    };
    let half = |number: f64| (number * 2.0).fract() == 0.0;
    if !half(min) || !half(max) || !(0.0..=256.0).contains(&min) || !(1.0..=256.0).contains(&max) || min > max
    {
        return Err(invalid(format!(
            "Serverless v2 capacity {min} to {max} is not valid: half steps, MinCapacity from 0, MaxCapacity from 1 to \
             256."
        )));
    }
    if let Some(seconds) = pause
        && (min > 0.0 || !(300..=86400).contains(&seconds))
    {
        return Err(invalid("SecondsUntilAutoPause is from 300 to 86400, and needs MinCapacity 0."));
    }
    Ok(Some(Scaling { min, max, pause: pause.or((min == 0.0).then_some(300)) }))
}
