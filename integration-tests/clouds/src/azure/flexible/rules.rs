//! What a flexible server may be, and what it becomes by a change [D][K].

use super::body::{self, Body};
use crate::azure::rules;
use crate::azure::server::{HighAvailability, Server, Storage, Window};
use crate::azure::switch::Switch;
use crate::azure::wire::Refusal;

/// GiB, tier, operations per second of a premium SSD [D].
const DISKS: [(u32, &str, u32); 12] = [
    (32, "P4", 120),
    (64, "P6", 240),
    (128, "P10", 500),
    (256, "P15", 1100),
    (512, "P20", 2300),
    (1024, "P30", 5000),
    (2048, "P40", 7500),
    (4095, "P50", 7500),
    (4096, "P50", 7500),
    (8192, "P60", 16000),
    (16384, "P70", 18000),
    (32767, "P80", 20000),
];
const VERSIONS: std::ops::RangeInclusive<u32> = 11..=18;

/// The same, checked, and with what the service fills in.
pub(super) fn sku(asked: &body::Sku, before: Option<&(String, String)>) -> Result<(String, String), Refusal> {
    let name = asked.name.as_deref().or(before.map(|it| it.0.as_str()));
    let name = name.ok_or_else(|| Refusal::invalid("The name of the sku is missing."))?;
    let refused = || Refusal::new(400, "InvalidSku", format!("'{name}' is not a sku of this service."));
    let (canonical, tier) = known_sku(name).ok_or_else(refused)?;
    let asked_tier =
        asked.tier.as_deref().or(before.filter(|_| asked.name.is_none()).map(|it| it.1.as_str()));
    match asked_tier {
        Some(asked) if asked.eq_ignore_ascii_case(tier) => Ok((canonical, tier.to_owned())),
        Some(asked) => {
            Err(Refusal::new(400, "InvalidSku", format!("'{name}' is not of the tier '{asked}'.")))
        }
        None => Err(Refusal::invalid("The tier of the sku is missing.")),
    }
}

/// As the service writes it, with its tier.
fn known_sku(name: &str) -> Option<(String, &'static str)> {
    let lower = name.to_lowercase();
    let size = lower.strip_prefix("standard_")?;
    let digits: String = size.chars().skip(1).take_while(char::is_ascii_digit).collect();
    let cores: u32 = digits.parse().ok()?;
    let rest = &size[1 + digits.len()..];
    let (letter, tier, known) = match size.chars().next()? {
        'b' => {
            let known =
                [(1, "ms"), (2, "s"), (2, "ms"), (4, "ms"), (8, "ms"), (12, "ms"), (16, "ms"), (20, "ms")];
            ('B', "Burstable", known.contains(&(cores, rest)))
        }
        letter @ ('d' | 'e') => {
            let sizes: &[u32] = if letter == 'd' {
                &[2, 4, 8, 16, 32, 48, 64, 96]
            } else {
                &[2, 4, 8, 16, 20, 32, 48, 64, 96]
            };
            let series = ["s_v3", "ds_v4", "ds_v5", "ads_v5", "s_v6", "ds_v6", "ads_v6"];
            let tier = if letter == 'd' { "GeneralPurpose" } else { "MemoryOptimized" };
            (letter.to_ascii_uppercase(), tier, sizes.contains(&cores) && series.contains(&rest))
        }
        _ => return None,
    };
    known.then(|| (format!("Standard_{letter}{digits}{rest}"), tier))
}

pub(super) fn storage(asked: &body::Storage, before: Option<&Storage>) -> Result<Storage, Refusal> {
    if asked.r#type.as_deref().is_some_and(|it| !it.is_empty() && it != "Premium_LRS") {
        return Err(Refusal::not_simulated("A disk other than Premium_LRS"));
    }
    if asked.throughput.is_some() {
        return Err(Refusal::invalid("The throughput of a premium SSD cannot be set."));
    }
    let size = asked.size.or(before.map(|it| it.size)).unwrap_or(128);
    if before.is_some_and(|it| size < it.size) {
        return Err(Refusal::new(400, "StorageShrinkNotSupported", "The storage of a server cannot shrink."));
    }
    let disk = DISKS.iter().find(|(gib, ..)| *gib == size);
    let (_, least, iops) = *disk.ok_or_else(|| {
        let sizes: Vec<String> = DISKS.iter().map(|(gib, ..)| gib.to_string()).collect();
        Refusal::invalid(format!("{size} GiB is not a size of storage: it is one of {}.", sizes.join(", ")))
    })?;
    let rank = |tier: &str| DISKS.iter().position(|(_, it, _)| *it == tier);
    let kept = before.filter(|it| it.size == size).map(|it| it.tier.as_str());
    let tier = asked.tier.as_deref().or(kept).unwrap_or(least);
    if rank(tier).is_none() || rank(tier) < rank(least) {
        return Err(Refusal::invalid(format!("'{tier}' is not a tier for {size} GiB.")));
    }
    let iops = DISKS.iter().find(|(_, it, _)| *it == tier).map_or(iops, |disk| disk.2);
    if asked.iops.is_some_and(|asked| asked != iops) {
        return Err(Refusal::invalid("The operations per second of a premium SSD follow from its tier."));
    }
    let auto_grow = asked.auto_grow.map(|Switch(on)| on).or(before.map(|it| it.auto_grow)).unwrap_or(false);
    Ok(Storage { size, auto_grow, tier: tier.to_owned(), iops })
}

pub(super) fn zone(asked: Option<&str>) -> Result<Option<String>, Refusal> {
    match asked {
        None | Some("") => Ok(None),
        Some(zone @ ("1" | "2" | "3")) => Ok(Some(zone.to_owned())),
        Some(other) => Err(Refusal::invalid(format!("'{other}' is not an availability zone."))),
    }
}

pub(super) fn high_availability(
    asked: &body::HighAvailability,
    before: Option<&HighAvailability>,
    zone: &str,
    tier: &str,
) -> Result<HighAvailability, Refusal> {
    let mode = asked.mode.as_deref().or(before.map(|it| it.mode.as_str())).unwrap_or("Disabled");
    let standby = self::zone(asked.standby_availability_zone.as_deref())?;
    let kept = before.filter(|it| it.mode == mode).and_then(|it| it.standby_zone.clone());
    let standby_zone = match mode {
        "Disabled" => None,
        "SameZone" => Some(zone.to_owned()),
        // The service chooses one, if the user does not [D].
        "ZoneRedundant" => {
            Some(standby.clone().or(kept).unwrap_or_else(|| if zone == "2" { "3" } else { "2" }.to_owned()))
        }
        other => return Err(Refusal::invalid(format!("'{other}' is not a mode of high availability."))),
    };
    if mode != "Disabled" && tier == "Burstable" {
        let message = "High availability is not supported for Burstable skus.";
        return Err(Refusal::new(400, "HighAvailabilityNotSupportedForSku", message));
    }
    if mode == "ZoneRedundant" && standby_zone.as_deref() == Some(zone) {
        return Err(Refusal::invalid("A zone-redundant standby must be in another zone."));
    }
    let state = if mode == "Disabled" { "NotEnabled" } else { "Healthy" };
    Ok(HighAvailability { mode: mode.to_owned(), standby_zone, state: state.to_owned() })
}

/// Without a custom window all is zero [S].
pub(super) fn window(asked: Option<&body::Window>, before: &Window) -> Result<Window, Refusal> {
    let Some(asked) = asked else { return Ok(before.clone()) };
    let custom = asked.custom_window.map_or(before.custom, |Switch(on)| on);
    let window = Window {
        custom,
        day: asked.day_of_week.unwrap_or(before.day),
        hour: asked.start_hour.unwrap_or(before.hour),
        minute: asked.start_minute.unwrap_or(before.minute),
    };
    if window.day > 6 || window.hour > 23 || window.minute > 59 {
        return Err(Refusal::invalid("The maintenance window is not a time of the week."));
    }
    Ok(if custom { window } else { Window::default() })
}

/// The major version. It only goes up [D].
pub(super) fn version(asked: Option<&str>, before: Option<&str>) -> Result<String, Refusal> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|major| VERSIONS.contains(major));
    let version = asked.or(before).unwrap_or("17");
    let major = number(version);
    let major =
        major.ok_or_else(|| Refusal::invalid(format!("'{version}' is not a version of this service.")))?;
    if before.and_then(number).is_some_and(|before| major < before) {
        return Err(Refusal::invalid("The version of a server cannot go down."));
    }
    Ok(version.to_owned())
}

/// What is known and would mean something else than what is simulated.
pub(super) fn simulated(body: &Body) -> Result<(), Refusal> {
    let given = &body.properties;
    let others = [
        ("identity", body.identity.is_some()),
        ("cluster", given.cluster.is_some()),
        ("dataEncryption", given.data_encryption.is_some()),
        ("pointInTimeUTC", given.point_in_time.is_some()),
        ("replica", given.replica.is_some()),
        ("replicationRole", given.replication_role.is_some()),
        ("sourceServerResourceId", given.source_server_resource_id.is_some()),
    ];
    if let Some((what, _)) = others.iter().find(|(_, given)| *given) {
        return Err(Refusal::not_simulated(what));
    }
    if let Some(auth) = &given.auth_config
        && (auth.active_directory_auth == Some(Switch(true)) || auth.password_auth == Some(Switch(false)))
    {
        return Err(Refusal::not_simulated("Any login but with a password"));
    }
    match given.create_mode.as_deref() {
        None | Some("Default" | "Create" | "Update") => Ok(()),
        Some(mode) => Err(Refusal::not_simulated(&format!("createMode '{mode}'"))),
    }
}

/// Public, or in a subnet with a private DNS zone; never changed afterwards [D].
pub(super) fn network(asked: &body::Network, before: Option<&Server>) -> Result<(), Refusal> {
    let (subnet, zone) = (&asked.delegated_subnet_resource_id, &asked.private_dns_zone_arm_resource_id);
    let is =
        |id: &str, kind: &str| id.to_lowercase().contains(&format!("/providers/microsoft.network/{kind}/"));
    if let Some(id) = subnet
        && !(is(id, "virtualnetworks") && id.to_lowercase().contains("/subnets/"))
    {
        return Err(Refusal::invalid(format!("'{id}' is not the id of a subnet.")));
    }
    if let Some(id) = zone
        && !(is(id, "privatednszones") && id.to_lowercase().ends_with(".postgres.database.azure.com"))
    {
        return Err(Refusal::invalid("A private DNS zone must end with '.postgres.database.azure.com'."));
    }
    if let Some(before) = before {
        let other = |asked: &Option<String>, before: &Option<String>| {
            asked
                .as_ref()
                .is_some_and(|asked| before.as_ref().is_none_or(|it| !it.eq_ignore_ascii_case(asked)))
        };
        let public = asked.public_network_access.map(|Switch(on)| on);
        if other(subnet, &before.subnet) || (before.subnet.is_some() && public == Some(true)) {
            let message = "The connectivity of a server cannot be changed after its creation.";
            return Err(Refusal::new(400, "VnetChangeNotAllowed", message));
        }
        return Ok(());
    }
    if subnet.is_some() != zone.is_some() {
        return Err(Refusal::invalid("A delegated subnet and a private DNS zone belong together."));
    }
    if subnet.is_some() && asked.public_network_access == Some(Switch(true)) {
        return Err(Refusal::invalid("A server in a virtual network has no public access."));
    }
    Ok(())
}

/// What can be said only once.
pub(super) fn unchanged(body: &Body, before: &Server) -> Result<(), Refusal> {
    let refused = |what: &str| Err(Refusal::invalid(format!("{what} cannot be changed after the creation.")));
    if body.properties.administrator_login.as_ref().is_some_and(|login| *login != before.admin) {
        return refused("administratorLogin");
    }
    if body.properties.backup.geo_redundant_backup.is_some_and(|Switch(geo)| geo != before.geo_backup) {
        return refused("geoRedundantBackup");
    }
    if let Some(location) = &body.location
        && rules::location(Some(location))? != before.location
    {
        let message =
            format!("The resource '{}' already exists in location '{}'.", before.name, before.location);
        return Err(Refusal::new(409, "InvalidResourceLocation", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
