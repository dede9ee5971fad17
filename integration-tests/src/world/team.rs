//! The people of most stories: a team with a server `team` and a database `app` on it.

use hcpg::api::{Condition, ConditionStatus, Reason};
use tokio_postgres::Client;

use super::{Credentials, Story, done};

/// The server of the team.
pub const TEAM: &str = "team";
/// The Secret with the administrator's credentials.
pub const TEAM_LOGIN: &str = "team-login";
/// The team's database: the object, the database in PostgreSQL and its role.
pub const APP: &str = "app";
/// The Secret with the database's credentials.
pub const APP_LOGIN: &str = "app-login";

/// Both objects.
pub const TEAM_AND_APP: &str = "
apiVersion: hybridcloud.maibornwolff.de/v1alpha1
kind: PostgreSQLServer
metadata:
  name: team
spec:
  size:
    storageGB: 1
  credentialsSecret: team-login
---
apiVersion: hybridcloud.maibornwolff.de/v1alpha1
kind: PostgreSQLDatabase
metadata:
  name: app
spec:
  serverRef:
    name: team
  credentialsSecret: app-login
";

impl Story<'_> {
    /// The team gets its server and its database, and both are ready.
    pub async fn with_team(self) -> Self {
        self.apply(TEAM_AND_APP).await;
        self.team_ready().await;
        self
    }

    /// Waits until server and database are ready, in their present generations.
    pub async fn team_ready(&self) {
        self.server_ready(TEAM).await;
        self.database_ready(APP).await;
    }

    /// What stands in the administrator's Secret.
    pub async fn team_login(&self) -> Credentials {
        self.credentials(TEAM_LOGIN).await
    }

    /// What stands in the database's Secret.
    pub async fn app_login(&self) -> Credentials {
        self.credentials(APP_LOGIN).await
    }

    /// Runs statements in a database of the team's server as its superuser.
    pub async fn by_hand(&self, dbname: &str, sql: &str) {
        let superuser = done(self.local_server(TEAM).superuser(dbname).await);
        if let Err(error) = superuser.batch_execute(sql).await {
            panic!("{sql}: {error:?}");
        }
    }

    /// Asks something of a database of the team's server as its superuser; the one value, as text.
    pub async fn ask(&self, dbname: &str, sql: &str) -> Option<String> {
        let superuser = done(self.local_server(TEAM).superuser(dbname).await);
        answer(&superuser, sql).await
    }

    /// When the team's PostgreSQL was started: another time means that it was restarted.
    pub async fn started_at(&self) -> Option<String> {
        self.ask("postgres", "SELECT pg_postmaster_start_time()").await
    }
}

/// The one value that a query of one column gives, as text; none if there is no row.
pub async fn answer(client: &Client, sql: &str) -> Option<String> {
    match client.query_opt(&format!("SELECT value::text FROM ({sql}) AS answer(value)"), &[]).await {
        Ok(row) => row.and_then(|row| row.get(0)),
        Err(error) => panic!("{sql}: {error:?}"),
    }
}

/// Whether a condition has this status and reason, and these words in its message.
pub fn says(condition: Option<&Condition>, status: ConditionStatus, reason: Reason, words: &str) -> bool {
    condition.is_some_and(|condition| {
        condition.status == status && condition.reason == reason && condition.message.contains(words)
    })
}
