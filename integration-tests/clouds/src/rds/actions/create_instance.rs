//! `CreateDBInstance`.

use std::sync::Arc;

use crate::postgres::Admin;
use crate::rds::groups::GroupKind;
use crate::rds::instance::Pending;
use crate::rds::plain::Of;
use crate::rds::realm::{Realm, identifier};
use crate::rds::storage::{Storage, limit};
use crate::rds::wire::{Answer, Form, Refusal, combination, invalid};
use crate::rds::{AUTHORITY, Instance, life, versions, windows};

use super::wish::{Wish, class_for};

pub(super) fn perform(realm: &Arc<Realm>, form: &Form) -> Answer {
    let id = identifier(form.need("DBInstanceIdentifier")?)?;
    let engine = versions::engine(form.need("Engine")?)?;
    form.need("DBInstanceClass")?;
    if let Some(cluster) = form.text("DBClusterIdentifier") {
        return super::create_member::perform(realm, form, id, engine, &cluster.to_lowercase());
    }
    if engine == versions::AURORA {
        return Err(combination("A DB instance of aurora-postgresql must be created in a DB cluster."));
    }
    let wish = Wish::read(form, Of::Instance, true, &realm.place)?;
    let admin = super::admin(form)?;
    let database = form.text("DBName");
    let tags = form.tags()?;
    form.nothing_else()?;

    super::tags::check(&tags)?;
    let password = wish.password.ok_or_else(|| invalid("MasterUserPassword must be given."))?;
    let class = wish.class.unwrap_or_default();
    class_for(engine, &class)?;
    let multi_az = wish.multi_az.unwrap_or(false);
    if multi_az && wish.plain.get("AvailabilityZone").is_some() {
        return Err(combination(
            "Requesting a specific availability zone is not valid for Multi-AZ instances.",
        ));
    }
    wish.plain.check()?;
    let storage = Storage::create(&wish.storage)?;
    let max_storage = limit(wish.max_storage, storage.size)?;
    let asked = (wish.backup_window.as_deref(), wish.maintenance_window.as_deref());
    let (backup_window, maintenance_window) = windows::windows(asked, None)?;
    let version = realm.cloud.versions().resolve(engine, wish.version.as_deref())?;

    let mut state = realm.state();
    if state.instances.contains_key(&id) {
        return Err(Refusal(400, "DBInstanceAlreadyExists", "DB instance already exists".to_owned()));
    }
    if state.instances.len() >= state.quotas.instances {
        return Err(Refusal(400, "InstanceQuotaExceeded", "DB Instance quota exceeded".to_owned()));
    }
    let subnet_group = state.subnet_group(wish.subnet_group)?;
    let family = versions::family(engine, &version);
    let group = state.group_for(GroupKind::Instance, wish.group.as_deref(), &family)?;
    let instance = Instance {
        resource_id: format!("db-SIM{:023}", realm.cloud.number()),
        status: "creating".to_owned(),
        engine,
        class,
        version,
        storage,
        max_storage,
        used: 0,
        admin,
        database,
        retention: wish.retention.unwrap_or(1),
        multi_az,
        subnet_group,
        security_groups: or_default(wish.security_groups),
        backup_window,
        maintenance_window,
        ca: wish.ca.unwrap_or_else(|| AUTHORITY.to_owned()),
        group,
        upgrade_failure: None,
        tags,
        cluster: None,
        writer: false,
        plain: wish.plain,
        pending: Pending::default(),
        parked: None,
        storage_changes: Vec::new(),
        arn: realm.arn("db", &id),
        created: realm.now(),
        server: None,
        address: 0,
        id: id.clone(),
    };
    let fails = state.failing_creations > 0;
    state.failing_creations = state.failing_creations.saturating_sub(1);
    let (xml, uid) = (instance.xml(), instance.resource_id.clone());
    let admin = Admin {
        name: instance.admin.clone(),
        password,
        database: instance.database.clone(),
        major: instance.major(),
    };
    state.instances.insert(id.clone(), instance);
    drop(state);
    life::create(realm, id, uid, admin, fails);
    Ok(xml)
}

/// The VPC's own group, where none was named.
pub(super) fn or_default(security_groups: Vec<String>) -> Vec<String> {
    if security_groups.is_empty() { vec!["sg-default".to_owned()] } else { security_groups }
}
