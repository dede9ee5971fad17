//! What PostgreSQL itself has logged: how often each thing was done. No line of the log gets any further.

use std::collections::BTreeMap;

use integration_tests::world::{APP, Story, TEAM};

use super::settled;

/// As [`integration_tests::world::TEAM_AND_APP`], with a server that logs every statement.
pub(super) const TEAM_THAT_LOGS: &str = "
apiVersion: hybridcloud.maibornwolff.de/v1alpha1
kind: PostgreSQLServer
metadata:
  name: team
spec:
  size:
    storageGB: 1
  credentialsSecret: team-login
  serverParameters:
    log_statement: all
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

/// Who sets the administrator's password says this first, so that nothing of it gets into the log.
const SILENCE: &str = "SET log_statement = none;";

/// The same with both objects ready.
pub(super) async fn with_team_that_logs(story: Story<'_>) -> Story<'_> {
    story.apply(TEAM_THAT_LOGS).await;
    settled(&story).await;
    story
}

/// How often each thing was done since the server's start.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    /// `CREATE ROLE`, by role.
    pub(super) roles: BTreeMap<String, usize>,
    /// `CREATE DATABASE`, by database.
    pub(super) databases: BTreeMap<String, usize>,
    /// `ALTER ROLE … PASSWORD`, by role; not the administrator's.
    pub(super) passwords: BTreeMap<String, usize>,
    /// Passwords of the administrator.
    pub(super) administrator: usize,
}

impl Ledger {
    /// Of the team's server, by its log.
    pub(super) fn of(story: &Story<'_>) -> Self {
        let mut ledger = Self::default();
        for (_, line) in story.local_server(TEAM).statements(0) {
            let statement = line.split_once("statement: ").map_or("", |(_, statement)| statement);
            let name = || statement.split('"').nth(1).unwrap_or_default().to_owned();
            let list = if statement.starts_with("CREATE ROLE ") {
                &mut ledger.roles
            } else if statement.starts_with("CREATE DATABASE ") {
                &mut ledger.databases
            } else if statement.starts_with("ALTER ROLE ") && statement.contains(" PASSWORD ") {
                &mut ledger.passwords
            } else {
                ledger.administrator += usize::from(statement.starts_with(SILENCE));
                continue;
            };
            *list.entry(name()).or_default() += 1;
        }
        ledger
    }

    /// The same without the passwords that belong to a creation: one that was broken off right after its role was made is
    /// taken up by giving the role its password once more, the same one, and once at most.
    pub(super) fn with_creations_taken_up(mut self, of: &[String]) -> Self {
        self.passwords.retain(|role, times| *times > 1 || !of.contains(role));
        self
    }

    /// The team's database and these were made, each once, and so many passwords were set.
    pub(super) fn once(more: &[String], passwords: &[(&str, usize)], administrator: usize) -> Self {
        let all = || more.iter().cloned().chain([APP.to_owned()]).map(|name| (name, 1)).collect();
        let passwords = passwords.iter().map(|(role, times)| ((*role).to_owned(), *times)).collect();
        Self { roles: all(), databases: all(), passwords, administrator }
    }
}
