//! From a wish to the service's requests. Pure.

use jiff::Timestamp;

use super::super::super::{DesiredServer, Difference, Rejection, sizes};
use super::super::fields::{self, on_off};
use super::super::model::{self, Sku};
use super::super::requests;
use super::model::{MB_PER_GB, PropertiesWrite, Server, ServerWrite, Storage};
use super::{CREATED, public_access, rules};
use crate::config::{AzureSingleClass, AzureSingleConfig};

/// What a new server is, besides what servers of both services are.
///
/// # Errors
/// What is refused about its size.
pub(super) fn create(
    desired: &DesiredServer<'_>,
    config: &AzureSingleConfig,
    now: Timestamp,
) -> Result<ServerWrite, Vec<Rejection>> {
    let spec = desired.spec;
    let size = sizes::single(config, spec.size.as_ref())?.size;
    let parameters = &config.parameters;
    let own = PropertiesWrite {
        ssl_enforcement: Some(on_off(true)),
        infrastructure_encryption: Some(parameters.infrastructure_encryption.into()),
        public_network_access: Some(on_off(public_access(config).unwrap_or(true))),
        storage_profile: Some(Storage {
            storage_mb: Some(size.storage_mb),
            storage_autogrow: Some(on_off(size.auto_grow)),
            backup_retention_days: Some(fields::first_retention(spec, &parameters.azure)),
            geo_redundant_backup: Some(on_off(fields::first_geo(spec, &parameters.azure))),
        }),
    };
    Ok(ServerWrite {
        sku: Some(sku(size.sku)),
        tags: Some([(CREATED.to_owned(), now.to_string())].into()),
        properties: model::PropertiesWrite {
            create_mode: Some("Default"),
            version: Some(version(spec.version.as_deref()).to_owned()),
            own,
            ..model::PropertiesWrite::default()
        },
        ..ServerWrite::default()
    })
}

fn sku(class: AzureSingleClass) -> Sku {
    let AzureSingleClass { name, tier, family, capacity } = class;
    Sku { name, tier, family: Some(family), capacity: Some(capacity) }
}

/// As by the original.
fn version(asked: Option<&str>) -> &'static str {
    match asked.and_then(rules::known_version) {
        Some(10) => "10.2",
        _ => "11",
    }
}

/// The change of a server that carries out the differences; none when nothing is left.
pub(super) fn change(
    desired: &DesiredServer<'_>,
    config: &AzureSingleConfig,
    server: &Server,
    differences: &[Difference],
) -> Option<ServerWrite> {
    let put = |write: &mut ServerWrite, field: &str, wanted: &str| {
        let own = &mut write.properties.own;
        // Disk and backups are one thing to the service: what does not change is sent along.
        let profile = || server.properties.own.storage_profile.clone().unwrap_or_default();
        match field {
            fields::STORAGE => {
                let gb: Option<u32> = wanted.parse().ok();
                let mb = gb.map(|gb| gb.saturating_mul(MB_PER_GB));
                own.storage_profile.get_or_insert_with(profile).storage_mb = mb;
            }
            fields::AUTO_GROW => {
                let grows = Some(wanted.to_owned());
                own.storage_profile.get_or_insert_with(profile).storage_autogrow = grows;
            }
            fields::RETENTION => {
                let days = wanted.parse().ok();
                own.storage_profile.get_or_insert_with(profile).backup_retention_days = days;
            }
            fields::SKU => {
                let sizing = sizes::single(config, desired.spec.size.as_ref());
                write.sku = sizing.ok().map(|sizing| sku(sizing.size.sku));
            }
            fields::NETWORK => own.public_network_access = Some(on_off(wanted == fields::PUBLIC)),
            _ => {}
        }
    };
    requests::change(desired, &config.azure, server, differences, put)
}
