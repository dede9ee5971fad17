//! Whose a role or a database is.
//!
//! The mark is a `COMMENT` with the uid of the Kubernetes object. The role's mark is the authoritative one: only an
//! administrator can write it, while a tenant may comment its own database as it likes. So the owner's mark outranks
//! the database's, which matters only for a database whose owner bears none.

use super::error::SqlError;
use super::names::{DatabaseNames, LONGEST, is_of_a_service};
use super::session::Session;
use super::statements::{self, MARK_PREFIX};

/// Whether a role or database exists, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Existence {
    /// It does not exist.
    Absent,
    /// It exists and bears this object's mark (a database: or is owned by the role that does).
    Ours,
    /// It exists without a mark. The caller decides, for example by a login with a recognised Secret.
    Unmarked,
    /// It belongs to another object, or must never become anyone's: a privileged role, a template.
    Foreign {
        /// The other object's uid, or in parentheses why nobody can have it.
        mark: String,
    },
}

/// What may be changed besides that which already bears this object's mark. Whatever is adopted gets the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adoption<'a> {
    /// Nothing.
    OnlyMarked,
    /// Also what bears no mark: created by the original operator or by hand, and recognised by the caller.
    AlsoUnmarked,
    /// Also what bears no mark or exactly this uid: the object was restored from a backup and has a new uid.
    From(&'a str),
}

impl Existence {
    /// Whether a writing function may go on. [`Existence::Absent`] may.
    pub(super) fn permits(
        &self,
        adoption: Adoption<'_>,
        object: &'static str,
        name: &str,
    ) -> Result<(), SqlError> {
        let mark = match (self, adoption) {
            (Self::Absent | Self::Ours, _) => return Ok(()),
            (Self::Unmarked, Adoption::AlsoUnmarked | Adoption::From(_)) => return Ok(()),
            (Self::Foreign { mark }, Adoption::From(previous)) if mark == previous => return Ok(()),
            (Self::Foreign { mark }, _) => Some(mark.clone()),
            (Self::Unmarked, Adoption::OnlyMarked) => None,
        };
        Err(SqlError::NotOurs { object, name: name.to_owned(), mark })
    }
}

/// A role as found.
#[derive(Debug)]
pub(super) struct FoundRole {
    pub oid: u32,
    pub can_login: bool,
    pub existence: Existence,
}

/// A database as found.
#[derive(Debug)]
pub(super) struct FoundDatabase {
    pub existence: Existence,
    pub owner: String,
    pub has_comment: bool,
    pub accepts_connections: bool,
    /// What an interrupted `DROP DATABASE` leaves: nobody can enter or alter it, only drop it again.
    pub half_dropped: bool,
    pub admin_may_connect: bool,
    pub public_revoked: bool,
    pub encoding: String,
    pub collation: String,
}

/// What exists under an object's names.
#[derive(Debug)]
pub(super) struct Found {
    pub role: Option<FoundRole>,
    pub database: Option<FoundDatabase>,
}

impl Found {
    pub fn role_existence(&self) -> Existence {
        self.role.as_ref().map_or(Existence::Absent, |role| role.existence.clone())
    }

    pub fn database_existence(&self) -> Existence {
        self.database.as_ref().map_or(Existence::Absent, |database| database.existence.clone())
    }
}

/// A privileged role or the administrator itself is nobody's application role, whatever a forged name says.
const FIND_ROLE: &str = "SELECT oid, rolcanlogin, shobj_description(oid, 'pg_authid'),
        rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR rolname = current_user
        OR left(rolname::text, 3) = 'pg_'
    FROM pg_roles WHERE rolname = $1";

/// `datconnlimit = -2` marks what an interrupted `DROP DATABASE` left behind.
const FIND_DATABASE: &str = "SELECT pg_get_userbyid(d.datdba), shobj_description(d.datdba, 'pg_authid'),
        shobj_description(d.oid, 'pg_database'),
        d.datistemplate OR d.datname = 'postgres' OR d.datname = current_database(),
        d.datallowconn AND d.datconnlimit <> -2,
        has_database_privilege(current_user, d.oid, 'CONNECT'),
        NOT (has_database_privilege('public', d.oid, 'CONNECT')
             OR has_database_privilege('public', d.oid, 'TEMPORARY')
             OR has_database_privilege('public', d.oid, 'CREATE')),
        pg_encoding_to_char(d.encoding)::text, d.datcollate::text, d.datconnlimit = -2
    FROM pg_database d WHERE d.datname = $1";

/// Looks up role and database. Reads only.
pub(super) async fn find(
    session: &Session,
    names: &DatabaseNames,
    owner_uid: &str,
) -> Result<Found, SqlError> {
    check(&names.role)?;
    check(&names.database)?;
    let role =
        session.rows("SELECT role", &names.role, FIND_ROLE, &[&names.role]).await?.first().map(|row| {
            let comment: Option<String> = row.get(2);
            let existence = match marked_uid(comment.as_deref()) {
                Some(uid) => belongs_to(uid, owner_uid),
                None if row.get(3) || is_of_a_service(&names.role) => {
                    Existence::Foreign { mark: "(a privileged role)".to_owned() }
                }
                None => Existence::Unmarked,
            };
            FoundRole { oid: row.get(0), can_login: row.get(1), existence }
        });
    let database = session
        .rows("SELECT database", &names.database, FIND_DATABASE, &[&names.database])
        .await?
        .first()
        .map(|row| {
            let (owners, own): (Option<String>, Option<String>) = (row.get(1), row.get(2));
            let existence = match marked_uid(owners.as_deref()).or(marked_uid(own.as_deref())) {
                Some(uid) => belongs_to(uid, owner_uid),
                None if row.get(3) || is_of_a_service(&names.database) => {
                    Existence::Foreign { mark: "(a database of the server itself)".to_owned() }
                }
                None => Existence::Unmarked,
            };
            FoundDatabase {
                existence,
                owner: row.get(0),
                has_comment: own.is_some(),
                accepts_connections: row.get(4),
                admin_may_connect: row.get(5),
                public_revoked: row.get(6),
                encoding: row.get(7),
                collation: row.get(8),
                half_dropped: row.get(9),
            }
        });
    Ok(Found { role, database })
}

fn marked_uid(comment: Option<&str>) -> Option<&str> {
    comment?.strip_prefix(MARK_PREFIX)
}

fn belongs_to(uid: &str, owner_uid: &str) -> Existence {
    if uid == owner_uid { Existence::Ours } else { Existence::Foreign { mark: uid.to_owned() } }
}

/// A name PostgreSQL would cut or refuse must not reach it: the cut one may be somebody else's.
fn check(name: &str) -> Result<(), SqlError> {
    if name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control) {
        return Err(SqlError::InvalidRequest(format!(
            "{name:?} is no name PostgreSQL can store: it must have 1 to {LONGEST} bytes and no control characters"
        )));
    }
    Ok(())
}

/// Makes the administrator a member of the role, which is what lets a non-superuser give databases to the role, connect
/// to them and drop them. A superuser needs nothing and gets nothing.
pub(super) async fn ensure_membership(session: &Session, role: &str) -> Result<(), SqlError> {
    // Since 16 the creator of a role holds ADMIN on it and may grant itself the rest. Before, CREATEROLE alone ruled;
    // ADMIN is taken all the same, or a major upgrade would leave the role out of the administrator's hands.
    let (held, option) = if session.version_num() >= 160_000 {
        (
            "pg_has_role(current_user, oid, 'USAGE') AND pg_has_role(current_user, oid, 'SET')",
            "WITH INHERIT TRUE, SET TRUE",
        )
    } else {
        (
            "pg_has_role(current_user, oid, 'USAGE') AND pg_has_role(current_user, oid, 'USAGE WITH ADMIN OPTION')",
            "WITH ADMIN OPTION",
        )
    };
    let query = format!("SELECT {held} FROM pg_roles WHERE rolname = $1");
    let rows = session.rows("SELECT membership", role, &query, &[role]).await?;
    if rows.first().is_none_or(|row| row.get(0)) {
        return Ok(());
    }
    session.execute("GRANT ROLE", role, &statements::grant_role(role, option)).await
}
