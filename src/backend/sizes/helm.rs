//! Sizes of servers that a chart makes in the cluster.

use super::wish::Wish;
use super::{Sizing, class};
use crate::api::Size;
use crate::backend::Rejection;
use crate::config::{HelmBitnamiConfig, HelmYugabyteConfig, PodSize, YugabyteClass};

/// What the original asked for where the user said nothing.
const DEFAULT_CPU: u64 = 1;
const DEFAULT_MEMORY_MI: u64 = 256;
const DEFAULT_STORAGE_GI: u64 = 10;

/// What a release of Bitnami's chart is asked to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitnamiSize {
    /// Requests and limits of the pod.
    pub pod: PodSize,
    /// Size of the volume, as a quantity of Kubernetes. It is fixed when the release is made.
    pub storage: String,
}

/// What a release of Yugabyte's chart is asked to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YugabyteSize {
    /// Requests and limits of both kinds of pods.
    pub pods: YugabyteClass,
    /// Size of each volume, as a quantity of Kubernetes. It is fixed when the release is made.
    pub storage: String,
}

/// The size of a release of Bitnami's chart.
///
/// # Errors
/// Everything that is refused about the wish.
pub fn bitnami(
    config: &HelmBitnamiConfig,
    size: Option<&Size>,
) -> Result<Sizing<BitnamiSize>, Vec<Rejection>> {
    let wish = Wish::read(size)?;
    let mut warnings = Vec::new();
    let class = class::chosen(&wish, &config.classes, config.default_class.as_deref(), &mut warnings)
        .map_err(|refused| vec![refused])?;
    wish.warn_of_growth(&mut warnings);
    let pod = class.cloned().unwrap_or_else(|| pod(&wish));
    Ok(Sizing { size: BitnamiSize { pod, storage: storage(&wish) }, warnings })
}

/// The size of a release of Yugabyte's chart.
///
/// # Errors
/// Everything that is refused about the wish.
pub fn yugabyte(
    config: &HelmYugabyteConfig,
    size: Option<&Size>,
) -> Result<Sizing<YugabyteSize>, Vec<Rejection>> {
    let wish = Wish::read(size)?;
    let mut warnings = Vec::new();
    let class = class::chosen(&wish, &config.classes, config.default_class.as_deref(), &mut warnings)
        .map_err(|refused| vec![refused])?;
    wish.warn_of_growth(&mut warnings);
    let pods = class.cloned().unwrap_or_else(|| YugabyteClass { master: pod(&wish), tserver: pod(&wish) });
    Ok(Sizing { size: YugabyteSize { pods, storage: storage(&wish) }, warnings })
}

/// As in the original, MB and GB of the wish count as Mi and Gi.
fn pod(wish: &Wish<'_>) -> PodSize {
    PodSize {
        cpu: wish.cpu.unwrap_or(DEFAULT_CPU).to_string(),
        memory: format!("{}Mi", wish.memory_mb.unwrap_or(DEFAULT_MEMORY_MI)),
    }
}

fn storage(wish: &Wish<'_>) -> String {
    format!("{}Gi", wish.storage_gb.unwrap_or(DEFAULT_STORAGE_GI))
}
