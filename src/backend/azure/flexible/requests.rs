//! From a wish to the service's requests. Pure.

use super::super::super::cloud::{UID, required};
use super::super::super::{DesiredServer, Difference, Rejection, ServerIdentity, Stage, sizes};
use super::super::fields::{self, on_off};
use super::super::identity::{escaped, group};
use super::super::model::Hidden;
use super::model::{Backup, HighAvailability, Network, PropertiesWrite, Server, ServerWrite, Sku, Storage};
use super::rules;
use crate::config::{AzureFlexibleConfig, HighAvailabilityMode};
use crate::secrets::Password;

/// The newest major version that the service has in [`super::model::API_VERSION`].
const NEWEST: &str = "18";

/// A new server.
///
/// # Errors
/// What is refused about its size.
pub(super) fn create(
    identity: &ServerIdentity,
    desired: &DesiredServer<'_>,
    config: &AzureFlexibleConfig,
    password: &Password,
) -> Result<ServerWrite, Vec<Rejection>> {
    let (spec, azure) = (desired.spec, &config.azure);
    let size = sizes::flexible(config, spec.size.as_ref())?.size;
    let geo = fields::first_geo(spec, &config.parameters);
    let standby =
        spec.highavailability.as_ref().and_then(|availability| availability.enabled).unwrap_or(false);
    let mut tags = required(desired.owner, &azure.tags);
    tags.insert(UID.to_owned(), desired.owner.uid.clone());
    let zone = Some(config.availability_zone.clone()).filter(|zone| !zone.is_empty());
    let version = spec.version.as_deref().and_then(fields::major).unwrap_or(NEWEST);
    Ok(ServerWrite {
        location: Some(identity.region.clone().unwrap_or_else(|| azure.location.clone())),
        sku: Some(Sku { name: size.sku.name, tier: size.sku.tier }),
        tags: Some(tags),
        properties: PropertiesWrite {
            create_mode: Some("Create"),
            version: Some(version.to_owned()),
            administrator_login: Some(azure.admin_username.clone()),
            administrator_login_password: Some(Hidden(password.clone())),
            availability_zone: zone,
            storage: Some(Storage {
                storage_size_gb: Some(size.storage_gb),
                auto_grow: Some(on_off(size.auto_grow)),
            }),
            backup: Some(Backup {
                backup_retention_days: Some(fields::first_retention(spec, &config.parameters)),
                geo_redundant_backup: Some(on_off(geo)),
            }),
            network: Some(network(identity, config)),
            high_availability: standby.then(|| high_availability(config, true)),
            maintenance_window: rules::window(spec).map(rules::service_window),
        },
    })
}

/// Whether new servers can be reached from outside their network.
pub(super) fn is_public(config: &AzureFlexibleConfig) -> bool {
    config.network.public_access.unwrap_or(true)
}

fn network(identity: &ServerIdentity, config: &AzureFlexibleConfig) -> Network {
    if is_public(config) {
        return Network { public_network_access: Some(on_off(true)), ..Network::default() };
    }
    let azure = &config.azure;
    let own = group(azure, identity);
    let subnet = azure.virtual_network.as_deref().zip(azure.subnet.as_deref()).map(|(network, subnet)| {
        let (network, subnet) = (escaped(network), escaped(subnet));
        format!("{own}/providers/Microsoft.Network/virtualNetworks/{network}/subnets/{subnet}")
    });
    let zone = config.dns_zone.as_ref().map(|zone| {
        let place = ServerIdentity {
            group: zone.resource_group.clone().or_else(|| identity.group.clone()),
            ..identity.clone()
        };
        format!(
            "{}/providers/Microsoft.Network/privateDnsZones/{}",
            group(azure, &place),
            escaped(&zone.name)
        )
    });
    Network {
        delegated_subnet_resource_id: subnet,
        private_dns_zone_arm_resource_id: zone,
        public_network_access: None,
    }
}

fn high_availability(config: &AzureFlexibleConfig, on: bool) -> HighAvailability {
    let elsewhere = on && config.high_availability_mode == HighAvailabilityMode::ZoneRedundant;
    let zone = Some(config.standby_availability_zone.clone()).filter(|zone| elsewhere && !zone.is_empty());
    let mode = if on { rules::mode(config) } else { fields::OFF };
    HighAvailability { mode: Some(mode.to_owned()), standby_availability_zone: zone }
}

/// The change of a server that carries out the differences; none when nothing is left. A change of the version stands
/// alone, after all others.
pub(super) fn change(
    desired: &DesiredServer<'_>,
    config: &AzureFlexibleConfig,
    server: &Server,
    differences: &[Difference],
) -> Option<ServerWrite> {
    let mut write = ServerWrite::default();
    let mut any = false;
    let mut version = None;
    for difference in differences.iter().filter(|difference| difference.is_applied_by(Stage::Update)) {
        let Some(wanted) = difference.wanted.as_deref() else { continue };
        let properties = &mut write.properties;
        let storage = || properties_storage(server);
        match difference.field.as_str() {
            fields::STORAGE => {
                let storage = properties.storage.get_or_insert_with(storage);
                storage.storage_size_gb = wanted.parse().ok();
            }
            fields::AUTO_GROW => {
                properties.storage.get_or_insert_with(storage).auto_grow = Some(wanted.to_owned());
            }
            fields::SKU => {
                let parts = fields::sku_parts(wanted);
                write.sku = parts.map(|(name, tier)| Sku { name: name.to_owned(), tier: tier.to_owned() });
            }
            rules::STANDBY => {
                properties.high_availability = Some(high_availability(config, wanted != fields::OFF));
            }
            fields::RETENTION => {
                let days = Backup { backup_retention_days: wanted.parse().ok(), ..Backup::default() };
                properties.backup = Some(days);
            }
            rules::WINDOW => {
                properties.maintenance_window = rules::window(desired.spec).map(rules::service_window);
            }
            fields::VERSION => {
                version = Some(wanted.to_owned());
                continue;
            }
            field if field.starts_with(fields::TAG) => {
                let required = required(desired.owner, &config.azure.tags);
                write.tags = Some(fields::tags(server.tags.as_ref(), &required, None));
            }
            _ => continue,
        }
        any = true;
    }
    if any {
        return Some(write);
    }
    let properties = PropertiesWrite {
        create_mode: Some("Update"),
        version: Some(version?),
        ..PropertiesWrite::default()
    };
    Some(ServerWrite { properties, ..ServerWrite::default() })
}

/// Size and growth of a disk are one thing to the service: both are sent.
fn properties_storage(server: &Server) -> Storage {
    server.properties.storage.clone().unwrap_or_default()
}
