//! Roles and their passwords.

use postgres_protocol::password::scram_sha_256;

use super::error::SqlError;
use super::names::DatabaseNames;
use super::ownership::{self, Adoption, Existence};
use super::session::Session;
use super::statements;
use crate::secrets::Password;

/// How a password is sent in `CREATE ROLE` and `ALTER ROLE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordForm {
    /// As a SCRAM-SHA-256 verifier computed here: neither the server's log nor its statistics ever see the password.
    #[default]
    ScramVerifier,
    /// In clear text, for services whose password policy refuses verifiers. Only over verified TLS or a Unix socket.
    ClearText,
}

/// A password as it stands in a statement.
struct Secret {
    in_clear: Password,
    sent: String,
}

impl Secret {
    fn new(session: &Session, password: &Password, form: PasswordForm) -> Result<Self, SqlError> {
        if password.expose().is_empty() || password.expose().contains('\0') {
            return Err(SqlError::InvalidRequest("the password is empty or holds a NUL byte".to_owned()));
        }
        let sent = match form {
            PasswordForm::ScramVerifier => scram_sha_256(password.expose().as_bytes()),
            PasswordForm::ClearText if session.endpoint().is_private() => password.expose().to_owned(),
            PasswordForm::ClearText => {
                return Err(SqlError::InvalidRequest(
                    "a password is sent in clear text only over verified TLS or a Unix socket".to_owned(),
                ));
            }
        };
        Ok(Self { in_clear: password.clone(), sent })
    }

    async fn execute(&self, session: &Session, kind: &str, role: &str, sql: &str) -> Result<(), SqlError> {
        session.execute(kind, role, sql).await.map_err(|error| error.without(&self.in_clear, &self.sent))
    }
}

/// Creates the role of a database, marked and able to log in, and makes the administrator a member of it.
///
/// A role that is there already and ours gets the password. One that is not is refused unless `adoption` covers it.
pub async fn create_role(
    admin: &Session,
    names: &DatabaseNames,
    owner_uid: &str,
    password: &Password,
    form: PasswordForm,
    adoption: Adoption<'_>,
) -> Result<(), SqlError> {
    let secret = Secret::new(admin, password, form)?;
    let existence = ownership::find(admin, names, owner_uid).await?.role_existence();
    existence.permits(adoption, "role", &names.role)?;
    let kind = if existence == Existence::Absent { "CREATE ROLE" } else { "ALTER ROLE" };
    write_role(admin, kind, names, owner_uid, &secret).await?;
    ownership::ensure_membership(admin, &names.role).await
}

/// Gives the role of a database another password.
pub async fn set_role_password(
    admin: &Session,
    names: &DatabaseNames,
    owner_uid: &str,
    password: &Password,
    form: PasswordForm,
    adoption: Adoption<'_>,
) -> Result<(), SqlError> {
    let secret = Secret::new(admin, password, form)?;
    let existence = ownership::find(admin, names, owner_uid).await?.role_existence();
    if existence == Existence::Absent {
        return Err(SqlError::RoleMissing { role: names.role.clone() });
    }
    existence.permits(adoption, "role", &names.role)?;
    write_role(admin, "ALTER ROLE", names, owner_uid, &secret).await
}

/// Password and mark in one transaction: a crash leaves neither an unmarked role nor an adopted one without its mark.
async fn write_role(
    admin: &Session,
    kind: &'static str,
    names: &DatabaseNames,
    owner_uid: &str,
    secret: &Secret,
) -> Result<(), SqlError> {
    let sql = statements::write_role(kind, &names.role, &secret.sent, owner_uid);
    secret.execute(admin, kind, &names.role, &sql).await
}

/// Gives an administrator's login another password. No mark is asked for: which login that is, the backend knows.
pub async fn set_admin_password(
    session: &Session,
    role: &str,
    password: &Password,
    form: PasswordForm,
) -> Result<(), SqlError> {
    let secret = Secret::new(session, password, form)?;
    let sql = statements::set_password(role, &secret.sent);
    secret.execute(session, "ALTER ROLE", role, &sql).await
}

/// Creates the administrator of a server that the operator runs itself, with the rights that managed services give
/// theirs: databases, roles, and ending the sessions of others; not superuser. Needs a superuser's session.
///
/// Application roles lose their way into the maintenance database, where they have no business.
pub async fn ensure_admin_role(
    superuser: &Session,
    role: &str,
    password: &Password,
    form: PasswordForm,
) -> Result<(), SqlError> {
    if role == superuser.user() {
        // NOSUPERUSER below would leave the server without anyone in charge.
        return Err(SqlError::NotOurs { object: "role", name: role.to_owned(), mark: None });
    }
    let secret = Secret::new(superuser, password, form)?;
    let exists =
        superuser.rows("SELECT role", role, "SELECT 1 FROM pg_roles WHERE rolname = $1", &[role]).await?;
    let kind = if exists.is_empty() { "CREATE ROLE" } else { "ALTER ROLE" };
    let sql = statements::administrator(kind, role, &secret.sent, superuser.dbname());
    secret.execute(superuser, kind, role, &sql).await
}
