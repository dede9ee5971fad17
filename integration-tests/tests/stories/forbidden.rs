//! A right that is missing for longer: what is told, and that all goes on by itself when it is back.

use std::time::Duration;

use hcpg::api::ConditionStatus::{False, True};
use hcpg::api::{ConditionType, PostgreSQLServer, Reason};
use integration_tests::operator::{OperatorOptions, SERVICE_ACCOUNT, install};
use integration_tests::world::{
    SharedWorld, Story, TEAM, database_condition, is_ready, says, secret_of, server_condition,
};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::{Api, ListParams, PostParams};
use serde_json::json;
use tokio::sync::Mutex;

static WORLD: SharedWorld = SharedWorld::with(|| OperatorOptions {
    config: json!({"reconcile": {"resync_seconds": 10}}),
    ..OperatorOptions::default()
});
/// There is one account, so the stories take turns.
static TURN: Mutex<()> = Mutex::const_new(());

/// Long enough for several attempts.
const LASTING: Duration = Duration::from_secs(8);

/// Takes verbs on a resource from the operator's account, in all namespaces.
async fn take(story: &Story<'_>, resource: &str, verbs: &[&str]) {
    let roles: Api<ClusterRole> = Api::all(story.client.clone());
    let mut role = roles.get(SERVICE_ACCOUNT).await.unwrap();
    let mut taken = 0;
    for rule in role.rules.iter_mut().flatten() {
        if rule.resources.iter().flatten().any(|one| one == resource) {
            let before = rule.verbs.len();
            rule.verbs.retain(|verb| !verbs.contains(&verb.as_str()));
            taken += before - rule.verbs.len();
        }
    }
    assert_eq!(taken, verbs.len(), "{resource}");
    roles.replace(SERVICE_ACCOUNT, &PostParams::default(), &role).await.unwrap();
}

/// The warnings about an object that speak of a missing right: how often each was counted.
async fn warnings(story: &Story<'_>, name: &str) -> Vec<i32> {
    let api: Api<Event> = Api::namespaced(story.client.clone(), &story.namespace);
    let all = api.list(&ListParams::default()).await.unwrap();
    all.into_iter()
        .filter(|event| event.type_.as_deref() == Some("Warning"))
        .filter(|event| event.regarding.as_ref().and_then(|about| about.name.as_deref()) == Some(name))
        .filter(|event| event.note.as_deref().is_some_and(|note| note.contains("is forbidden")))
        .map(|event| event.series.map_or(1, |series| series.count))
        .collect()
}

fn server_is_ready(server: &PostgreSQLServer) -> bool {
    server.status.as_ref().is_some_and(|status| {
        is_ready(server.metadata.generation, status.observed_generation, status.phase, &status.conditions)
    })
}

#[tokio::test]
async fn secrets_may_not_be_written() {
    let _turn = TURN.lock().await;
    let story = WORLD.get().await.story("no-secrets").await.with_team().await;
    let (team, app) = (story.team_login().await, story.app_login().await);
    take(&story, "secrets", &["create", "patch"]).await;
    story.plain_server("late").await;
    story.plain_database("late-app", TEAM).await;
    let forbidden =
        |name: &str| format!("Secret {}: the API server answered 403: secrets is forbidden", secret_of(name));
    story
        .server_where("late", "names the right", |server| {
            let words = forbidden("late");
            says(server_condition(server, ConditionType::Reconciling), True, Reason::Forbidden, &words)
                && says(server_condition(server, ConditionType::Synced), False, Reason::Forbidden, &words)
                && server_condition(server, ConditionType::Ready).is_some_and(|ready| ready.status == False)
        })
        .await;
    story
        .database_where("late-app", "names the right", |database| {
            let words = forbidden("late-app");
            says(database_condition(database, ConditionType::Reconciling), True, Reason::Forbidden, &words)
                && database_condition(database, ConditionType::Ready)
                    .is_some_and(|ready| ready.status == False)
        })
        .await;
    // It stays told, once; and what needs no Secret to be written is not touched by it.
    story
        .all_the_time("it is told, and the others are ready", LASTING, async || {
            let late = story.server("late").await;
            let told = server_condition(&late, ConditionType::Reconciling);
            says(told, True, Reason::Forbidden, &forbidden("late"))
                && server_is_ready(&story.server(TEAM).await)
        })
        .await;
    for name in ["late", "late-app"] {
        let told = warnings(&story, name).await;
        assert_eq!(told.len(), 1, "{name}: {told:?}");
    }
    let failed = [("action", "PublishCredentials"), ("outcome", "failed")];
    let tried = story.world.operator.metric("hcpg_actions_total", &failed).await.unwrap();
    assert!(tried >= 4.0, "it was tried again: {tried}");
    let postmaster = story.local_server("late").postmaster();

    install(&story.client).await.unwrap();
    story.server_ready("late").await;
    story.database_ready("late-app").await;
    for name in ["late", "late-app"] {
        story.credentials(&secret_of(name)).await.connect().await.unwrap();
    }
    assert_eq!(story.local_server("late").postmaster(), postmaster, "it was made once");
    assert_eq!((story.team_login().await, story.app_login().await), (team, app));
    let done = async || story.pending_passwords().await.is_empty().then_some(());
    story.eventually("no password is pending", done).await;
}

#[tokio::test]
async fn the_status_may_not_be_written() {
    let _turn = TURN.lock().await;
    let story = WORLD.get().await.story("no-status").await.with_team().await;
    take(&story, "postgresqlservers/status", &["patch"]).await;
    let logged = story.world.operator.log().len();
    story.plain_server("mute").await;
    // The status cannot tell; an event does.
    let told = story.event("mute", Reason::Forbidden).await;
    assert!(told.contains("\"mute\" is forbidden"), "{told}");
    assert!(told.contains("postgresqlservers/status"), "{told}");
    story
        .all_the_time("nothing is begun that could not be written down", LASTING, async || {
            !story.has_local_server("mute") && story.secret(&secret_of("mute")).await.is_none()
        })
        .await;
    assert_eq!(warnings(&story, "mute").await.len(), 1);
    let log = story.world.operator.log().split_off(logged);
    assert!(log.contains("postgresqlservers/status"), "{log}");
    assert_eq!(story.world.operator.get("/healthz").await.unwrap().status, 200, "a restart would not help");
    story.team_login().await.connect().await.unwrap();

    install(&story.client).await.unwrap();
    story.server_ready("mute").await;
    story.credentials(&secret_of("mute")).await.connect().await.unwrap();
    story.team_ready().await;
}
