//! What does not come to an end is called stalled after a while, and healed as soon as its cause is gone.

use hcpg::api::ConditionStatus::{False, True};
use hcpg::api::{Condition, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use integration_tests::operator::OperatorOptions;
use integration_tests::world::{
    APP, SharedWorld, Story, TEAM, database_condition, says, secret_of, server_condition,
};
use jiff::{SignedDuration, Timestamp};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::{Api, Resource};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

/// The shortest deadline that the configuration admits, in seconds.
const DEADLINE: i64 = 60;
/// The rest of it is waited for; what is before is taken off what the status says.
const WAITED: i64 = 10;

static WORLD: SharedWorld = SharedWorld::with(|| OperatorOptions {
    config: json!({"reconcile": {"progress_deadline_seconds": DEADLINE, "resync_seconds": 10}}),
    ..OperatorOptions::default()
});

#[tokio::test]
async fn a_server_that_does_not_answer() {
    let story = WORLD.get().await.story("silent").await.with_team().await;
    let (team, app) = (story.team_login().await, story.app_login().await);
    let server = story.local_server(TEAM);
    let postmaster = Pid::from_raw(server.postmaster().unwrap());
    kill(postmaster, Signal::SIGSTOP).unwrap();
    // Somebody looks at it now, and not at the next regular look.
    let touch = json!({"metadata": {"annotations": {"somebody-elses/annotation": "1"}}});
    story.patch::<PostgreSQLServer>(TEAM, touch).await;
    story
        .server_where(TEAM, "is being waited for", |server| {
            says(server_condition(server, ConditionType::Reconciling), True, Reason::Unusable, "")
        })
        .await;
    let begun = set_back::<PostgreSQLServer>(&story, TEAM).await;
    let stalled = story.server_stalled(TEAM, Reason::DeadlineExceeded).await;
    assert_it_was_waited_for(&stalled, begun);
    assert!(stalled.message.starts_with("for more than 60 s, Unusable: "), "{}", stalled.message);
    let told = story.server(TEAM).await;
    assert!(says(server_condition(&told, ConditionType::Reconciling), False, Reason::Idle, ""));
    assert_ne!(server_condition(&told, ConditionType::Ready).unwrap().status, True);
    assert_eq!(story.event(TEAM, Reason::DeadlineExceeded).await, stalled.message);
    story
        .database_where(APP, "is not ready, and names its server", |database| {
            says(database_condition(database, ConditionType::Ready), False, Reason::WaitingForServer, TEAM)
        })
        .await;

    kill(postmaster, Signal::SIGCONT).unwrap();
    server_is_free(&story, TEAM).await;
    story.team_ready().await;
    assert_eq!(
        (story.team_login().await, story.app_login().await),
        (team, app),
        "nothing was changed for that"
    );
    assert_eq!(server.postmaster(), Some(postmaster.as_raw()));
}

#[tokio::test]
async fn a_server_whose_creation_does_not_end() {
    let story = WORLD.get().await.story("unborn").await;
    story.plain_server("main").await;
    let initdb = story
        .eventually("its data folder is being made", async || {
            let initdb = initdb_of(&story)?;
            kill(initdb, Signal::SIGSTOP).ok().map(|()| initdb)
        })
        .await;
    story
        .server_where("main", "is being waited for", |server| {
            server_condition(server, ConditionType::Reconciling).is_some_and(|told| told.status == True)
        })
        .await;
    let begun = set_back::<PostgreSQLServer>(&story, "main").await;
    let stalled = story.server_stalled("main", Reason::DeadlineExceeded).await;
    assert_it_was_waited_for(&stalled, begun);
    assert!(stalled.message.starts_with("for more than 60 s, Busy: "), "{}", stalled.message);
    assert_eq!(story.event("main", Reason::DeadlineExceeded).await, stalled.message);

    kill(initdb, Signal::SIGCONT).unwrap();
    server_is_free(&story, "main").await;
    story.server_ready("main").await;
    story.credentials(&secret_of("main")).await.connect().await.unwrap();
}

#[tokio::test]
async fn a_database_whose_server_does_not_come() {
    let story = WORLD.get().await.story("alone").await;
    story.plain_database("app", "main").await;
    story
        .database_where("app", "waits for its server", |database| {
            let reconciling = database_condition(database, ConditionType::Reconciling);
            says(reconciling, True, Reason::WaitingForServer, "main does not exist")
        })
        .await;
    let begun = set_back::<PostgreSQLDatabase>(&story, "app").await;
    let stalled = story.database_stalled("app", Reason::DeadlineExceeded).await;
    assert_it_was_waited_for(&stalled, begun);
    let begin = "for more than 60 s, WaitingForServer: the PostgreSQLServer main does not exist";
    assert!(stalled.message.starts_with(begin), "{}", stalled.message);
    assert_eq!(story.event("app", Reason::DeadlineExceeded).await, stalled.message);

    story.plain_server("main").await;
    story.database_ready("app").await;
    story
        .database_where("app", "is free", |database| {
            says(database_condition(database, ConditionType::Stalled), False, Reason::NotStalled, "")
                && says(database_condition(database, ConditionType::Reconciling), False, Reason::Idle, "")
        })
        .await;
    story.credentials(&secret_of("app")).await.connect().await.unwrap();
}

/// Lets the status say that the work has been going on for most of the deadline.
///
/// The answer is when it really began.
async fn set_back<K: Resource<DynamicType = ()>>(story: &Story<'_>, name: &str) -> Timestamp {
    let api: Api<DynamicObject> =
        Api::namespaced_with(story.client.clone(), &story.namespace, &ApiResource::erase::<K>(&()));
    let back = SignedDuration::from_secs(DEADLINE - WAITED);
    story
        .eventually("the status is set back", async || {
            let object = api.get(name).await.unwrap();
            let mut conditions = object.data["status"]["conditions"].clone();
            let all = conditions.as_array_mut().unwrap();
            let told = all.iter_mut().find(|told| told["type"] == "Reconciling").unwrap();
            assert_eq!(told["status"], "True");
            let since: Timestamp = told["lastTransitionTime"].as_str().unwrap().parse().unwrap();
            told["lastTransitionTime"] = json!((since - back).to_string());
            let version = object.metadata.resource_version;
            let patch =
                json!({"metadata": {"resourceVersion": version}, "status": {"conditions": conditions}});
            // A conflict means that the operator has written meanwhile.
            api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await.ok().map(|_| since)
        })
        .await
}

/// The deadline counts, and not the first look after it was set back. Times are told in whole seconds.
fn assert_it_was_waited_for(stalled: &Condition, begun: Timestamp) {
    let waited = stalled.last_transition_time.0.duration_since(begun);
    assert!(waited >= SignedDuration::from_secs(WAITED - 1), "called stalled after {waited:?}");
}

async fn server_is_free(story: &Story<'_>, name: &str) {
    story
        .server_where(name, "is free", |server| {
            says(server_condition(server, ConditionType::Stalled), False, Reason::NotStalled, "")
        })
        .await;
}

/// The `initdb` that works on a folder of this story's namespace.
fn initdb_of(story: &Story<'_>) -> Option<Pid> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter(|process| {
        let line = std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        let arguments: Vec<&str> = line.split('\0').collect();
        arguments[0].ends_with("/initdb")
            && arguments.iter().any(|argument| {
                std::path::Path::new(argument)
                    .parent()
                    .and_then(|folder| std::fs::read_to_string(folder.join("server.json")).ok())
                    .is_some_and(|record| record.contains(&format!("\"{}\"", story.namespace)))
            })
    });
    pids.filter_map(|process| process.file_name().to_string_lossy().parse().ok()).map(Pid::from_raw).next()
}
