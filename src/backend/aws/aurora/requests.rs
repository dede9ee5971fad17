//! From a wish to the service's requests. Pure.

use aws_sdk_rds::operation::create_db_cluster::builders::CreateDbClusterInputBuilder;
use aws_sdk_rds::operation::create_db_instance::builders::CreateDbInstanceInputBuilder;
use aws_sdk_rds::operation::modify_db_cluster::builders::ModifyDbClusterInputBuilder;
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;
use aws_sdk_rds::types::{DbCluster, ServerlessV2ScalingConfiguration};

use super::super::super::sizes::AuroraSize;
use super::super::super::{DesiredServer, Difference, Stage};
use super::super::engine::Engine;
use super::super::{tags, wishes};
use super::cluster::Member;
use super::rules;
use crate::config::{AuroraConfig, AuroraScaling, AuroraStorage};

/// A new cluster; version, password and parameter group are set by the caller.
pub(super) fn create(
    name: &str,
    desired: &DesiredServer<'_>,
    config: &AuroraConfig,
    size: &AuroraSize,
) -> CreateDbClusterInputBuilder {
    let (spec, aws) = (desired.spec, &config.aws);
    let (ids, zones) = (&aws.vpc_security_group_ids, &config.availability_zones);
    let default = i64::from(config.parameters.backup_retention_days);
    let retention = wishes::retention(spec).unwrap_or(default);
    // The other one is what there is without a word.
    let storage = Some(size.storage_type).filter(|storage| *storage != AuroraStorage::Aurora);
    CreateDbClusterInputBuilder::default()
        .db_cluster_identifier(name)
        .engine(Engine::Aurora.name())
        .master_username(&aws.admin_username)
        .port(5432)
        .db_subnet_group_name(&aws.subnet_group)
        .set_vpc_security_group_ids((!ids.is_empty()).then(|| ids.clone()))
        .set_availability_zones((!zones.is_empty()).then(|| zones.clone()))
        .set_backup_retention_period(i32::try_from(retention).ok())
        .set_preferred_maintenance_window(wishes::asked_window(spec))
        .storage_encrypted(true)
        .set_storage_type(storage.map(|storage| <&str>::from(storage).to_owned()))
        .set_serverless_v2_scaling_configuration(size.scaling.map(scaling))
        .copy_tags_to_snapshot(true)
        .deletion_protection(aws.deletion_protection)
        .set_tags(Some(tags::written(desired.owner, &aws.tags)))
}

fn scaling(wish: AuroraScaling) -> ServerlessV2ScalingConfiguration {
    let capacity = ServerlessV2ScalingConfiguration::builder();
    capacity.min_capacity(wish.min_capacity).max_capacity(wish.max_capacity).build()
}

/// A new member.
pub(super) fn member(
    id: &str,
    cluster: &str,
    desired: &DesiredServer<'_>,
    config: &AuroraConfig,
    size: &AuroraSize,
) -> CreateDbInstanceInputBuilder {
    let aws = &config.aws;
    CreateDbInstanceInputBuilder::default()
        .db_instance_identifier(id)
        .db_cluster_identifier(cluster)
        .engine(Engine::Aurora.name())
        .db_instance_class(&size.instance_type)
        .publicly_accessible(aws.network.public_access)
        .set_ca_certificate_identifier(aws.ca_certificate.clone())
        .auto_minor_version_upgrade(true)
        .set_preferred_maintenance_window(wishes::asked_window(desired.spec))
        .set_tags(Some(tags::written(desired.owner, &aws.tags)))
}

/// A change of a cluster that is carried out at once: what has to wait is not asked for yet.
pub(super) fn change_of(name: &str) -> ModifyDbClusterInputBuilder {
    ModifyDbClusterInputBuilder::default().db_cluster_identifier(name).apply_immediately(true)
}

/// The same of a member.
pub(super) fn change_of_member(id: &str) -> ModifyDbInstanceInputBuilder {
    ModifyDbInstanceInputBuilder::default().db_instance_identifier(id).apply_immediately(true)
}

fn applied(differences: &[Difference]) -> impl Iterator<Item = (&str, &str)> {
    let applied = differences.iter().filter(|difference| difference.is_applied_by(Stage::Update));
    applied.filter_map(|difference| Some((difference.field.as_str(), difference.wanted.as_deref()?)))
}

/// The change of the cluster itself that carries out the differences, tags and version apart; none when nothing is left.
pub(super) fn modify(
    config: &AuroraConfig,
    size: &AuroraSize,
    cluster: &DbCluster,
    differences: &[Difference],
) -> Option<ModifyDbClusterInputBuilder> {
    let mut change = change_of(cluster.db_cluster_identifier().unwrap_or_default());
    let mut any = false;
    for (field, wanted) in applied(differences) {
        let mut known = true;
        change = match field {
            wishes::STORAGE_TYPE => change.storage_type(wanted),
            wishes::RETENTION => change.set_backup_retention_period(wanted.parse().ok()),
            wishes::WINDOW
                if !cluster
                    .preferred_maintenance_window()
                    .is_some_and(|found| found.eq_ignore_ascii_case(wanted)) =>
            {
                change.preferred_maintenance_window(wanted)
            }
            wishes::GROUPS => {
                change.set_vpc_security_group_ids(Some(config.aws.vpc_security_group_ids.clone()))
            }
            wishes::PROTECTION => change.deletion_protection(true),
            rules::SCALING => change.set_serverless_v2_scaling_configuration(size.scaling.map(scaling)),
            _ => {
                known = false;
                change
            }
        };
        any |= known;
    }
    any.then_some(change)
}

/// The change of a member that carries out the differences; none when it is as it shall be.
pub(super) fn modify_member(
    member: &Member,
    differences: &[Difference],
) -> Option<ModifyDbInstanceInputBuilder> {
    let found = member.instance.as_ref()?;
    let mut change = change_of_member(&member.id);
    let mut any = false;
    for (field, wanted) in applied(differences) {
        let other = |found: Option<&str>| !found.is_some_and(|found| found.eq_ignore_ascii_case(wanted));
        let mut known = true;
        change = match field {
            wishes::CLASS if other(found.db_instance_class()) => change.db_instance_class(wanted),
            wishes::WINDOW if other(found.preferred_maintenance_window()) => {
                change.preferred_maintenance_window(wanted)
            }
            wishes::AUTHORITY if other(found.ca_certificate_identifier()) => {
                change.ca_certificate_identifier(wanted)
            }
            wishes::PUBLIC if found.publicly_accessible().unwrap_or(false) != (wanted == "true") => {
                change.publicly_accessible(wanted == "true")
            }
            _ => {
                known = false;
                change
            }
        };
        any |= known;
    }
    any.then_some(change)
}
