//! The tags that say whose a server is. Pure. The first two and the mark are the original operator's.

use std::collections::BTreeMap;

use super::super::Owner;
use super::names::filled;

/// The namespace of the object.
pub(in super::super) const NAMESPACE: &str = "hybridcloud-postgresql-operator:namespace";
/// The name of the object.
pub(in super::super) const NAME: &str = "hybridcloud-postgresql-operator:name";
/// The uid of the object, for people.
pub(in super::super) const UID: &str = "hybridcloud-postgresql-operator:uid";
/// `yes`: the object is gone, and the server was left.
pub(in super::super) const MARKED: &str = "hybridcloud-postgresql-operator:marked-for-deletion";

/// Whose a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Whose {
    /// The asking object's.
    Ours,
    /// Nobody says.
    Untagged,
    /// Another object's, for people.
    Another(String),
}

/// What the tags say. The uid does not count: an object that was made anew gets its server back.
pub(in super::super) fn whose(tags: &BTreeMap<String, String>, owner: &Owner) -> Whose {
    match (tags.get(NAMESPACE), tags.get(NAME)) {
        (Some(namespace), Some(name)) if *namespace == owner.namespace && *name == owner.name => Whose::Ours,
        (None, None) => Whose::Untagged,
        (namespace, name) => {
            let said = |part: Option<&String>| part.map_or("?", String::as_str).to_owned();
            Whose::Another(format!("{}/{}", said(namespace), said(name)))
        }
    }
}

/// The tags that have to be there: the original's two, and the configured ones with `{namespace}` and `{name}` filled
/// in. What else is there belongs to others.
pub(in super::super) fn required(
    owner: &Owner,
    configured: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut tags: BTreeMap<String, String> =
        configured.iter().map(|(key, value)| (key.clone(), filled(value, owner))).collect();
    tags.insert(NAMESPACE.to_owned(), owner.namespace.clone());
    tags.insert(NAME.to_owned(), owner.name.clone());
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner { namespace: "team".to_owned(), name: "orders".to_owned(), uid: "uid-1".to_owned() }
    }

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_two_tags_of_the_original_make_a_server_ours_whatever_else_is_tagged() {
        let ours = tags(&[(NAMESPACE, "team"), (NAME, "orders"), (UID, "another"), ("cost", "42")]);
        assert_eq!(whose(&ours, &owner()), Whose::Ours);
    }

    #[test]
    fn a_server_without_tags_is_nobodys_and_with_others_tags_another_objects() {
        assert_eq!(whose(&tags(&[("cost", "42")]), &owner()), Whose::Untagged);
        let another = tags(&[(NAMESPACE, "team"), (NAME, "billing")]);
        assert_eq!(whose(&another, &owner()), Whose::Another("team/billing".to_owned()));
        assert_eq!(whose(&tags(&[(NAMESPACE, "team")]), &owner()), Whose::Another("team/?".to_owned()));
    }

    #[test]
    fn configured_tags_are_filled_in_and_cannot_say_that_a_server_is_somebody_elses() {
        let configured = tags(&[(NAME, "billing"), ("for", "{name} of {namespace}")]);
        let required = required(&owner(), &configured);
        assert_eq!(whose(&required, &owner()), Whose::Ours);
        assert_eq!(required.get("for").map(String::as_str), Some("orders of team"));
    }
}
