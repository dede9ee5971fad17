//! Sizes of Azure's single servers.

use super::azure::{Machines, class_within_limit, cores, cores_within_limit, storage_within_limit};
use super::wish::{STORAGE, Wish, rejection};
use super::{Sizing, both, class};
use crate::api::Size;
use crate::backend::Rejection;
use crate::config::{AzureSingleClass, AzureSingleConfig};

/// The original's choice, `GP_Gen5_<n>`: 5 GB of memory for each core
/// (<https://learn.microsoft.com/previous-versions/azure/postgresql/single-server/concepts-pricing-tiers>).
const MACHINES: Machines = Machines { cores: &[2, 4, 8, 16, 32, 64], default: 1, mb_per_core: 5120 };

const MB_PER_GB: u32 = 1024;
/// Storage comes in steps of 5120 MB.
const STEP_GB: u64 = 5;
/// What the original asked for where the user said nothing, although it let nobody ask for less than [`SMALLEST_GB`].
const DEFAULT_GB: u64 = 10;
const SMALLEST_GB: u64 = 100;
/// 16 TB, which is no whole number of steps.
const LARGEST_GB: u64 = 16384;

/// What a single server is asked to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleSize {
    /// The machine.
    pub sku: AzureSingleClass,
    /// Storage in MB, as the service counts it. It may be found larger.
    pub storage_mb: u32,
    /// Whether the storage grows by itself.
    pub auto_grow: bool,
}

/// The size of a single server.
///
/// # Errors
/// Everything that is refused about the wish.
pub fn single(config: &AzureSingleConfig, size: Option<&Size>) -> Result<Sizing<SingleSize>, Vec<Rejection>> {
    let wish = Wish::read(size)?;
    let mut warnings = Vec::new();
    let sku = sku(config, &wish, &mut warnings);
    let storage = storage(config, &wish, &mut warnings);
    wish.warn_of_bound(&mut warnings);
    let (sku, storage_mb) = both(sku, storage)?;
    Ok(Sizing { size: SingleSize { sku, storage_mb, auto_grow: wish.auto_grow }, warnings })
}

fn sku(
    config: &AzureSingleConfig,
    wish: &Wish<'_>,
    warnings: &mut Vec<String>,
) -> Result<AzureSingleClass, Rejection> {
    if let Some(class) = class::chosen(wish, &config.classes, config.default_class.as_deref(), warnings)? {
        class_within_limit(&config.azure, &class.name, Some(class.capacity))?;
        return Ok(class.clone());
    }
    let cores = cores(wish, &MACHINES, warnings);
    cores_within_limit(&config.azure, wish.cpu, cores)?;
    Ok(AzureSingleClass {
        name: format!("GP_Gen5_{cores}"),
        tier: "GeneralPurpose".to_owned(),
        family: "Gen5".to_owned(),
        capacity: cores,
    })
}

fn storage(
    config: &AzureSingleConfig,
    wish: &Wish<'_>,
    warnings: &mut Vec<String>,
) -> Result<u32, Rejection> {
    if let Some(wanted) = wish.storage_gb.filter(|wanted| !(SMALLEST_GB..=LARGEST_GB).contains(wanted)) {
        return Err(rejection(STORAGE, format!("found {wanted}, expected {SMALLEST_GB} to {LARGEST_GB}")));
    }
    let wanted = wish.storage_gb.unwrap_or(DEFAULT_GB);
    let storage_gb = wanted.next_multiple_of(STEP_GB).min(LARGEST_GB);
    storage_within_limit(&config.azure, wish.storage_gb, storage_gb)?;
    if wanted != storage_gb {
        warnings
            .push(format!("{STORAGE}: {wanted} GB are asked for, the next size on Azure is {storage_gb} GB"));
    }
    // At most LARGEST_GB, so that it fits.
    Ok(u32::try_from(storage_gb).unwrap_or(u32::MAX).saturating_mul(MB_PER_GB))
}
