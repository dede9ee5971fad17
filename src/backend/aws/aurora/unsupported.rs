//! What Aurora does not do, or does otherwise, though a spec may ask for it. Pure.

use super::super::super::{Rejection, sizes};
use super::super::wishes;
use crate::api::PostgreSQLServerSpec;
use crate::config::AuroraConfig;

/// What has no effect here, field by field.
pub(super) fn of(spec: &PostgreSQLServerSpec, config: &AuroraConfig) -> Vec<Rejection> {
    let mut left_out = wishes::unsupported(spec);
    let size = spec.size.as_ref();
    if size.is_some_and(|size| size.storage_gb.is_some()) {
        left_out.push(Rejection {
            field: "size.storageGB".to_owned(),
            message: "storage of Aurora grows by itself, and only what is used is paid for".to_owned(),
        });
    }
    if size.is_some_and(|size| size.storage_auto_grow == Some(false)) {
        left_out.push(Rejection {
            field: "size.storageAutoGrow".to_owned(),
            message: "storage of Aurora always grows by itself".to_owned(),
        });
    }
    // Where the size is refused, that is told instead.
    let sizing = sizes::aurora(config, size);
    left_out.extend(sizing.map_or_else(|_| Vec::new(), |sizing| sizing.warned()));
    left_out
}
