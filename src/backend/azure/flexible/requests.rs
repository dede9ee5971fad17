//! From a wish to the service's requests. Pure.

use super::super::super::{DesiredServer, Difference, Rejection, ServerIdentity, Stage, sizes};
use super::super::fields::{self, on_off};
use super::super::identity::{escaped, group};
use super::super::model::{self, Sku};
use super::super::requests;
use super::model::{Backup, HighAvailability, Network, PropertiesWrite, Server, ServerWrite, Storage};
use super::rules;
use crate::config::{AzureFlexibleConfig, HighAvailabilityMode};

/// The newest major version that the service has in [`super::model::API_VERSION`].
const NEWEST: &str = "18";

/// What a new server is, besides what servers of both services are.
///
/// # Errors
/// What is refused about its size.
pub(super) fn create(
    identity: &ServerIdentity,
    desired: &DesiredServer<'_>,
    config: &AzureFlexibleConfig,
) -> Result<ServerWrite, Vec<Rejection>> {
    let spec = desired.spec;
    let size = sizes::flexible(config, spec.size.as_ref())?.size;
    let geo = fields::first_geo(spec, &config.parameters);
    let standby =
        spec.highavailability.as_ref().and_then(|availability| availability.enabled).unwrap_or(false);
    let zone = Some(config.availability_zone.clone()).filter(|zone| !zone.is_empty());
    let version = spec.version.as_deref().and_then(fields::major).unwrap_or(NEWEST);
    let own = PropertiesWrite {
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
    };
    let properties = model::PropertiesWrite {
        create_mode: Some("Create"),
        version: Some(version.to_owned()),
        own,
        ..model::PropertiesWrite::default()
    };
    Ok(ServerWrite { sku: Some(sku(size.sku.name, size.sku.tier)), properties, ..ServerWrite::default() })
}

fn sku(name: String, tier: String) -> Sku {
    Sku { name, tier, family: None, capacity: None }
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
    let put = |write: &mut ServerWrite, field: &str, wanted: &str| {
        let own = &mut write.properties.own;
        // Size and growth of a disk are one thing to the service: both are sent.
        let storage = || server.properties.own.storage.clone().unwrap_or_default();
        match field {
            fields::STORAGE => {
                own.storage.get_or_insert_with(storage).storage_size_gb = wanted.parse().ok();
            }
            fields::AUTO_GROW => {
                own.storage.get_or_insert_with(storage).auto_grow = Some(wanted.to_owned());
            }
            fields::SKU => {
                let parts = fields::sku_parts(wanted);
                write.sku = parts.map(|(name, tier)| sku(name.to_owned(), tier.to_owned()));
            }
            fields::STANDBY => {
                own.high_availability = Some(high_availability(config, wanted != fields::OFF));
            }
            fields::RETENTION => {
                own.backup = Some(Backup { backup_retention_days: wanted.parse().ok(), ..Backup::default() });
            }
            fields::WINDOW => {
                own.maintenance_window = rules::window(desired.spec).map(rules::service_window);
            }
            _ => {}
        }
    };
    requests::change(desired, &config.azure, server, differences, put).or_else(|| upgrade(differences))
}

fn upgrade(differences: &[Difference]) -> Option<ServerWrite> {
    let mut due = differences.iter().filter(|difference| difference.is_applied_by(Stage::Update));
    let version = due.find(|difference| difference.field == fields::VERSION)?.wanted.clone();
    let properties = model::PropertiesWrite {
        create_mode: Some("Update"),
        version: Some(version?),
        ..model::PropertiesWrite::default()
    };
    Some(ServerWrite { properties, ..ServerWrite::default() })
}
