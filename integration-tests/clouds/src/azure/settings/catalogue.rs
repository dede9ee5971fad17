//! Which parameters there are: PostgreSQL's own, as the running server describes them, and the service's.

use std::collections::BTreeMap;

use super::Setting;
use crate::azure::flavour::EXTENSIONS;
use crate::postgres::{Error, Parameters, Server};

/// What only the service sets: by name, or by the beginning of it [K].
const OWN: [&str; 28] = [
    "allow_system_table_mods",
    "archive_",
    "bonjour",
    "cluster_name",
    "config_file",
    "data_directory",
    "data_sync_retry",
    "dynamic_library_path",
    "event_source",
    "external_pid_file",
    "fsync",
    "full_page_writes",
    "hba_file",
    "hot_standby",
    "ident_file",
    "krb_",
    "listen_addresses",
    "log_destination",
    "log_directory",
    "log_filename",
    "logging_collector",
    "port",
    "primary_",
    "recovery_",
    "restore_command",
    "ssl",
    "syslog_",
    "unix_socket_",
];

/// Where the service's own value is not the default that it names, and nobody has set it: whoever "resets" it changes
/// it [K].
const UNLIKE_DEFAULT: (&str, &str, &str) = ("log_autovacuum_min_duration", "600000", "-1");

/// Libraries that can be preloaded [D]; those of them that are always installed here.
const LIBRARIES: &str = "age,anon,auto_explain,azure_storage,pg_cron,pg_failover_slots,pg_hint_plan,pg_partman_bgw,\
    pg_prewarm,pg_squeeze,pg_stat_statements,pgaudit,pglogical,timescaledb,wal2json";
const INSTALLED: [&str; 3] = ["auto_explain", "pg_prewarm", "pg_stat_statements"];
const PRELOADED: &str = "pg_cron,pg_stat_statements";

/// Extensions of a plain PostgreSQL that the service has not [D].
const FORBIDDEN: [&str; 8] =
    ["adminpack", "file_fdw", "old_snapshot", "pg_surgery", "plperlu", "plpython3u", "pltcl", "pltclu"];

/// Allowed values of a set without a list.
pub(super) const EVERYTHING: &str = ".*";

const QUERY: &str = "SELECT name, vartype, setting, coalesce(min_val, ''), coalesce(max_val, ''), \
    coalesce(array_to_string(enumvals, ','), ''), context, coalesce(unit, ''), short_desc FROM pg_catalog.pg_settings \
    WHERE name !~ '[.]'";

/// What a new server is started with.
pub(in crate::azure) fn first() -> Parameters {
    Parameters::from([
        ("azure.extensions".to_owned(), String::new()),
        ("shared_preload_libraries".to_owned(), installed(PRELOADED)),
        (UNLIKE_DEFAULT.0.to_owned(), UNLIKE_DEFAULT.1.to_owned()),
    ])
}

/// Those of the libraries that PostgreSQL behind could load.
pub(super) fn installed(libraries: &str) -> String {
    let there: Vec<&str> = libraries.split(',').filter(|library| INSTALLED.contains(library)).collect();
    there.join(",")
}

/// PostgreSQL's own.
async fn own(server: &Server) -> Result<BTreeMap<String, Setting>, Error> {
    let text = |cell: &Option<String>| cell.clone().unwrap_or_default();
    let mut settings = BTreeMap::new();
    for row in server.ask("postgres", QUERY).await? {
        let row: Vec<String> = row.iter().map(text).collect();
        if let [name, kind, value, least, most, values, context, unit, description] = row.as_slice() {
            let (kind, allowed) = match kind.as_str() {
                "bool" => ("Boolean", "on,off".to_owned()),
                "enum" => ("Enumeration", values.clone()),
                "integer" => ("Integer", format!("{least}-{most}")),
                "real" => ("Numeric", format!("{least}-{most}")),
                _ => ("String", EVERYTHING.to_owned()),
            };
            let own =
                |it: &&str| name == *it || (it.ends_with('_') || **it == *"ssl") && name.starts_with(*it);
            let mut setting = setting(kind, value, &allowed, context != "postmaster");
            setting.read_only = context == "internal" || OWN.iter().any(own);
            setting.unit = Some(unit.clone()).filter(|unit| !unit.is_empty());
            setting.description.clone_from(description);
            settings.insert(name.clone(), setting);
        }
    }
    Ok(settings)
}

/// All parameters of a new single server: it has no list of extensions, and preloads what it is told to [D].
pub(in crate::azure) async fn of_single(server: &Server) -> Result<BTreeMap<String, Setting>, Error> {
    let mut settings = own(server).await?;
    settings.retain(|_, setting| !setting.read_only);
    settings.insert("shared_preload_libraries".to_owned(), setting("Set", "", EVERYTHING, false));
    Ok(settings)
}

/// All parameters of a new flexible server.
pub(in crate::azure) async fn known(server: &Server) -> Result<BTreeMap<String, Setting>, Error> {
    let mut settings = own(server).await?;
    let (unlike, value, default) = UNLIKE_DEFAULT;
    if let Some(it) = settings.get_mut(unlike) {
        *it = Setting { default: default.to_owned(), ..setting(it.kind, value, &it.allowed, it.dynamic) };
    }
    let available = server.ask("postgres", "SELECT name FROM pg_catalog.pg_available_extensions").await?;
    let available = available.iter().filter_map(|row| row.first().cloned().flatten());
    let mut extensions: Vec<String> = available.filter(|name| !FORBIDDEN.contains(&name.as_str())).collect();
    extensions.extend(EXTENSIONS.iter().map(|name| (*name).to_owned()));
    extensions.sort();
    extensions.dedup();
    for (name, kind, value, allowed, dynamic) in [
        ("azure.extensions", "Set", "", extensions.join(",").as_str(), true),
        ("shared_preload_libraries", "Set", PRELOADED, LIBRARIES, false),
        ("azure.accepted_password_auth_method", "Set", "md5,scram-sha-256", "md5,scram-sha-256", true),
        ("require_secure_transport", "Boolean", "on", "on,off", true),
        ("pgbouncer.enabled", "Boolean", "off", "on,off", true),
        ("pgbouncer.default_pool_size", "Integer", "50", "1-4950", true),
        ("pg_qs.query_capture_mode", "Enumeration", "none", "none,top,all", true),
        ("pgaudit.log", "Set", "none", "none,read,write,function,role,ddl,misc,all", true),
    ] {
        settings.insert(name.to_owned(), setting(kind, value, allowed, dynamic));
    }
    Ok(settings)
}

fn setting(kind: &'static str, value: &str, allowed: &str, dynamic: bool) -> Setting {
    Setting {
        value: value.to_owned(),
        default: value.to_owned(),
        kind,
        allowed: allowed.to_owned(),
        unit: None,
        dynamic,
        read_only: false,
        description: String::new(),
        by_user: false,
        in_force: value.to_owned(),
    }
}
