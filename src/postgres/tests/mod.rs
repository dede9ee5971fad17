//! Against a real PostgreSQL. `HCPG_TEST_POSTGRES_BIN` names another version's `bin` directory, `HCPG_TEST_POSTGRES_ADMIN`
//! another kind of administrator; `integration-tests/tests/postgres_matrix.rs` goes through all of them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod admins;
mod drops;
mod lifecycle;
mod locales;
mod login;
mod names;
mod ownership;
mod policies;
mod rights;
mod secrecy;
mod server;
mod statements;

use self::server::server;
use super::*;
use crate::secrets::Password;

/// One object's database on the server, under names of its own.
struct Case {
    names: DatabaseNames,
    uid: String,
    password: Password,
    extensions: Vec<String>,
}

impl Case {
    fn new(name: &str) -> Self {
        Self {
            names: DatabaseNames::of(name),
            uid: format!("uid-of-{name}"),
            password: Password::new(format!("pw:{name}-?>1")),
            extensions: Vec::new(),
        }
    }

    fn with_extensions(mut self, extensions: &[&str]) -> Self {
        self.extensions = extensions.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    fn spec(&self) -> DatabaseSpec<'_> {
        DatabaseSpec {
            names: &self.names,
            owner_uid: &self.uid,
            charset: None,
            collation: None,
            extensions: &self.extensions,
            allowed: None,
        }
    }

    async fn create_role(&self, admin: &Session, adoption: Adoption<'_>) -> Result<(), SqlError> {
        let form = PasswordForm::ScramVerifier;
        create_role(admin, &self.names, &self.uid, &self.password, form, adoption).await
    }

    /// Role, database and configuration.
    async fn create(&self, admin: &Session) {
        self.create_role(admin, Adoption::OnlyMarked).await.unwrap();
        create_database(admin, &self.spec(), Adoption::OnlyMarked).await.unwrap();
        configure_database(admin, &self.spec(), Adoption::OnlyMarked).await.unwrap();
    }

    async fn drop(&self, admin: &Session) {
        drop_database(admin, &self.spec(), Adoption::OnlyMarked).await.unwrap();
        drop_role(admin, &self.names, &self.uid, Adoption::OnlyMarked).await.unwrap();
    }

    async fn observe(&self, admin: &Session) -> DatabaseState {
        observe(admin, &self.spec()).await.unwrap()
    }

    async fn login(&self) -> Result<Session, SqlError> {
        server().login(&self.names.role, &self.password, &self.names.database).await
    }
}

/// Runs SQL that the operator itself never would.
async fn run(session: &Session, sql: &str) {
    session.execute("test", "", sql).await.unwrap();
}

async fn text(session: &Session, sql: &str) -> String {
    session.rows("test", "", sql, &[]).await.unwrap()[0].get::<_, Option<String>>(0).unwrap_or_default()
}
