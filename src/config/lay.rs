//! Brings the tree into the one form that the structs have: one spelling of each key, sections in place of short forms,
//! and shared sections laid under those of their backends, key by key.
//!
//! Values keep the place they were written at, so that what is wrong with them is reported there.

use std::collections::BTreeSet;

use super::finding::Severity;
use super::path::join;
use super::read::{Reader, is_unset};
use super::shape::Shape;
use super::shared::{OWN_ONLY, SHARED};
use super::tree::{Content, Entry, Node, quoted};

/// A key whose value was written at another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Laid {
    pub(super) own: String,
    pub(super) shared: String,
}

/// One spelling of each key, and sections in place of texts that stand for them.
pub(super) fn normalize(node: &mut Node, shape: &Shape) {
    match (shape, &mut node.content) {
        (Shape::Section { fields, .. }, Content::Mapping(entries)) => {
            for entry in entries {
                let named = |name: &String| *name == entry.key;
                let Some(field) = fields.iter().find(|one| named(&one.name) || one.aliases.iter().any(named))
                else {
                    continue;
                };
                entry.key.clone_from(&field.name);
                normalize(&mut entry.node, &field.shape);
            }
        }
        (Shape::Section { text_as: Some(key), .. }, Content::Text(text)) if !text.is_empty() => {
            let inner = Node { origin: node.origin.clone(), content: Content::Text(text.clone()) };
            let entry = Entry { key: key.clone(), origin: node.origin.clone(), node: inner };
            node.content = Content::Mapping(vec![entry]);
        }
        (Shape::Table(shape), Content::Mapping(entries)) => {
            entries.iter_mut().for_each(|entry| normalize(&mut entry.node, shape));
        }
        (Shape::List(shape), Content::List(items)) => {
            items.iter_mut().for_each(|item| normalize(item, shape));
        }
        _ => {}
    }
}

/// The backends that objects can get: the default one and those that are allowed.
pub(super) fn selected(root: &Node) -> BTreeSet<String> {
    let text = |node: &Node| match &node.content {
        Content::Text(text) => Some(text.clone()),
        _ => None,
    };
    let allowed = root.get("allowed_backends").map(|node| match &node.content {
        Content::List(items) => items.iter().filter_map(text).collect(),
        _ => Vec::new(),
    });
    root.get("backend").and_then(text).into_iter().chain(allowed.unwrap_or_default()).collect()
}

/// Lays every shared section under those of its backends. A backend that objects can get needs no section of its own
/// then, as in the original.
pub(super) fn lay_under(root: &mut Node, shape: &Shape, reader: &mut Reader<'_>) {
    let selected = selected(root);
    let Some(shape) = shape.field("backends").map(|field| &field.shape) else { return };
    let Some(backends) = root.get_mut("backends") else { return };
    for (name, owners) in SHARED {
        let shared = backends.get(name).filter(|node| matches!(node.content, Content::Mapping(_))).cloned();
        let Some(shared_shape) = shape.field(name).map(|field| &field.shape) else { continue };
        for owner in owners {
            let Some(own_shape) = shape.field(owner).map(|field| &field.shape) else { continue };
            if let (Some(shared), true) = (&shared, selected.contains(owner)) {
                make_section(backends, owner, shared);
            }
            if owner == "awsaurora" {
                region_of_rds(backends, own_shape, shared.as_ref(), reader);
            }
            let (Some(own), Some(shared)) = (backends.get_mut(owner), &shared) else { continue };
            let places = (format!("backends.{owner}"), format!("backends.{name}"));
            lay((own, own_shape), (shared, shared_shape), &places, &mut reader.laid);
        }
    }
}

fn make_section(parent: &mut Node, key: &str, like: &Node) {
    let empty = Node { origin: like.origin.clone(), content: Content::Mapping(Vec::new()) };
    match parent.get_mut(key) {
        Some(node) if matches!(node.content, Content::Nothing) => *node = empty,
        Some(_) => {}
        None => push(parent, key, empty),
    }
}

fn push(parent: &mut Node, key: &str, node: Node) {
    if let Content::Mapping(entries) = &mut parent.content {
        entries.push(Entry { key: key.to_owned(), origin: node.origin.clone(), node });
    }
}

/// The original looks for Aurora's region in the section of RDS, never in Aurora's own.
fn region_of_rds(backends: &mut Node, shape: &Shape, shared: Option<&Node>, reader: &mut Reader<'_>) {
    let Some(field) = shape.field("region") else { return };
    let set = |node: Option<&Node>| node.filter(|node| !is_unset(node, field)).cloned();
    let Some(region) = set(backends.get("awsrds").and_then(|rds| rds.get("region"))) else { return };
    let Some(own) = backends.get_mut("awsaurora") else { return };
    if !matches!(own.content, Content::Mapping(_)) || set(own.get("region")).is_some() {
        return;
    }
    let common = set(shared.and_then(|shared| shared.get("region")));
    if common.is_none_or(|common| common.content != region.content) {
        let found = "nothing";
        let expected = format!("a region; {region} is taken from backends.awsrds.region, as by the original");
        reader.report(Severity::Warning, &own.origin, "backends.awsaurora.region", found, expected);
    }
    match own.get_mut("region") {
        Some(node) => *node = region,
        None => push(own, "region", region),
    }
    reader.laid.push(Laid {
        own: "backends.awsaurora.region".to_owned(),
        shared: "backends.awsrds.region".to_owned(),
    });
}

/// `null` and, where there is no default text, an empty text count as not set; everything else, `false` and 0 too, wins
/// over what is shared.
fn lay(own: (&mut Node, &Shape), shared: (&Node, &Shape), places: &(String, String), laid: &mut Vec<Laid>) {
    let (own, own_shape) = own;
    if !matches!(own.content, Content::Mapping(_)) {
        return;
    }
    for field in shared.1.fields() {
        let Some(own_field) = own_shape.field(&field.name) else { continue };
        let Some(value) = shared.0.get(&field.name).filter(|value| !is_unset(value, own_field)) else {
            continue;
        };
        let places = (join(&places.0, &field.name), join(&places.1, &field.name));
        let is_section =
            matches!((&field.shape, &value.content), (Shape::Section { .. }, Content::Mapping(_)));
        let silent = own.get(&field.name).is_none_or(|node| is_unset(node, own_field));
        if silent {
            // Of a section only the keys that may be shared.
            let content = if is_section { Content::Mapping(Vec::new()) } else { value.content.clone() };
            let node = Node { origin: value.origin.clone(), content };
            match own.get_mut(&field.name) {
                Some(own) => *own = node,
                None => push(own, &field.name, node),
            }
            laid.push(Laid { own: places.0.clone(), shared: places.1.clone() });
        }
        if is_section && let Some(own) = own.get_mut(&field.name) {
            lay((own, &own_field.shape), (value, &field.shape), &places, laid);
        }
    }
}

/// Where a key may stand in place of a backend's own section.
pub(super) fn shared_place(key: &str, shape: &Shape) -> Option<String> {
    let (owner, rest) = key.strip_prefix("backends.")?.split_once('.')?;
    let (name, _) = SHARED.iter().find(|(_, owners)| owners.contains(&owner))?;
    let place = format!("backends.{name}.{rest}");
    shape.below(&place).map(|_| place)
}

/// What to do with a key that stands in a shared section and counts only in that of a backend.
pub(super) fn own_only(section: &str, key: &str) -> Option<String> {
    let name = section.strip_prefix("backends.")?;
    let (_, owners) = SHARED.iter().find(|(shared, _)| *shared == name)?;
    OWN_ONLY.contains(&key).then(|| {
        format!("it in the section of a backend ({}), where alone it counts; ignored", owners.join(", "))
    })
}

/// A value for people, on one line.
pub(super) fn shown(node: &Node) -> String {
    match &node.content {
        Content::Text(text) => quoted(text),
        _ => masked_inside(node.plain()).to_string(),
    }
}

fn masked_inside(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(super::tree::masked(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(masked_inside).collect()),
        Value::Object(entries) => {
            Value::Object(entries.into_iter().map(|(key, value)| (key, masked_inside(value))).collect())
        }
        other => other,
    }
}
