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
    ScramVerifier,
    /// In clear text. Only over verified TLS or a Unix socket.
    ClearText,
    /// As a verifier, and in clear text after the server has refused one: password policies want to see the password.
    #[default]
    AsAccepted,
}

/// A password on its way into a statement.
struct Secret<'a> {
    session: &'a Session,
    password: &'a Password,
    form: PasswordForm,
}

impl<'a> Secret<'a> {
    fn new(session: &'a Session, password: &'a Password, form: PasswordForm) -> Result<Self, SqlError> {
        if password.expose().is_empty() || password.expose().contains('\0') {
            return Err(SqlError::InvalidRequest("the password is empty or holds a NUL byte".to_owned()));
        }
        if form == PasswordForm::ClearText && !session.endpoint().is_private() {
            return Err(SqlError::InvalidRequest(
                "a password is sent in clear text only over verified TLS or a Unix socket".to_owned(),
            ));
        }
        Ok(Self { session, password, form })
    }

    /// Executes the statement that `statement` makes of the password as it is sent.
    async fn execute(
        &self,
        kind: &str,
        role: &str,
        statement: impl Fn(&str) -> String + Sync,
    ) -> Result<(), SqlError> {
        if self.form == PasswordForm::ClearText {
            return self.send(kind, role, self.password.expose(), &statement).await;
        }
        let verifier = scram_sha_256(self.password.expose().as_bytes());
        match self.send(kind, role, &verifier, &statement).await {
            Err(SqlError::HashRefused { .. })
                if self.form == PasswordForm::AsAccepted && self.session.endpoint().is_private() =>
            {
                tracing::info!(
                    role,
                    "the server accepts no hashed password: sent in clear text over verified TLS"
                );
                match self.send(kind, role, self.password.expose(), &statement).await {
                    // Not the form then, but the password itself.
                    Err(SqlError::HashRefused { message, .. }) => Err(SqlError::InvalidRequest(format!(
                        "the server's rules for passwords refuse the one for role \"{role}\": {message}"
                    ))),
                    other => other,
                }
            }
            other => other,
        }
    }

    async fn send(
        &self,
        kind: &str,
        role: &str,
        sent: &str,
        statement: &(impl Fn(&str) -> String + Sync),
    ) -> Result<(), SqlError> {
        let sql = statement(sent);
        let done = self.session.execute(kind, role, &sql).await;
        done.map_err(|error| error.without(self.password, sent).hash_refused(role))
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
    write_role(kind, names, owner_uid, &secret).await?;
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
    write_role("ALTER ROLE", names, owner_uid, &secret).await
}

/// Password and mark in one transaction: a crash leaves neither an unmarked role nor an adopted one without its mark.
async fn write_role(
    kind: &'static str,
    names: &DatabaseNames,
    owner_uid: &str,
    secret: &Secret<'_>,
) -> Result<(), SqlError> {
    let statement = |sent: &str| statements::write_role(kind, &names.role, sent, owner_uid);
    secret.execute(kind, &names.role, statement).await
}

/// Gives an administrator's login another password. No mark is asked for: which login that is, the backend knows.
pub async fn set_admin_password(
    session: &Session,
    role: &str,
    password: &Password,
    form: PasswordForm,
) -> Result<(), SqlError> {
    let secret = Secret::new(session, password, form)?;
    secret.execute("ALTER ROLE", role, |sent| statements::set_password(role, sent)).await
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
    let statement = |sent: &str| statements::administrator(kind, role, sent, superuser.dbname());
    secret.execute(kind, role, statement).await
}
