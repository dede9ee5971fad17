//! What the shape of single values cannot say.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::finding::Severity;
use super::local::{LOCAL_SUPERUSER, LocalConfig};
use super::model::{Config, available_backends, known_backend};
use super::path::did_you_mean;
use super::read::Reader;
use super::tree::{Content, Node, quoted};

/// Longest path below which a Unix socket's name still fits.
const LONGEST_DATA_DIR: usize = 70;
/// PostgreSQL cuts longer names.
const LONGEST_IDENTIFIER: usize = 63;
/// What PostgreSQL's programs cannot handle in a path.
const UNUSABLE_IN_PATHS: [char; 6] = ['"', '\\', '$', '`', '\'', ','];

/// Reports what is wrong with a configuration whose values all have the right shape.
pub(super) fn validate(config: &Config, root: &Node, reader: &mut Reader<'_>) {
    let mut checks = Checks { root, reader };
    checks.backend("backend", &config.backend, config);
    for (index, name) in config.allowed_backends.iter().enumerate() {
        // A backend that is both default and allowed is reported once.
        if *name != config.backend {
            checks.backend(&format!("allowed_backends[{index}]"), name, config);
        }
    }
    if let Some(local) = &config.backends.local {
        checks.local(local);
    }
    checks.clouds(config);
}

pub(super) struct Checks<'a, 'b> {
    pub(super) root: &'a Node,
    pub(super) reader: &'a mut Reader<'b>,
}

impl Checks<'_, '_> {
    pub(super) fn report(
        &mut self,
        severity: Severity,
        key: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) {
        // A value that was replaced by its default because it could not be read is not judged again.
        let place = self.reader.place(key);
        if !self.reader.findings.iter().any(|finding| finding.is_error() && finding.key == place) {
            self.reader.report(severity, self.root.origin_of(key), key, found, expected);
        }
    }

    pub(super) fn error(&mut self, key: &str, found: impl Into<String>, expected: impl Into<String>) {
        self.report(Severity::Error, key, found, expected);
    }

    fn backend(&mut self, key: &str, name: &str, config: &Config) {
        let available = available_backends().collect::<Vec<_>>().join(", ");
        if available_backends().any(|available| available == name) {
            let section = format!("backends.{name}");
            // One that could not be read whole is in the file all the same.
            let is_there = matches!(self.root.find(&section), (node, "") if node.content != Content::Nothing);
            if !is_there && !config.backends.has_section(name) {
                self.error(&section, "nothing", format!("a section, since {key} names this backend"));
            }
        } else if known_backend(name).is_some() {
            self.error(
                key,
                format!("{name:?}, which is not part of this version"),
                format!("one of: {available}"),
            );
        } else {
            let found = format!("{}{}", quoted(name), did_you_mean(name, available_backends()));
            self.error(key, found, format!("the name of a backend (available: {available})"));
        }
    }

    fn local(&mut self, local: &LocalConfig) {
        let data_dir = &local.data_dir;
        let found = data_dir.to_string_lossy();
        if !data_dir.is_absolute() {
            self.error("backends.local.data_dir", quoted(&found), "an absolute path");
        } else if data_dir.as_os_str().as_bytes().len() > LONGEST_DATA_DIR {
            let expected = format!("at most {LONGEST_DATA_DIR} bytes, since Unix sockets stand below it");
            self.error("backends.local.data_dir", quoted(&found), expected);
        } else if found.contains(UNUSABLE_IN_PATHS) || found.contains(char::is_control) {
            // pg_ctl hands the path to a shell in double quotes; a comma separates socket folders.
            let expected = "a path without quotes, backslashes, control characters, $ ` and ,";
            self.error("backends.local.data_dir", quoted(&found), expected);
        }
        if local.address.is_unspecified() || local.address.is_multicast() {
            let expected = "an address to connect to, for example 127.0.0.1 or ::1";
            self.error("backends.local.address", quoted(&local.address.to_string()), expected);
        }
        self.programs(local);
        if local.port_first > local.port_last {
            let found = local.port_last.to_string();
            let expected = format!("at least {}, the first port", local.port_first);
            self.error("backends.local.port_last", found, expected);
        }
        self.admin("backends.local.admin_username", &local.admin_username);
        self.pattern("backends.local.name_pattern", &local.name_pattern);
    }

    /// Without `bin_dir` they are looked for when the backend is set up.
    fn programs(&mut self, local: &LocalConfig) {
        let (Some(written), Some(folders)) = (&local.bin_dir, local.program_folders()) else { return };
        let missing = |folder: &PathBuf| {
            ["initdb", "pg_ctl", "postgres"].into_iter().find(|name| !folder.join(name).is_file())
        };
        // A pattern may match more than the folders of PostgreSQL.
        if folders.iter().any(|folder| missing(folder).is_none()) {
            return;
        }
        if let Some(missing) = folders.first().and_then(missing) {
            let found = format!("{}, where no {missing} is", quoted(&written.to_string_lossy()));
            let expected = "the folder of PostgreSQL's initdb, pg_ctl and postgres";
            self.error("backends.local.bin_dir", found, expected);
        }
    }

    fn admin(&mut self, key: &str, name: &str) {
        if name.is_empty() || name.len() > LONGEST_IDENTIFIER || name.starts_with("pg_") {
            let expected = format!("1 to {LONGEST_IDENTIFIER} bytes that do not begin with pg_");
            self.error(key, quoted(name), expected);
        } else if name.contains(char::is_control) {
            self.error(key, quoted(name), "no control characters");
        } else if [LOCAL_SUPERUSER, "public", "none"].contains(&name) {
            self.error(key, quoted(name), "a name that is not reserved");
        }
    }

    pub(super) fn pattern(&mut self, key: &str, pattern: &str) {
        let rest = pattern.replace("{namespace}", "").replace("{name}", "");
        if rest.contains(['{', '}']) {
            self.error(key, quoted(pattern), "no other variables than {namespace} and {name}");
        } else if rest.contains(char::is_control) {
            self.error(key, quoted(pattern), "no control characters");
        } else if !pattern.contains("{name}") {
            self.error(key, quoted(pattern), "{name} in it, or all objects would share one server");
        } else if !pattern.contains("{namespace}") {
            let expected =
                "{namespace} in it, or objects of the same name in two namespaces get in each other's way";
            self.report(Severity::Warning, key, quoted(pattern), expected);
        }
    }
}
