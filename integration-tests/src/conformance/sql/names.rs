//! What a request is called in reports: PostgreSQL's words, without names and values.

use super::messages::Start;
use crate::conformance::flow::DATABASE;

/// What an SQL text holds, and its name; the first that fits counts.
const STATEMENTS: [(&str, &str); 29] = [
    ("SET search_path", "settings of the session"),
    ("BEGIN ", "BEGIN"),
    ("ROLLBACK", "ROLLBACK"),
    ("CREATE ROLE ", "CREATE ROLE, COMMENT ON ROLE"),
    ("CREATE DATABASE ", "CREATE DATABASE"),
    ("CREATE EXTENSION ", "CREATE EXTENSION"),
    ("PASSWORD", "ALTER ROLE PASSWORD, COMMENT ON ROLE"),
    (" NOLOGIN", "ALTER ROLE NOLOGIN"),
    (" LOGIN", "ALTER ROLE LOGIN"),
    ("COMMENT ON ROLE ", "COMMENT ON ROLE"),
    ("COMMENT ON DATABASE ", "COMMENT ON DATABASE"),
    ("ALTER DATABASE ", "ALTER DATABASE"),
    ("REVOKE ALL ON DATABASE ", "REVOKE ON DATABASE"),
    ("GRANT ALL ON DATABASE ", "GRANT ON DATABASE"),
    ("GRANT ALL ON SCHEMA ", "GRANT ON SCHEMA"),
    ("GRANT ", "GRANT ROLE"),
    ("REASSIGN OWNED ", "REASSIGN OWNED, DROP OWNED"),
    ("DROP DATABASE ", "DROP DATABASE"),
    ("DROP ROLE ", "DROP ROLE"),
    ("rolcanlogin", "SELECT role"),
    ("pg_get_userbyid", "SELECT database"),
    ("has_database_privilege", "SELECT rights on the database"),
    ("has_schema_privilege", "SELECT rights on the schema"),
    ("pg_terminate_backend", "SELECT pg_terminate_backend"),
    ("pg_has_role", "SELECT membership"),
    ("pg_available_extensions", "SELECT available extension"),
    ("FROM pg_extension", "SELECT extensions"),
    ("WHERE datdba", "SELECT databases of the role"),
    ("pg_shdepend", "SELECT databases with the role"),
];

/// The name of an SQL text.
pub(super) fn of_statement(sql: &str) -> String {
    let found = STATEMENTS.iter().find(|(holds, _)| sql.contains(holds)).map(|(_, name)| *name);
    // A text that is not known may hold anything.
    let words = || sql.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    found.map_or_else(words, str::to_owned)
}

/// The name of a login. It is one request, however many messages it takes.
pub(super) fn of_login(start: &Start) -> String {
    let who = if start.user == DATABASE { "the role" } else { "the administrator" };
    let place = if start.user != DATABASE && start.database == DATABASE { ", inside" } else { "" };
    format!("login of {who}{place}")
}

/// Whether a request of that name changes something in PostgreSQL.
pub(super) fn changes_something(request: &str) -> bool {
    !["SELECT", "BEGIN", "ROLLBACK", "login", "settings"].iter().any(|reads| request.starts_with(reads))
        || request == "SELECT pg_terminate_backend"
}
