//! Sizes of Azure's flexible servers.

use super::azure::{Machines, class_within_limit, cores, cores_within_limit, storage_within_limit};
use super::wish::{STORAGE, Wish, rejection};
use super::{Sizing, both, class};
use crate::api::Size;
use crate::backend::Rejection;
use crate::config::{AzureFlexibleClass, AzureFlexibleConfig};

/// The original's choice, `Standard_D<n>ds_v4`: 4 GiB of memory for each core
/// (<https://learn.microsoft.com/azure/virtual-machines/ddv4-ddsv4-series>).
const MACHINES: Machines = Machines { cores: &[2, 4, 8, 16, 32, 48, 64], default: 2, mb_per_core: 4096 };

/// Sizes of Premium SSD in GiB
/// (<https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-storage>).
const STORAGE_GB: [u32; 12] = [32, 64, 128, 256, 512, 1024, 2048, 4095, 4096, 8192, 16384, 32767];

/// What a flexible server is asked to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlexibleSize {
    /// Name and tier of the machine.
    pub sku: AzureFlexibleClass,
    /// Storage in GiB; one of the sizes that Azure has. It may be found larger.
    pub storage_gb: u32,
    /// Whether the storage grows by itself.
    pub auto_grow: bool,
}

/// The size of a flexible server.
///
/// # Errors
/// Everything that is refused about the wish.
pub fn flexible(
    config: &AzureFlexibleConfig,
    size: Option<&Size>,
) -> Result<Sizing<FlexibleSize>, Vec<Rejection>> {
    let wish = Wish::read(size)?;
    let mut warnings = Vec::new();
    let sku = sku(config, &wish, &mut warnings);
    let storage = storage(config, &wish, &mut warnings);
    wish.warn_of_bound(&mut warnings);
    let (sku, storage_gb) = both(sku, storage)?;
    Ok(Sizing { size: FlexibleSize { sku, storage_gb, auto_grow: wish.auto_grow }, warnings })
}

fn sku(
    config: &AzureFlexibleConfig,
    wish: &Wish<'_>,
    warnings: &mut Vec<String>,
) -> Result<AzureFlexibleClass, Rejection> {
    if let Some(class) = class::chosen(wish, &config.classes, config.default_class.as_deref(), warnings)? {
        class_within_limit(&config.azure, &class.name, cores_of(&class.name))?;
        return Ok(class.clone());
    }
    let cores = cores(wish, &MACHINES, warnings);
    cores_within_limit(&config.azure, wish.cpu, cores)?;
    Ok(AzureFlexibleClass { name: format!("Standard_D{cores}ds_v4"), tier: "GeneralPurpose".to_owned() })
}

/// Rounded up to a size there is. The original passed on what was asked for, and Azure refused it.
fn storage(
    config: &AzureFlexibleConfig,
    wish: &Wish<'_>,
    warnings: &mut Vec<String>,
) -> Result<u32, Rejection> {
    let (smallest, largest) = (STORAGE_GB[0], STORAGE_GB[STORAGE_GB.len() - 1]);
    let wanted = wish.storage_gb.unwrap_or(smallest.into());
    let fitting = STORAGE_GB.into_iter().find(|gb| u64::from(*gb) >= wanted);
    let Some(storage_gb) = fitting.filter(|_| wanted >= smallest.into()) else {
        return Err(rejection(STORAGE, format!("found {wanted}, expected {smallest} to {largest}")));
    };
    storage_within_limit(&config.azure, wish.storage_gb, storage_gb.into())?;
    if wanted != u64::from(storage_gb) {
        warnings
            .push(format!("{STORAGE}: {wanted} GB are asked for, the next size on Azure is {storage_gb} GB"));
    }
    Ok(storage_gb)
}

/// Cores by the name of a machine, for the families that flexible servers have: `Standard_B1ms`, `Standard_D4ds_v5`,
/// `Standard_E96ads_v5`, `Standard_DC4ads_v5`
/// (<https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions>). Nothing for names of another form.
fn cores_of(name: &str) -> Option<u32> {
    let series = name.strip_prefix("Standard_")?.strip_prefix(['B', 'D', 'E'])?;
    let series = series.strip_prefix('C').unwrap_or(series);
    let end = series.find(|c: char| !c.is_ascii_digit()).unwrap_or(series.len());
    let (digits, rest) = series.split_at(end);
    // Of `Standard_E4-2s_v5` not all cores are there.
    digits.parse().ok().filter(|cores| *cores > 0 && !rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Standard_B1ms", Some(1))]
    #[case("Standard_B20ms", Some(20))]
    #[case("Standard_D2s_v3", Some(2))]
    #[case("Standard_D48ds_v4", Some(48))]
    #[case("Standard_E96ads_v5", Some(96))]
    #[case("Standard_DC4ads_v5", Some(4))]
    #[case("Standard_DS3_v2", None)]
    #[case("Standard_E4-2s_v5", None)]
    #[case("Standard_F4s", None)]
    #[case("Standard_D", None)]
    #[case("Standard_D0s", None)]
    #[case("Standard_D99999999999s", None)]
    #[case("GP_Gen5_2", None)]
    fn cores_are_read_from_names_of_the_known_form_only(#[case] name: &str, #[case] cores: Option<u32>) {
        assert_eq!(cores_of(name), cores);
    }
}
