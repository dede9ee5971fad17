//! Tags in the service's words. Pure. Whose a server is, is said as on the other clouds.

use std::collections::BTreeMap;

use aws_sdk_rds::types::Tag;

use super::super::Owner;
use super::super::cloud::{self, UID, Whose, required};

/// The mark of a server that stayed when its object went.
pub(super) const RETAINED: &str = "hybridcloud-postgresql-operator:retained";

/// What the tags say.
pub(super) fn whose(tags: &[Tag], owner: &Owner) -> Whose {
    let pairs = tags.iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())));
    cloud::whose(&pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(), owner)
}

/// The value of a tag.
pub(super) fn value<'a>(tags: &'a [Tag], key: &str) -> Option<&'a str> {
    tags.iter().find(|tag| tag.key() == Some(key)).map(|tag| tag.value().unwrap_or_default())
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

    #[test]
    fn what_is_written_makes_a_server_ours_and_only_what_differs_is_written() {
        let owner =
            Owner { namespace: "team".to_owned(), name: "orders".to_owned(), uid: "uid-1".to_owned() };
        let configured = BTreeMap::from([("who".to_owned(), "{namespace}/{name}".to_owned())]);
        let mut found = written(&owner, &configured);
        assert_eq!(whose(&found, &owner), Whose::Ours);
        assert_eq!(value(&found, "who"), Some("team/orders"));
        assert_eq!(missing(&found, &owner, &configured), vec![]);
        found.retain(|one| one.key() != Some(UID));
        assert_eq!(missing(&found, &owner, &configured), [tag(UID, "uid-1")]);
    }
}
