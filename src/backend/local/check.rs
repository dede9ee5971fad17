//! What of `backends.local` can be judged without touching anything.

use crate::config::LocalConfig;

use super::conf::SUPERUSER;
use super::error::LocalConfigError;

/// What remains of the 107 bytes of a Unix socket's path after folder, `socket` and file name.
const DATA_DIR_LIMIT: usize = 70;
/// PostgreSQL cuts longer names off.
const ROLE_LIMIT: usize = 63;

pub(super) fn config(config: &LocalConfig) -> Result<(), LocalConfigError> {
    data_dir(config).map_err(|message| LocalConfigError::DataDir { message })?;
    if config.port_first > config.port_last || config.port_first == 0 {
        return Err(LocalConfigError::Ports { first: config.port_first, last: config.port_last });
    }
    if config.address.is_unspecified() || config.address.is_multicast() {
        return Err(LocalConfigError::Address { address: config.address });
    }
    admin_username(&config.admin_username).map_err(|message| LocalConfigError::AdminUsername { message })?;
    name_pattern(&config.name_pattern).map_err(|message| LocalConfigError::NamePattern { message })
}

fn data_dir(config: &LocalConfig) -> Result<(), String> {
    let text = config
        .data_dir
        .to_str()
        .ok_or_else(|| format!("{} is not valid UTF-8", config.data_dir.display()))?;
    if !config.data_dir.is_absolute() {
        return Err(format!("{text:?} is not an absolute path"));
    }
    if text.len() > DATA_DIR_LIMIT {
        return Err(format!(
            "{text} has {} bytes, at most {DATA_DIR_LIMIT} fit into the path of a Unix socket; use a shorter path",
            text.len()
        ));
    }
    // pg_ctl hands the path to a shell in double quotes; a comma separates socket folders.
    match text.chars().find(|c| c.is_control() || "\"\\$`',".contains(*c)) {
        Some(found) => Err(format!("{text:?} contains {found:?}, which PostgreSQL's programs cannot handle")),
        None => Ok(()),
    }
}

fn admin_username(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > ROLE_LIMIT || name.chars().any(char::is_control) {
        return Err(format!(
            "{name:?} is no name of a role; 1 to {ROLE_LIMIT} bytes without control characters are"
        ));
    }
    if name == SUPERUSER || name.starts_with("pg_") || name == "public" || name == "none" {
        return Err(format!("{name} is reserved; choose another name"));
    }
    Ok(())
}

fn name_pattern(pattern: &str) -> Result<(), String> {
    if !pattern.contains("{name}") {
        return Err(format!("{pattern:?} lacks {{name}}, so all servers would have one name"));
    }
    let rest = pattern.replace("{namespace}", "").replace("{name}", "");
    if rest.contains(['{', '}']) || rest.chars().any(char::is_control) {
        return Err(format!("{pattern:?}: only {{namespace}} and {{name}} can be used"));
    }
    Ok(())
}
