//! What there is of a server and its database, counted after each flow.

use super::case::{Case, ask};
use super::flow::{DATABASE, DATABASE_SECRET, Flow};
use crate::world::Credentials;

/// What was there after the flow before.
#[derive(Default)]
pub(super) struct Census {
    /// Roles and databases of a server without any of ours.
    at_first: Option<[String; 2]>,
    server: Option<Credentials>,
    database: Option<Credentials>,
}

impl Census {
    /// Counts after a flow: exactly one role and one database, with their owner, or none; nothing pending; a password is
    /// another one if a new one was asked for, and then the old one is refused, and the one from before otherwise.
    pub async fn follow(mut self, case: &Case, flow: Flow) -> Self {
        let namespace = &case.namespace;
        assert_eq!(case.all_pending().await, Vec::<String>::new(), "{namespace}: nothing is pending");
        if flow == Flow::DeleteServer {
            return Self::default();
        }
        let server = Some(case.credentials().await);
        let database = case.credentials_of(DATABASE_SECRET).await;
        follows(namespace, flow == Flow::ResetServer, self.server.as_ref(), server.as_ref()).await;
        follows(namespace, flow == Flow::ResetDatabase, self.database.as_ref(), database.as_ref()).await;
        let there = in_postgres(case).await;
        let has_database = case.database(DATABASE).await.is_some();
        let first = self.at_first.get_or_insert_with(|| there.clone()).clone();
        let expected = if has_database {
            let [roles, databases] = &first;
            [with(roles, DATABASE), with(databases, &format!("{DATABASE} of {DATABASE}"))]
        } else {
            first
        };
        assert_eq!(there, expected, "{namespace}: roles and databases after {flow:?}");
        Self { server, database, ..self }
    }
}

async fn follows(namespace: &str, reset: bool, before: Option<&Credentials>, now: Option<&Credentials>) {
    let (Some(before), Some(now)) = (before, now) else { return };
    assert_eq!(before.password != now.password, reset, "{namespace}: another password exactly if asked for");
    if reset {
        let refused = before.is_refused().await;
        assert!(matches!(refused, Ok(true)), "{namespace}: the old password is refused: {refused:?}");
    }
}

/// One more in a sorted list.
fn with(list: &str, one: &str) -> String {
    let mut all: Vec<&str> = list.split(", ").chain([one]).collect();
    all.sort_unstable();
    all.join(", ")
}

/// Roles, and databases with their owners, each sorted.
async fn in_postgres(case: &Case) -> [String; 2] {
    let login = case.login().await;
    let roles = "SELECT string_agg(rolname, ', ' ORDER BY rolname COLLATE \"C\") FROM pg_roles WHERE rolname !~ '^pg_'";
    let databases = "SELECT string_agg(one, ', ' ORDER BY one COLLATE \"C\") FROM (
        SELECT datname || ' of ' || pg_get_userbyid(datdba) AS one FROM pg_database) AS all_of_them";
    [ask(&login, roles).await.unwrap_or_default(), ask(&login, databases).await.unwrap_or_default()]
}
