//! Applications log in all the time, with what the Secret holds, while passwords are renewed under their feet.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use hcpg::api::names::ACTION;
use hcpg::api::{PostgreSQLDatabase, PostgreSQLServer};
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{APP, APP_LOGIN, SharedWorld, Story, TEAM, TEAM_LOGIN};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{WatchEvent, WatchParams};
use serde_json::json;

static WORLD: SharedWorld = SharedWorld::with(|| OperatorOptions {
    config: json!({"reconcile": {"label_reset_interval_seconds": 0}}),
    ..OperatorOptions::default()
});

/// How often each is reset.
const RESETS: u32 = 5;
/// How long an application waits after a refusal before it reads its Secret once more. PostgreSQL takes a password and
/// the API server takes a Secret one after the other; on a machine under load there are tenths of a second in between.
const PAUSE: Duration = Duration::from_secs(1);
/// Time between two resets, so that the second login does not fall into the next one.
const BETWEEN: Duration = Duration::from_secs(2);

/// What an application saw.
#[derive(Default)]
struct Application {
    logins: AtomicU32,
    refusals: AtomicU32,
    stop: AtomicBool,
}

impl Application {
    /// Reads the Secret and logs in; after a refusal it may do so once more.
    async fn run(&self, story: &Story<'_>, secret: &str) {
        while !self.stop.load(Ordering::Relaxed) {
            if story.credentials(secret).await.is_refused().await.unwrap() {
                self.refusals.fetch_add(1, Ordering::Relaxed);
                let since = Instant::now();
                tokio::time::sleep(PAUSE).await;
                let again = story.credentials(secret).await.is_refused().await.unwrap();
                assert!(!again, "{secret}: refused again after {:?}", since.elapsed());
            }
            self.logins.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn report(&self, who: &str) {
        let (logins, refusals) = (self.logins.load(Ordering::Relaxed), self.refusals.load(Ordering::Relaxed));
        eprintln!("{who}: {logins} logins during {RESETS} resets, {refusals} of them refused at first");
        assert!(logins > RESETS, "{who}: {logins} logins are no load");
    }
}

/// Resets both, one after the other, until it is enough.
async fn reset_again_and_again(story: &Story<'_>) {
    let reset = json!({"metadata": {"labels": {ACTION: "reset-password"}}});
    for _ in 0..RESETS {
        let (team, app) = (story.team_login().await, story.app_login().await);
        story.patch::<PostgreSQLDatabase>(APP, reset.clone()).await;
        story.patch::<PostgreSQLServer>(TEAM, reset.clone()).await;
        let done = |labels: &std::collections::BTreeMap<_, _>| !labels.contains_key(ACTION);
        story.server_where(TEAM, "is done with the reset", |server| done(server.labels())).await;
        story.database_where(APP, "is done with the reset", |database| done(database.labels())).await;
        assert_ne!(story.team_login().await.password, team.password);
        assert_ne!(story.app_login().await.password, app.password);
        tokio::time::sleep(BETWEEN).await;
    }
}

#[tokio::test]
async fn a_login_that_is_refused_during_a_reset_succeeds_with_the_secret_read_again() {
    let story = WORLD.get().await.story("load").await.with_team().await;
    let version = story.secrets().list(&Default::default()).await.unwrap().metadata.resource_version;
    let (team, app) = (Application::default(), Application::default());
    let resets = async {
        reset_again_and_again(&story).await;
        team.stop.store(true, Ordering::Relaxed);
        app.stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(resets, team.run(&story, TEAM_LOGIN), app.run(&story, APP_LOGIN));
    story.team_ready().await;
    team.report("the administrator");
    app.report("the application");

    // Everything that has happened to the Secrets since.
    let marker = json!({"metadata": {"labels": {"end": "yes"}}});
    story.patch::<Secret>(APP_LOGIN, marker).await;
    let params = WatchParams::default();
    let mut events = story.secrets().watch(&params, &version.unwrap()).await.unwrap().boxed();
    let mut writes = 0;
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            WatchEvent::Deleted(secret) => panic!("the Secret {} was deleted", secret.name_any()),
            WatchEvent::Modified(secret) if secret.labels().contains_key("end") => break,
            WatchEvent::Modified(_) | WatchEvent::Added(_) => writes += 1,
            WatchEvent::Bookmark(_) => {}
            WatchEvent::Error(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(writes, 2 * RESETS, "each reset is one write to each Secret");
}
