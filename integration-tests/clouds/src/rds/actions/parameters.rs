//! What parameter groups hold: `Modify…`, `Reset…`, `Describe…Parameters`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::rds::catalogue::{Parameter, parameters};
use crate::rds::groups::{Group, GroupKind, Set, group_not_found, is_default, spread};
use crate::rds::realm::{Realm, State};
use crate::rds::wire::{Answer, Form, Refusal, combination, invalid, leaf, node, page};

use super::Known;

/// In one request (API reference, ModifyDBParameterGroup).
const MOST: usize = 20;

struct Change {
    name: String,
    value: Option<String>,
    method: String,
}

fn name(form: &Form, kind: GroupKind) -> Result<String, Refusal> {
    Ok(form.need(&format!("{}Name", kind.element()))?.to_lowercase())
}

fn changes(
    form: &Form,
    known: &BTreeMap<String, Parameter>,
    with_values: bool,
) -> Result<Vec<Change>, Refusal> {
    let records = form.records("Parameters.Parameter");
    if records.len() > MOST {
        return Err(invalid(format!("A request changes at most {MOST} parameters.")));
    }
    let change = |record: BTreeMap<String, String>| {
        let name = record.get("ParameterName").cloned().unwrap_or_default();
        let found = || invalid(format!("Could not find parameter with name: {name}"));
        let parameter = known.get(&name).ok_or_else(found)?;
        let value = record.get("ParameterValue").cloned();
        if with_values {
            let value =
                value.as_deref().ok_or_else(|| invalid(format!("The parameter {name} has no value.")))?;
            parameter.check(value)?;
        }
        let method = record.get("ApplyMethod").cloned();
        let method = method.ok_or_else(|| invalid(format!("The parameter {name} has no ApplyMethod.")))?;
        match method.as_str() {
            "pending-reboot" => {}
            "immediate" if parameter.is_static => {
                return Err(combination(format!(
                    "cannot use immediate apply method for static parameter: {name}"
                )));
            }
            "immediate" => {}
            other => return Err(invalid(format!("Invalid apply method: {other}"))),
        }
        Ok(Change { name, value: value.filter(|_| with_values), method })
    };
    records.into_iter().map(change).collect()
}

fn group<'a>(state: &'a mut State, kind: GroupKind, name: &str) -> Result<&'a mut Group, Refusal> {
    if is_default(name) {
        let message = format!("The parameter group {name} is a default one and cannot be changed.");
        return Err(Refusal(400, "InvalidDBParameterGroupState", message));
    }
    state.groups.get_mut(&(kind, name.to_owned())).ok_or_else(|| group_not_found(kind, name))
}

pub(super) fn modify(realm: &Arc<Realm>, form: &Form, kind: GroupKind, known: Known) -> Answer {
    let name = name(form, kind)?;
    let changes = changes(form, &parameters(&known.settings, known.major), true)?;
    form.nothing_else()?;
    if changes.is_empty() {
        return Err(Refusal(400, "MissingParameter", "The request contains no Parameters.".to_owned()));
    }
    let mut state = realm.state();
    take(realm, &mut state, kind, &name, changes)
}

pub(super) fn reset(realm: &Arc<Realm>, form: &Form, kind: GroupKind, known: Known) -> Answer {
    let name = name(form, kind)?;
    let all = form.flag("ResetAllParameters")?;
    let known = parameters(&known.settings, known.major);
    let mut changes = changes(form, &known, false)?;
    form.nothing_else()?;
    let mut state = realm.state();
    match (all.unwrap_or(changes.is_empty()), changes.is_empty()) {
        (true, false) => {
            return Err(combination("ResetAllParameters and a list of Parameters exclude each other."));
        }
        (false, true) => {
            return Err(combination("The request names no Parameters and does not reset all."));
        }
        // Dynamic ones at once, static ones with the next reboot (API reference, ResetDBParameterGroup).
        (true, true) => {
            let dynamic = |name: &str| known.get(name).is_some_and(|parameter| !parameter.is_static);
            let set: Vec<String> = group(&mut state, kind, &name)?.values.keys().cloned().collect();
            changes.extend(set.into_iter().map(|name| {
                let method = if dynamic(&name) { "immediate" } else { "pending-reboot" };
                Change { name, value: None, method: method.to_owned() }
            }));
        }
        (false, false) => {}
    }
    take(realm, &mut state, kind, &name, changes)
}

/// Into the group, and from there to whoever uses it.
fn take(realm: &Arc<Realm>, state: &mut State, kind: GroupKind, name: &str, changes: Vec<Change>) -> Answer {
    let group = group(state, kind, name)?;
    let (mut now, mut later) = (BTreeMap::new(), false);
    for change in changes {
        let before = match &change.value {
            Some(value) => {
                let set = Set { value: value.clone(), method: change.method.clone() };
                group.values.insert(change.name.clone(), set)
            }
            None => group.values.remove(&change.name),
        };
        if before.map(|set| set.value) == change.value {
            continue;
        }
        if change.method == "immediate" {
            now.insert(change.name, change.value);
        } else {
            later = true;
        }
    }
    if later || !now.is_empty() {
        spread(realm, state, (kind, name), &now, later);
    }
    Ok(leaf(&format!("{}Name", kind.element()), name))
}

pub(super) fn describe(state: &State, form: &Form, kind: GroupKind, known: &Known) -> Answer {
    let name = name(form, kind)?;
    let source = form.text("Source");
    let group = state.groups.get(&(kind, name.clone())).ok_or_else(|| group_not_found(kind, &name))?;
    let all = parameters(&known.settings, known.major);
    let fits = all.values().filter(|parameter| {
        let set = group.values.contains_key(&parameter.name);
        source.as_deref().is_none_or(|source| source == parameter.source(set))
    });
    let one = |parameter: &Parameter| {
        let set = group.values.get(&parameter.name).map(|set| (set.value.as_str(), set.method.as_str()));
        (parameter.name.clone(), parameter.xml(set))
    };
    page(form, "Parameters", fits.map(one).collect())
}

pub(super) fn defaults(form: &Form, known: &Known) -> Answer {
    let family = form.need("DBParameterGroupFamily")?.to_owned();
    let all = parameters(&known.settings, known.major);
    let items = all.values().map(|parameter| (parameter.name.clone(), parameter.xml(None)));
    let page = page(form, "Parameters", items.collect())?;
    Ok(node("EngineDefaults", [leaf("DBParameterGroupFamily", family), page]))
}
