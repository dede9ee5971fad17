//! The operator's own writes to `.status`.

use hcpg::api::names::FIELD_MANAGER;
use hcpg::api::{
    Attempt, Binding, Condition, ConditionStatus, ConditionType, Deployment, DeploymentStatus, Operation,
    Phase, PinnedServer, PostgreSQLServer, Reason, ServerStatus,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Resource;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use crate::world::{server, world};

fn sample() -> ServerStatus {
    let now = Time(Timestamp::from_second(1_800_000_000).unwrap());
    let condition = |type_, status, reason| Condition {
        type_,
        status,
        reason,
        message: "A sentence.".to_owned(),
        last_transition_time: now.clone(),
        observed_generation: Some(1),
    };
    ServerStatus {
        phase: Some(Phase::Provisioning),
        phase_since: Some(now.clone()),
        observed_generation: Some(1),
        backend: Some("local".to_owned()),
        server: Some(PinnedServer {
            name: Some("ns-a".to_owned()),
            host: Some("127.0.0.1".to_owned()),
            port: Some(65535),
            storage_gb: Some(1),
            ..PinnedServer::default()
        }),
        operation: Some(Operation {
            id: "https://example.com/1".to_owned(),
            kind: "create".to_owned(),
            since: now.clone(),
            about: Some("server".to_owned()),
            form: Some("status".to_owned()),
        }),
        attempts: vec![Attempt {
            change: "version".to_owned(),
            from: Some("16".to_owned()),
            wanted: "17".to_owned(),
        }],
        differences: vec!["cpu is 1, wanted 2".to_owned()],
        managed_parameters: vec!["work_mem".to_owned()],
        conditions: vec![
            condition(ConditionType::Ready, ConditionStatus::Unknown, Reason::Creating),
            condition(ConditionType::Synced, ConditionStatus::False, Reason::Creating),
        ],
        binding: Some(Binding { name: "a".to_owned() }),
        deployment: Some(Deployment {
            status: Some(DeploymentStatus::Working),
            reason: None,
            latest_update: Some("2026-01-01T00:00:00.000000+00:00".to_owned()),
        }),
        ..ServerStatus::default()
    }
}

fn applied(name: &str, status: serde_json::Value) -> Patch<serde_json::Value> {
    Patch::Apply(json!({
        "apiVersion": PostgreSQLServer::api_version(&()), "kind": PostgreSQLServer::kind(&()),
        "metadata": {"name": name}, "status": status,
    }))
}

#[tokio::test]
async fn a_status_is_applied_and_read_back() {
    let world = world().await;
    world.create(&server("status", "{credentialsSecret: a}"));
    let servers: Api<PostgreSQLServer> = Api::default_namespaced(world.client().await);
    let parameters = PatchParams::apply(FIELD_MANAGER).force();

    let mut status = sample();
    let patch = applied("status", serde_json::to_value(&status).unwrap());
    let object = servers.patch_status("status", &parameters, &patch).await.unwrap();
    assert_eq!(object.status.as_ref(), Some(&status));
    assert_eq!(object.metadata.generation, Some(1), "a status is no change of the spec");

    // Conditions are told apart by their type, and what is no longer applied goes.
    status.conditions.remove(1);
    status.operation = None;
    let patch = applied("status", serde_json::to_value(&status).unwrap());
    let object = servers.patch_status("status", &parameters, &patch).await.unwrap();
    assert_eq!(object.status.as_ref(), Some(&status));
}

#[tokio::test]
async fn what_a_newer_operator_wrote_is_stored_and_readable() {
    let world = world().await;
    world.create(&server("newer", "{credentialsSecret: a}"));
    let servers: Api<PostgreSQLServer> = Api::default_namespaced(world.client().await);
    let condition = |type_: &str, reason: &str| {
        json!({
            "type": type_, "status": "True", "reason": reason, "message": "A sentence.",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    let status = json!({
        "conditions": [condition("Ready", "Splendid"), condition("Fashionable", "Available")],
        "deployment": {"status": "perfect"},
    });
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    servers.patch_status("newer", &parameters, &applied("newer", status)).await.unwrap();
    let read = servers.get_status("newer").await.unwrap().status.unwrap();
    assert_eq!(read.conditions.len(), 1);
    assert_eq!(read.conditions[0].reason, Reason::Unknown);
    assert_eq!(read.deployment.unwrap().status, None);
}

#[tokio::test]
async fn whoever_may_change_objects_cannot_forge_a_status() {
    let world = world().await;
    world.create(&(server("forged", "{credentialsSecret: a}") + "status: {backend: elsewhere}\n"));
    world.create(&(server("nothing", "{credentialsSecret: a}") + "status: null\n"));
    let servers: Api<PostgreSQLServer> = Api::default_namespaced(world.client().await);
    // All that stands there is what the definition fills in: nobody has looked at it yet.
    let unseen = ServerStatus { observed_generation: Some(-1), ..ServerStatus::default() };
    for name in ["forged", "nothing"] {
        assert_eq!(servers.get(name).await.unwrap().status.as_ref(), Some(&unseen), "{name}");
    }
}
