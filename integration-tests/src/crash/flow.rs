//! What is done with a server and a database while the operator is ended.

use hcpg::api::{Phase, PostgreSQLDatabase, PostgreSQLServer};
use kube::ResourceExt;
use serde_json::json;
use strum::{EnumIter, IntoStaticStr};

use crate::world::{
    APP, APP_LOGIN, Holder, Passwords, Story, TEAM, TEAM_LOGIN, database_object, server_object,
};

/// The flows, in the order in which one server and its database go through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Flow {
    /// A server is asked for.
    CreateServer,
    /// A database on it.
    CreateDatabase,
    /// Storage and a parameter of the server change.
    UpdateServer,
    /// The database gets an extension.
    UpdateDatabase,
    /// A new password for the administrator.
    ResetServer,
    /// A new password for the database's role.
    ResetDatabase,
    /// The database object is deleted.
    DeleteDatabase,
    /// The server object is deleted.
    DeleteServer,
}

impl Flow {
    /// As a heading.
    pub fn title(self) -> String {
        let name: &str = self.into();
        name.replace('-', " ")
    }

    /// Asks for it, as a user would.
    pub async fn begin(self, story: &Story<'_>) {
        match self {
            Self::CreateServer => apply(story, server_object(TEAM, TEAM_LOGIN)).await,
            Self::CreateDatabase => apply(story, database_object(APP, TEAM, APP_LOGIN)).await,
            Self::UpdateServer => {
                let spec = json!({"size": {"storageGB": 2}, "serverParameters": {"work_mem": "5MB"}});
                story.patch::<PostgreSQLServer>(TEAM, json!({ "spec": spec })).await;
            }
            Self::UpdateDatabase => {
                story
                    .patch::<PostgreSQLDatabase>(
                        APP,
                        json!({"spec": {"database": {"extensions": ["pg_trgm"]}}}),
                    )
                    .await;
            }
            Self::ResetServer => {
                story.patch::<PostgreSQLServer>(TEAM, reset()).await;
            }
            Self::ResetDatabase => {
                story.patch::<PostgreSQLDatabase>(APP, reset()).await;
            }
            Self::DeleteDatabase => story.delete::<PostgreSQLDatabase>(APP).await,
            Self::DeleteServer => story.delete::<PostgreSQLServer>(TEAM).await,
        }
    }

    /// Waits until it is done, and looks whether everything is there exactly once, or gone.
    ///
    /// `passwords` are those of the server and the database before; the answer is those of now.
    pub async fn ends_well(self, story: &Story<'_>, passwords: &Passwords) -> Passwords {
        match self {
            Self::DeleteServer => {
                story.gone::<PostgreSQLServer>(TEAM).await;
                story.nothing_is_left(TEAM).await;
                return Passwords::default();
            }
            Self::DeleteDatabase => story.gone::<PostgreSQLDatabase>(APP).await,
            _ => {}
        }
        let with_database = !matches!(self, Self::CreateServer | Self::DeleteDatabase);
        settled(story, with_database).await;
        self.is_in_force(story).await;
        let (databases, secrets) = match with_database {
            true => (&[APP][..], &[TEAM_LOGIN, APP_LOGIN][..]),
            false => (&[][..], &[TEAM_LOGIN][..]),
        };
        story.exactly_one_of_each(TEAM, databases, secrets).await;
        let now = published(story, with_database).await;
        now.follow(passwords, self.resets(), &self.title()).await;
        now
    }

    /// Whose password it replaces.
    fn resets(self) -> &'static [Holder] {
        match self {
            Self::ResetServer => &[Holder::Server],
            Self::ResetDatabase => &[Holder::Database],
            _ => &[],
        }
    }

    async fn is_in_force(self, story: &Story<'_>) {
        let ask = match self {
            Self::UpdateServer => ("SHOW work_mem", "5MB"),
            Self::UpdateDatabase => {
                ("SELECT extname::text FROM pg_extension WHERE extname = 'pg_trgm'", "pg_trgm")
            }
            _ => return,
        };
        let secret = if self == Self::UpdateServer { TEAM_LOGIN } else { APP_LOGIN };
        story
            .eventually(ask.0, async || {
                let login = story.credentials(secret).await.connect().await.ok()?;
                let answer: String = login.query_one(ask.0, &[]).await.ok()?.get(0);
                (answer == ask.1).then_some(())
            })
            .await;
    }
}

async fn published(story: &Story<'_>, with_database: bool) -> Passwords {
    let database = if with_database { Some(story.credentials(APP_LOGIN).await) } else { None };
    Passwords { server: Some(story.credentials(TEAM_LOGIN).await), database }
}

async fn apply(story: &Story<'_>, object: serde_json::Value) {
    if let Err(error) = story.try_apply(object).await {
        panic!("{error}");
    }
}

fn reset() -> serde_json::Value {
    json!({"metadata": {"labels": {"operator/action": "reset-password"}}})
}

/// Waits until everybody is ready and nobody has anything left to do.
pub async fn settled(story: &Story<'_>, with_database: bool) {
    story
        .eventually("no password is pending", async || {
            story.pending_passwords().await.is_empty().then_some(())
        })
        .await;
    let done = |phase: Option<Phase>, labels: usize| phase == Some(Phase::Ready) && labels == 0;
    story.server_ready(TEAM).await;
    story
        .server_where(TEAM, "has no request left", |server| {
            done(server.status.as_ref().and_then(|status| status.phase), server.labels().len())
        })
        .await;
    if with_database {
        story.database_ready(APP).await;
        story
            .database_where(APP, "has no request left", |database| {
                done(database.status.as_ref().and_then(|status| status.phase), database.labels().len())
            })
            .await;
    }
}
