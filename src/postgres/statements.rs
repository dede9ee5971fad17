//! The text of every statement that holds a name or a value. Elsewhere in this room texts are constant, and values
//! travel as parameters; `tests/statements.rs` checks it.
//!
//! A name is quoted as an identifier, a value as a literal, each once and here. `fuzz/fuzz_targets/sql_identifiers.rs`
//! throws hostile text at every function of this file.

use postgres_protocol::escape::{escape_identifier, escape_literal};

use super::error::SqlError;
use super::names::DatabaseNames;

/// What the mark of a role or database begins with.
pub const MARK_PREFIX: &str = "hybridcloud.maibornwolff.de/database=";

/// Creates a database that belongs to its role.
///
/// # Errors
/// When charset or collation cannot be one.
pub fn create_database(
    names: &DatabaseNames,
    charset: Option<&str>,
    collation: Option<&str>,
) -> Result<String, SqlError> {
    let mut sql = format!(
        "CREATE DATABASE {} OWNER {}",
        escape_identifier(&names.database),
        escape_identifier(&names.role)
    );
    if charset.is_some() || collation.is_some() {
        // Only template0 may be copied into another encoding or collation: it is known to hold no text yet.
        sql.push_str(" TEMPLATE template0");
    }
    if let Some(charset) = charset {
        sql.push_str(&format!(" ENCODING {}", option_literal("charset", charset)?));
    }
    if let Some(collation) = collation {
        let collation = option_literal("collation", collation)?;
        sql.push_str(&format!(" LC_COLLATE {collation} LC_CTYPE {collation}"));
    }
    Ok(sql)
}

fn option_literal(what: &str, value: &str) -> Result<String, SqlError> {
    if value.is_empty() || value.len() > 100 || value.chars().any(char::is_control) {
        return Err(SqlError::InvalidRequest(format!("{value:?} is no {what}")));
    }
    Ok(escape_literal(value))
}

/// Drops a database; with `force` it ends the sessions that hold it.
pub fn drop_database(database: &str, force: bool) -> String {
    let force = if force { " WITH (FORCE)" } else { "" };
    format!("DROP DATABASE IF EXISTS {}{force}", escape_identifier(database))
}

/// Lets sessions into a database, or lets none in.
pub fn allow_connections(database: &str, allow: bool) -> String {
    format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {allow}", escape_identifier(database))
}

/// Gives a database to its role.
pub fn own_database(names: &DatabaseNames) -> String {
    format!(
        "ALTER DATABASE {} OWNER TO {}",
        escape_identifier(&names.database),
        escape_identifier(&names.role)
    )
}

/// Takes every right on a database from PUBLIC.
pub fn revoke_public(database: &str) -> String {
    format!("REVOKE ALL ON DATABASE {} FROM PUBLIC", escape_identifier(database))
}

/// Gives the role every right on its database.
pub fn grant_database(names: &DatabaseNames) -> String {
    format!(
        "GRANT ALL ON DATABASE {} TO {}",
        escape_identifier(&names.database),
        escape_identifier(&names.role)
    )
}

/// Gives a role every right on the schema `public`.
pub fn grant_schema(role: &str) -> String {
    format!("GRANT ALL ON SCHEMA public TO {}", escape_identifier(role))
}

/// Creates an extension.
pub fn create_extension(name: &str) -> String {
    // Our search path would put it into pg_catalog. CASCADE lets an extension that insists on a schema have its way.
    format!("CREATE EXTENSION IF NOT EXISTS {} SCHEMA public CASCADE", escape_identifier(name))
}

/// Marks a role.
pub fn comment_on_role(role: &str, owner_uid: &str) -> String {
    format!("COMMENT ON ROLE {} IS {}", escape_identifier(role), mark_literal(owner_uid))
}

/// Marks a database.
pub fn comment_on_database(database: &str, owner_uid: &str) -> String {
    format!("COMMENT ON DATABASE {} IS {}", escape_identifier(database), mark_literal(owner_uid))
}

fn mark_literal(owner_uid: &str) -> String {
    escape_literal(&format!("{MARK_PREFIX}{owner_uid}"))
}

/// Lets a role log in, or not.
pub fn login(role: &str, may: bool) -> String {
    format!("ALTER ROLE {} {}", escape_identifier(role), if may { "LOGIN" } else { "NOLOGIN" })
}

/// Makes the administrator a member of a role; `option` is constant text.
pub fn grant_role(role: &str, option: &'static str) -> String {
    format!("GRANT {} TO CURRENT_USER {option}", escape_identifier(role))
}

/// Takes from a role all that it owns and may do in one database.
pub fn release(role: &str) -> String {
    let role = escape_identifier(role);
    // Ownership first, so that DROP OWNED finds nothing but rights.
    format!("REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}")
}

/// Drops a role.
pub fn drop_role(role: &str) -> String {
    format!("DROP ROLE IF EXISTS {}", escape_identifier(role))
}

/// Creates or alters (`kind`) the role of a database, with its password and its mark.
pub fn write_role(kind: &'static str, role: &str, password: &str, owner_uid: &str) -> String {
    let mark = comment_on_role(role, owner_uid);
    format!("{kind} {} WITH LOGIN PASSWORD {}; {mark}", escape_identifier(role), escape_literal(password))
}

/// Gives a role another password.
pub fn set_password(role: &str, password: &str) -> String {
    format!("ALTER ROLE {} WITH PASSWORD {}", escape_identifier(role), escape_literal(password))
}

/// Creates or alters (`kind`) an administrator who may use the maintenance database, and nobody else may.
pub fn administrator(kind: &'static str, role: &str, password: &str, database: &str) -> String {
    let (name, database) = (escape_identifier(role), escape_identifier(database));
    format!(
        "{kind} {name} WITH LOGIN NOSUPERUSER CREATEDB CREATEROLE PASSWORD {}; \
         GRANT pg_signal_backend TO {name}; \
         REVOKE ALL ON DATABASE {database} FROM PUBLIC; GRANT ALL ON DATABASE {database} TO {name}",
        escape_literal(password)
    )
}
