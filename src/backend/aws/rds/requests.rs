//! From a wish to the service's requests. Pure.

use aws_sdk_rds::operation::create_db_instance::builders::CreateDbInstanceInputBuilder;
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;
use aws_sdk_rds::types::DbInstance;

use super::super::super::{DesiredServer, Difference, Stage};
use super::super::settings::{RdsClass, RdsSettings};
use super::super::{tags, window};
use super::rules;

/// From here on gp3 takes `Iops` and `StorageThroughput`, in GB ("Amazon RDS DB instance storage", gp3 on PostgreSQL).
const GP3_PROVISIONED: i64 = 400;
/// As in the original.
const RETENTION_DAYS: i64 = 7;

/// A new instance; version and password are set by the caller.
pub(super) fn create(
    name: &str,
    desired: &DesiredServer<'_>,
    settings: &RdsSettings,
    class: &RdsClass,
) -> CreateDbInstanceInputBuilder {
    let spec = desired.spec;
    let storage = rules::storage_gb(spec).unwrap_or(rules::SMALLEST);
    let standby =
        spec.highavailability.as_ref().and_then(|availability| availability.enabled).unwrap_or(false);
    let asked = spec.maintenance.as_ref().and_then(|maintenance| maintenance.window.as_ref());
    let ids = &settings.security_group_ids;
    CreateDbInstanceInputBuilder::default()
        .db_instance_identifier(name)
        .engine("postgres")
        .db_instance_class(&class.instance_type)
        .allocated_storage(number(storage))
        .set_max_allocated_storage(
            rules::max_storage_gb(spec, storage).filter(|most| *most > storage).map(number),
        )
        .storage_type(&class.storage_type)
        .set_iops(iops(class, storage))
        .set_storage_throughput(throughput(class, storage))
        .storage_encrypted(true)
        .master_username(&settings.admin_username)
        .port(5432)
        .set_db_subnet_group_name(settings.subnet_group.clone())
        .set_vpc_security_group_ids((!ids.is_empty()).then(|| ids.clone()))
        .backup_retention_period(number(rules::retention(spec).unwrap_or(RETENTION_DAYS)))
        .multi_az(standby)
        .set_availability_zone(settings.availability_zone.clone().filter(|_| !standby))
        .set_preferred_maintenance_window(asked.and_then(window::of))
        .auto_minor_version_upgrade(true)
        .publicly_accessible(settings.public_access)
        .copy_tags_to_snapshot(true)
        .deletion_protection(settings.deletion_protection)
        .set_ca_certificate_identifier(settings.ca_certificate_identifier.clone())
        .set_tags(Some(tags::written(desired.owner, &settings.tags)))
}

/// The change of an instance that carries out the differences, tags and version apart; none when nothing is left.
pub(super) fn modify(
    desired: &DesiredServer<'_>,
    settings: &RdsSettings,
    instance: &DbInstance,
    differences: &[Difference],
) -> Option<ModifyDbInstanceInputBuilder> {
    let name = instance.db_instance_identifier().unwrap_or_default();
    let mut change =
        ModifyDbInstanceInputBuilder::default().db_instance_identifier(name).apply_immediately(true);
    let mut any = false;
    for difference in differences.iter().filter(|difference| difference.is_applied_by(Stage::Update)) {
        let Some(wanted) = difference.wanted.as_deref() else { continue };
        let amount = wanted.parse().ok();
        any |= difference.field != rules::VERSION && !difference.field.starts_with(rules::TAG);
        change = match difference.field.as_str() {
            rules::STORAGE => {
                let class = rules::class(desired.spec, settings);
                let storage = rules::storage_gb(desired.spec).unwrap_or_default();
                // Volumes with provisioned operations want their number along with the size.
                change
                    .set_allocated_storage(amount)
                    .set_iops(class.and_then(|class| iops(class, storage)))
                    .set_storage_throughput(class.and_then(|class| throughput(class, storage)))
            }
            rules::MAX_STORAGE => change.set_max_allocated_storage(amount),
            rules::CLASS => change.db_instance_class(wanted),
            rules::MULTI_AZ => change.multi_az(wanted == "true"),
            rules::RETENTION => change.set_backup_retention_period(amount),
            rules::WINDOW => change.preferred_maintenance_window(wanted),
            rules::GROUPS => change.set_vpc_security_group_ids(Some(settings.security_group_ids.clone())),
            rules::PUBLIC => change.publicly_accessible(wanted == "true"),
            rules::CA => change.ca_certificate_identifier(wanted),
            rules::PROTECTION => change.deletion_protection(true),
            _ => change,
        };
    }
    any.then_some(change)
}

fn iops(class: &RdsClass, storage: i64) -> Option<i32> {
    class.iops.filter(|iops| *iops > 0 && takes_numbers(class, storage))
}

fn throughput(class: &RdsClass, storage: i64) -> Option<i32> {
    let is_gp3 = class.storage_type == "gp3";
    class.storage_throughput.filter(|number| *number > 0 && is_gp3 && takes_numbers(class, storage))
}

fn takes_numbers(class: &RdsClass, storage: i64) -> bool {
    match class.storage_type.as_str() {
        "gp3" => storage >= GP3_PROVISIONED,
        kind => kind.starts_with("io"),
    }
}

fn number(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
