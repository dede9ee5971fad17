//! What a single server may be [D][K].

use super::body::{self, Body};
use crate::azure::server::Storage;
use crate::azure::switch::Switch;
use crate::azure::wire::Refusal;

const VERSIONS: [&str; 6] = ["9.5", "9.6", "10", "10.0", "10.2", "11"];
/// MB in a GiB of storage.
const GIB: u32 = 1024;

/// Prefix, tier, cores, greatest storage in GiB.
const TIERS: [(&str, &str, &[u32], u32); 3] = [
    ("B", "Basic", &[1, 2], 1024),
    ("GP", "GeneralPurpose", &[2, 4, 8, 16, 32, 64], 16384),
    ("MO", "MemoryOptimized", &[2, 4, 8, 16, 32], 16384),
];

/// Name and tier. Name, tier, family and capacity say the same twice, and must agree.
pub(super) fn sku(asked: &body::Sku) -> Result<(String, String), Refusal> {
    let refused =
        || Refusal::new(400, "InvalidSku", format!("'{}' is not a sku of this service.", asked.name));
    let (prefix, family, cores) = parts(&asked.name).ok_or_else(refused)?;
    let (_, tier, known, _) = TIERS.iter().find(|(it, ..)| *it == prefix).ok_or_else(refused)?;
    let agrees = known.contains(&cores)
        && matches!(family, "Gen4" | "Gen5")
        && asked.tier.as_deref().is_none_or(|it| it == *tier)
        && asked.family.as_deref().is_none_or(|it| it == family)
        && asked.capacity.is_none_or(|it| it == cores);
    if agrees { Ok((asked.name.clone(), (*tier).to_owned())) } else { Err(refused()) }
}

/// `GP_Gen5_2`.
pub(super) fn parts(name: &str) -> Option<(&str, &str, u32)> {
    let mut parts = name.split('_');
    let (prefix, family, cores) = (parts.next()?, parts.next()?, parts.next()?.parse().ok()?);
    Some((prefix, family, cores))
}

pub(super) fn storage(
    asked: &body::Storage,
    before: Option<&Storage>,
    sku: &str,
) -> Result<Storage, Refusal> {
    let size = asked.size.or(before.map(|it| it.size * GIB)).unwrap_or(5 * GIB);
    let most = TIERS.iter().find(|(it, ..)| sku.starts_with(&format!("{it}_"))).map_or(0, |it| it.3);
    if !size.is_multiple_of(GIB) || size < 5 * GIB || size > most * GIB {
        return Err(Refusal::invalid(format!("{size} MB is not a size of storage of '{sku}'.")));
    }
    if before.is_some_and(|it| size < it.size * GIB) {
        return Err(Refusal::new(400, "StorageShrinkNotSupported", "The storage of a server cannot shrink."));
    }
    let auto_grow = asked.storage_autogrow.map(|Switch(on)| on).or(before.map(|it| it.auto_grow));
    Ok(Storage { size: size / GIB, auto_grow: auto_grow.unwrap_or(true), tier: String::new(), iops: 0 })
}

/// It is never changed in place.
pub(super) fn version(asked: Option<&str>, before: Option<&str>) -> Result<String, Refusal> {
    let version = asked.or(before).unwrap_or("11");
    if !VERSIONS.contains(&version) {
        return Err(Refusal::invalid(format!("'{version}' is not a version of this service.")));
    }
    if before.is_some_and(|before| before != version) {
        return Err(Refusal::invalid("The version of a server cannot be changed."));
    }
    Ok(version.to_owned())
}

/// What is known and would mean something else than what is simulated.
pub(super) fn simulated(body: &Body) -> Result<(), Refusal> {
    if body.identity.is_some() || body.properties.replication_role.is_some() {
        return Err(Refusal::not_simulated("An identity or a replica"));
    }
    match body.properties.create_mode.as_deref() {
        None | Some("Default") => Ok(()),
        Some(mode) => Err(Refusal::not_simulated(&format!("createMode '{mode}'"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("GP_Gen5_2", None, None, true)]
    #[case("GP_Gen5_2", Some("GeneralPurpose"), Some(2), true)]
    #[case("GP_Gen5_2", Some("Basic"), None, false)]
    #[case("GP_Gen5_2", None, Some(4), false)]
    #[case("GP_Gen5_3", None, None, false)]
    #[case("Standard_D2ds_v4", None, None, false)]
    fn name_tier_and_capacity_of_a_sku_agree(
        #[case] name: &str,
        #[case] tier: Option<&str>,
        #[case] capacity: Option<u32>,
        #[case] legal: bool,
    ) {
        let text = serde_json::json!({"name": name, "tier": tier, "capacity": capacity});
        assert_eq!(sku(&serde_json::from_value(text).unwrap()).is_ok(), legal);
    }

    #[rstest::rstest]
    #[case(Some(5120), "GP_Gen5_2", Some(5))]
    #[case(None, "GP_Gen5_2", Some(5))]
    #[case(Some(5121), "GP_Gen5_2", None)]
    #[case(Some(2_097_152), "B_Gen5_1", None)]
    fn storage_is_counted_in_mb(#[case] size: Option<u32>, #[case] sku: &str, #[case] gib: Option<u32>) {
        let asked = body::Storage { size, ..body::Storage::default() };
        assert_eq!(storage(&asked, None, sku).ok().map(|it| it.size), gib);
    }
}
