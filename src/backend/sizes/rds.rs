//! Sizes of Amazon RDS.

use super::wish::{AUTO_GROW, MAX_STORAGE, STORAGE, Wish, rejection};
use super::{Sizing, class};
use crate::api::Size;
use crate::backend::Rejection;
use crate::config::{RdsClass, RdsConfig, RdsStorage};

/// Storage in GiB (<https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>).
const LARGEST_GB: u64 = 65536;
/// From this size on gp3 has more operations, and lets itself be given more
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html>).
const GP3_STRIPED_GB: u64 = 400;
const GP3_BASELINE_IOPS: u64 = 12_000;
const GP3_MOST_IOPS: u64 = 64_000;
/// MiB per second of gp3 from that size on, at least and at most; at most a quarter of the operations, too.
const GP3_THROUGHPUT: (u64, u64) = (500, 4_000);
/// What io1 and io2 have at least and at most.
const PROVISIONED_IOPS: (u64, u64) = (1_000, 256_000);

/// What a DB instance is asked to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdsSize {
    /// Instance type.
    pub instance_type: String,
    /// Kind of storage.
    pub storage_type: RdsStorage,
    /// Storage in GiB. It may be found larger.
    pub storage_gb: u32,
    /// Provisioned operations per second; nothing: not to be sent.
    pub iops: Option<u32>,
    /// Throughput in MiB per second; nothing: not to be sent.
    pub throughput: Option<u32>,
    /// Up to how many GiB the storage grows by itself; nothing: it does not.
    pub max_storage_gb: Option<u32>,
}

/// The size of a DB instance.
///
/// # Errors
/// Everything that is refused about the wish.
pub fn rds(config: &RdsConfig, size: Option<&Size>) -> Result<Sizing<RdsSize>, Vec<Rejection>> {
    let wish = Wish::read(size)?;
    let mut warnings = Vec::new();
    let instance_type = "db.m5.large".to_owned();
    let built_in = RdsClass { instance_type, storage_type: RdsStorage::default(), iops: 0, throughput: 0 };
    let class = class::needed(&wish, &config.classes, &config.default_class, &built_in, &mut warnings);
    let smallest = smallest(class.storage_type);
    let storage_gb = wish.storage_gb.unwrap_or(smallest);
    if !(smallest..=LARGEST_GB).contains(&storage_gb) {
        let storage: &str = class.storage_type.into();
        let message = format!(
            "found {storage_gb}, expected {smallest} to {LARGEST_GB} for storage of the type {storage}"
        );
        return Err(vec![rejection(STORAGE, message)]);
    }
    let iops = iops(class, storage_gb, &mut warnings);
    let throughput = throughput(class, storage_gb, iops, &mut warnings);
    let size = RdsSize {
        instance_type: class.instance_type.clone(),
        storage_type: class.storage_type,
        storage_gb: narrow(storage_gb),
        iops: iops.map(narrow),
        throughput: throughput.map(narrow),
        max_storage_gb: growth(&wish, storage_gb, &mut warnings).map(narrow),
    };
    Ok(Sizing { size, warnings })
}

fn smallest(storage: RdsStorage) -> u64 {
    match storage {
        RdsStorage::Gp2 | RdsStorage::Gp3 => 20,
        RdsStorage::Io1 | RdsStorage::Io2 => 100,
    }
}

/// The class's operations, brought to what this storage can be given. The original sent them as they are, and AWS
/// refused what does not fit.
fn iops(class: &RdsClass, storage_gb: u64, warnings: &mut Vec<String>) -> Option<u64> {
    let wanted = u64::from(class.iops);
    let (least, most) = match class.storage_type {
        RdsStorage::Gp3 if storage_gb >= GP3_STRIPED_GB && wanted > 0 => (GP3_BASELINE_IOPS, GP3_MOST_IOPS),
        RdsStorage::Gp2 | RdsStorage::Gp3 if wanted == 0 => return None,
        RdsStorage::Gp2 | RdsStorage::Gp3 => {
            warnings.push(format!(
                "{STORAGE}: the class's {wanted} operations per second have no effect; gp2 has none to choose, and gp3 only from {GP3_STRIPED_GB} GB on"
            ));
            return None;
        }
        // At least half an operation for each GiB; at most 50 of them, and 1000 on io2.
        storage => {
            let each = if storage == RdsStorage::Io1 { 50 } else { 1_000 };
            let (least, most) = PROVISIONED_IOPS;
            (least.max(storage_gb.div_ceil(2)), most.min(storage_gb * each))
        }
    };
    let iops = wanted.clamp(least, most);
    if iops != wanted {
        warnings.push(format!(
            "{STORAGE}: the class has {wanted} operations per second, {storage_gb} GB of this storage take {least} to {most}: {iops} are used"
        ));
    }
    Some(iops)
}

/// The class's throughput, likewise.
fn throughput(
    class: &RdsClass,
    storage_gb: u64,
    iops: Option<u64>,
    warnings: &mut Vec<String>,
) -> Option<u64> {
    let wanted = u64::from(class.throughput);
    if wanted == 0 {
        return None;
    }
    if class.storage_type != RdsStorage::Gp3 || storage_gb < GP3_STRIPED_GB {
        warnings.push(format!(
            "{STORAGE}: the class's throughput of {wanted} MiB per second has no effect; only gp3 has one to choose, from {GP3_STRIPED_GB} GB on"
        ));
        return None;
    }
    let (least, most) = GP3_THROUGHPUT;
    let most = most.min(iops.unwrap_or(GP3_BASELINE_IOPS) / 4);
    let throughput = wanted.clamp(least, most);
    if throughput != wanted {
        warnings.push(format!(
            "{STORAGE}: the class has a throughput of {wanted} MiB per second, its storage takes {least} to {most}: {throughput} are used"
        ));
    }
    Some(throughput)
}

/// How far storage grows by itself. AWS wants the bound at least a tenth above the size.
fn growth(wish: &Wish<'_>, storage_gb: u64, warnings: &mut Vec<String>) -> Option<u64> {
    let least = storage_gb + storage_gb.div_ceil(10);
    match (wish.auto_grow, wish.max_storage_gb) {
        (false, None) => None,
        (true, None) => {
            warnings.push(format!("{AUTO_GROW}: has no effect without maxStorageGB on this backend"));
            None
        }
        (false, Some(_)) => {
            warnings.push(format!("{MAX_STORAGE}: has no effect without storageAutoGrow"));
            None
        }
        (true, Some(wanted)) if wanted < least || least > LARGEST_GB => {
            warnings.push(format!(
                "{MAX_STORAGE}: storage does not grow by itself; found {wanted}, expected {least} to {LARGEST_GB}"
            ));
            None
        }
        (true, Some(wanted)) => {
            if wanted > LARGEST_GB {
                warnings
                    .push(format!("{MAX_STORAGE}: found {wanted}, {LARGEST_GB} are used, the most on AWS"));
            }
            Some(wanted.min(LARGEST_GB))
        }
    }
}

/// Everything here is at most [`PROVISIONED_IOPS`], so that it fits.
fn narrow(amount: u64) -> u32 {
    u32::try_from(amount).unwrap_or(u32::MAX)
}
