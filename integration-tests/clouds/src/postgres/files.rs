//! The files that a server reads.

use std::net::Ipv4Addr;
use std::path::Path;

use super::address::PORT;
use super::flavour::{Flavour, Parameters};

/// Defaults, then what the user set, then what nobody may set: PostgreSQL takes the last one.
pub(super) fn main(folder: &Path, addresses: &[Ipv4Addr]) -> String {
    let addresses: Vec<String> = addresses.iter().map(Ipv4Addr::to_string).collect();
    let tls = |name: &str| folder.join(name).display().to_string();
    let defaults = [
        ("shared_buffers", "16MB"),
        ("max_connections", "50"),
        ("max_wal_size", "256MB"),
        ("log_line_prefix", "%m [%p] "),
        // Nothing survives the machine, so nothing needs to reach the disk. What was committed has to survive a killed
        // process, though, and without `synchronous_commit` it may still be in its memory.
        ("fsync", "off"),
        ("full_page_writes", "off"),
    ];
    let fixed = [
        ("listen_addresses", addresses.join(",")),
        ("port", PORT.to_string()),
        ("unix_socket_directories", folder.display().to_string()),
        ("unix_socket_permissions", "0700".to_owned()),
        ("ssl", "on".to_owned()),
        ("ssl_cert_file", tls("server.crt")),
        ("ssl_key_file", tls("server.key")),
        ("password_encryption", "scram-sha-256".to_owned()),
        ("hba_file", tls("hba.conf")),
    ];
    let defaults: String = defaults.iter().map(|(name, value)| line(name, value)).collect();
    let fixed: String = fixed.iter().map(|(name, value)| line(name, value)).collect();
    format!("{defaults}include_if_exists = '{}'\n{fixed}", folder.join("parameters.conf").display())
}

pub(super) fn parameters(parameters: &Parameters) -> String {
    parameters.iter().map(|(name, value)| line(name, value)).collect()
}

/// The socket lies in a folder that only the servers' user and root can open.
pub(super) fn access(flavour: &Flavour, tls_only: bool) -> String {
    let kind = if tls_only { "hostssl" } else { "host" };
    format!(
        "local all all trust\nhost all {} all reject\n{kind} all all all scram-sha-256\nhost all all all reject\n",
        flavour.owner
    )
}

fn line(name: &str, value: &str) -> String {
    format!("{name} = '{}'\n", value.replace('\\', "\\\\").replace('\'', "''"))
}
