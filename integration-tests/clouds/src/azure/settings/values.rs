//! Which values a parameter takes, and how they are kept [D][K].

use super::Setting;
use super::catalogue::EVERYTHING;
use crate::azure::wire::Refusal;

/// The value as the service keeps it.
pub(super) fn normalised(name: &str, setting: &Setting, value: &str) -> Result<String, Refusal> {
    let refused = || {
        let message = format!(
            "The value '{value}' of the configuration '{name}' is invalid. Allowed values: {}.",
            setting.allowed
        );
        Refusal::new(400, "InvalidParameterValue", message)
    };
    let value = value.trim();
    let lower = value.to_lowercase();
    let allowed = || setting.allowed.split(',').map(str::trim);
    match setting.kind {
        "Boolean" => match lower.as_str() {
            "on" | "true" | "1" | "yes" => Ok("on".to_owned()),
            "off" | "false" | "0" | "no" => Ok("off".to_owned()),
            _ => Err(refused()),
        },
        "Enumeration" => {
            allowed().find(|it| it.eq_ignore_ascii_case(value)).map(str::to_owned).ok_or_else(refused)
        }
        "Integer" | "Numeric" => {
            let number: f64 = value.parse().map_err(|_| refused())?;
            let whole = setting.kind == "Numeric" || value.parse::<i64>().is_ok();
            let (least, most) = range(&setting.allowed).ok_or_else(refused)?;
            if whole && number >= least && number <= most { Ok(value.to_owned()) } else { Err(refused()) }
        }
        "Set" => {
            let items: Vec<&str> = lower.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
            let known = |item: &&str| allowed().any(|it| it.eq_ignore_ascii_case(item));
            if setting.allowed == EVERYTHING || items.iter().all(known) {
                Ok(items.join(","))
            } else {
                Err(refused())
            }
        }
        _ => Ok(value.to_owned()),
    }
}

/// `-1-100`, `0.5-2`: both may be negative.
fn range(text: &str) -> Option<(f64, f64)> {
    let middle = text
        .char_indices()
        .skip(1)
        .find(|(at, c)| *c == '-' && text.as_bytes().get(at - 1).is_some_and(u8::is_ascii_digit))?;
    let (least, most) = text.split_at(middle.0);
    Some((least.parse().ok()?, most[1..].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(kind: &'static str, allowed: &str) -> Setting {
        Setting {
            value: String::new(),
            default: String::new(),
            kind,
            allowed: allowed.to_owned(),
            unit: None,
            dynamic: true,
            read_only: false,
            description: String::new(),
            by_user: false,
            in_force: String::new(),
        }
    }

    #[rstest::rstest]
    #[case("Boolean", "on,off", "ON", Some("on"))]
    #[case("Boolean", "on,off", "false", Some("off"))]
    #[case("Boolean", "on,off", "maybe", None)]
    #[case("Enumeration", "debug,log,notice", "LOG", Some("log"))]
    #[case("Enumeration", "debug,log,notice", "loud", None)]
    #[case("Integer", "1-100", "50", Some("50"))]
    #[case("Integer", "1-100", "5.5", None)]
    #[case("Integer", "1-100", "101", None)]
    #[case("Integer", "-1-100", "-1", Some("-1"))]
    #[case("Integer", "1-100", "5MB", None)]
    #[case("Numeric", "0-1", "0.25", Some("0.25"))]
    #[case("Numeric", "0-1.79769e+308", "1", Some("1"))]
    #[case("Set", "citext,uuid-ossp,vector", "UUID-OSSP, citext", Some("uuid-ossp,citext"))]
    #[case("Set", "citext,uuid-ossp,vector", "plpythonu", None)]
    #[case("Set", "citext,uuid-ossp,vector", "", Some(""))]
    #[case("String", ".*", " anything ", Some("anything"))]
    fn a_value_is_refused_or_kept_as_the_service_writes_it(
        #[case] kind: &'static str,
        #[case] allowed: &str,
        #[case] value: &str,
        #[case] kept: Option<&str>,
    ) {
        assert_eq!(normalised("x", &setting(kind, allowed), value).ok().as_deref(), kept);
    }
}
