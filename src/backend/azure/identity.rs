//! Names of servers on Azure, and the paths of resources. Pure.

use super::super::{Owner, Rejection, ServerIdentity};
use crate::config::AzureConfig;

/// Longest name (<https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>,
/// `Microsoft.DBforPostgreSQL`); also a label of a host name.
const LONGEST: usize = 63;
const SHORTEST: usize = 3;

/// Where the server of an object lives or would live.
///
/// # Errors
/// When the name is none that the service takes. It is not bent into one: two objects would get in each other's way.
pub(super) fn of(azure: &AzureConfig, owner: &Owner) -> Result<ServerIdentity, Rejection> {
    let name = match overridden(azure, owner) {
        Some(name) => name.to_owned(),
        None => from_pattern(&azure.name_pattern, owner)?,
    };
    Ok(ServerIdentity {
        name,
        account: Some(azure.subscription_id.clone()),
        region: Some(azure.location.clone()),
        group: Some(azure.resource_group.clone()),
    })
}

/// The name that the administrator has given to the object's server.
pub(super) fn overridden<'a>(azure: &'a AzureConfig, owner: &Owner) -> Option<&'a str> {
    let all = &azure.name_overrides;
    let found = all.iter().find(|one| one.namespace == owner.namespace && one.name == owner.name);
    found.map(|found| found.azure_name.as_str())
}

fn from_pattern(pattern: &str, owner: &Owner) -> Result<String, Rejection> {
    let name = pattern.replace("{namespace}", &owner.namespace).replace("{name}", &owner.name);
    match flaw(&name) {
        None => Ok(name),
        Some(flaw) => Err(Rejection {
            field: "metadata.name".to_owned(),
            message: format!(
                "the server would be called \"{name}\", but {flaw}; use another name, or ask the administrator for \
                 another name_pattern or an entry in name_overrides"
            ),
        }),
    }
}

fn flaw(name: &str) -> Option<String> {
    if !(SHORTEST..=LONGEST).contains(&name.len()) {
        return Some(format!("names there are {SHORTEST} to {LONGEST} characters long"));
    }
    if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return Some("names there have lower-case letters, digits and hyphens only".to_owned());
    }
    if name.starts_with('-') || name.ends_with('-') {
        return Some("names there begin and end with a letter or a digit".to_owned());
    }
    None
}

/// The path of a resource group: where it was when the server was pinned, else where new servers are made.
pub(super) fn group(azure: &AzureConfig, identity: &ServerIdentity) -> String {
    let account = identity.account.as_deref().unwrap_or(&azure.subscription_id);
    let group = identity.group.as_deref().unwrap_or(&azure.resource_group);
    format!("/subscriptions/{}/resourceGroups/{}", escaped(account), escaped(group))
}

/// A part of a path. Names come from files and from a status that others may write.
pub(super) fn escaped(part: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~()".contains(&byte);
    let mut text = String::with_capacity(part.len());
    for byte in part.bytes() {
        match plain(byte) {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    // A path knows these two.
    if text == "." || text == ".." { text.replace('.', "%2E") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(pattern: &str, namespace: &str, name: &str) -> Result<String, String> {
        let owner = Owner { namespace: namespace.to_owned(), name: name.to_owned(), uid: "u".to_owned() };
        from_pattern(pattern, &owner).map_err(|rejection| rejection.message)
    }

    #[test]
    fn names_are_made_as_the_original_made_them() {
        assert_eq!(name("prod-{namespace}-{name}", "team", "orders"), Ok("prod-team-orders".to_owned()));
    }

    #[test]
    fn names_that_the_service_does_not_take_are_refused_with_the_flaw_and_a_remedy() {
        for (pattern, object, flaw) in [
            ("{namespace}-{name}", "a.b", "letters, digits and hyphens"),
            ("Prod-{name}", "a", "lower-case"),
            ("{name}-", "abc", "begin and end"),
            ("{name}", "ab", "3 to 63"),
            ("{namespace}-{name}", &"x".repeat(59), "3 to 63"),
        ] {
            let message = name(pattern, "team", object).unwrap_err();
            assert!(message.contains(flaw) && message.contains("name_overrides"), "{message}");
        }
        assert!(name("{namespace}-{name}", "team", &"x".repeat(58)).is_ok());
    }

    #[test]
    fn no_part_of_a_path_leads_elsewhere() {
        assert_eq!(escaped("my group_1.(a)"), "my%20group_1.(a)");
        assert_eq!(escaped("../x?y#z"), "..%2Fx%3Fy%23z");
        assert_eq!(escaped(".."), "%2E%2E");
    }
}
