use super::super::body;
use super::*;

fn sku_of(name: &str, tier: Option<&str>) -> Result<(String, String), Refusal> {
    sku(&body::Sku { name: Some(name.into()), tier: tier.map(str::to_owned) }, None)
}

#[rstest::rstest]
#[case("Standard_B1ms", "Burstable", Some("Standard_B1ms"))]
#[case("standard_d2ds_v4", "generalpurpose", Some("Standard_D2ds_v4"))]
#[case("Standard_E20ds_v5", "MemoryOptimized", Some("Standard_E20ds_v5"))]
#[case("Standard_D2ds_v4", "Burstable", None)]
#[case("Standard_D3ds_v4", "GeneralPurpose", None)]
#[case("GP_Gen5_2", "GeneralPurpose", None)]
fn name_and_tier_of_a_sku_agree(#[case] name: &str, #[case] tier: &str, #[case] known: Option<&str>) {
    assert_eq!(sku_of(name, Some(tier)).ok().map(|it| it.0).as_deref(), known);
}

#[rstest::rstest]
#[case(Some(32), None, Some((32, "P4")))]
#[case(None, None, Some((128, "P10")))]
#[case(Some(33), None, None)]
#[case(Some(32), Some("P10"), Some((32, "P10")))]
#[case(Some(512), Some("P10"), None)]
#[case(Some(65536), None, None)]
fn storage_is_of_a_legal_size_and_its_tier_follows(
    #[case] size: Option<u32>,
    #[case] tier: Option<&str>,
    #[case] made: Option<(u32, &str)>,
) {
    let asked = body::Storage { size, tier: tier.map(str::to_owned), ..body::Storage::default() };
    let storage = storage(&asked, None).ok();
    assert_eq!(storage.as_ref().map(|it| (it.size, it.tier.as_str())), made);
}

#[test]
fn storage_never_shrinks_and_its_tier_follows_when_it_grows() {
    let before = storage(&body::Storage { size: Some(64), ..Default::default() }, None).unwrap();
    let to = |size| storage(&body::Storage { size: Some(size), ..Default::default() }, Some(&before));
    assert!(to(32).is_err());
    assert_eq!(to(64).unwrap(), before);
    assert_eq!(to(256).unwrap().tier, "P15");
}

#[rstest::rstest]
#[case("Disabled", None, "Burstable", Some(None))]
#[case("ZoneRedundant", None, "GeneralPurpose", Some(Some("2")))]
#[case("ZoneRedundant", Some("3"), "GeneralPurpose", Some(Some("3")))]
#[case("ZoneRedundant", Some("1"), "GeneralPurpose", None)]
#[case("SameZone", None, "GeneralPurpose", Some(Some("1")))]
#[case("SameZone", None, "Burstable", None)]
#[case("Everywhere", None, "GeneralPurpose", None)]
fn a_standby_needs_a_zone_and_no_burstable_sku(
    #[case] mode: &str,
    #[case] standby: Option<&str>,
    #[case] tier: &str,
    #[case] made: Option<Option<&str>>,
) {
    let asked = body::HighAvailability {
        mode: Some(mode.into()),
        standby_availability_zone: standby.map(str::to_owned),
    };
    let ha = high_availability(&asked, None, "1", tier).ok();
    assert_eq!(ha.as_ref().map(|it| it.standby_zone.as_deref()), made);
}

#[test]
fn without_a_custom_window_all_is_zero() {
    let asked = |custom, day| body::Window {
        custom_window: Some(Switch(custom)),
        day_of_week: Some(day),
        start_hour: Some(3),
        start_minute: None,
    };
    let before = Window::default();
    assert_eq!(
        window(Some(&asked(true, 3)), &before).unwrap(),
        Window { custom: true, day: 3, hour: 3, minute: 0 }
    );
    assert_eq!(window(Some(&asked(false, 3)), &before).unwrap(), Window::default());
    assert!(window(Some(&asked(true, 7)), &before).is_err());
}

#[rstest::rstest]
#[case(Some("17"), None, true)]
#[case(None, None, true)]
#[case(Some("19"), None, false)]
#[case(Some("15.2"), None, false)]
#[case(Some("16"), Some("15"), true)]
#[case(Some("14"), Some("15"), false)]
fn a_version_is_known_and_never_goes_down(
    #[case] asked: Option<&str>,
    #[case] before: Option<&str>,
    #[case] legal: bool,
) {
    assert_eq!(version(asked, before).is_ok(), legal);
}

const SUBNET: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s";
const ZONE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateDnsZones/x.postgres.database.azure.com";

#[rstest::rstest]
#[case(None, None, None, true)]
#[case(Some(SUBNET), Some(ZONE), None, true)]
#[case(Some(SUBNET), Some(ZONE), Some(true), false)]
#[case(Some(SUBNET), None, None, false)]
#[case(Some("None"), Some(ZONE), None, false)]
#[case(Some(SUBNET), Some("/providers/Microsoft.Network/privateDnsZones/other.example"), None, false)]
fn a_server_is_public_or_in_a_subnet_with_its_zone(
    #[case] subnet: Option<&str>,
    #[case] zone: Option<&str>,
    #[case] public: Option<bool>,
    #[case] legal: bool,
) {
    let asked = body::Network {
        delegated_subnet_resource_id: subnet.map(str::to_owned),
        private_dns_zone_arm_resource_id: zone.map(str::to_owned),
        public_network_access: public.map(Switch),
    };
    assert_eq!(network(&asked, None).is_ok(), legal);
}

#[test]
fn read_only_and_misspelt_members_are_refused() {
    let parse =
        |text: &str| serde_json::from_str::<Body>(text).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(
        parse(r#"{"location": "westeurope", "properties": {"storage": {"storageSizeGB": 32}}}"#),
        Ok(())
    );
    assert!(parse(r#"{"properties": {"state": "Ready"}}"#).is_err());
    assert!(parse(r#"{"properties": {"storage": {"storageSizeGb": 32}}}"#).is_err());
}
