//! Parameter groups of instances and of clusters: `Create…`, `Describe…`, `Delete…`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::rds::groups::{Group, GroupKind, group_not_found, is_default};
use crate::rds::realm::{Realm, State};
use crate::rds::versions::{AURORA, POSTGRES};
use crate::rds::wire::{Answer, Form, Refusal, filters, invalid, leaf, node, page};

/// From `postgres15` or `aurora-postgresql15`.
pub(super) fn family_major(family: &str) -> Result<u32, Refusal> {
    let number = family.strip_prefix(AURORA).or_else(|| family.strip_prefix(POSTGRES));
    let major = number.and_then(|number| number.parse().ok()).filter(|major| (12..=18).contains(major));
    major.ok_or_else(|| {
        invalid(format!("ParameterGroupFamily {family} is not a valid parameter group family"))
    })
}

fn name(form: &Form, kind: GroupKind) -> Result<String, Refusal> {
    Ok(form.need(&format!("{}Name", kind.element()))?.to_lowercase())
}

pub(super) fn create(realm: &Arc<Realm>, form: &Form, kind: GroupKind) -> Answer {
    let name = name(form, kind)?;
    let family = form.need("DBParameterGroupFamily")?.to_owned();
    let description = form.need("Description")?.to_owned();
    let tags = form.tags()?;
    form.nothing_else()?;
    super::tags::check(&tags)?;
    family_major(&family)?;
    if kind == GroupKind::Cluster && !family.starts_with(AURORA) {
        return Err(invalid(format!("{family} is no family of clusters.")));
    }
    let legal = name.len() <= 255
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !name.contains("--")
        && !name.ends_with('-');
    if !legal {
        return Err(invalid(format!(
            "The parameter {}Name is not a valid identifier: {name}",
            kind.element()
        )));
    }
    let mut state = realm.state();
    if state.groups.contains_key(&(kind, name.clone())) {
        let message = format!("Parameter group {name} already exists");
        return Err(Refusal(400, "DBParameterGroupAlreadyExists", message));
    }
    if state.groups.values().filter(|group| !is_default(&group.name)).count() >= state.quotas.groups {
        let message = "The quota of parameter groups is used up.".to_owned();
        return Err(Refusal(400, "DBParameterGroupQuotaExceeded", message));
    }
    let arn = realm.arn(kind.arn_kind(), &name);
    let group = Group { name: name.clone(), family, description, arn, tags, values: BTreeMap::new() };
    let xml = xml(&group, kind);
    state.groups.insert((kind, name), group);
    Ok(xml)
}

fn xml(group: &Group, kind: GroupKind) -> String {
    let element = kind.element();
    let inner = [
        leaf(&format!("{element}Name"), &group.name),
        leaf("DBParameterGroupFamily", &group.family),
        leaf("Description", &group.description),
        leaf(&format!("{element}Arn"), &group.arn),
    ];
    node(element, inner)
}

pub(super) fn describe(state: &State, form: &Form, kind: GroupKind) -> Answer {
    let asked = form.text(&format!("{}Name", kind.element())).map(|name| name.to_lowercase());
    filters(form, &[])?;
    let of_kind = state.groups.values().zip(state.groups.keys()).filter(|(_, (own, _))| *own == kind);
    let fits = of_kind.filter(|(group, _)| asked.as_ref().is_none_or(|asked| *asked == group.name));
    let found: Vec<_> = fits.map(|(group, _)| (group.name.clone(), xml(group, kind))).collect();
    match asked {
        Some(asked) if found.is_empty() => Err(group_not_found(kind, &asked)),
        _ => page(form, &format!("{}s", kind.element()), found),
    }
}

pub(super) fn delete(realm: &Arc<Realm>, form: &Form, kind: GroupKind) -> Answer {
    let name = name(form, kind)?;
    form.nothing_else()?;
    let mut state = realm.state();
    if !state.groups.contains_key(&(kind, name.clone())) {
        return Err(group_not_found(kind, &name));
    }
    let state_refuses = |message: &str| Refusal(400, "InvalidDBParameterGroupState", message.to_owned());
    if is_default(&name) {
        return Err(state_refuses("Default parameter groups cannot be deleted."));
    }
    let used = match kind {
        GroupKind::Instance => state.instances.values().any(|it| it.group.name == name),
        GroupKind::Cluster => state.clusters.values().any(|it| it.group.name == name),
    };
    if used {
        return Err(state_refuses(
            "One or more database instances are still members of this parameter group.",
        ));
    }
    state.groups.remove(&(kind, name));
    Ok(String::new())
}
