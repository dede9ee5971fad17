//! The shape of the configuration as data, read from the JSON schema of the structs.
//!
//! The structs stay the only place where a key is written down: reading with positions, the environment and the
//! reference page all follow from them.

use std::fmt;

use schemars::JsonSchema;
use serde_json::{Map, Value};

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// Not looked at.
    Anything,
    /// A text.
    Text,
    /// An IP address.
    Address,
    /// `true` or `false`.
    Truth,
    /// A whole number.
    Whole { min: i128, max: i128 },
    /// One of some words.
    Choice(Vec<String>),
    /// A list.
    List(Box<Shape>),
    /// A mapping with free keys.
    Table(Box<Shape>),
    /// A mapping with known keys.
    Section(Vec<Field>),
}

/// A key of a section.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) required: bool,
    /// Whether the field may be empty, so that an empty text says the same as no value.
    pub(super) optional: bool,
}

impl Shape {
    /// The shape of a type.
    pub(super) fn of<T: JsonSchema>() -> Self {
        let schema = schemars::schema_for!(T).to_value();
        let definitions = schema.get("$defs").cloned().unwrap_or_default();
        from_schema(&schema, &definitions).0
    }
}

/// What is expected, to be read after "expected".
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Anything => f.write_str("any value"),
            Shape::Text => f.write_str("a text"),
            Shape::Address => f.write_str("an IP address"),
            Shape::Truth => f.write_str("true or false"),
            Shape::Whole { min: i128::MIN, .. } | Shape::Whole { max: i128::MAX, .. } => {
                f.write_str("a whole number")
            }
            Shape::Whole { min, max } => write!(f, "a whole number from {min} to {max}"),
            Shape::Choice(words) => write!(f, "one of: {}", words.join(", ")),
            Shape::List(_) => f.write_str("a list"),
            Shape::Table(_) | Shape::Section(_) => f.write_str("a mapping of keys to values"),
        }
    }
}

/// The shape, and whether the value is optional.
fn from_schema(schema: &Value, definitions: &Value) -> (Shape, bool) {
    let Some(object) = schema.as_object() else { return (Shape::Anything, false) };
    if let Some(definition) = reference(object, definitions) {
        return from_schema(definition, definitions);
    }
    if let Some(variants) = variants(object) {
        let optional = variants.iter().any(is_null);
        let rest: Vec<&Value> = variants.iter().filter(|variant| !is_null(variant)).collect();
        return match rest.as_slice() {
            [only] if only.get("const").is_none() => (from_schema(only, definitions).0, optional),
            rest => (choice(rest), optional),
        };
    }
    if let Some(words) = object.get("enum").and_then(Value::as_array) {
        return (Shape::Choice(words.iter().filter_map(text).collect()), false);
    }
    let (name, optional) = type_name(object);
    let shape = match name {
        "string" if object.get("format").and_then(Value::as_str) == Some("ip") => Shape::Address,
        "string" => Shape::Text,
        "boolean" => Shape::Truth,
        "integer" => Shape::Whole {
            min: bound(object, "minimum", i128::MIN),
            max: bound(object, "maximum", i128::MAX),
        },
        "array" => Shape::List(Box::new(inner(object, "items", definitions))),
        "object" if object.contains_key("properties") => section(object, definitions),
        "object" => Shape::Table(Box::new(inner(object, "additionalProperties", definitions))),
        _ => Shape::Anything,
    };
    (shape, optional)
}

fn section(object: &Map<String, Value>, definitions: &Value) -> Shape {
    let required: Vec<String> = object
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(text).collect())
        .unwrap_or_default();
    let properties = object.get("properties").and_then(Value::as_object);
    let fields = properties.into_iter().flatten().map(|(name, schema)| {
        let (shape, optional) = from_schema(schema, definitions);
        Field { name: name.clone(), shape, required: required.contains(name), optional }
    });
    Shape::Section(fields.collect())
}

fn choice(variants: &[&Value]) -> Shape {
    let words: Vec<String> =
        variants.iter().filter_map(|variant| variant.get("const").and_then(text)).collect();
    if words.len() == variants.len() { Shape::Choice(words) } else { Shape::Anything }
}

fn inner(object: &Map<String, Value>, key: &str, definitions: &Value) -> Shape {
    object.get(key).map_or(Shape::Anything, |schema| from_schema(schema, definitions).0)
}

fn reference<'a>(object: &Map<String, Value>, definitions: &'a Value) -> Option<&'a Value> {
    let name = object.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
    definitions.get(name)
}

fn variants(object: &Map<String, Value>) -> Option<&Vec<Value>> {
    object.get("anyOf").or_else(|| object.get("oneOf")).and_then(Value::as_array)
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

fn type_name(object: &Map<String, Value>) -> (&str, bool) {
    match object.get("type") {
        Some(Value::String(name)) => (name, false),
        Some(Value::Array(names)) => {
            let name =
                names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or_default();
            (name, names.iter().any(|name| name == "null"))
        }
        _ => ("", false),
    }
}

fn bound(object: &Map<String, Value>, key: &str, default: i128) -> i128 {
    object
        .get(key)
        .and_then(|value| value.as_number())
        .and_then(serde_json::Number::as_i128)
        .unwrap_or(default)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
