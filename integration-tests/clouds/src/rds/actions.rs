//! The actions, and the life of an instance that they start.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::postgres::{Address, Admin, Parameters, Server};

use super::instance::tag_list;
use super::wire::{Form, Refusal, leaf, node};
use super::{Inner, Instance, World};

type Answer = Result<String, Refusal>;

/// Versions that can be created. The newest of a major version is its default.
const VERSIONS: [&str; 9] = ["12.22", "13.20", "14.17", "15.10", "15.12", "16.6", "16.8", "17.4", "18.1"];

pub(super) fn perform(inner: &Arc<Inner>, form: &Form) -> Answer {
    match form.get("Action").unwrap_or_default() {
        "CreateDBInstance" => create(inner, form),
        "DescribeDBInstances" => describe(&inner.world(), form),
        "ModifyDBInstance" => modify(inner, form),
        "RebootDBInstance" => reboot(inner, form),
        "DeleteDBInstance" => delete(inner, form),
        "DescribeDBSnapshots" => snapshots(&inner.world(), form),
        "DescribeDBEngineVersions" => Ok(versions(form)),
        "ListTagsForResource" => tagged(&mut inner.world(), form).map(|instance| tag_list(&instance.tags)),
        "AddTagsToResource" => {
            let tags = form.tags();
            tagged(&mut inner.world(), form)
                .map(|instance| instance.tags.extend(tags))
                .map(|()| String::new())
        }
        "RemoveTagsFromResource" => {
            let keys = form.list("TagKeys.member");
            let mut world = inner.world();
            tagged(&mut world, form)?.tags.retain(|key, _| !keys.contains(key));
            Ok(String::new())
        }
        other => Err(Refusal(400, "InvalidAction", format!("{other} is not simulated."))),
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal(400, "InvalidParameterValue", message.into())
}

fn not_found(id: &str) -> Refusal {
    Refusal(404, "DBInstanceNotFound", format!("DBInstance {id} not found."))
}

fn identifier(form: &Form) -> Result<String, Refusal> {
    let id = form.need("DBInstanceIdentifier")?.to_lowercase();
    let legal = id.len() <= 63
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !id.contains("--")
        && !id.ends_with('-');
    if legal { Ok(id) } else { Err(invalid(format!("{id} is not a valid identifier."))) }
}

fn password(form: &Form) -> Result<Option<String>, Refusal> {
    let Some(password) = form.get("MasterUserPassword") else { return Ok(None) };
    let legal = (8..=128).contains(&password.len())
        && password.chars().all(|c| c.is_ascii_graphic() && !"/\"@".contains(c));
    if legal {
        Ok(Some(password.to_owned()))
    } else {
        Err(invalid("The parameter MasterUserPassword is not a valid password."))
    }
}

fn resolve(asked: Option<&str>) -> Result<String, Refusal> {
    let asked = asked.unwrap_or("17");
    let fits = |version: &&&str| **version == asked || version.split('.').next() == Some(asked);
    VERSIONS.iter().rev().find(fits).map(|version| (*version).to_owned()).ok_or_else(|| {
        Refusal(400, "InvalidParameterCombination", format!("Cannot find version {asked} for postgres"))
    })
}

fn major(version: &str) -> u32 {
    version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default()
}

fn create(inner: &Arc<Inner>, form: &Form) -> Answer {
    let id = identifier(form)?;
    if form.need("Engine")? != "postgres" {
        return Err(invalid("Only the engine postgres is simulated."));
    }
    let admin = form.need("MasterUsername")?.to_owned();
    if admin == "rdsadmin" || admin.starts_with("pg_") {
        return Err(invalid(format!("MasterUsername {admin} is reserved.")));
    }
    let password = password(form)?.ok_or_else(|| invalid("MasterUserPassword must be given."))?;
    let storage = form.number("AllocatedStorage")?.unwrap_or(20);
    if !(20..=65536).contains(&storage) {
        return Err(invalid(format!("Invalid storage size {storage} for engine postgres.")));
    }
    let retention = form.number("BackupRetentionPeriod")?.unwrap_or(1);
    if retention > 35 {
        return Err(invalid("BackupRetentionPeriod must be from 0 to 35."));
    }
    let version = resolve(form.get("EngineVersion"))?;
    let mut world = inner.world();
    let subnet_group = form.get("DBSubnetGroupName").unwrap_or("default").to_owned();
    if !world.subnet_groups.contains(&subnet_group) {
        let message = format!("DBSubnetGroup {subnet_group} not found.");
        return Err(Refusal(404, "DBSubnetGroupNotFoundFault", message));
    }
    if world.instances.contains_key(&id) {
        return Err(Refusal(400, "DBInstanceAlreadyExists", format!("DB instance {id} already exists.")));
    }
    let instance = Instance {
        resource_id: format!("db-SIM{:023}", inner.number()),
        status: "creating".to_owned(),
        class: form.need("DBInstanceClass")?.to_owned(),
        version: version.clone(),
        storage,
        admin: admin.clone(),
        database: form.get("DBName").map(str::to_owned),
        retention,
        protected: form.flag("DeletionProtection").unwrap_or(false),
        multi_az: form.flag("MultiAZ").unwrap_or(false),
        public: form.flag("PubliclyAccessible").unwrap_or(false),
        subnet_group,
        security_groups: form.list("VpcSecurityGroupIds.VpcSecurityGroupId"),
        tags: form.tags(),
        pending: BTreeMap::new(),
        arn: format!("arn:aws:rds:eu-central-1:123456789012:db:{id}"),
        created: inner.clock.now().to_string(),
        server: None,
        id: id.clone(),
    };
    let fails = world.failing_creations > 0;
    world.failing_creations = world.failing_creations.saturating_sub(1);
    let (xml, uid) = (instance.xml(), instance.resource_id.clone());
    let admin = Admin { name: admin, password, database: instance.database.clone(), major: major(&version) };
    world.instances.insert(id.clone(), instance);
    drop(world);
    let inner = inner.clone();
    tokio::spawn(async move {
        inner.state_lasts().await;
        let made = match Address::reserve() {
            Ok(address) if !fails => {
                Server::create(&inner.pool, address, super::AUTHORITY, admin, &Parameters::new()).await.ok()
            }
            _ => None,
        };
        let Some(server) = made else {
            return change(&inner, &id, &uid, |it| it.status = "failed".to_owned());
        };
        let server = Arc::new(server);
        let first = if retention > 0 { "backing-up" } else { "available" };
        change(&inner, &id, &uid, |it| {
            it.server = Some(server);
            it.status = first.to_owned();
        });
        inner.state_lasts().await;
        change(&inner, &id, &uid, |it| {
            if it.status == "backing-up" {
                it.status = "available".to_owned();
            }
        });
    });
    Ok(xml)
}

/// Changes an instance if it is still the same one, and not about to go.
fn change(inner: &Inner, id: &str, uid: &str, how: impl FnOnce(&mut Instance)) {
    if let Some(instance) = inner.world().instances.get_mut(id)
        && instance.resource_id == uid
        && instance.status != "deleting"
    {
        how(instance);
    }
}

fn describe(world: &World, form: &Form) -> Answer {
    if let Some(id) = form.get("DBInstanceIdentifier") {
        let id = id.to_lowercase();
        let found = world.instances.get(&id).ok_or_else(|| not_found(&id))?;
        return Ok(node("DBInstances", [found.xml()]));
    }
    let most = form.number("MaxRecords")?.unwrap_or(100);
    if !(20..=100).contains(&most) {
        return Err(invalid("MaxRecords must be from 20 to 100."));
    }
    let after = form.get("Marker").unwrap_or_default();
    let rest: Vec<&Instance> = world.instances.values().filter(|it| it.id.as_str() > after).collect();
    let page: Vec<&Instance> = rest.iter().copied().take(most as usize).collect();
    let marker = page.last().filter(|_| rest.len() > page.len()).map(|last| leaf("Marker", &last.id));
    Ok(marker.unwrap_or_default() + &node("DBInstances", page.iter().map(|it| it.xml())))
}

/// The instance, which must be in a state that takes changes.
fn usable<'a>(world: &'a mut World, id: &str) -> Result<&'a mut Instance, Refusal> {
    let instance = world.instances.get_mut(id).ok_or_else(|| not_found(id))?;
    if instance.status != "available" {
        let message = format!("Database instance is not in available state: {}.", instance.status);
        return Err(Refusal(400, "InvalidDBInstanceState", message));
    }
    Ok(instance)
}

fn modify(inner: &Arc<Inner>, form: &Form) -> Answer {
    let id = identifier(form)?;
    let password = password(form)?;
    let mut world = inner.world();
    let instance = usable(&mut world, &id)?;
    if form.flag("ApplyImmediately") != Some(true) {
        return Err(invalid("Only ApplyImmediately=true is simulated."));
    }
    if let Some(version) = form.get("EngineVersion")
        && resolve(Some(version))? != instance.version
    {
        return Err(invalid("A change of the version is not simulated."));
    }
    let storage = form.number("AllocatedStorage")?.unwrap_or(instance.storage);
    if storage < instance.storage {
        return Err(invalid("Requested storage size cannot be less than the current one."));
    }
    // An increase of less than a tenth is rounded up (API reference, ModifyDBInstance, AllocatedStorage).
    let storage =
        if storage == instance.storage { storage } else { storage.max((instance.storage * 11).div_ceil(10)) };
    let class = form.get("DBInstanceClass").unwrap_or(&instance.class).to_owned();
    let multi_az = form.flag("MultiAZ").unwrap_or(instance.multi_az);
    instance.retention = form.number("BackupRetentionPeriod")?.unwrap_or(instance.retention);
    instance.protected = form.flag("DeletionProtection").unwrap_or(instance.protected);
    instance.public = form.flag("PubliclyAccessible").unwrap_or(instance.public);
    let groups = form.list("VpcSecurityGroupIds.VpcSecurityGroupId");
    if !groups.is_empty() {
        instance.security_groups = groups;
    }
    let mut pending = BTreeMap::new();
    if storage != instance.storage {
        pending.insert("AllocatedStorage", storage.to_string());
    }
    if class != instance.class {
        pending.insert("DBInstanceClass", class.clone());
    }
    if multi_az != instance.multi_az {
        pending.insert("MultiAZ", multi_az.to_string());
    }
    if password.is_some() {
        pending.insert("MasterUserPassword", "****".to_owned());
    }
    if pending.is_empty() {
        return Ok(instance.xml());
    }
    instance.pending = pending;
    // The answer still says `available`.
    let xml = instance.xml();
    let (uid, admin, server) =
        (instance.resource_id.clone(), instance.admin.clone(), instance.server.clone());
    "modifying".clone_into(&mut instance.status);
    drop(world);
    let inner = inner.clone();
    tokio::spawn(async move {
        inner.state_lasts().await;
        if let (Some(password), Some(server)) = (&password, server)
            && server.set_password(&admin, password).await.is_err()
        {
            return;
        }
        change(&inner, &id, &uid, |it| {
            it.pending.clear();
            (it.storage, it.class, it.multi_az) = (storage, class, multi_az);
            it.status = "available".to_owned();
        });
    });
    Ok(xml)
}

fn reboot(inner: &Arc<Inner>, form: &Form) -> Answer {
    let id = identifier(form)?;
    let mut world = inner.world();
    let instance = usable(&mut world, &id)?;
    "rebooting".clone_into(&mut instance.status);
    let (xml, uid, server) = (instance.xml(), instance.resource_id.clone(), instance.server.clone());
    drop(world);
    let inner = inner.clone();
    tokio::spawn(async move {
        if let Some(server) = server
            && (server.stop().await.is_err() || server.start().await.is_err())
        {
            return change(&inner, &id, &uid, |it| it.status = "failed".to_owned());
        }
        inner.state_lasts().await;
        change(&inner, &id, &uid, |it| it.status = "available".to_owned());
    });
    Ok(xml)
}

fn delete(inner: &Arc<Inner>, form: &Form) -> Answer {
    let id = identifier(form)?;
    let mut world = inner.world();
    let found = world.instances.get(&id).ok_or_else(|| not_found(&id))?.clone();
    if found.protected {
        let message =
            "Cannot delete protected DB Instance, please disable deletion protection and try again.";
        return Err(Refusal(400, "InvalidParameterCombination", message.to_owned()));
    }
    let skip = form.flag("SkipFinalSnapshot").unwrap_or(false);
    let snapshot = form.get("FinalDBSnapshotIdentifier");
    if skip == snapshot.is_some() {
        let message = "Either SkipFinalSnapshot or FinalDBSnapshotIdentifier must be given, not both.";
        return Err(Refusal(400, "InvalidParameterCombination", message.to_owned()));
    }
    let refused = match found.status.as_str() {
        "creating" | "deleting" => true,
        "failed" => !skip,
        _ => false,
    };
    if refused {
        let message = format!("Instance {id} is {}, and cannot be deleted that way now.", found.status);
        return Err(Refusal(400, "InvalidDBInstanceState", message));
    }
    if let Some(name) = snapshot {
        if world.snapshots.contains_key(name) {
            return Err(Refusal(400, "DBSnapshotAlreadyExists", format!("{name} already exists.")));
        }
        world.snapshots.insert(name.to_owned(), Instance { server: None, ..found.clone() });
    }
    let mut xml = String::new();
    if let Some(instance) = world.instances.get_mut(&id) {
        "deleting".clone_into(&mut instance.status);
        xml = instance.xml();
    }
    drop(world);
    let inner = inner.clone();
    tokio::spawn(async move {
        inner.state_lasts().await;
        let mut world = inner.world();
        if world.instances.get(&id).is_some_and(|it| it.resource_id == found.resource_id) {
            world.instances.remove(&id);
        }
    });
    Ok(xml)
}

fn snapshots(world: &World, form: &Form) -> Answer {
    let (name, of) = (form.get("DBSnapshotIdentifier"), form.get("DBInstanceIdentifier"));
    let fits = |(id, from): &(&String, &Instance)| {
        name.is_none_or(|name| name == *id) && of.is_none_or(|of| of == from.id)
    };
    let found: Vec<String> = world.snapshots.iter().filter(fits).map(snapshot_xml).collect();
    match name {
        Some(name) if found.is_empty() => {
            Err(Refusal(404, "DBSnapshotNotFound", format!("DBSnapshot {name} not found.")))
        }
        _ => Ok(node("DBSnapshots", found)),
    }
}

fn snapshot_xml((id, from): (&String, &Instance)) -> String {
    let inner = [
        leaf("DBSnapshotIdentifier", id),
        leaf("DBInstanceIdentifier", &from.id),
        leaf("Engine", "postgres"),
        leaf("AllocatedStorage", from.storage),
        leaf("Status", "available"),
        leaf("MasterUsername", &from.admin),
        leaf("EngineVersion", &from.version),
        leaf("SnapshotType", "manual"),
        leaf("DbiResourceId", &from.resource_id),
        tag_list(&from.tags),
    ];
    node("DBSnapshot", inner)
}

fn versions(form: &Form) -> String {
    let asked = form.get("EngineVersion");
    let defaults = form.flag("DefaultOnly").unwrap_or(false);
    let fits = |version: &&&str| {
        asked.is_none_or(|asked| asked == **version || version.split('.').next() == Some(asked))
            && (!defaults
                || resolve(Some(&major(version).to_string())).is_ok_and(|newest| newest == **version))
    };
    let one = |version: &&str| {
        node(
            "DBEngineVersion",
            [
                leaf("Engine", "postgres"),
                leaf("EngineVersion", version),
                leaf("DBParameterGroupFamily", format!("postgres{}", major(version))),
                leaf("Status", "available"),
            ],
        )
    };
    node("DBEngineVersions", VERSIONS.iter().filter(fits).map(one))
}

fn tagged<'a>(world: &'a mut World, form: &Form) -> Result<&'a mut Instance, Refusal> {
    let arn = form.need("ResourceName")?;
    world.instances.values_mut().find(|it| it.arn == arn).ok_or_else(|| not_found(arn))
}
