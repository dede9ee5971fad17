//! A server and a database on Azure as the original operator leaves them, and that they are taken over without a write.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use clouds::azure::Server;
use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer};
use serde_json::{Value, json};

use super::{Cloud, as_left_by_the_original, done};
use crate::world::{Credentials, Story, answer, database_condition, database_object};

/// Seconds between two looks.
pub const RESYNC: u64 = 10;
/// The administrator's rule.
pub const OFFICE: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 9)];
/// Everything in PostgreSQL that an operator writes.
const MARKS: &str = "SELECT concat(
    (SELECT string_agg(format('%s %s %s', classoid, objoid, description), ',' ORDER BY classoid, objoid)
        FROM pg_shdescription),
    (SELECT string_agg(format('%s %s %s', datname, datdba, datacl), ',' ORDER BY datname) FROM pg_database))";

/// The server `team` with the database `app`; their Secrets end in `-login`.
pub struct Left<'a> {
    /// The server's name on Azure.
    pub name: String,
    /// The administrator's login.
    pub team: Credentials,
    /// The database's.
    pub app: Credentials,
    story: &'a Story<'a>,
    cloud: &'a Cloud,
    object: Value,
    /// Calls, and marks in PostgreSQL, when no operator ran any more.
    before: Option<(usize, Option<String>)>,
}

/// A backend's section with a lock and the administrator's rule.
pub fn section() -> Value {
    json!({
        "lock_from_deletion": true,
        "parameters": {"network": {"firewall_rules": [
            {"name": "office", "startIp": OFFICE[0], "endIp": OFFICE[1]},
        ]}},
    })
}

impl<'a> Left<'a> {
    /// Has our operator make them: `object` is the server.
    pub async fn made(story: &'a Story<'a>, cloud: &'a Cloud, object: Value) -> Self {
        done(story.try_apply(object.clone()).await);
        done(story.try_apply(database_object("app", "team", "app-login")).await);
        story.server_ready("team").await;
        story.database_ready("app").await;
        let (team, app) = (story.credentials("team-login").await, story.credentials("app-login").await);
        let name = format!("{}-team", story.namespace);
        Self { name, team, app, story, cloud, object, before: None }
    }

    /// Makes the original's of all that is ours; `change` is what else is different on Azure. No operator runs.
    pub async fn leave(&mut self, backend: &str, change: impl FnOnce(&mut Server)) {
        let story = self.story;
        let tags: BTreeMap<String, String> = [("namespace", story.namespace.as_str()), ("name", "team")]
            .map(|(tag, value)| (format!("hybridcloud-postgresql-operator:{tag}"), value.to_owned()))
            .into();
        self.cloud.azure().drift(&self.name, |server| {
            server.tags = tags;
            change(server);
        });
        let admin = done(self.team.connect().await);
        let unmark = "COMMENT ON ROLE app IS NULL; COMMENT ON DATABASE app IS NULL";
        done(admin.batch_execute(unmark).await);
        let database = database_object("app", "team", "app-login");
        let database = as_left_by_the_original(database, backend, "Database created");
        // First the database: its server is not let go before.
        story.store::<PostgreSQLDatabase>(database).await;
        let object = as_left_by_the_original(self.object.clone(), backend, "Database server created");
        story.store::<PostgreSQLServer>(object).await;
        story.store_secret("team-login", &self.team).await;
        story.store_secret("app-login", &self.app).await;
        self.before = Some((self.cloud.azure().log().len(), answer(&admin, MARKS).await));
    }

    /// The database is taken over, too, and nothing is written since they were [left](Self::leave): neither to Azure, nor
    /// to PostgreSQL, nor to Secrets.
    pub async fn is_taken_over_without_a_write(&self) -> PostgreSQLDatabase {
        let database = self
            .story
            .database_where("app", "is taken over", |database| {
                let ready = database_condition(database, ConditionType::Ready);
                ready.is_some_and(|ready| ready.status == ConditionStatus::True)
            })
            .await;
        tokio::time::sleep(Duration::from_secs(2 * RESYNC)).await;
        let (begin, marks) = self.before.clone().unwrap_or_default();
        let calls = self.cloud.calls_since(begin);
        let writes: Vec<_> = calls.iter().filter(|call| call.is_write()).collect();
        println!("{} calls, {} of them writes", calls.len(), writes.len());
        assert!(!calls.is_empty() && writes.is_empty(), "{writes:?}");
        let now = answer(&done(self.team.connect().await), MARKS).await;
        assert!(marks.is_some() && now == marks, "nor to PostgreSQL: {now:?}, and before {marks:?}");
        for (secret, login) in [("team-login", &self.team), ("app-login", &self.app)] {
            assert_eq!(&self.story.credentials(secret).await, login);
        }
        database
    }
}
