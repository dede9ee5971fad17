//! The tags that say whose a server is. Pure.

use std::collections::BTreeMap;

use aws_sdk_rds::types::Tag;

use super::super::Owner;

/// The namespace of the object; the original operator's tag.
pub(super) const NAMESPACE: &str = "hybridcloud-postgresql-operator:namespace";
/// The name of the object; the original operator's tag.
pub(super) const NAME: &str = "hybridcloud-postgresql-operator:name";
/// The uid of the object, for people.
pub(super) const UID: &str = "hybridcloud-postgresql-operator:uid";
/// The mark of a server that stayed when its object went.
pub(super) const RETAINED: &str = "hybridcloud-postgresql-operator:retained";

/// Whose a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The asking object's.
    Ours,
    /// Nobody says.
    Untagged,
    /// Another object's, for people.
    Another(String),
}

/// What the tags say. The uid does not count: an object that was made anew gets its server back.
pub(super) fn whose(tags: &[Tag], owner: &Owner) -> Whose {
    match (value(tags, NAMESPACE), value(tags, NAME)) {
        (Some(namespace), Some(name)) if namespace == owner.namespace && name == owner.name => Whose::Ours,
        (None, None) => Whose::Untagged,
        (namespace, name) => Whose::Another(format!("{}/{}", namespace.unwrap_or("?"), name.unwrap_or("?"))),
    }
}

/// The value of a tag.
pub(super) fn value<'a>(tags: &'a [Tag], key: &str) -> Option<&'a str> {
    tags.iter().find(|tag| tag.key() == Some(key)).map(|tag| tag.value().unwrap_or_default())
}

/// The tags that have to be there: the original's two and the configured ones, in whose values `{namespace}` and `{name}`
/// stand for the object. What else is there belongs to others.
pub(super) fn required(owner: &Owner, configured: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let filled = |text: &String| text.replace("{namespace}", &owner.namespace).replace("{name}", &owner.name);
    let mut tags: BTreeMap<String, String> =
        configured.iter().map(|(key, value)| (key.clone(), filled(value))).collect();
    tags.insert(NAMESPACE.to_owned(), owner.namespace.clone());
    tags.insert(NAME.to_owned(), owner.name.clone());
    tags
}

/// All tags that are written: those that have to be there, and one for people.
pub(super) fn written(owner: &Owner, configured: &BTreeMap<String, String>) -> Vec<Tag> {
    let mut tags = required(owner, configured);
    tags.insert(UID.to_owned(), owner.uid.clone());
    tags.into_iter().map(|(key, value)| tag(&key, &value)).collect()
}

/// Those of [`written`] that are not there yet, or say something else.
pub(super) fn missing(found: &[Tag], owner: &Owner, configured: &BTreeMap<String, String>) -> Vec<Tag> {
    let mut tags = written(owner, configured);
    tags.retain(|tag| value(found, tag.key().unwrap_or_default()) != tag.value());
    tags
}

/// One tag.
pub(super) fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner { namespace: "team".to_owned(), name: "orders".to_owned(), uid: "uid-1".to_owned() }
    }

    fn tags(pairs: &[(&str, &str)]) -> Vec<Tag> {
        pairs.iter().map(|(key, value)| tag(key, value)).collect()
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
    fn configured_tags_cannot_say_that_a_server_is_somebody_elses() {
        let configured = BTreeMap::from([(NAME.to_owned(), "billing".to_owned())]);
        assert_eq!(whose(&written(&owner(), &configured), &owner()), Whose::Ours);
    }

    #[test]
    fn configured_tags_can_name_the_object_and_only_what_differs_is_written() {
        let configured = BTreeMap::from([("who".to_owned(), "{namespace}/{name}".to_owned())]);
        let found = tags(&[(NAMESPACE, "team"), (NAME, "orders"), (UID, "uid-0"), ("who", "team/orders")]);
        assert_eq!(missing(&found, &owner(), &configured), tags(&[(UID, "uid-1")]));
    }
}
