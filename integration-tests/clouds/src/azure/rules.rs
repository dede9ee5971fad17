//! Rules that the services have in common, and the places where they are.

use super::wire::Refusal;

/// Regions, and how the service writes them in its answers [D].
const LOCATIONS: [&str; 10] = [
    "East US",
    "East US 2",
    "France Central",
    "Germany West Central",
    "North Europe",
    "Sweden Central",
    "Switzerland North",
    "UK South",
    "West Europe",
    "West US 2",
];

/// Names of roles that are the service's [D].
const RESERVED: [&str; 7] =
    ["admin", "administrator", "azure_pg_admin", "azure_superuser", "guest", "public", "root"];

/// The region as the service writes it.
pub(super) fn location(asked: Option<&str>) -> Result<String, Refusal> {
    let plain = |text: &str| text.replace(' ', "").to_lowercase();
    let asked = asked.ok_or_else(|| {
        Refusal::new(400, "LocationRequired", "The location property is required for this definition.")
    })?;
    let found = LOCATIONS.iter().find(|it| plain(it) == plain(asked)).map(|it| (*it).to_owned());
    found.ok_or_else(|| {
        let message = format!("The provided location '{asked}' is not available for this resource type.");
        Refusal::new(400, "LocationNotAvailableForResourceType", message)
    })
}

/// 3 to 63 lower-case letters, digits, hyphens; no hyphen at the ends [D].
pub(super) fn server_name(name: &str) -> Result<(), Refusal> {
    let legal = (3..=63).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if legal {
        return Ok(());
    }
    let message = "Specified server name is invalid: 3 to 63 lower-case letters, digits and hyphens, no hyphen at the ends.";
    Err(Refusal::new(400, "InvalidServerName", message))
}

/// Not one of the service's roles [D].
pub(super) fn administrator(name: Option<&str>) -> Result<String, Refusal> {
    let name = name.ok_or_else(|| Refusal::invalid("administratorLogin is required."))?;
    let lower = name.to_lowercase();
    let legal = (1..=63).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if legal && !RESERVED.contains(&lower.as_str()) && !lower.starts_with("pg_") {
        return Ok(name.to_owned());
    }
    Err(Refusal::new(
        400,
        "InvalidAdministratorLogin",
        format!("'{name}' is not a valid administrator login."),
    ))
}

/// The password of a new server's administrator.
pub(super) fn first_password<'a>(password: Option<&'a str>, login: &str) -> Result<&'a str, Refusal> {
    let given = password.ok_or_else(|| Refusal::invalid("administratorLoginPassword is required."))?;
    self::password(given, login)?;
    Ok(given)
}

/// 8 to 128 characters of three of the four classes, without the login [D].
pub(super) fn password(password: &str, login: &str) -> Result<(), Refusal> {
    let classes = [
        password.chars().any(|c| c.is_ascii_uppercase()),
        password.chars().any(|c| c.is_ascii_lowercase()),
        password.chars().any(|c| c.is_ascii_digit()),
        password.chars().any(|c| !c.is_ascii_alphanumeric()),
    ];
    let strong = classes.iter().filter(|class| **class).count() >= 3;
    let named = password.to_lowercase().contains(&login.to_lowercase());
    if (8..=128).contains(&password.chars().count()) && strong && !named {
        return Ok(());
    }
    let message = "The password does not meet the policy: 8 to 128 characters, three of upper case, lower case, digits, \
                   others, and not the login.";
    Err(Refusal::new(400, "PasswordNotComplex", message))
}

/// At most 50, names up to 512 and values up to 256 characters [D].
pub(super) fn tags(tags: &std::collections::BTreeMap<String, String>) -> Result<(), Refusal> {
    let legal = |(name, value): (&String, &String)| {
        !name.is_empty()
            && name.len() <= 512
            && value.len() <= 256
            && !name.contains(['<', '>', '%', '&', '\\', '?', '/'])
    };
    if tags.len() <= 50 && tags.iter().all(legal) {
        return Ok(());
    }
    Err(Refusal::new(400, "InvalidTagNameCharacters", "A tag's name or value is not valid."))
}

/// 7 to 35 days [D].
pub(super) fn retention(days: u32) -> Result<u32, Refusal> {
    if (7..=35).contains(&days) {
        return Ok(days);
    }
    Err(Refusal::invalid(format!("backupRetentionDays is {days}, and must be from 7 to 35.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("shop-1", true)]
    #[case("ab", false)]
    #[case("Shop", false)]
    #[case("-shop", false)]
    #[case("shop-", false)]
    #[case("my_shop", false)]
    fn a_server_name_is_lower_case_letters_digits_and_hyphens(#[case] name: &str, #[case] legal: bool) {
        assert_eq!(server_name(name).is_ok(), legal);
    }

    #[rstest::rstest]
    #[case("postgres", true)]
    #[case("admin", false)]
    #[case("Azure_pg_admin", false)]
    #[case("pg_boss", false)]
    #[case("1st", false)]
    fn the_services_own_roles_are_no_administrators(#[case] name: &str, #[case] legal: bool) {
        assert_eq!(administrator(Some(name)).is_ok(), legal);
    }

    #[rstest::rstest]
    #[case("Abcdefg1", true)]
    #[case("abcdefg1", false)]
    #[case("abc-efg1", true)]
    #[case("Ab1-", false)]
    #[case("Postgres-12", false)]
    fn a_password_has_three_classes_and_not_the_login(#[case] text: &str, #[case] legal: bool) {
        assert_eq!(password(text, "postgres").is_ok(), legal);
    }

    #[test]
    fn a_location_comes_back_as_the_service_writes_it() {
        assert_eq!(location(Some("westeurope")).unwrap(), "West Europe");
        assert_eq!(location(Some("West Europe")).unwrap(), "West Europe");
        assert!(location(Some("atlantis")).is_err() && location(None).is_err());
    }
}
