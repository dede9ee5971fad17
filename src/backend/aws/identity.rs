//! The names of servers on AWS. Pure.

use super::super::cloud::{filled, flawless};
use super::super::{Owner, Rejection};

/// Longest identifier of an instance or a cluster (API reference of `CreateDBInstance`, `DBInstanceIdentifier`).
pub(super) const LONGEST: usize = 63;

/// The identifier that a pattern with `{namespace}` and `{name}` makes, in lower case, as the service stores it.
///
/// # Errors
/// When it is none that the service takes.
pub(super) fn from_pattern(pattern: &str, owner: &Owner, longest: usize) -> Result<String, Rejection> {
    let name = filled(pattern, owner).to_lowercase();
    let flaw = flaw(&name, longest);
    flawless(name, flaw)
}

/// What keeps a name from being an identifier (API reference of `CreateDBInstance`, constraints of
/// `DBInstanceIdentifier`).
pub(super) fn flaw(name: &str, longest: usize) -> Option<String> {
    if name.len() > longest {
        return Some(format!("names there are at most {longest} characters long"));
    }
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Some("names there begin with a letter".to_owned());
    }
    if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return Some("names there have letters, digits and hyphens only".to_owned());
    }
    if name.contains("--") || name.ends_with('-') {
        return Some("names there have no two hyphens in a row and none at the end".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(pattern: &str, namespace: &str, name: &str) -> Result<String, String> {
        let owner = Owner { namespace: namespace.to_owned(), name: name.to_owned(), uid: "u".to_owned() };
        from_pattern(pattern, &owner, LONGEST).map_err(|rejection| rejection.message)
    }

    #[test]
    fn names_are_made_in_lower_case_as_the_service_stores_them() {
        assert_eq!(name("Prod-{namespace}-{name}", "team", "orders"), Ok("prod-team-orders".to_owned()));
    }

    #[test]
    fn names_that_the_service_does_not_take_are_refused_with_the_flaw_and_a_remedy() {
        for (namespace, object, flaw) in [
            ("1team", "a", "begin with a letter"),
            ("team", "a.b", "letters, digits and hyphens"),
            ("team", "a--b", "two hyphens"),
            ("team", &"x".repeat(59), "at most 63"),
        ] {
            let message = name("{namespace}-{name}", namespace, object).unwrap_err();
            assert!(message.contains(flaw) && message.contains("name_overrides"), "{message}");
        }
        assert!(name("{namespace}-{name}", "team", &"x".repeat(58)).is_ok());
    }
}
