//! The configuration file changes while the operator runs.

use std::fs;
use std::time::Duration;

use hcpg::api::names::{ACTION, FIELD_MANAGER};
use hcpg::api::{ConditionStatus, ConditionType, PostgreSQLServer, Reason};
use integration_tests::operator::OPERATOR_NAMESPACE;
use integration_tests::world::{Story, TEAM, World, says, server_condition};
use k8s_openapi::api::events::v1::Event;
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};

/// How often the configuration file led to that, since the start.
async fn reloads(story: &Story<'_>, outcome: &str) -> f64 {
    story.world.operator.metric("hcpg_config_reloads_total", &[("outcome", outcome)]).await.unwrap()
}

async fn usable(story: &Story<'_>) -> f64 {
    story.world.operator.metric("hcpg_config_last_reload_successful", &[]).await.unwrap()
}

/// The outcome is counted so often.
async fn counted(story: &Story<'_>, outcome: &str, times: f64) {
    let look = async || (reloads(story, outcome).await == times).then_some(());
    story.eventually(&format!("the file was {outcome} {times} times"), look).await;
}

/// Changes the configuration file and waits until that is in force.
async fn apply(story: &Story<'_>, tweaks: &Value) {
    let before = reloads(story, "applied").await;
    story.world.operator.reconfigure(tweaks).unwrap();
    counted(story, "applied", before + 1.0).await;
}

/// The events on the operator's Lease with that reason.
async fn events(story: &Story<'_>, reason: Reason) -> Vec<Event> {
    let api: Api<Event> = Api::namespaced(story.client.clone(), OPERATOR_NAMESPACE);
    let mut events = api.list(&ListParams::default()).await.unwrap().items;
    events.retain(|event| event.reason.as_deref() == Some(reason.as_str()));
    for event in &events {
        let about = event.regarding.as_ref().unwrap();
        assert_eq!(about.kind.as_deref(), Some("Lease"));
        assert_eq!(about.name.as_deref(), Some(FIELD_MANAGER));
        assert!(about.uid.is_some(), "kubectl describe looks for it");
        let pod = event.related.as_ref().unwrap().name.clone();
        assert_eq!(pod, Some(story.world.operator.name()));
    }
    events
}

async fn one_event(story: &Story<'_>, reason: Reason) -> Event {
    let look = async || events(story, reason).await.pop();
    let event = story.eventually(&format!("{reason} is told"), look).await;
    assert_eq!(events(story, reason).await.len(), 1);
    event
}

async fn reset(story: &Story<'_>) -> usize {
    let before = story.team_login().await.password;
    let label = json!({"metadata": {"labels": {ACTION: "reset-password"}}});
    story.patch::<PostgreSQLServer>(TEAM, label).await;
    story.server_where(TEAM, "is reset", |server| !server.labels().contains_key(ACTION)).await;
    story.team_ready().await;
    let after = story.team_login().await.password;
    assert_ne!(before, after);
    after.len()
}

#[tokio::test]
async fn a_changed_file_is_in_force_without_a_restart_and_a_bad_one_is_not() {
    let world = World::start().await;
    let story = world.story("reload").await.with_team().await;
    let (operator, pid) = (&world.operator, world.operator.pid().unwrap());
    assert_eq!(usable(&story).await, 1.0);

    // A changed length of passwords, and as many resets as one likes.
    let quick = json!({"label_reset_interval_seconds": 0});
    let long = json!({"security": {"password_length": 40}, "reconcile": quick});
    apply(&story, &long).await;
    assert_eq!(reset(&story).await, 40);
    assert_eq!(one_event(&story, Reason::ConfigurationApplied).await.type_.as_deref(), Some("Normal"));

    // A bad one: nothing of it is in force, and that is told once.
    let bad = json!({"security": {"password_length": 4}, "reconcile": {"label_reset_interval_seconds": -1}});
    operator.reconfigure(&bad).unwrap();
    counted(&story, "refused", 1.0).await;
    assert_eq!(usable(&story).await, 0.0);
    let event = one_event(&story, Reason::ConfigurationRefused).await;
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    let note = event.note.unwrap();
    assert!(note.contains("config.yaml:") && note.contains("and 1 more"), "{note}");
    let log = operator.log();
    assert!(log.contains("security.password_length: found 4"), "{log}");
    assert!(log.contains("reconcile.label_reset_interval_seconds: found -1"), "{log}");
    assert_eq!(reset(&story).await, 40);
    let stays = async || reloads(&story, "refused").await == 1.0;
    story.all_the_time("it is told once", Duration::from_secs(5), stays).await;
    assert_eq!(events(&story, Reason::ConfigurationRefused).await.len(), 1);

    // No file at all.
    let path = operator.folder().join("config.yaml");
    fs::remove_file(&path).unwrap();
    counted(&story, "refused", 2.0).await;
    let told = async || (events(&story, Reason::ConfigurationRefused).await.len() == 2).then_some(());
    story.eventually("another content is another event", told).await;
    assert_eq!(reset(&story).await, 40);

    // Mended: by what was in force all the time, then by something else.
    operator.reconfigure(&long).unwrap();
    counted(&story, "unchanged", 1.0).await;
    assert_eq!(usable(&story).await, 1.0);
    apply(&story, &json!({"security": {"password_length": 50}, "reconcile": quick})).await;
    assert_eq!(reset(&story).await, 50);
    assert_eq!(operator.pid(), Some(pid), "it is still the same process");
}

#[tokio::test]
async fn a_change_of_mode_reaches_objects_that_nobody_touches() {
    let world = World::start().await;
    let story = world.story("mode").await.with_team().await;
    apply(&story, &json!({"mode": "observe"})).await;
    story
        .server_where(TEAM, "is only observed", |server| {
            let paused = server_condition(server, ConditionType::Paused);
            says(paused, ConditionStatus::True, Reason::ObserveOnly, "")
        })
        .await;
    let spec = json!({"spec": {"serverParameters": {"work_mem": "8MB"}}});
    story.patch::<PostgreSQLServer>(TEAM, spec).await;
    let setting =
        async || story.ask("postgres", "SELECT setting FROM pg_settings WHERE name = 'work_mem'").await;
    let untouched = async || setting().await.as_deref() == Some("4096");
    story.all_the_time("nothing is written", Duration::from_secs(3), untouched).await;
    apply(&story, &json!({"mode": "manage"})).await;
    let done = async || (setting().await.as_deref() == Some("8192")).then_some(());
    story.eventually("what was asked for meanwhile is done", done).await;
    story.team_ready().await;
    assert!(server_condition(&story.server(TEAM).await, ConditionType::Paused).is_none());
}

#[tokio::test]
async fn servers_stay_where_they_are_whatever_changes() {
    let world = World::start().await;
    let story = world.story("pinned").await.with_team().await;
    let started = story.started_at().await;
    // Its uid in the backend, its address and its name there.
    let pinned = async |name: &str| story.server(name).await.status.unwrap().server.unwrap();
    let before = pinned(TEAM).await;
    assert!(before.uid.is_some());

    // The pattern is for new servers; the folder cannot follow a change, and all the rest does.
    let tweaks =
        json!({"backends": {"local": {"name_pattern": "new-{namespace}-{name}", "data_dir": "/nowhere"}}});
    world.operator.reconfigure(&tweaks).unwrap();
    counted(&story, "needs_restart", 1.0).await;
    assert_eq!(usable(&story).await, 1.0);
    let event = one_event(&story, Reason::ConfigurationNeedsRestart).await;
    let note = event.note.unwrap();
    assert!(
        note.contains("backends.local.data_dir") && note.contains("all other changes are in force"),
        "{note}"
    );

    // Looked at under the new one, and changed where it is.
    let spec = json!({"spec": {"serverParameters": {"work_mem": "8MB"}}});
    story.patch::<PostgreSQLServer>(TEAM, spec).await;
    let setting =
        async || story.ask("postgres", "SELECT setting FROM pg_settings WHERE name = 'work_mem'").await;
    let done = async || (setting().await.as_deref() == Some("8192")).then_some(());
    story.eventually("the parameter is set", done).await;
    story.team_ready().await;
    assert_eq!(pinned(TEAM).await, before);
    assert_eq!(story.started_at().await, started);

    let server = json!({
        "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
        "kind": "PostgreSQLServer",
        "metadata": {"name": "later"},
        "spec": {"credentialsSecret": "later-login"},
    });
    story.try_apply(server).await.unwrap();
    story.server_ready("later").await;
    let name = format!("new-{}-later", story.namespace);
    assert_eq!(pinned("later").await.name.as_ref(), Some(&name));
    assert!(story.has_local_server("later"), "in the folder of before");
}
