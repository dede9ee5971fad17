//! The status never lies: not to people, not to tools that wait, and what is new is told once.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use hcpg::api::ConditionStatus::{False, True};
use hcpg::api::{Condition, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::control_plane::{Binary, locate};
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{
    APP, SharedWorld, Story, TEAM, TEAM_AND_APP, database_condition, says, server_condition,
};
use k8s_openapi::api::events::v1::Event;
use kube::api::{ApiResource, DynamicObject, ListParams, WatchEvent, WatchParams};
use kube::{Api, Resource};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// What nobody announces is found by looking again, here every ten seconds.
static WORLD: SharedWorld = SharedWorld::with(|| OperatorOptions {
    config: json!({"reconcile": {"resync_seconds": 10}}),
    ..OperatorOptions::default()
});

/// What the real kstatus makes of an object: what `helm --wait` and Flux go by.
async fn kstatus(object: &DynamicObject) -> String {
    let [judge] = locate([Binary::Kstatus]).await.unwrap();
    let mut process = Command::new(judge)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let text = serde_json::to_string(object).unwrap() + "\n";
    process.stdin.take().unwrap().write_all(text.as_bytes()).await.unwrap();
    let output = process.wait_with_output().await.unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Every version of an object from its beginning until kstatus calls it finished, with what it says.
async fn versions<K: Resource<DynamicType = ()>>(
    story: &Story<'_>,
    name: &str,
) -> Vec<(String, DynamicObject)> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(story.client.clone(), &story.namespace, &ApiResource::erase::<K>(&()));
    let only = WatchParams::default().fields(&format!("metadata.name={name}")).timeout(90);
    let mut events = api.watch(&only, "0").await.unwrap().boxed();
    let mut versions = Vec::new();
    while let Some(event) = events.try_next().await.unwrap() {
        if let WatchEvent::Added(object) | WatchEvent::Modified(object) = event {
            let says = kstatus(&object).await;
            let is_current = says == "Current";
            versions.push((says, object));
            if is_current {
                return versions;
            }
        }
    }
    panic!("{name} never became Current: {}", story.describe().await);
}

#[tokio::test]
async fn tools_that_wait_for_objects_wait_until_they_can_be_used() {
    let story = WORLD.get().await.story("wait").await;
    let (servers, databases, ()) = tokio::join!(
        versions::<PostgreSQLServer>(&story, TEAM),
        versions::<PostgreSQLDatabase>(&story, APP),
        story.apply(TEAM_AND_APP),
    );
    // It is in use from the moment on from which tools say so.
    story.app_login().await.connect().await.unwrap();
    for versions in [servers, databases] {
        let [before @ .., (_, last)] = &versions[..] else { panic!("there is a last one") };
        assert!(before.len() > 2, "{versions:#?}");
        for (says, object) in before {
            assert_eq!(says, "InProgress", "{object:#?}");
        }
        assert_eq!(before[0].1.data["status"], json!({"observedGeneration": -1}), "nobody has looked at it");
        let conditions: Vec<Condition> =
            serde_json::from_value(last.data["status"]["conditions"].clone()).unwrap();
        let ready = conditions.iter().find(|one| one.type_ == ConditionType::Ready).unwrap();
        assert_eq!(ready.status, True);
        assert_eq!(last.data["status"]["phase"], "Ready");
    }
}

/// The events about an object, of one reason: how often each was counted, and its sentence.
async fn events(story: &Story<'_>, name: &str, reason: Reason) -> Vec<(i32, String)> {
    let api: Api<Event> = Api::namespaced(story.client.clone(), &story.namespace);
    let all = api.list(&ListParams::default()).await.unwrap();
    let about = |event: &Event| event.regarding.as_ref().and_then(|about| about.name.clone());
    all.into_iter()
        .filter(|event| {
            event.reason.as_deref() == Some(reason.as_str()) && about(event).as_deref() == Some(name)
        })
        .map(|event| (event.series.map_or(1, |series| series.count), event.note.unwrap_or_default()))
        .collect()
}

async fn metric(story: &Story<'_>, name: &str, labels: &[(&str, &str)]) -> f64 {
    story.world.operator.metric(name, labels).await.unwrap()
}

#[tokio::test]
async fn what_is_refused_again_and_again_is_told_once_and_stays_told() {
    let story = WORLD.get().await.story("refused").await.with_team().await;
    let refusals = [("kind", "database"), ("action", "ConfigureDatabase"), ("outcome", "failed")];
    let before = metric(&story, "hcpg_actions_total", &refusals).await;
    let extensions = json!({"spec": {"database": {"extensions": ["frobnicate"]}}});
    let changed: PostgreSQLDatabase = story.patch(APP, extensions).await;
    let stalled = story.database_stalled(APP, Reason::NotApplied).await;
    assert!(stalled.message.contains("frobnicate"), "{}", stalled.message);

    story
        .all_the_time("it is stalled, and its credentials work", Duration::from_secs(30), async || {
            let database = story.database(APP).await;
            assert_eq!(database.metadata.generation, changed.metadata.generation);
            let ready = database_condition(&database, ConditionType::Ready);
            database_condition(&database, ConditionType::Stalled) == Some(&stalled)
                && ready.is_some_and(|ready| ready.status == True)
        })
        .await;
    let tried = metric(&story, "hcpg_actions_total", &refusals).await - before;
    assert!(tried >= 2.0, "it was tried again: {tried}");
    for reason in [Reason::Rejected, Reason::NotApplied] {
        let told = events(&story, APP, reason).await;
        assert_eq!(told.len(), 1, "{reason}: {told:?}");
        assert_eq!(told[0].0, 1, "{reason}: {told:?}");
        assert!(told[0].1.contains("frobnicate"), "{told:?}");
    }

    // Another failure is news.
    story.patch::<PostgreSQLDatabase>(APP, json!({"spec": {"database": {"extensions": ["quux"]}}})).await;
    story
        .eventually("the other one is told too", async || {
            let told = events(&story, APP, Reason::Rejected).await;
            told.iter().any(|(_, note)| note.contains("quux")).then_some(())
        })
        .await;
    story.patch::<PostgreSQLDatabase>(APP, json!({"spec": {"database": {"extensions": null}}})).await;
    story
        .database_where(APP, "is in sync again", |database| {
            let synced = database_condition(database, ConditionType::Synced);
            let stalled = database_condition(database, ConditionType::Stalled);
            says(synced, True, Reason::InSync, "") && says(stalled, False, Reason::NotStalled, "")
        })
        .await;
}

#[tokio::test]
async fn who_is_barred_by_the_server_is_told_so_and_comes_back_by_itself() {
    let story = WORLD.get().await.story("barred").await.with_team().await;
    let login = story.app_login().await;
    let rules = story.local_server(TEAM).folder().join("pgdata/pg_hba.conf");
    let open = std::fs::read_to_string(&rules).unwrap();

    // The role of the application only.
    std::fs::write(&rules, format!("hostssl all app all reject\n{open}")).unwrap();
    story.by_hand("postgres", "SELECT pg_reload_conf()").await;
    story
        .database_where(APP, "is not ready, and says why", |database| {
            says(
                database_condition(database, ConditionType::Ready),
                False,
                Reason::Unreachable,
                "pg_hba.conf",
            )
        })
        .await;
    let server = story.server(TEAM).await;
    assert!(server_condition(&server, ConditionType::Ready).is_some_and(|ready| ready.status == True));
    assert!(!events(&story, APP, Reason::Unreachable).await.is_empty(), "an event tells of it");

    // Everybody.
    std::fs::write(&rules, format!("hostssl all all all reject\n{open}")).unwrap();
    story.by_hand("postgres", "SELECT pg_reload_conf()").await;
    story
        .server_where(TEAM, "is not ready, and says why", |server| {
            says(server_condition(server, ConditionType::Ready), False, Reason::Unreachable, "pg_hba.conf")
        })
        .await;
    story
        .database_where(APP, "is not ready, and names its server", |database| {
            let ready = database_condition(database, ConditionType::Ready);
            says(ready, False, Reason::WaitingForServer, TEAM)
        })
        .await;

    std::fs::write(&rules, open).unwrap();
    story.by_hand("postgres", "SELECT pg_reload_conf()").await;
    story.team_ready().await;
    login.connect().await.unwrap();
    assert_eq!(story.app_login().await, login, "no password was changed for that");
    assert!(events(&story, APP, Reason::Available).await.iter().any(|(_, note)| note.contains("log in")));
}

#[tokio::test]
async fn a_server_that_was_stopped_by_hand_is_started_again() {
    let story = WORLD.get().await.story("by-hand").await.with_team().await;
    let login = story.app_login().await;
    let server = story.local_server(TEAM);
    let stopped = server.postmaster().unwrap();
    // As `pg_ctl stop` does.
    kill(Pid::from_raw(stopped), Signal::SIGINT).unwrap();
    story
        .eventually("another process serves", async || {
            (server.postmaster().is_some_and(|now| now != stopped) && login.connect().await.is_ok())
                .then_some(())
        })
        .await;
    story.team_ready().await;
    assert_eq!(story.app_login().await, login);
}

#[tokio::test]
async fn a_database_says_in_ready_what_it_waits_for() {
    let story = WORLD.get().await.story("missing").await;
    story.plain_database("app", "main").await;
    let database = story
        .database_where("app", "names the missing server", |database| {
            let ready = database_condition(database, ConditionType::Ready);
            says(ready, False, Reason::WaitingForServer, "PostgreSQLServer main does not exist")
        })
        .await;
    let ready = database_condition(&database, ConditionType::Ready).unwrap();
    assert!(ready.message.contains("app-credentials"), "{}", ready.message);
    story.plain_server("main").await;
    story.database_ready("app").await;
}
