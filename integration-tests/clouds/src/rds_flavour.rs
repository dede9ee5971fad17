//! What Amazon RDS does to the PostgreSQL servers that it gives out, as far as it matters to clients.

use crate::postgres::{Admin, Flavour, Parameters, name, text};

/// The authorities that RDS offers for new servers (botocore: `CACertificateIdentifier`).
pub const AUTHORITIES: [&str; 3] = ["rds-ca-ecc384-g1", "rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1"];

/// The master user is member of `rds_superuser`, and no superuser.
pub static RDS: Flavour = Flavour { owner: "rdsadmin", bootstrap, extensions: None, tls_only };

fn bootstrap(admin: &Admin) -> Vec<String> {
    let role = name(&admin.name);
    let mut statements = vec![
        "CREATE ROLE rds_superuser NOLOGIN".to_owned(),
        "CREATE ROLE rds_password NOLOGIN".to_owned(),
        "GRANT pg_monitor, pg_signal_backend, rds_password TO rds_superuser WITH ADMIN OPTION".to_owned(),
        format!("CREATE ROLE {role} LOGIN CREATEDB CREATEROLE PASSWORD {}", text(&admin.password)),
        format!("GRANT rds_superuser TO {role}"),
        format!("ALTER DATABASE postgres OWNER TO {role}"),
        format!("ALTER DATABASE template1 OWNER TO {role}"),
    ];
    if let Some(database) = &admin.database {
        statements.push(format!("CREATE DATABASE {} OWNER {role}", name(database)));
    }
    statements
}

/// `rds.force_ssl` is on by default from PostgreSQL 15.
fn tls_only(major: u32, parameters: &Parameters) -> bool {
    match parameters.get("rds.force_ssl") {
        Some(value) => value == "1",
        None => major >= 15,
    }
}
