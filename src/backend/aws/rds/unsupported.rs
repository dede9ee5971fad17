//! What RDS does not do, or does otherwise, though a spec may ask for it. Pure.

use super::super::super::{Rejection, sizes};
use super::super::wishes;
use crate::api::PostgreSQLServerSpec;
use crate::config::RdsConfig;

/// What has no effect here, field by field.
pub(super) fn of(spec: &PostgreSQLServerSpec, config: &RdsConfig) -> Vec<Rejection> {
    let mut left_out = wishes::unsupported(spec);
    // Where the size is refused, that is told instead.
    let sizing = sizes::rds(config, spec.size.as_ref());
    left_out.extend(sizing.map_or_else(|_| Vec::new(), |sizing| sizing.warned()));
    left_out
}
