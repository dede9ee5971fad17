//! The page about the configuration file and its schema, from the structs that read it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;

use hcpg::config::{KeyRow, file_schema, reference};
use serde_json::{Map, Value};

use crate::artefact::{Artefact, MARK};

const PAGE: &str = "docs/configuration.md";
const SCHEMA: &str = "docs/configuration.schema.json";
/// The sections of the clouds; each of their backends takes the keys of the shared one too.
const SHARED: [(&str, &str); 4] = [
    ("backends.awsaurora", "backends.aws"),
    ("backends.awsrds", "backends.aws"),
    ("backends.azurepostgres", "backends.azure"),
    ("backends.azurepostgresflexible", "backends.azure"),
];
const INTRODUCTION: &str = "\
# Configuration

One YAML file: `--config FILE`, else the file named by `OPERATOR_CONFIG`, else `config.yaml` in the working directory.
[configuration.schema.json](configuration.schema.json) is its JSON schema; an editor with a YAML language server takes
it from a first line `# yaml-language-server: $schema=` and the path.

| command | tells | exit code |
|---|---|---|
| `hybrid-cloud-postgresql-operator check-config FILE` | everything that is wrong, each finding with line, column and key, or the variable it comes from | 0: can be used; 1: is wrong; 2: cannot be read |
| `hybrid-cloud-postgresql-operator check-config FILE --explain KEY` | what a key is for, its variable, where it is set and to what | 0; 1: no such key; 2: cannot be read |

Unknown keys are warnings, and so is a key that has no effect any more: files of the original operator keep working.
The section of a backend that is neither `backend` nor in `allowed_backends` may lack what is required; it is not used
then.

**Shared sections.** `backends.aws` and `backends.azure` are laid under the sections of their backends, key by key: a key
that is not set in `backends.awsrds` counts as it stands in `backends.aws`. Not set is a key that is missing or `null`
and, where there is no default text, an empty text; `false`, 0 and an empty list are values.

**Variables.** Every key can be set by an environment variable: `HYBRIDCLOUD_` and the key in upper case with `_` for
each dot and around the number of an item, counted from 0, for example `HYBRIDCLOUD_SECURITY_PASSWORD_LENGTH=24`. A
variable wins over the file; an empty one counts as not set.

| | |
|---|---|
| free names | in upper case if there are no capitals in them, else as they are; `-` and `.` as `_` if the file has the name |
| lists, mappings and whole sections | written as YAML: `[local]`, `{big: {instance_type: db.m5.large}}` |
| several meanings | what the file has goes first; if more than one is left, the variable is ignored with a warning |
| unknown variables | ignored with a warning, which says what may be meant |
";

/// The page and the schema.
pub(crate) fn artefacts() -> Result<Vec<Artefact>, Box<dyn Error>> {
    let mut schema = Map::new();
    schema.insert("$comment".to_owned(), Value::from(MARK));
    schema.extend(file_schema().as_object().cloned().unwrap_or_default());
    let schema = serde_json::to_string_pretty(&schema)? + "\n";
    let content = format!("<!-- {MARK} -->\n\n{INTRODUCTION}{}", sections(&reference())?);
    Ok(vec![
        Artefact { path: PAGE.to_owned(), content },
        Artefact { path: SCHEMA.to_owned(), content: schema },
    ])
}

/// A table for each section. Of a backend's keys those of the shared section are only named.
fn sections(rows: &[KeyRow]) -> Result<String, Box<dyn Error>> {
    let mut sections: BTreeMap<&str, Vec<&KeyRow>> = BTreeMap::new();
    for row in rows {
        sections.entry(section(&row.key)).or_default().push(row);
    }
    let mut page = String::new();
    for (name, rows) in &sections {
        let title = if name.is_empty() { "All of it".to_owned() } else { format!("`{name}`") };
        let shared = SHARED.iter().find(|(own, _)| own == name).map(|(_, shared)| *shared);
        let others = shared.and_then(|shared| sections.get(shared)).map_or(&[][..], Vec::as_slice);
        let is_shared = |row: &&&KeyRow| others.iter().any(|other| same(row, other, name, shared));
        writeln!(
            page,
            "\n## {title}\n\n| key | value | default | variable | meaning |\n|---|---|---|---|---|"
        )?;
        for row in rows.iter().filter(|row| !is_shared(row)) {
            let KeyRow { key, value, default, variable, meaning } = row;
            if meaning.is_empty() {
                return Err(format!("{key} has no description").into());
            }
            writeln!(page, "| `{key}` | {value} | {default} | `{variable}` | {meaning} |")?;
        }
        if let Some(shared) = shared {
            let keys: Vec<String> = rows
                .iter()
                .filter(is_shared)
                .filter_map(|row| row.key.strip_prefix(&format!("{name}.")))
                .filter(|key| !key.contains(['[', '<']))
                .map(|key| format!("`{key}`"))
                .collect();
            writeln!(page, "\nAnd, as in `{shared}` or instead of there: {}.", keys.join(", "))?;
        }
    }
    Ok(page)
}

/// Whether a key of a backend is the same as one of the shared section, apart from its place.
fn same(row: &KeyRow, other: &KeyRow, own: &str, shared: Option<&str>) -> bool {
    let rest = |row: &KeyRow, section: &str| row.key.strip_prefix(section).map(str::to_owned);
    rest(row, own) == rest(other, shared.unwrap_or_default())
        && (&row.value, &row.meaning) == (&other.value, &other.meaning)
        && (row.default == other.default || row.default.starts_with("required"))
}

/// The section a key is shown in.
fn section(key: &str) -> &str {
    let depth = if key.starts_with("backends.") { 2 } else { 1 };
    key.match_indices('.').nth(depth - 1).map_or("", |(end, _)| key.split_at(end).0)
}
