//! From a wish to the service's requests. Pure.

use aws_sdk_rds::operation::create_db_instance::builders::CreateDbInstanceInputBuilder;
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;
use aws_sdk_rds::types::DbInstance;

use super::super::super::sizes::RdsSize;
use super::super::super::{DesiredServer, Difference, Stage};
use super::super::engine::Engine;
use super::super::{tags, wishes};
use super::rules;
use crate::config::RdsConfig;

/// A new instance; version, password and parameter group are set by the caller.
pub(super) fn create(
    name: &str,
    desired: &DesiredServer<'_>,
    config: &RdsConfig,
    size: &RdsSize,
) -> CreateDbInstanceInputBuilder {
    let (spec, aws) = (desired.spec, &config.aws);
    let standby = wishes::standby(spec).unwrap_or(false);
    let ids = &aws.vpc_security_group_ids;
    let default = i64::from(config.parameters.backup_retention_days);
    let retention = wishes::retention(spec).unwrap_or(default);
    CreateDbInstanceInputBuilder::default()
        .db_instance_identifier(name)
        .engine(Engine::Rds.name())
        .db_instance_class(&size.instance_type)
        .allocated_storage(number(size.storage_gb))
        .set_max_allocated_storage(size.max_storage_gb.map(number))
        .storage_type(<&str>::from(size.storage_type))
        .set_iops(size.iops.map(number))
        .set_storage_throughput(size.throughput.map(number))
        .storage_encrypted(true)
        .master_username(&aws.admin_username)
        .port(5432)
        .db_subnet_group_name(&aws.subnet_group)
        .set_vpc_security_group_ids((!ids.is_empty()).then(|| ids.clone()))
        .set_backup_retention_period(i32::try_from(retention).ok())
        .multi_az(standby)
        .set_availability_zone(config.availability_zone.clone().filter(|_| !standby))
        .set_preferred_maintenance_window(wishes::asked_window(spec))
        .auto_minor_version_upgrade(true)
        .publicly_accessible(aws.network.public_access)
        .set_ca_certificate_identifier(aws.ca_certificate.clone())
        .copy_tags_to_snapshot(true)
        .deletion_protection(aws.deletion_protection)
        .set_tags(Some(tags::written(desired.owner, &aws.tags)))
}

/// A change that is carried out at once: what has to wait is not asked for yet.
pub(super) fn change_of(name: &str) -> ModifyDbInstanceInputBuilder {
    ModifyDbInstanceInputBuilder::default().db_instance_identifier(name).apply_immediately(true)
}

/// The change of an instance that carries out the differences, tags and version apart; none when nothing is left.
pub(super) fn modify(
    desired: &DesiredServer<'_>,
    config: &RdsConfig,
    instance: &DbInstance,
    differences: &[Difference],
) -> Option<ModifyDbInstanceInputBuilder> {
    let mut change = change_of(instance.db_instance_identifier().unwrap_or_default());
    let (mut any, mut storage) = (false, false);
    let there = instance.allocated_storage().map_or(0, i64::from);
    for difference in differences.iter().filter(|difference| difference.is_applied_by(Stage::Update)) {
        let Some(wanted) = difference.wanted.as_deref() else { continue };
        let amount = wanted.parse().ok();
        let mut known = true;
        change = match difference.field.as_str() {
            rules::STORAGE => {
                storage = true;
                change.set_allocated_storage(amount)
            }
            wishes::STORAGE_TYPE => {
                storage = true;
                change.storage_type(wanted)
            }
            rules::IOPS | rules::THROUGHPUT => {
                storage = true;
                change
            }
            // The service's way to switch it off (API reference, `MaxAllocatedStorage`).
            rules::MAX_STORAGE if wanted == rules::OFF => {
                let target = rules::storage_gb(desired.spec).unwrap_or_default().max(there);
                change.set_max_allocated_storage(i32::try_from(target).ok())
            }
            rules::MAX_STORAGE => change.set_max_allocated_storage(amount),
            wishes::CLASS => change.db_instance_class(wanted),
            wishes::STANDBY => change.multi_az(wanted == "true"),
            wishes::RETENTION => change.set_backup_retention_period(amount),
            wishes::WINDOW => change.preferred_maintenance_window(wanted),
            wishes::GROUPS => {
                change.set_vpc_security_group_ids(Some(config.aws.vpc_security_group_ids.clone()))
            }
            wishes::PUBLIC => change.publicly_accessible(wanted == "true"),
            wishes::AUTHORITY => change.ca_certificate_identifier(wanted),
            wishes::PROTECTION => change.deletion_protection(true),
            _ => {
                known = false;
                change
            }
        };
        any |= known;
    }
    if storage {
        // Volumes with provisioned operations want their number along with every change.
        let size = rules::size_of_found(desired.spec, config, there);
        let (iops, throughput) = size.map_or((None, None), |size| (size.iops, size.throughput));
        change = change.set_iops(iops.map(number)).set_storage_throughput(throughput.map(number));
    }
    any.then_some(change)
}

fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
