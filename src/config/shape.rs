//! The shape of the configuration as data, read from the JSON schema of the structs.
//!
//! The structs stay the only place where a key is written down: reading with positions, the environment and the
//! reference page all follow from them.

use std::fmt;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::Config;

/// Says in the schema of a field which other spellings its key has.
pub(super) const ALIASES: &str = "x-aliases";
/// Says in the schema of a section which of its keys a text in its place is.
pub(super) const TEXT_AS: &str = "x-text-as";

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// Not looked at.
    Anything,
    /// A text.
    Text,
    /// An IP address; of version 4 only where the other is not known to what it is for.
    Address { four: bool },
    /// `true` or `false`.
    Truth,
    /// A whole number.
    Whole { min: i128, max: i128 },
    /// A number.
    Number { min: f64, max: f64 },
    /// One of some words.
    Choice(Vec<String>),
    /// A list.
    List(Box<Shape>),
    /// A mapping with free keys.
    Table(Box<Shape>),
    /// A mapping with known keys. A text may stand in its place, which is the value of the key in `text_as` then.
    Section { fields: Vec<Field>, text_as: Option<String> },
}

/// A key of a section.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) required: bool,
    /// Whether the field may be empty, so that an empty text says the same as no value.
    pub(super) optional: bool,
    /// Other spellings of the name.
    pub(super) aliases: Vec<String>,
    /// Whether the key is accepted and has no effect.
    pub(super) without_effect: bool,
    /// What it is for.
    pub(super) meaning: String,
    /// What counts where it is not set, if that is a value.
    pub(super) default: Option<Value>,
}

impl Shape {
    /// The shape of the configuration.
    pub(super) fn configuration() -> &'static Self {
        static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::of::<Config>);
        &SHAPE
    }

    /// The shape of a type.
    fn of<T: JsonSchema>() -> Self {
        let schema = schemars::schema_for!(T).to_value();
        let definitions = schema.get("$defs").cloned().unwrap_or_default();
        from_schema(&schema, &definitions).0
    }

    /// The keys of a section; none of anything else.
    pub(super) fn fields(&self) -> &[Field] {
        match self {
            Shape::Section { fields, .. } => fields,
            _ => &[],
        }
    }

    /// A key of a section.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields().iter().find(|field| field.name == name)
    }

    /// A key below sections, with dots.
    pub(super) fn below(&self, path: &str) -> Option<&Field> {
        match path.split_once('.') {
            Some((name, rest)) => self.field(name)?.shape.below(rest),
            None => self.field(path),
        }
    }
}

/// What is expected, to be read after "expected".
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Anything => f.write_str("any value"),
            Shape::Text => f.write_str("a text"),
            Shape::Address { four: false } => f.write_str("an IP address"),
            Shape::Address { four: true } => f.write_str("an IPv4 address"),
            Shape::Number { min, max } if min.is_finite() && max.is_finite() => {
                write!(f, "a number from {min} to {max}")
            }
            Shape::Number { .. } => f.write_str("a number"),
            Shape::Truth => f.write_str("true or false"),
            Shape::Whole { min: i128::MIN, .. } | Shape::Whole { max: i128::MAX, .. } => {
                f.write_str("a whole number")
            }
            Shape::Whole { min, max } => write!(f, "a whole number from {min} to {max}"),
            Shape::Choice(words) => write!(f, "one of: {}", words.join(", ")),
            Shape::List(_) => f.write_str("a list"),
            Shape::Section { text_as: Some(_), .. } => f.write_str("a text, or a mapping of keys to values"),
            Shape::Table(_) | Shape::Section { .. } => f.write_str("a mapping of keys to values"),
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
    let format = object.get("format").and_then(Value::as_str).unwrap_or_default();
    let shape = match name {
        "string" if format == "ip" => Shape::Address { four: false },
        "string" if format == "ipv4" => Shape::Address { four: true },
        "string" => Shape::Text,
        "boolean" => Shape::Truth,
        "integer" => Shape::Whole {
            min: bound(object, "minimum", i128::MIN),
            max: bound(object, "maximum", widest(format)),
        },
        "number" => Shape::Number {
            min: object.get("minimum").and_then(Value::as_f64).unwrap_or(f64::NEG_INFINITY),
            max: object.get("maximum").and_then(Value::as_f64).unwrap_or(f64::INFINITY),
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
        let words = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
        Field {
            name: name.clone(),
            shape,
            required: required.contains(name),
            optional,
            aliases: words(ALIASES).filter_map(text).collect(),
            without_effect: schema.get("deprecated") == Some(&Value::Bool(true)),
            meaning: schema.get("description").and_then(text).unwrap_or_default().replace('\n', " "),
            default: schema.get("default").filter(|default| !default.is_null()).cloned(),
        }
    });
    let fields = fields.collect();
    Shape::Section { fields, text_as: object.get(TEXT_AS).and_then(text) }
}

/// The largest number of a format that has no bound of its own in the schema.
fn widest(format: &str) -> i128 {
    match format {
        "uint32" => u32::MAX.into(),
        "uint64" | "uint" => u64::MAX.into(),
        _ => i128::MAX,
    }
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
