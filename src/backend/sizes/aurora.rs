//! Sizes of Amazon Aurora.

use super::wish::{CLASS, Wish};
use super::{Sizing, class};
use crate::api::Size;
use crate::backend::Rejection;
use crate::config::{AuroraClass, AuroraConfig, AuroraScaling, AuroraStorage};

/// The instance type whose size changes with the load.
const SERVERLESS: &str = "db.serverless";

/// What a cluster and its member are asked to be. There is no storage size: it grows by itself, and only what is used is
/// paid for.
#[derive(Clone, Debug, PartialEq)]
pub struct AuroraSize {
    /// Instance type of the member.
    pub instance_type: String,
    /// Kind of storage.
    pub storage_type: AuroraStorage,
    /// How far a serverless cluster scales; nothing for other instance types.
    pub scaling: Option<AuroraScaling>,
}

/// The size of a cluster.
///
/// # Errors
/// Everything that is refused about the wish.
pub fn aurora(config: &AuroraConfig, size: Option<&Size>) -> Result<Sizing<AuroraSize>, Vec<Rejection>> {
    let wish = Wish::read(size)?;
    let mut warnings = Vec::new();
    let built_in = AuroraClass {
        instance_type: "db.m5.large".to_owned(),
        scaling_configuration: None,
        storage_type: AuroraStorage::default(),
        iops: 0,
    };
    let class = class::needed(&wish, &config.classes, &config.default_class, &built_in, &mut warnings);
    if class.iops > 0 {
        warnings.push(format!(
            "{CLASS}: the class's {} operations per second have no effect, storage of Aurora has none to choose",
            class.iops
        ));
    }
    wish.warn_of_bound(&mut warnings);
    // AWS refuses a serverless member in a cluster that was not told how far to scale.
    let scaling =
        (class.instance_type == SERVERLESS).then(|| class.scaling_configuration.unwrap_or_default());
    let size =
        AuroraSize { instance_type: class.instance_type.clone(), storage_type: class.storage_type, scaling };
    Ok(Sizing { size, warnings })
}
