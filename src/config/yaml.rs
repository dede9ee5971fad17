//! YAML into the tree.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};

use super::finding::Position;
use super::tree::{Content, Entry, Node, Origin};

impl Node {
    /// Reads one YAML document. A document without content is an empty mapping.
    pub(super) fn parse(yaml: &str) -> Result<Self, serde_saphyr::Error> {
        // Repeated keys are reported by the reader of the tree, as warnings; the last one counts, as in the original.
        let options =
            serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::PassThrough, with_snippet: false };
        let raw: Option<Spanned<Raw>> = serde_saphyr::from_str_with_options(yaml, options)?;
        Ok(raw.map_or_else(Self::empty, |raw| raw_to_node(raw, yaml)))
    }
}

/// The position serde-saphyr reports, if it knows it.
pub(super) fn position(location: Location) -> Option<Position> {
    (location != Location::UNKNOWN).then(|| Position { line: location.line(), column: location.column() })
}

fn origin(location: Location) -> Origin {
    Origin::File(Position { line: location.line(), column: location.column() })
}

enum Raw {
    Nothing,
    Truth(bool),
    Number(Number),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn raw_to_node(raw: Spanned<Raw>, yaml: &str) -> Node {
    let written = || written_as(yaml, raw.defined);
    let content = match raw.value {
        Raw::Nothing => Content::Nothing,
        Raw::Truth(value) => {
            Content::Truth { value, written: written().unwrap_or_else(|| value.to_string()) }
        }
        Raw::Number(value) => {
            let written = written().unwrap_or_else(|| value.to_string());
            Content::Number { value, written }
        }
        Raw::Text(text) => Content::Text(text),
        Raw::List(items) => Content::List(items.into_iter().map(|item| raw_to_node(item, yaml)).collect()),
        Raw::Mapping(entries) => Content::Mapping(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    origin: origin(key.referenced),
                    key: key.value,
                    node: raw_to_node(value, yaml),
                })
                .collect(),
        ),
    };
    Node { origin: origin(raw.referenced), content }
}

fn written_as(yaml: &str, location: Location) -> Option<String> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    let written = yaml.get(start..start.checked_add(length)?)?.trim();
    (!written.is_empty()).then(|| written.to_owned())
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E: Error>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_none<E: Error>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Truth(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Raw, E> {
        Ok(Number::from_f64(value).map_or_else(|| Raw::Text(value.to_string()), Raw::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Raw::Mapping(mapping))
    }
}
