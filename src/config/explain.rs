//! What each key is for: for the reference page, and for `check-config --explain`.

use std::fmt::Write as _;
use std::path::Path;

use super::lay::{shared_place, shown};
use super::load::tree;
use super::path::{KeyPath, Step, behind, did_you_mean};
use super::read::is_unset;
use super::shape::{Field, Shape};
use super::tree::{Origin, masked};
use super::variables::variable_name;

/// A key as the reference page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// With dots; `<name>` stands for a free name, `[0]` for any item.
    pub key: String,
    /// What may be put there.
    pub value: String,
    /// What counts where it is not set.
    pub default: String,
    /// The variable that sets it.
    pub variable: String,
    /// What it is for.
    pub meaning: String,
}

/// A key that cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no key {key:?}{meant}. docs/configuration.md lists all keys")]
pub struct Unexplained {
    key: String,
    meant: String,
}

/// Every key of the configuration, in alphabetical order within its section.
pub fn reference() -> Vec<KeyRow> {
    let shape = Shape::configuration();
    let mut rows = Vec::new();
    rows_below(shape, &mut KeyPath::default(), shape, &mut rows);
    rows
}

fn rows_below(shape: &Shape, path: &mut KeyPath, root: &Shape, rows: &mut Vec<KeyRow>) {
    for field in shape.fields() {
        path.0.push(Step::Key(field.name.clone()));
        rows_of(field, &field.shape, path, root, rows);
        path.0.pop();
    }
}

fn rows_of(field: &Field, shape: &Shape, path: &mut KeyPath, root: &Shape, rows: &mut Vec<KeyRow>) {
    let inner = match shape {
        Shape::Section { text_as: None, .. } => return rows_below(shape, path, root, rows),
        Shape::Section { .. } => None,
        Shape::List(inner) => Some((Step::Index(0), inner)),
        Shape::Table(inner) => Some((Step::Key("<name>".to_owned()), inner)),
        _ => None,
    };
    rows.push(row(field, path, root));
    match inner {
        Some((step, inner)) => {
            path.0.push(step);
            rows_below(inner, path, root, rows);
            path.0.pop();
        }
        None => rows_below(shape, path, root, rows),
    }
}

fn row(field: &Field, path: &KeyPath, root: &Shape) -> KeyRow {
    let key = path.to_string();
    let default = match (&field.default, field.required) {
        (_, true) => match shared_place(&key, root) {
            Some(place) => format!("required, here or as `{place}`"),
            None => "required".to_owned(),
        },
        (Some(default), _) => {
            format!("`{}`", default.as_str().map_or_else(|| default.to_string(), str::to_owned))
        }
        (None, _) => "–".to_owned(),
    };
    let variable = variable_name(path, root);
    KeyRow { key, value: kind(&field.shape), default, variable, meaning: field.meaning.clone() }
}

fn kind(shape: &Shape) -> String {
    match shape {
        Shape::List(inner) => format!("a list, each item {inner}"),
        Shape::Table(inner) => format!("a mapping of free names, each to {inner}"),
        other => other.to_string(),
    }
}

/// What a key is for, what may be put there, and where it is set now to what.
///
/// # Errors
/// When there is no such key.
pub fn explain(
    key: &str,
    yaml: Option<(&str, &Path)>,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<String, Unexplained> {
    let shape = Shape::configuration();
    let mut path = KeyPath::default();
    let Some((field, found)) = locate(shape, None, key, &mut path) else {
        let rows = reference();
        let last = key.rsplit('.').next().unwrap_or(key);
        let known = || rows.iter().map(|row| row.key.as_str());
        let meant = did_you_mean(key, known());
        let ends = |row: &str| row.rsplit('.').next() == Some(last);
        let alike: Vec<&str> = known().filter(|row| ends(row)).take(3).collect();
        let meant = match (meant.is_empty(), alike.is_empty()) {
            (true, false) => format!(" (did you mean {}?)", alike.join(" or ")),
            _ => meant,
        };
        return Err(Unexplained { key: key.to_owned(), meant });
    };
    let mut text = format!("{path}\n");
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<10}{value}");
    };
    let row = row(field, &path, shape);
    line("meaning", &row.meaning);
    line("value", &kind(found));
    line("default", &row.default.replace('`', ""));
    line("variable", &row.variable);
    if let Some(place) = shared_place(&path.to_string(), shape) {
        line("shared", &format!("{place} counts where this is not set"));
    }
    let (yaml, file) = yaml.unwrap_or(("", Path::new("")));
    match tree(yaml, file, shape, variables) {
        Err(finding) => line("now", &format!("unknown: {finding}")),
        Ok((root, reader)) => match root.find(&path.to_string()) {
            (node, "") if !is_unset(node, field) => {
                let place = match &node.origin {
                    Origin::Variable(name) => name.clone(),
                    Origin::File(at) => format!("{}:{}:{}", file.display(), at.line, at.column),
                };
                let written = reader.place(&path.to_string());
                let by = if written == path.to_string() { String::new() } else { format!(" as {written}") };
                line("now", &format!("{}, set in {place}{by}", masked(&shown(node))));
            }
            _ => line("now", "not set"),
        },
    }
    Ok(text)
}

/// The key and the shape at a path, whose free names and items may be any.
fn locate<'a>(
    shape: &'a Shape,
    field: Option<&'a Field>,
    key: &str,
    path: &mut KeyPath,
) -> Option<(&'a Field, &'a Shape)> {
    let key = key.strip_prefix('.').unwrap_or(key);
    if key.is_empty() {
        return field.map(|field| (field, shape));
    }
    match shape {
        Shape::Section { fields, .. } => fields.iter().find_map(|field| {
            let rest = [&field.name].into_iter().chain(&field.aliases).find_map(|name| behind(key, name))?;
            tried(path, Step::Key(field.name.clone()), |path| locate(&field.shape, Some(field), rest, path))
        }),
        Shape::List(inner) => {
            let (index, rest) = key.strip_prefix('[')?.split_once(']')?;
            let index = index.parse().ok()?;
            tried(path, Step::Index(index), |path| locate(inner, field, rest, path))
        }
        Shape::Table(inner) => {
            let ends = key.match_indices('.').map(|(end, _)| end).chain([key.len()]);
            ends.filter(|end| *end > 0).find_map(|end| {
                let (name, rest) = key.split_at(end);
                tried(path, Step::Key(name.to_owned()), |path| locate(inner, field, rest, path))
            })
        }
        _ => None,
    }
}

fn tried<T>(path: &mut KeyPath, step: Step, go: impl FnOnce(&mut KeyPath) -> Option<T>) -> Option<T> {
    path.0.push(step);
    let found = go(path);
    if found.is_none() {
        path.0.pop();
    }
    found
}
