//! What both services on Azure have in common: cores in steps, and the administrator's limits.

use super::wish::{CLASS, CPU, MEMORY, STORAGE, Wish, rejection};
use crate::backend::Rejection;
use crate::config::AzureConfig;

/// The machines of a service.
pub(super) struct Machines {
    /// How many cores there are to choose from, rising.
    pub(super) cores: &'static [u32],
    /// Cores of who asks for none.
    pub(super) default: u64,
    /// Memory of each core.
    pub(super) mb_per_core: u64,
}

/// Cores of the smallest machine with at least the wanted ones, or of the largest there is.
pub(super) fn cores(wish: &Wish<'_>, machines: &Machines, warnings: &mut Vec<String>) -> u32 {
    let wanted = wish.cpu.unwrap_or(machines.default);
    let largest = machines.cores.last().copied().unwrap_or_default();
    let fitting = machines.cores.iter().copied().find(|cores| u64::from(*cores) >= wanted);
    let cores = fitting.unwrap_or(largest);
    if fitting.is_none() {
        warnings.push(format!("{CPU}: {wanted} cores are asked for, {cores} are the most there are"));
    } else if wish.cpu.is_some_and(|wanted| wanted != u64::from(cores)) {
        warnings.push(format!("{CPU}: {wanted} cores are asked for, the next machine has {cores}"));
    }
    let memory = u64::from(cores) * machines.mb_per_core;
    if let Some(wanted) = wish.memory_mb.filter(|wanted| *wanted > memory) {
        warnings.push(format!(
            "{MEMORY}: {wanted} MB are asked for; memory comes with the cores, and {cores} cores have {memory} MB"
        ));
    }
    cores
}

/// Refuses cores beyond the limit, be it in the wish or in what becomes of it.
pub(super) fn cores_within_limit(
    azure: &AzureConfig,
    wanted: Option<u64>,
    cores: u32,
) -> Result<(), Rejection> {
    let limit = azure.cpu_limit;
    if limit == 0 || u64::from(cores).max(wanted.unwrap_or_default()) <= limit.into() {
        return Ok(());
    }
    Err(rejection(CPU, beyond(wanted, cores.into(), limit.into(), "cores")))
}

/// Refuses a class beyond the limit, or one of which that cannot be told. The original let classes pass.
pub(super) fn class_within_limit(
    azure: &AzureConfig,
    sku: &str,
    cores: Option<u32>,
) -> Result<(), Rejection> {
    match (azure.cpu_limit, cores) {
        (0, _) => Ok(()),
        (limit, Some(cores)) if cores <= limit => Ok(()),
        (limit, Some(cores)) => Err(rejection(
            CLASS,
            format!(
                "found a class of {cores} cores ({sku}), expected at most {limit}, the limit in the operator's configuration"
            ),
        )),
        (limit, None) => Err(rejection(
            CLASS,
            format!(
                "found a class ({sku}) whose cores cannot be told from its name, expected at most {limit}, the limit in the operator's configuration"
            ),
        )),
    }
}

/// Refuses storage beyond the limit, be it in the wish or in what becomes of it.
pub(super) fn storage_within_limit(
    azure: &AzureConfig,
    wanted: Option<u64>,
    storage_gb: u64,
) -> Result<(), Rejection> {
    let limit = u64::from(azure.storage_limit_gb);
    if limit == 0 || storage_gb.max(wanted.unwrap_or_default()) <= limit {
        return Ok(());
    }
    Err(rejection(STORAGE, beyond(wanted, storage_gb, limit, "GB")))
}

fn beyond(wanted: Option<u64>, given: u64, limit: u64, unit: &str) -> String {
    let found = match wanted {
        None => format!("found nothing, which means {given} {unit}"),
        Some(wanted) if wanted >= given => format!("found {wanted}"),
        Some(wanted) => format!("found {wanted}, which becomes {given} {unit}"),
    };
    format!("{found}, expected at most {limit}, the limit in the operator's configuration")
}
