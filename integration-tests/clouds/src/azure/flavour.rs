//! What Azure does to the PostgreSQL servers that it gives out, as far as it matters to clients.

use crate::postgres::{self, Admin, Flavour, Parameters, name, text};

/// The administrator is a member of `azure_pg_admin`, and no superuser.
pub(super) static AZURE: Flavour =
    Flavour { owner: "azuresu", bootstrap, extensions: Some(&EXTENSIONS), tls_only };

/// Single servers: a gate before them sees to TLS, and any extension may be created [D].
pub(super) static SINGLE: Flavour =
    Flavour { owner: "azuresu", bootstrap, extensions: Some(&EXTENSIONS), tls_only: |_, _| false };

/// Extensions that the service has and a plain PostgreSQL has not [D].
pub(super) const EXTENSIONS: [&str; 29] = [
    "address_standardizer",
    "age",
    "anon",
    "azure_ai",
    "azure_storage",
    "hll",
    "hypopg",
    "login_hook",
    "orafce",
    "pg_cron",
    "pg_hint_plan",
    "pg_partman",
    "pg_repack",
    "pg_squeeze",
    "pgaudit",
    "pglogical",
    "pgrouting",
    "plv8",
    "postgis",
    "postgis_raster",
    "postgis_sfcgal",
    "postgis_tiger_geocoder",
    "postgis_topology",
    "semver",
    "session_variable",
    "tdigest",
    "timescaledb",
    "topn",
    "vector",
];

/// Databases of the service [K].
pub(super) const OWN_DATABASES: [&str; 3] = ["postgres", "azure_maintenance", "azure_sys"];

/// In `template1`, hence in all databases that are not copied from `template0`. What a session sets itself does not
/// count, hence the file.
pub(super) const ALLOW_LIST: &str = r#"
CREATE SCHEMA azure;
GRANT USAGE ON SCHEMA azure TO PUBLIC;
CREATE FUNCTION azure.refuse() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE extension text; allowed text[];
BEGIN
  allowed := pg_catalog.string_to_array(pg_catalog.lower(pg_catalog.replace(coalesce(
    (SELECT setting FROM pg_catalog.pg_file_settings WHERE name = 'azure.extensions' ORDER BY seqno DESC LIMIT 1),
    ''), ' ', '')), ',');
  FOR extension IN SELECT e.extname FROM pg_catalog.pg_event_trigger_ddl_commands() c
      JOIN pg_catalog.pg_extension e ON e.oid = c.objid AND c.command_tag = 'CREATE EXTENSION' LOOP
    IF extension <> ALL (allowed) THEN
      RAISE EXCEPTION 'extension "%" is not allow-listed for "azure_pg_admin" users in Azure Database for PostgreSQL',
        extension USING ERRCODE = 'feature_not_supported';
    END IF;
  END LOOP;
END $$;
CREATE EVENT TRIGGER azure_allow_list ON ddl_command_end WHEN TAG IN ('CREATE EXTENSION') EXECUTE FUNCTION azure.refuse()
"#;

/// As [`ALLOW_LIST`] made it; nothing else depends on it.
const NO_LIST: &str = "DROP SCHEMA IF EXISTS azure CASCADE";

/// The same server in a later major version; if that cannot be, the old one runs on.
pub(super) async fn upgraded(
    old: &postgres::Server,
    major: u32,
    parameters: &Parameters,
) -> Result<postgres::Server, postgres::Error> {
    const DATABASES: &str = "SELECT datname FROM pg_catalog.pg_database WHERE datallowconn";
    let rows = old.ask("postgres", DATABASES).await?;
    let databases: Vec<String> =
        rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect();
    // The list is the service's own, and is made anew.
    for database in &databases {
        old.sql(database, NO_LIST).await?;
    }
    let new = postgres::carry_over(old, major, parameters).await;
    for database in &databases {
        new.as_ref().unwrap_or(old).sql(database, ALLOW_LIST).await?;
    }
    new
}

fn bootstrap(admin: &Admin) -> Vec<String> {
    let role = name(&admin.name);
    vec![
        "CREATE ROLE azure_pg_admin NOLOGIN".to_owned(),
        "GRANT pg_monitor, pg_signal_backend TO azure_pg_admin WITH ADMIN OPTION".to_owned(),
        format!("CREATE ROLE {role} LOGIN CREATEDB CREATEROLE PASSWORD {}", text(&admin.password)),
        format!("GRANT azure_pg_admin TO {role}"),
        "ALTER DATABASE postgres OWNER TO azure_pg_admin".to_owned(),
        "CREATE DATABASE azure_maintenance".to_owned(),
        "CREATE DATABASE azure_sys".to_owned(),
        "REVOKE ALL ON DATABASE azure_maintenance FROM PUBLIC".to_owned(),
    ]
}

/// `require_secure_transport` is on unless it was switched off [D].
fn tls_only(_major: u32, parameters: &Parameters) -> bool {
    parameters.get("require_secure_transport").is_none_or(|value| value != "off")
}
