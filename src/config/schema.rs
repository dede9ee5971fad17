//! The JSON schema of the configuration file, for editors.

use schemars::schema_for;
use serde_json::{Map, Value, json};

use super::Config;
use super::shape::{ALIASES, TEXT_AS};
use super::shared::SHARED;

/// The schema of the file as people write it: with all spellings and short forms, and with nothing required in a
/// backend's section that may stand in the shared one.
pub fn file_schema() -> Value {
    let mut schema = schema_for!(Config).to_value();
    for (shared, owners) in SHARED {
        let keys: Vec<String> = section(&mut schema, shared)
            .and_then(|section| section.get("properties")?.as_object())
            .map(|keys| keys.keys().cloned().collect())
            .unwrap_or_default();
        for owner in owners {
            let required = section(&mut schema, owner).and_then(|section| section.get_mut("required"));
            if let Some(required) = required.and_then(Value::as_array_mut) {
                required.retain(|key| keys.iter().all(|shared| key != shared));
            }
        }
    }
    for_people(&mut schema);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".to_owned(), json!("Configuration of hybrid-cloud-postgresql-operator"));
    }
    schema
}

/// The definition of a section of `backends`.
fn section<'a>(schema: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    let reference = |value: &Value| {
        let alternatives = value.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        let mut all = alternatives.chain([value]);
        all.find_map(|one| Some(one.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?.to_owned()))
    };
    let definition = reference(schema.pointer(&format!("/$defs/Backends/properties/{name}"))?)?;
    schema.pointer_mut(&format!("/$defs/{definition}"))?.as_object_mut()
}

fn for_people(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(for_people),
        Value::Object(object) => {
            object.values_mut().for_each(for_people);
            spellings(object);
            if let Some(Value::String(key)) = object.remove(TEXT_AS) {
                let description = object.get("description").cloned().unwrap_or_default();
                let text = json!({"type": "string", "description": format!("The same as `{key}` alone.")});
                let whole = Value::Object(std::mem::take(object));
                object.insert("anyOf".to_owned(), json!([text, whole]));
                object.insert("description".to_owned(), description);
            }
        }
        _ => {}
    }
}

/// Every spelling of a key; then none of them alone is required. What is no key is marked by editors.
fn spellings(object: &mut Map<String, Value>) {
    let Some(keys) = object.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let mut more = Vec::new();
    let mut spelled = Vec::new();
    for (key, value) in keys.iter_mut() {
        let Some(Value::Array(aliases)) = value.as_object_mut().and_then(|value| value.remove(ALIASES))
        else {
            continue;
        };
        spelled.push(key.clone());
        more.extend(aliases.iter().filter_map(Value::as_str).map(|alias| (alias.to_owned(), value.clone())));
    }
    keys.extend(more);
    if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|key| spelled.iter().all(|spelled| key != spelled));
    }
    object.entry("additionalProperties").or_insert(Value::Bool(false));
}
