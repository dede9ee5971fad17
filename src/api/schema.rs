//! From what schemars derives to what reads well in a CRD.

use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::ParameterValue;

/// Goes through a whole schema and
///
/// * takes `null` away: the API server drops it from objects instead, as with the original's CRDs;
/// * takes defaults away: they are the operator's and the backend's, and would be written into every object;
/// * replaces number formats that Kubernetes does not know;
/// * makes one line of each paragraph of a description, for `kubectl explain`.
pub(super) fn tidy(schema: &mut Schema) {
    Tidy.transform(schema);
}

struct Tidy;

impl Transform for Tidy {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        schema.remove("default");
        if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
            types.retain(|one| one != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            values.retain(|one| !one.is_null());
        }
        match schema.get("format").and_then(Value::as_str) {
            Some("uint16") => schema.insert("format".to_owned(), json!("int32")),
            Some("uint64") => schema.insert("format".to_owned(), json!("int64")),
            _ => None,
        };
        if let Some(description) = schema.get("description").and_then(Value::as_str) {
            let paragraphs: Vec<_> =
                description.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
            schema.insert("description".to_owned(), json!(paragraphs.join("\n\n")));
        }
    }
}

/// One list of words in place of schemars' alternatives, one per documented variant.
pub(super) fn words(schema: &mut Schema) {
    let Some(Value::Array(variants)) = schema.remove("oneOf") else { return };
    let words: Vec<Value> = variants
        .iter()
        .flat_map(|variant| match (variant.get("const"), variant.get("enum").and_then(Value::as_array)) {
            (Some(word), _) => vec![word.clone()],
            (None, Some(words)) => words.clone(),
            (None, None) => Vec::new(),
        })
        .collect();
    schema.insert("type".to_owned(), json!("string"));
    schema.insert("enum".to_owned(), Value::Array(words));
}

/// Text, number or boolean. A structural schema has no words for "one of these types": alternatives may not name types,
/// and the exception for integers or strings has no room for `on`, which YAML readers make a boolean before Kubernetes
/// sees it. So the value has no type at all, and what remains is refused by demands that no object and no list can meet;
/// they do not concern the other types.
impl JsonSchema for ParameterValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ParameterValue".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The value: text, a number, or true (on) or false (off).",
            "x-kubernetes-preserve-unknown-fields": true,
            "minProperties": 1,
            "maxProperties": 0,
            "minItems": 1,
            "maxItems": 0,
            "maxLength": 65536,
        })
    }
}
