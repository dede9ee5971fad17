//! What RDS does not do, or does otherwise, though a spec may ask for it. Pure.

use super::super::super::{Rejection, sizes};
use crate::api::PostgreSQLServerSpec;
use crate::config::RdsConfig;

/// What has no effect here, field by field.
pub(super) fn of(spec: &PostgreSQLServerSpec, config: &RdsConfig) -> Vec<Rejection> {
    let rules = spec.network.as_ref().is_some_and(|network| !network.firewall_rules.is_empty());
    let elsewhere = spec.backup.as_ref().is_some_and(|backup| backup.geo_redundant == Some(true));
    let asked = [
        (rules, "network.firewallRules", "on AWS the administrator's security groups say who gets in"),
        (elsewhere, "backup.geoRedundant", "backups on AWS stay in the region"),
    ];
    let asked = asked.into_iter().filter(|(asked, ..)| *asked);
    let mut left_out: Vec<Rejection> = asked
        .map(|(_, field, message)| Rejection { field: field.to_owned(), message: message.to_owned() })
        .collect();
    // Where the size is refused, that is told instead.
    let sizing = sizes::rds(config, spec.size.as_ref());
    left_out.extend(sizing.map_or_else(|_| Vec::new(), |sizing| sizing.warned()));
    left_out
}
