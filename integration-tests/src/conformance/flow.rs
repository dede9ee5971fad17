//! What is asked for in the matrix of faults, in the order in which one server and its database go through it.

use hcpg::api::{PostgreSQLDatabase, PostgreSQLServer};
use kube::ResourceExt;
use serde_json::{Value, json};
use strum::{EnumIter, IntoStaticStr};

use super::case::{Case, SERVER, ask};
use super::faults::Operation;
use super::subject::{Shown, Update};
use crate::world::Holder;

/// The database object, its role and its database.
pub const DATABASE: &str = "app";
/// Its Secret.
pub const DATABASE_SECRET: &str = "app-login";
/// An extension that comes with PostgreSQL.
const EXTENSION: &str = "pg_trgm";

/// One thing that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Flow {
    /// A server.
    CreateServer,
    /// A change that the backend's `update` makes.
    UpdateServer,
    /// A change that the backend's `configure` makes.
    ConfigureServer,
    /// A new password for the administrator.
    ResetServer,
    /// A database.
    CreateDatabase,
    /// An extension.
    ConfigureDatabase,
    /// A new password for the database's role.
    ResetDatabase,
    /// The end of the database.
    DeleteDatabase,
    /// The end of the server.
    DeleteServer,
}

impl Flow {
    /// As a heading.
    pub fn title(self) -> String {
        let name: &str = self.into();
        name.replace('-', " ")
    }

    /// Whose password it replaces.
    pub fn resets(self) -> &'static [Holder] {
        match self {
            Self::ResetServer => &[Holder::Server],
            Self::ResetDatabase => &[Holder::Database],
            _ => &[],
        }
    }

    /// Whether it is about the database object.
    pub fn is_of_database(self) -> bool {
        matches!(
            self,
            Self::CreateDatabase | Self::ConfigureDatabase | Self::ResetDatabase | Self::DeleteDatabase
        )
    }

    /// Whether an object goes.
    pub fn deletes(self) -> bool {
        matches!(self, Self::DeleteDatabase | Self::DeleteServer)
    }

    /// Asks for it, as a user would.
    pub async fn begin(self, case: &Case) {
        match self {
            Self::CreateServer => case.create(json!({})).await,
            Self::UpdateServer => case.change(json!({"spec": update(case, Operation::Update).spec})).await,
            Self::ConfigureServer => {
                case.change(json!({"spec": update(case, Operation::Configure).spec})).await;
            }
            Self::ResetServer => case.change(reset()).await,
            Self::CreateDatabase => case.create_database(DATABASE).await,
            Self::ConfigureDatabase => {
                let spec = json!({"spec": {"database": {"extensions": [EXTENSION]}}});
                case.patch::<PostgreSQLDatabase>(DATABASE, spec).await;
            }
            Self::ResetDatabase => case.patch::<PostgreSQLDatabase>(DATABASE, reset()).await,
            Self::DeleteDatabase => case.delete::<PostgreSQLDatabase>(DATABASE).await,
            Self::DeleteServer => case.delete::<PostgreSQLServer>(SERVER).await,
        }
    }

    /// Waits until it is done, and looks whether everything is as it should be: one server, logins that work, nothing
    /// pending, and nothing left of what was deleted. What it is compared with is known to a [`Course`].
    ///
    /// [`Course`]: super::course::Course
    pub async fn is_done(self, case: &Case) {
        match self {
            Self::CreateServer => case.is_well().await,
            Self::UpdateServer => case.shown(&update(case, Operation::Update).shown).await,
            Self::ConfigureServer => case.shown(&update(case, Operation::Configure).shown).await,
            Self::ResetServer => {
                case.server_where("lost its label", |server| server.labels().is_empty()).await;
            }
            Self::ConfigureDatabase => {
                let query = format!("SELECT extname FROM pg_extension WHERE extname = '{EXTENSION}'");
                case.until("the extension is there", async || {
                    let client = case.credentials_of(DATABASE_SECRET).await?.connect().await.ok()?;
                    (ask(&client, &query).await.as_deref() == Some(EXTENSION)).then_some(())
                })
                .await;
            }
            Self::ResetDatabase => {
                case.until("the database lost its label", async || {
                    case.database(DATABASE).await.filter(|database| database.labels().is_empty()).map(drop)
                })
                .await;
            }
            Self::DeleteDatabase => {
                case.gone::<PostgreSQLDatabase>(DATABASE).await;
                let query = format!(
                    "SELECT count(*) FROM (SELECT rolname FROM pg_roles UNION ALL SELECT datname FROM pg_database) \
                     AS all_names WHERE rolname = '{DATABASE}'"
                );
                assert_eq!(
                    ask(&case.login().await, &query).await.as_deref(),
                    Some("0"),
                    "{}",
                    case.namespace
                );
                assert!(
                    case.secret(DATABASE_SECRET).await.is_none(),
                    "{}: the Secret is gone",
                    case.namespace
                );
            }
            Self::DeleteServer => return case.is_gone().await,
            Self::CreateDatabase => {}
        }
        case.is_well().await;
        if self.is_of_database() && !self.deletes() {
            case.database_is_well(DATABASE, DATABASE_SECRET).await;
        }
    }
}

/// The smallest change that is made by that call.
fn update(case: &Case, by: Operation) -> Update {
    match case.bench.subject.updates().into_iter().find(|update| update.by == by) {
        Some(update) => update,
        None => Update {
            name: "none",
            spec: json!({}),
            by,
            shown: Shown::ByStatus("/status/phase", json!("Ready")),
        },
    }
}

fn reset() -> Value {
    json!({"metadata": {"labels": {"operator/action": "reset-password"}}})
}
