//! The file as a tree that remembers where every value stood and how it was written.

use std::fmt;

use serde_json::{Number, Value};

use super::finding::Position;
use super::path::{Step, behind};

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

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        match &mut self.content {
            Content::Mapping(entries) => {
                entries.iter_mut().rev().find(|entry| entry.key == key).map(|entry| &mut entry.node)
            }
            _ => None,
        }
    }

    /// The value at a path, or the innermost one around it that exists, and what is left of the path there. Keys may
    /// have dots in them.
    pub(super) fn find<'a, 'b>(&'a self, path: &'b str) -> (&'a Node, &'b str) {
        let path = path.strip_prefix('.').unwrap_or(path);
        let inner = match &self.content {
            Content::Mapping(entries) => {
                let rest = |entry: &'a Entry| behind(path, &entry.key).map(|rest| (&entry.node, rest));
                entries.iter().rev().filter_map(rest).min_by_key(|(_, rest)| rest.len())
            }
            Content::List(items) => path
                .strip_prefix('[')
                .and_then(|path| path.split_once(']'))
                .and_then(|(index, rest)| Some((items.get(index.parse::<usize>().ok()?)?, rest))),
            _ => None,
        };
        match inner {
            Some((node, rest)) if !path.is_empty() => node.find(rest),
            _ => (self, path),
        }
    }

    /// The origin of the value at a path, or of the innermost section around it that exists.
    pub(super) fn origin_of(&self, path: &str) -> &Origin {
        &self.find(path).0.origin
    }

    /// Puts a value at a path, making the sections and lists on the way. An item may be put behind the last one, not
    /// further; the answer is whether that was so.
    pub(super) fn set(&mut self, path: &[Step], node: Node) -> bool {
        let Some((step, rest)) = path.split_first() else {
            *self = node;
            return true;
        };
        let origin = node.origin.clone();
        let nothing = || Node { origin: origin.clone(), content: Content::Nothing };
        match step {
            Step::Key(key) => {
                if !matches!(self.content, Content::Mapping(_)) {
                    *self = Node { origin: origin.clone(), content: Content::Mapping(Vec::new()) };
                }
                let Content::Mapping(entries) = &mut self.content else { return false };
                if let Some(entry) = entries.iter_mut().rev().find(|entry| entry.key == *key) {
                    return entry.node.set(rest, node);
                }
                let mut inner = nothing();
                let done = inner.set(rest, node);
                entries.push(Entry { key: key.clone(), origin, node: inner });
                done
            }
            Step::Index(index) => {
                if !matches!(self.content, Content::List(_)) {
                    *self = Node { origin: origin.clone(), content: Content::List(Vec::new()) };
                }
                let Content::List(items) = &mut self.content else { return false };
                if *index == items.len() {
                    items.push(nothing());
                }
                items.get_mut(*index).is_some_and(|item| item.set(rest, node))
            }
        }
    }

    /// As JSON.
    pub(super) fn plain(&self) -> Value {
        match &self.content {
            Content::Nothing => Value::Null,
            Content::Truth { value, .. } => Value::Bool(*value),
            Content::Number { value, .. } => Value::Number(value.clone()),
            Content::Text(text) => Value::from(text.as_str()),
            Content::List(nodes) => Value::Array(nodes.iter().map(Node::plain).collect()),
            Content::Mapping(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.clone(), entry.node.plain())).collect())
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

/// A text without the user name and password that an address may carry: findings go to logs.
pub(super) fn masked(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{path}"),
        None => text.to_owned(),
    }
}

/// A text in quotes, cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let text = &masked(text);
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start:?}…")
}
