//! From a wish to the service's requests. Pure.

use jiff::Timestamp;

use super::super::super::cloud::{UID, required};
use super::super::super::{DesiredServer, Difference, Rejection, ServerIdentity, Stage, sizes};
use super::super::fields::{self, on_off};
use super::super::model::Hidden;
use super::model::{PropertiesWrite, Server, ServerWrite, Sku, Storage};
use super::{CREATED, public_access, rules};
use crate::config::{AzureSingleClass, AzureSingleConfig};
use crate::secrets::Password;

/// A new server.
///
/// # Errors
/// What is refused about its size.
pub(super) fn create(
    identity: &ServerIdentity,
    desired: &DesiredServer<'_>,
    config: &AzureSingleConfig,
    password: &Password,
    now: Timestamp,
) -> Result<ServerWrite, Vec<Rejection>> {
    let (spec, azure) = (desired.spec, &config.azure);
    let size = sizes::single(config, spec.size.as_ref())?.size;
    let mut tags = required(desired.owner, &azure.tags);
    tags.insert(UID.to_owned(), desired.owner.uid.clone());
    tags.insert(CREATED.to_owned(), now.to_string());
    let parameters = &config.parameters;
    Ok(ServerWrite {
        location: Some(identity.region.clone().unwrap_or_else(|| azure.location.clone())),
        sku: Some(sku(size.sku)),
        tags: Some(tags),
        properties: PropertiesWrite {
            create_mode: Some("Default"),
            version: Some(version(spec.version.as_deref())),
            administrator_login: Some(azure.admin_username.clone()),
            administrator_login_password: Some(Hidden(password.clone())),
            ssl_enforcement: Some(on_off(true)),
            infrastructure_encryption: Some(parameters.infrastructure_encryption.into()),
            public_network_access: Some(on_off(public_access(config).unwrap_or(true))),
            storage_profile: Some(Storage {
                storage_mb: Some(size.storage_mb),
                storage_autogrow: Some(on_off(size.auto_grow)),
                backup_retention_days: Some(fields::first_retention(spec, &parameters.azure)),
                geo_redundant_backup: Some(on_off(fields::first_geo(spec, &parameters.azure))),
            }),
        },
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
    let mut write = ServerWrite::default();
    let mut any = false;
    for difference in differences.iter().filter(|difference| difference.is_applied_by(Stage::Update)) {
        let Some(wanted) = difference.wanted.as_deref() else { continue };
        let properties = &mut write.properties;
        // Disk and backups are one thing to the service: what does not change is sent along.
        let profile = || server.properties.storage_profile.clone().unwrap_or_default();
        match difference.field.as_str() {
            fields::STORAGE => {
                let gb: Option<u32> = wanted.parse().ok();
                let profile = properties.storage_profile.get_or_insert_with(profile);
                profile.storage_mb = gb.map(|gb| gb.saturating_mul(rules::MB_PER_GB));
            }
            fields::AUTO_GROW => {
                let profile = properties.storage_profile.get_or_insert_with(profile);
                profile.storage_autogrow = Some(wanted.to_owned());
            }
            fields::RETENTION => {
                let profile = properties.storage_profile.get_or_insert_with(profile);
                profile.backup_retention_days = wanted.parse().ok();
            }
            fields::SKU => {
                let sizing = sizes::single(config, desired.spec.size.as_ref());
                write.sku = sizing.ok().map(|sizing| sku(sizing.size.sku));
            }
            fields::NETWORK => {
                properties.public_network_access = Some(on_off(wanted == fields::PUBLIC));
            }
            field if field.starts_with(fields::TAG) => {
                let required = required(desired.owner, &config.azure.tags);
                write.tags = Some(fields::tags(server.tags.as_ref(), &required, None));
            }
            _ => continue,
        }
        any = true;
    }
    any.then_some(write)
}
