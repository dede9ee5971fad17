//! Rules that hold whatever happens: pinned names, an operator that only reads, leftovers, ends in the middle.

use std::collections::BTreeMap;
use std::time::Duration;

use hcpg::api::names::ACTION;
use hcpg::api::{Condition, ConditionStatus, ConditionType, PostgreSQLDatabase, PostgreSQLServer, Reason};
use hcpg::secrets::pending_name;
use integration_tests::control_plane::AuditEvent;
use integration_tests::operator::{OPERATOR_NAMESPACE, OperatorOptions};
use integration_tests::world::{
    APP, APP_LOGIN, SharedWorld, Story, TEAM, TEAM_AND_APP, TEAM_LOGIN, database_condition, says,
    server_condition, server_object,
};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ObjectMeta, PostParams};
use serde_json::{Value, json};
use tokio::sync::Mutex;

static WORLD: SharedWorld =
    SharedWorld::with(|| OperatorOptions { config: tweaks(), ..OperatorOptions::default() });
/// Some stories start the operator with another configuration, so they take turns.
static TURN: Mutex<()> = Mutex::const_new(());

fn tweaks() -> Value {
    json!({"reconcile": {"resync_seconds": 10, "label_reset_interval_seconds": 0}})
}

/// The operator, started again with more in its configuration.
async fn configured(story: &Story<'_>, more: Value) {
    let mut config = tweaks();
    json_patch::merge(&mut config, &more);
    story.world.operator.sigterm().await.unwrap();
    story.world.operator.reconfigure(&config).unwrap();
    story.world.operator.start_again().await.unwrap();
}

/// What the operator wrote about the story's objects from that number on, events apart: in its namespace, and Secrets in
/// the operator's own, where passwords are kept on their way.
async fn writes(story: &Story<'_>, from: usize) -> Vec<AuditEvent> {
    let mut writes = story.world.operator_writes().await.split_off(from);
    writes.retain(|event| {
        event.object_ref.as_ref().is_some_and(|object| {
            let ours = object.namespace == story.namespace;
            let kept = object.namespace == OPERATOR_NAMESPACE && object.resource == "secrets";
            (ours || kept) && object.resource != "events"
        })
    });
    writes
}

/// What was written besides status.
async fn effects(story: &Story<'_>, from: usize) -> Vec<String> {
    let written = writes(story, from).await.into_iter();
    let effects = written
        .filter(|event| event.object_ref.as_ref().is_some_and(|object| object.subresource != "status"));
    effects.map(|event| format!("{} {}", event.verb, event.request_uri)).collect()
}

fn secret_label() -> Value {
    json!({"metadata": {"labels": {ACTION: "reset-password"}}})
}

#[tokio::test]
async fn a_server_keeps_its_name_when_the_pattern_changes() {
    let _turn = TURN.lock().await;
    let story = WORLD.get().await.story("pinned").await.with_team().await;
    let (folder, login) = (story.local_server(TEAM).folder().to_owned(), story.team_login().await);
    let before = story.world.operator_writes().await.len();
    configured(&story, json!({"backends": {"local": {"name_pattern": "other-{namespace}-{name}"}}})).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    story.team_ready().await;
    let written = writes(&story, before).await;
    assert!(written.is_empty(), "{written:?}");
    assert_eq!(story.local_server(TEAM).folder(), folder);

    // What is asked for reaches the server under its old name, and so does its end.
    story.patch::<PostgreSQLServer>(TEAM, secret_label()).await;
    story.server_where(TEAM, "lost its label", |server| server.labels().is_empty()).await;
    story.team_ready().await;
    assert_ne!(story.team_login().await.password, login.password);
    assert_eq!(story.local_server(TEAM).folder(), folder);
    story.delete::<PostgreSQLDatabase>(APP).await;
    story.delete::<PostgreSQLServer>(TEAM).await;
    story.gone::<PostgreSQLServer>(TEAM).await;
    assert!(!folder.exists());
    configured(&story, json!({})).await;
}

#[tokio::test]
async fn a_name_that_was_pinned_before_the_operator_died_is_the_one_that_is_used() {
    let _turn = TURN.lock().await;
    let story = WORLD.get().await.story("pinned-early").await;
    let operator = &story.world.operator;
    operator.sigterm().await.unwrap();
    // Right after the write that pins the name; nothing is created yet.
    operator.start_again_with(&[("FAILPOINTS", "server status Provisioning=return")]).await.unwrap();
    story.try_apply(server_object(TEAM, TEAM_LOGIN)).await.unwrap();
    story.eventually("the operator is dead", async || (!operator.is_running()).then_some(())).await;
    operator.sigkill();
    assert!(!story.has_local_server(TEAM));
    let pinned = story.server(TEAM).await.status.unwrap().server.unwrap().name.unwrap();

    let mut config = tweaks();
    let pattern = json!({"backends": {"local": {"name_pattern": "other-{namespace}-{name}"}}});
    json_patch::merge(&mut config, &pattern);
    operator.reconfigure(&config).unwrap();
    operator.start_again().await.unwrap();
    let server = story.server_ready(TEAM).await;
    assert_eq!(server.status.unwrap().server.unwrap().name.as_deref(), Some(pinned.as_str()));
    story.exactly_one_of_each(TEAM, &[], &[TEAM_LOGIN]).await;
    story.delete::<PostgreSQLServer>(TEAM).await;
    story.gone::<PostgreSQLServer>(TEAM).await;
    story.nothing_is_left(TEAM).await;
    configured(&story, json!({})).await;
}

#[tokio::test]
async fn an_operator_that_only_reads_lists_what_it_would_do() {
    let _turn = TURN.lock().await;
    let story = WORLD.get().await.story("observe").await.with_team().await;
    let (team, app) = (story.team_login().await, story.app_login().await);
    configured(&story, json!({"mode": "observe"})).await;
    let before = story.world.operator_writes().await.len();
    let spec = json!({"serverParameters": {"work_mem": "9MB"}});
    story.patch::<PostgreSQLServer>(TEAM, json!({"spec": spec})).await;
    story.patch::<PostgreSQLDatabase>(APP, secret_label()).await;
    let server = story
        .server_where(TEAM, "tells that it is only observed", |server| {
            let paused = server_condition(server, ConditionType::Paused);
            server.status.as_ref().and_then(|status| status.observed_generation) == server.metadata.generation
                && paused
                    .is_some_and(|it| it.status == ConditionStatus::True && it.reason == Reason::ObserveOnly)
        })
        .await;
    let differences = server.status.unwrap().differences;
    assert!(differences.iter().any(|one| one.contains("work_mem") && one.contains("9MB")), "{differences:?}");
    let same = async || story.team_login().await == team && story.app_login().await == app;
    story.all_the_time("the passwords stay", Duration::from_secs(6), same).await;
    assert_eq!(effects(&story, before).await, Vec::<String>::new());

    // Allowed to write again, it makes everything good.
    configured(&story, json!({})).await;
    story.database_where(APP, "lost its label", |database| database.labels().is_empty()).await;
    story.team_ready().await;
    assert_ne!(story.app_login().await.password, app.password);
}

/// Status and conditions of an object that nothing is done for: why, and what would be done.
fn only_tells(
    conditions: Option<(&[String], Option<&Condition>, Option<&Condition>)>,
    words: &str,
    ready: ConditionStatus,
) -> bool {
    conditions.is_some_and(|(differences, paused, is_ready)| {
        says(paused, ConditionStatus::True, Reason::ObserveOnly, "read only")
            && is_ready.is_some_and(|condition| condition.status == ready)
            && differences.iter().any(|one| one.contains("not done") && one.contains(words))
    })
}

async fn server_only_tells(story: &Story<'_>, words: &str, ready: ConditionStatus) -> PostgreSQLServer {
    let holds = |server: &PostgreSQLServer| {
        let told = server.status.as_ref().map(|status| {
            let find = |wanted| server_condition(server, wanted);
            (&*status.differences, find(ConditionType::Paused), find(ConditionType::Ready))
        });
        only_tells(told, words, ready)
    };
    story.server_where(TEAM, &format!("is only observed and says: {words}"), holds).await
}

async fn database_only_tells(story: &Story<'_>, words: &str, ready: ConditionStatus) -> PostgreSQLDatabase {
    let holds = |database: &PostgreSQLDatabase| {
        let told = database.status.as_ref().map(|status| {
            let find = |wanted| database_condition(database, wanted);
            (&*status.differences, find(ConditionType::Paused), find(ConditionType::Ready))
        });
        only_tells(told, words, ready)
    };
    story.database_where(APP, &format!("is only observed and says: {words}"), holds).await
}

#[tokio::test]
async fn an_operator_that_only_reads_creates_nothing_until_it_may() {
    let _turn = TURN.lock().await;
    let story = WORLD.get().await.story("observe-new").await;
    configured(&story, json!({"mode": "observe"})).await;
    let before = story.world.operator_writes().await.len();
    story.apply(TEAM_AND_APP).await;
    let server = server_only_tells(&story, "is being created", ConditionStatus::False).await;
    let database = database_only_tells(&story, TEAM, ConditionStatus::False).await;
    assert_eq!(server.status.unwrap().server, None, "nothing is pinned before something is begun");
    assert_eq!(database.status.unwrap().database, None);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(effects(&story, before).await, Vec::<String>::new());
    assert!(!story.has_local_server(TEAM));
    assert_eq!(story.server(TEAM).await.finalizers(), [] as [String; 0]);
    assert_eq!(story.database(APP).await.finalizers(), [] as [String; 0]);

    // What nobody holds goes at once.
    story.delete::<PostgreSQLDatabase>(APP).await;
    assert!(story.databases().get_opt(APP).await.unwrap().is_none());
    story.apply(TEAM_AND_APP).await;
    configured(&story, json!({})).await;
    story.team_ready().await;
    assert!(server_condition(&story.server(TEAM).await, ConditionType::Paused).is_none());
    story.app_login().await.connect().await.unwrap();
    story.exactly_one_of_each(TEAM, &[APP], &[TEAM_LOGIN, APP_LOGIN]).await;
}

#[tokio::test]
async fn an_operator_that_only_reads_deletes_nothing_until_it_may() {
    let _turn = TURN.lock().await;
    let story = WORLD.get().await.story("observe-gone").await.with_team().await;
    let (team, app) = (story.team_login().await, story.app_login().await);
    configured(&story, json!({"mode": "observe"})).await;
    let before = story.world.operator_writes().await.len();
    story.delete::<PostgreSQLDatabase>(APP).await;
    database_only_tells(&story, "is being let go", ConditionStatus::True).await;
    story.delete::<PostgreSQLServer>(TEAM).await;
    server_only_tells(&story, "is being let go", ConditionStatus::True).await;
    // The pass before only notes the deletion.
    let why = |server: &PostgreSQLServer| {
        let synced = server_condition(server, ConditionType::Synced);
        says(synced, ConditionStatus::False, Reason::ObserveOnly, "")
    };
    story.server_where(TEAM, "says why it is not deleted", why).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(effects(&story, before).await, Vec::<String>::new());
    assert_eq!(story.team_login().await, team);
    app.connect().await.unwrap();

    configured(&story, json!({})).await;
    story.gone::<PostgreSQLDatabase>(APP).await;
    story.gone::<PostgreSQLServer>(TEAM).await;
    story.nothing_is_left(TEAM).await;
}

/// A pending password as a crash leaves it.
async fn leave_pending(story: &Story<'_>, password: &str) {
    let uid = story.server(TEAM).await.uid().unwrap();
    let label = |name: &str| format!("hybridcloud.maibornwolff.de/owner-{name}");
    let labels = BTreeMap::from([
        (label("kind"), "PostgreSQLServer".to_owned()),
        (label("namespace"), story.namespace.clone()),
        (label("name"), TEAM.to_owned()),
        (label("uid"), uid.clone()),
    ]);
    let secret = Secret {
        metadata: ObjectMeta {
            name: Some(pending_name(&uid)),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([("password".to_owned(), ByteString(password.as_bytes().to_vec()))])),
        ..Secret::default()
    };
    let api: Api<Secret> = Api::namespaced(story.client.clone(), OPERATOR_NAMESPACE);
    api.create(&PostParams::default(), &secret).await.unwrap();
    let look = json!({"metadata": {"annotations": {"look": jiff::Timestamp::now().to_string()}}});
    story.patch::<PostgreSQLServer>(TEAM, look).await;
    story
        .eventually("nothing is pending", async || (!story.has_pending_password(&uid).await).then_some(()))
        .await;
    story.team_ready().await;
}

#[tokio::test]
async fn a_password_that_was_left_on_its_way_is_carried_on() {
    let _turn = TURN.lock().await;
    let story = WORLD.get().await.story("left").await.with_team().await;
    let login = story.team_login().await;
    // The published one: there is nothing left to do but to clear it away.
    leave_pending(&story, &login.password).await;
    assert_eq!(story.team_login().await, login);
    // Another one, which the server has not got: it is set, seen to log in, and published.
    leave_pending(&story, "Left-0n-its-way-for-the-next-one").await;
    let now = story.team_login().await;
    assert_eq!(now.password, "Left-0n-its-way-for-the-next-one");
    now.connect().await.unwrap();
    assert!(login.is_refused().await.unwrap());
}

#[tokio::test]
async fn nothing_new_is_made_in_a_namespace_that_goes() {
    let _turn = TURN.lock().await;
    let story = WORLD.get().await.story("ending").await.with_team().await;
    let login = story.team_login().await;
    let namespaces: Api<Namespace> = Api::all(story.client.clone());
    namespaces.delete(&story.namespace, &DeleteParams::default()).await.unwrap();
    // A namespace controller deletes in any order; here Secret first, then databases, then servers.
    story.secrets().delete(TEAM_LOGIN, &DeleteParams::default()).await.unwrap();
    story.patch::<PostgreSQLServer>(TEAM, secret_label()).await;
    story.server_stalled(TEAM, Reason::NamespaceTerminating).await;
    let uid = story.server(TEAM).await.uid().unwrap();
    let nothing =
        async || story.secret(TEAM_LOGIN).await.is_none() && !story.has_pending_password(&uid).await;
    story.all_the_time("no password is drawn", Duration::from_secs(4), nothing).await;
    login.connect().await.unwrap();
    story.delete::<PostgreSQLServer>(TEAM).await;
    story.delete::<PostgreSQLDatabase>(APP).await;
    story.gone::<PostgreSQLDatabase>(APP).await;
    story.gone::<PostgreSQLServer>(TEAM).await;
    assert!(!story.has_local_server(TEAM));
}

#[tokio::test]
async fn deleted_in_the_middle_of_an_update() {
    let _turn = TURN.lock().await;
    let story = WORLD.get().await.story("mid-update").await.with_team().await;
    let spec = json!({"serverParameters": {"max_connections": 41}, "size": {"storageGB": 3}});
    story.patch::<PostgreSQLServer>(TEAM, json!({"spec": spec})).await;
    story
        .server_where(TEAM, "is being changed", |server| {
            server.status.as_ref().and_then(|status| status.phase) != Some(hcpg::api::Phase::Ready)
        })
        .await;
    story.delete::<PostgreSQLDatabase>(APP).await;
    story.delete::<PostgreSQLServer>(TEAM).await;
    story.gone::<PostgreSQLDatabase>(APP).await;
    story.gone::<PostgreSQLServer>(TEAM).await;
    assert!(!story.has_local_server(TEAM));
    assert!(story.secret(TEAM_LOGIN).await.is_none());
}

#[tokio::test]
async fn a_request_withdrawn_together_with_an_edit_loses_neither() {
    let _turn = TURN.lock().await;
    let story = WORLD.get().await.story("withdrawn").await.with_team().await;
    let login = story.team_login().await;
    story.patch::<PostgreSQLServer>(TEAM, secret_label()).await;
    // In one request: the label goes, and the spec changes. Whether the reset was begun before is a race; either way
    // the password that is published is the one in force, and the edit is carried out.
    let spec = json!({"serverParameters": {"work_mem": "6MB"}});
    let withdrawn = json!({"metadata": {"labels": {ACTION: null}}, "spec": spec});
    story.patch::<PostgreSQLServer>(TEAM, withdrawn).await;
    let uid = story.server(TEAM).await.uid().unwrap();
    story
        .eventually("the edit is in force and nothing is pending", async || {
            let settled = !story.has_pending_password(&uid).await
                && story.ask("postgres", "SELECT current_setting('work_mem')").await.as_deref()
                    == Some("6MB");
            settled.then_some(())
        })
        .await;
    story.team_ready().await;
    let now = story.team_login().await;
    now.connect().await.unwrap();
    assert!(now == login || login.is_refused().await.unwrap());
}
