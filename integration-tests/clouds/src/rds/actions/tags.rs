//! Tags of anything that has an ARN: `AddTagsToResource`, `RemoveTagsFromResource`, `ListTagsForResource`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::rds::groups::{GroupKind, group_not_found};
use crate::rds::instance::tag_list;
use crate::rds::realm::{Realm, State, cluster_not_found, not_found};
use crate::rds::wire::{Answer, Form, Refusal, invalid};

/// At most so many on one resource (user guide, "Tagging Amazon RDS resources").
const MOST: usize = 50;

type Tags = BTreeMap<String, String>;

/// Their number, lengths and characters.
pub(super) fn check(tags: &Tags) -> Result<(), Refusal> {
    if tags.len() > MOST {
        return Err(invalid(format!("A resource has at most {MOST} tags.")));
    }
    let legal =
        |text: &str| text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c));
    for (key, value) in tags {
        let (length, value_length) = (key.chars().count(), value.chars().count());
        if !(1..=128).contains(&length) || value_length > 256 || !legal(key) || !legal(value) {
            return Err(invalid(format!("The tag {key} has an illegal key or value.")));
        }
        if key.starts_with("aws:") || key.starts_with("rds:") {
            return Err(invalid(format!("The tag {key} begins with a reserved prefix.")));
        }
    }
    Ok(())
}

pub(super) fn list(mut state: State, form: &Form) -> Answer {
    let arn = form.need("ResourceName")?;
    form.nothing_else()?;
    Ok(tag_list(tagged(&mut state, arn)?))
}

pub(super) fn add(realm: &Arc<Realm>, form: &Form) -> Answer {
    let arn = form.need("ResourceName")?;
    let new = form.tags()?;
    form.nothing_else()?;
    let mut state = realm.state();
    let tags = tagged(&mut state, arn)?;
    let mut all = tags.clone();
    all.extend(new);
    check(&all)?;
    *tags = all;
    Ok(String::new())
}

pub(super) fn remove(realm: &Arc<Realm>, form: &Form) -> Answer {
    let arn = form.need("ResourceName")?;
    let keys = form.list("TagKeys.member");
    form.nothing_else()?;
    let mut state = realm.state();
    tagged(&mut state, arn)?.retain(|key, _| !keys.contains(key));
    Ok(String::new())
}

fn tagged<'a>(state: &'a mut State, arn: &str) -> Result<&'a mut Tags, Refusal> {
    let mut parts = arn.splitn(7, ':').skip(5);
    let (kind, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default().to_lowercase());
    let found = match kind {
        "db" => state.instances.get_mut(&name).map(|it| (&it.arn, &mut it.tags)),
        "cluster" => state.clusters.get_mut(&name).map(|it| (&it.arn, &mut it.tags)),
        "snapshot" => state.snapshots.get_mut(&name).map(|it| (&it.arn, &mut it.tags)),
        "cluster-snapshot" => state.cluster_snapshots.get_mut(&name).map(|it| (&it.arn, &mut it.tags)),
        "pg" => state.groups.get_mut(&(GroupKind::Instance, name.clone())).map(|it| (&it.arn, &mut it.tags)),
        "cluster-pg" => {
            state.groups.get_mut(&(GroupKind::Cluster, name.clone())).map(|it| (&it.arn, &mut it.tags))
        }
        _ => return Err(invalid(format!("Invalid resource name: {arn}"))),
    };
    // Another account's or region's: it is not there.
    if let Some((own, tags)) = found
        && own.eq_ignore_ascii_case(arn)
    {
        return Ok(tags);
    }
    Err(match kind {
        "cluster" => cluster_not_found(&name),
        "snapshot" => Refusal(404, "DBSnapshotNotFound", format!("Snapshot {name} not found.")),
        "pg" => group_not_found(GroupKind::Instance, &name),
        "cluster-pg" => group_not_found(GroupKind::Cluster, &name),
        "cluster-snapshot" => {
            Refusal(404, "DBClusterSnapshotNotFoundFault", format!("Snapshot {name} not found."))
        }
        _ => not_found(&name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(number: usize, key: &str, value: &str) -> Tags {
        let mut tags: Tags = (1..number).map(|at| (format!("k{at}"), String::new())).collect();
        tags.insert(key.to_owned(), value.to_owned());
        tags
    }

    #[rstest::rstest]
    #[case::fifty(tags(50, "a", "b"), true)]
    #[case::fifty_one(tags(51, "a", "b"), false)]
    #[case::a_key_too_long(tags(1, &"k".repeat(129), "b"), false)]
    #[case::a_value_too_long(tags(1, "a", &"v".repeat(257)), false)]
    #[case::a_reserved_prefix(tags(1, "aws:a", "b"), false)]
    #[case::a_character_that_is_not_taken(tags(1, "a", "b<c"), false)]
    #[case::an_address(tags(1, "owner", "team@example.com/x:y=z"), true)]
    fn tags_have_limits(#[case] tags: Tags, #[case] legal: bool) {
        assert_eq!(check(&tags).is_ok(), legal);
    }
}
