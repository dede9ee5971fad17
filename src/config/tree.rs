//! YAML as a tree that remembers where every value stood and how it was written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};

use super::finding::Position;

/// Where a value came from: a place in the file, or a variable.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Origin {
    File(Position),
    Variable(String),
}

/// A value and its origin.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) content: Content,
}

/// What a value is. Truths and numbers keep the text they were written as: it may be meant as a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Nothing,
    Truth { value: bool, written: String },
    Number { value: Number, written: String },
    Text(String),
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// One line of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) origin: Origin,
    pub(super) node: Node,
}

impl Node {
    /// An empty mapping at the start of the file.
    pub(super) fn empty() -> Self {
        Self { origin: Origin::File(Position { line: 1, column: 1 }), content: Content::Mapping(Vec::new()) }
    }

    /// Reads one YAML document. A document without content is an empty mapping.
    pub(super) fn parse(yaml: &str) -> Result<Self, serde_saphyr::Error> {
        // Repeated keys are reported by the reader of the tree, as warnings; the last one counts, as in the original.
        let options =
            serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::PassThrough, with_snippet: false };
        let raw: Option<Spanned<Raw>> = serde_saphyr::from_str_with_options(yaml, options)?;
        Ok(raw.map_or_else(Self::empty, |raw| raw_to_node(raw, yaml)))
    }

    /// The same tree with everything in it coming from a variable.
    pub(super) fn attributed_to(mut self, name: &str) -> Self {
        self.origin = Origin::Variable(name.to_owned());
        match &mut self.content {
            Content::List(nodes) => {
                for node in nodes {
                    *node = node.clone().attributed_to(name);
                }
            }
            Content::Mapping(entries) => {
                for entry in entries {
                    entry.origin = Origin::Variable(name.to_owned());
                    entry.node = entry.node.clone().attributed_to(name);
                }
            }
            _ => {}
        }
        self
    }

    /// The value at a key of this mapping; of repeated keys the last.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match &self.content {
            Content::Mapping(entries) => {
                entries.iter().rev().find(|entry| entry.key == key).map(|entry| &entry.node)
            }
            _ => None,
        }
    }

    /// The origin of the value at a path, or of the innermost section around it that exists.
    pub(super) fn origin_of(&self, path: &str) -> &Origin {
        let mut node = self;
        for key in path.split('.') {
            let (name, index) = match key.strip_suffix(']').and_then(|key| key.split_once('[')) {
                Some((name, index)) => (name, index.parse::<usize>().ok()),
                None => (key, None),
            };
            let Some(next) = node.get(name) else { break };
            node = next;
            if let (Some(index), Content::List(items)) = (index, &node.content)
                && let Some(item) = items.get(index)
            {
                node = item;
            }
        }
        &node.origin
    }

    /// Puts a value at a path, making the sections on the way.
    pub(super) fn set(&mut self, path: &[String], node: Node) {
        let Some((key, rest)) = path.split_first() else {
            *self = node;
            return;
        };
        if !matches!(self.content, Content::Mapping(_)) {
            *self = Node { origin: node.origin.clone(), content: Content::Mapping(Vec::new()) };
        }
        let Content::Mapping(entries) = &mut self.content else { return };
        match entries.iter_mut().rev().find(|entry| entry.key == *key) {
            Some(entry) => entry.node.set(rest, node),
            None => {
                let origin = node.origin.clone();
                let mut inner = Node { origin: origin.clone(), content: Content::Nothing };
                inner.set(rest, node);
                entries.push(Entry { key: key.clone(), origin, node: inner });
            }
        }
    }
}

/// What was found, to be read after "found". Long texts are cut.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Nothing => f.write_str("nothing"),
            Content::Truth { written, .. } | Content::Number { written, .. } => f.write_str(written),
            Content::Text(text) => f.write_str(&quoted(text)),
            Content::List(_) => f.write_str("a list"),
            Content::Mapping(_) => f.write_str("a mapping"),
        }
    }
}

/// A text in quotes, cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start:?}…")
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
