//! The actions: one file for each, or for those of one thing.

mod certificates;
mod create_cluster;
mod create_instance;
mod create_member;
mod delete_cluster;
mod delete_instance;
mod describe;
mod failover;
mod modify_cluster;
mod modify_instance;
mod parameter_groups;
mod parameters;
mod reboot_instance;
mod snapshots;
mod subnet_groups;
mod tags;
mod wish;

use std::sync::Arc;

use crate::postgres::Settings;

use super::groups::{GroupKind, group_not_found};
use super::realm::Realm;
use super::wire::{Answer, Form, Refusal, invalid};

pub(super) async fn perform(realm: &Arc<Realm>, form: &Form) -> Answer {
    use GroupKind::{Cluster, Instance};
    match form.get("Action").unwrap_or_default() {
        "CreateDBInstance" => create_instance::perform(realm, form),
        "DescribeDBInstances" => describe::instances(&realm.view(), form),
        "ModifyDBInstance" => modify_instance::perform(realm, form),
        "RebootDBInstance" => reboot_instance::perform(realm, form),
        "DeleteDBInstance" => delete_instance::perform(realm, form),
        "CreateDBCluster" => create_cluster::perform(realm, form),
        "DescribeDBClusters" => describe::clusters(&realm.view(), form),
        "ModifyDBCluster" => modify_cluster::perform(realm, form),
        "FailoverDBCluster" => failover::perform(realm, form),
        "DeleteDBCluster" => delete_cluster::perform(realm, form),
        "DescribeDBSnapshots" => snapshots::describe(&realm.view(), form),
        "DeleteDBSnapshot" => snapshots::delete(realm, form),
        "DescribeDBClusterSnapshots" => snapshots::describe_of_clusters(&realm.view(), form),
        "DeleteDBClusterSnapshot" => snapshots::delete_of_cluster(realm, form),
        "DescribeDBEngineVersions" => realm.cloud.versions().describe(form),
        "DescribeDBSubnetGroups" => subnet_groups::describe(realm, form),
        "DescribeCertificates" => certificates::describe(realm, form),
        "ListTagsForResource" => tags::list(realm.view(), form),
        "AddTagsToResource" => tags::add(realm, form),
        "RemoveTagsFromResource" => tags::remove(realm, form),
        "CreateDBParameterGroup" => parameter_groups::create(realm, form, Instance),
        "CreateDBClusterParameterGroup" => parameter_groups::create(realm, form, Cluster),
        "DescribeDBParameterGroups" => parameter_groups::describe(&realm.view(), form, Instance),
        "DescribeDBClusterParameterGroups" => parameter_groups::describe(&realm.view(), form, Cluster),
        "DeleteDBParameterGroup" => parameter_groups::delete(realm, form, Instance),
        "DeleteDBClusterParameterGroup" => parameter_groups::delete(realm, form, Cluster),
        "ModifyDBParameterGroup" => {
            parameters::modify(realm, form, Instance, settings(realm, form, Instance).await?)
        }
        "ModifyDBClusterParameterGroup" => {
            parameters::modify(realm, form, Cluster, settings(realm, form, Cluster).await?)
        }
        "ResetDBParameterGroup" => {
            parameters::reset(realm, form, Instance, settings(realm, form, Instance).await?)
        }
        "ResetDBClusterParameterGroup" => {
            parameters::reset(realm, form, Cluster, settings(realm, form, Cluster).await?)
        }
        "DescribeDBParameters" => {
            let known = settings(realm, form, Instance).await?;
            parameters::describe(&realm.view(), form, Instance, &known)
        }
        "DescribeDBClusterParameters" => {
            let known = settings(realm, form, Cluster).await?;
            parameters::describe(&realm.view(), form, Cluster, &known)
        }
        "DescribeEngineDefaultParameters" | "DescribeEngineDefaultClusterParameters" => {
            let family = form.need("DBParameterGroupFamily")?;
            parameters::defaults(form, &of_family(realm, family).await?)
        }
        other => Err(Refusal(400, "InvalidAction", format!("{other} is not simulated."))),
    }
}

/// The parameters of a version, asked from PostgreSQL itself.
struct Known {
    major: u32,
    settings: Arc<Settings>,
}

/// Those of the family of the group that the request names.
async fn settings(realm: &Arc<Realm>, form: &Form, kind: GroupKind) -> Result<Known, Refusal> {
    let name = form.need(&format!("{}Name", kind.element()))?.to_lowercase();
    let family = realm.state().groups.get(&(kind, name.clone())).map(|group| group.family.clone());
    of_family(realm, &family.ok_or_else(|| group_not_found(kind, &name))?).await
}

async fn of_family(realm: &Arc<Realm>, family: &str) -> Result<Known, Refusal> {
    let major = parameter_groups::family_major(family)?;
    let pool = realm.cloud.pool.clone();
    let asked = tokio::task::spawn_blocking(move || pool.settings(major)).await;
    match asked {
        Ok(Ok(settings)) => Ok(Known { major, settings }),
        Ok(Err(error)) => Err(Refusal(500, "InternalFailure", error.to_string())),
        Err(_) => Err(Refusal(500, "InternalFailure", "interrupted".to_owned())),
    }
}

fn password(form: &Form, longest: usize) -> Result<Option<String>, Refusal> {
    let Some(password) = form.get("MasterUserPassword") else { return Ok(None) };
    let legal = (8..=longest).contains(&password.len())
        && password.chars().all(|c| c.is_ascii_graphic() && !"/\"@".contains(c));
    if legal {
        Ok(Some(password.to_owned()))
    } else {
        Err(invalid("The parameter MasterUserPassword is not a valid password."))
    }
}

/// One to 16 letters, digits and underscores, a letter first, and not a name that is taken (botocore,
/// `MasterUsername`).
fn admin(form: &Form) -> Result<String, Refusal> {
    let admin = form.need("MasterUsername")?;
    let legal = (1..=16).contains(&admin.len())
        && admin.starts_with(|c: char| c.is_ascii_alphabetic())
        && admin.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !legal {
        return Err(invalid(format!("MasterUsername {admin} is not a valid name.")));
    }
    let reserved = ["rdsadmin", "admin", "public", "none", "user"];
    if reserved.contains(&admin) || admin.starts_with("pg_") || admin.starts_with("rds_") {
        return Err(invalid(format!("MasterUsername {admin} cannot be used as it is a reserved word.")));
    }
    Ok(admin.to_owned())
}

fn retention(asked: Option<u32>, least: u32) -> Result<Option<u32>, Refusal> {
    match asked {
        Some(days) if !(least..=35).contains(&days) => {
            Err(invalid(format!("Invalid backup retention period: {days}; {least} to 35.")))
        }
        days => Ok(days),
    }
}

/// Only the default port is simulated.
fn port(form: &Form, field: &str) -> Result<(), Refusal> {
    match form.number::<u16>(field)? {
        None | Some(crate::postgres::PORT) => Ok(()),
        Some(port) => Err(invalid(format!("The port {port} is not simulated, only 5432."))),
    }
}
