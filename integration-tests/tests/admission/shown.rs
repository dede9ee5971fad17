//! What kubectl shows: columns, selections, explanations.

use hcpg::api::PostgreSQLServer;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use crate::world::{database, server, world};

#[tokio::test]
async fn kubectl_explains_every_field() {
    let world = world().await;
    for kind in ["postgresqlserver", "postgresqldatabase"] {
        let said = world.kubectl(&["explain", kind, "--recursive=false"], "");
        assert!(said.out.contains("credentials are published in a Secret"), "{}", said.out);
        for part in ["spec", "status"] {
            let said = world.kubectl(&["explain", &format!("{kind}.{part}")], "");
            assert!(said.ok && !said.out.contains("<no description>"), "{}", said.out);
        }
    }
    let said = world.kubectl(&["explain", "postgresqlserver.spec"], "");
    for part in ["enum: Delete, Snapshot, Retain", "final snapshot is taken first", "-required-"] {
        assert!(said.out.contains(part), "{part} is not in {}", said.out);
    }
}

#[tokio::test]
async fn columns_and_selections() {
    let world = world().await;
    let spec = "{backend: shown, credentialsSecret: shown-credentials}";
    world.create(&server("shown", spec));
    world.create(&server("other", "{backend: hidden, credentialsSecret: other-credentials}"));
    world.create(&database("shown", "{serverRef: {name: shown}, credentialsSecret: shown-db-credentials}"));
    let condition = |kind: &str, reason: &str| {
        json!({
            "type": kind, "status": "True", "reason": reason, "message": "It works.",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    let conditions = [condition("Ready", "Available"), condition("Synced", "InSync")];
    let status = json!({"status": {
        "phase": "Ready", "backend": "shown", "conditions": conditions,
        "server": {"version": "17.4", "endpoint": "127.0.0.1:54320", "size": "1 cpu"},
    }});
    let servers: Api<PostgreSQLServer> = Api::default_namespaced(world.client().await);
    servers.patch_status("shown", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();

    let lines = |arguments: &[&str]| -> Vec<Vec<String>> {
        let said = world.kubectl(arguments, "");
        assert!(said.ok, "{}", said.err);
        let words = |line: &str| {
            line.split("  ").map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
        };
        said.out.lines().map(words).collect()
    };
    let table = lines(&["get", "pg", "--field-selector=spec.backend=shown"]);
    assert_eq!(table[0], ["NAME", "PHASE", "READY", "BACKEND", "VERSION", "ENDPOINT", "AGE"]);
    assert_eq!(table[1][..6], ["shown", "Ready", "True", "shown", "17.4", "127.0.0.1:54320"]);
    assert_eq!(table.len(), 2);
    let table = lines(&["get", "pg", "shown", "--output=wide"]);
    assert_eq!(table[0][7..], ["REASON", "SIZE"]);
    assert_eq!(table[1][7..], ["InSync", "1 cpu"]);
    let table = lines(&["get", "postgres", "--field-selector=status.phase=Ready"]);
    assert_eq!((table.len(), table[1][0].as_str()), (2, "shown"));

    let table = lines(&["get", "db", "--field-selector=spec.serverRef.name=shown"]);
    assert_eq!(table[0], ["NAME", "PHASE", "READY", "SERVER", "DATABASE", "SECRET", "AGE"]);
    assert_eq!((table.len(), table[1][0].as_str()), (2, "shown"));
}
