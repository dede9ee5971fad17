//! The files PostgreSQL reads its configuration from.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use crate::config::LOCAL_SUPERUSER;

use super::account::{Account, run};
use super::error::LocalError;
use super::install::Install;
use super::layout::{Cluster, write_atomic};
use super::process;
use super::record::Record;

/// The role that only the operator's own user can be, and only over the server's socket.
pub(super) const SUPERUSER: &str = LOCAL_SUPERUSER;

/// What a server has for which no memory was asked.
pub(super) const SHARED_BUFFERS: &str = "64MB";

/// Parameter → value, as asked for by users.
pub(super) type Parameters = BTreeMap<String, String>;

/// Writes everything but the users' parameters. `home` is where the cluster will run, `target` where it lies now.
pub(super) fn write(
    target: &Cluster,
    home: &Cluster,
    record: &Record,
    address: IpAddr,
    account: &Account,
) -> Result<(), LocalError> {
    let pgdata = target.pgdata();
    let write =
        |name: &str, text: String| write_atomic(&pgdata.join(name), text.as_bytes(), 0o600, Some(account));
    write("postgresql.conf", main_text(home, record, address))?;
    write("pg_hba.conf", access_text())?;
    write("pg_ident.conf", ident_text(account))
}

/// The users' parameters stand between defaults they may change and settings they may not: the last one counts.
fn main_text(home: &Cluster, record: &Record, address: IpAddr) -> String {
    let tls = home.tls();
    let name: String = record.identity.chars().filter(char::is_ascii_graphic).take(60).collect();
    let buffers = record.shared_buffers_mb.map(|amount| format!("{amount}MB"));
    let defaults = [
        ("max_connections", "50".to_owned()),
        ("shared_buffers", buffers.unwrap_or_else(|| SHARED_BUFFERS.to_owned())),
        ("max_wal_size", "256MB".to_owned()),
        ("log_line_prefix", "%m [%p] %q%u@%d ".to_owned()),
        ("cluster_name", name),
    ];
    let fixed = [
        ("listen_addresses", address.to_string()),
        ("port", record.port.to_string()),
        ("unix_socket_directories", home.socket().display().to_string()),
        ("unix_socket_permissions", "0700".to_owned()),
        ("ssl", "on".to_owned()),
        ("ssl_cert_file", tls.join("server.crt").display().to_string()),
        ("ssl_key_file", tls.join("server.key").display().to_string()),
        ("ssl_min_protocol_version", "TLSv1.2".to_owned()),
        ("password_encryption", "scram-sha-256".to_owned()),
    ];
    let line = |(name, value): &(&str, String)| setting(name, value);
    let defaults: String = defaults.iter().map(line).collect();
    let fixed: String = fixed.iter().map(line).collect();
    format!(
        "# Written by the operator before every start; changes are lost.\n{defaults}include_if_exists = 'hcpg.conf'\n{fixed}"
    )
}

fn access_text() -> String {
    format!(
        "# Written by the operator before every start; changes are lost.\n\
         local   all {SUPERUSER}      peer map=hcpg\n\
         local   all all                 reject\n\
         host    all {SUPERUSER} all  reject\n\
         hostssl all all            all  scram-sha-256\n\
         host    all all            all  reject\n"
    )
}

fn ident_text(account: &Account) -> String {
    let map = |user: &str| format!("hcpg \"{user}\" {SUPERUSER}\n");
    let mut text = "# Written by the operator before every start; changes are lost.\n".to_owned();
    text.push_str(&map(&account.operator));
    if account.name != account.operator {
        text.push_str(&map(&account.name));
    }
    text
}

fn setting(name: &str, value: &str) -> String {
    format!("{name} = '{}'\n", value.replace('\\', "\\\\").replace('\'', "''"))
}

pub(super) fn parameters_text(parameters: &Parameters) -> String {
    let lines: String = parameters.iter().map(|(name, value)| setting(name, value)).collect();
    format!("# serverParameters of the PostgreSQLServer, written by the operator.\n{lines}")
}

/// The users' parameters as they stand in the server's files.
pub(super) fn read_parameters(cluster: &Cluster) -> Result<Parameters, LocalError> {
    Ok(parameters_in(&cluster.parameters())?.unwrap_or_default())
}

/// The users' parameters that the server has read. After a crash they need not be those in its files.
pub(super) fn parameters_in_force(cluster: &Cluster) -> Result<Parameters, LocalError> {
    match parameters_in(&cluster.parameters_before())? {
        Some(before) => Ok(before),
        None => read_parameters(cluster),
    }
}

fn parameters_in(path: &Path) -> Result<Option<Parameters>, LocalError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(parameters_of(&text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LocalError::io("read", path)(error)),
    }
}

/// Before other parameters are written: these are in force until the server has read the others.
pub(super) fn keep_in_mind(cluster: &Cluster, in_force: &Parameters) -> Result<(), LocalError> {
    write_atomic(&cluster.parameters_before(), parameters_text(in_force).as_bytes(), 0o600, None)
}

/// The server has read its files.
pub(super) fn are_in_force(cluster: &Cluster) -> Result<(), LocalError> {
    let path = cluster.parameters_before();
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LocalError::io("remove", &path)(error)),
        _ => Ok(()),
    }
}

/// Reads [`parameters_text`].
pub(super) fn parameters_of(text: &str) -> Parameters {
    text.lines().filter_map(parse_setting).collect()
}

fn parse_setting(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(" = ")?;
    let value = value.strip_prefix('\'')?.strip_suffix('\'')?;
    Some((name.to_owned(), value.replace("''", "'").replace("\\\\", "\\")))
}

pub(super) fn write_parameters(
    cluster: &Cluster,
    parameters: &Parameters,
    account: &Account,
) -> Result<(), LocalError> {
    write_atomic(&cluster.parameters(), parameters_text(parameters).as_bytes(), 0o600, Some(account))
}

/// Lets PostgreSQL itself judge names and values before they can keep a server from starting.
pub(super) fn check_parameters(
    cluster: &Cluster,
    parameters: &Parameters,
    install: &Install,
    account: &Account,
) -> Result<(), LocalError> {
    let program = install.program("postgres");
    let candidate = cluster.folder.join("candidate.conf");
    write_atomic(&candidate, parameters_text(parameters).as_bytes(), 0o600, Some(account))?;
    let mut command = account.command(&program, &cluster.folder);
    command.args(["-C", "port", "-D"]).arg(cluster.pgdata());
    command.arg("-c").arg(config_file(&candidate));
    let finished = run(command, None, process::TOOL_LIMIT).map_err(LocalError::io("run", &program));
    // A leftover does no harm: it is overwritten by the next check.
    let _ = fs::remove_file(&candidate);
    let finished = finished?;
    if finished.success {
        return Ok(());
    }
    let mut message =
        process::complaint(&finished.stderr).replace(&format!(" in file \"{}\"", candidate.display()), "");
    if let Some(meant) = install.suggestion(&message) {
        message.push_str(&format!("; did you mean {meant}?"));
    }
    Err(LocalError::Parameters { message })
}

fn config_file(path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from("config_file=");
    argument.push(path);
    argument
}
