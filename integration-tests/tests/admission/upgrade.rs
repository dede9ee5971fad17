//! Objects that were stored under the original's definitions live on under ours, however wrong they are.

use hcpg::api::{DeploymentStatus, PostgreSQLDatabase, PostgreSQLServer, crds};
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::discovery::ApiResource;
use serde_json::{Value, json};

use crate::world::{World, database, server};

/// Wrong under our rules in every respect that the original let through.
const WRONG: &str = "{credentialsSecret: Not_A_Name, backend: gone, size: {cpu: 0, storageGB: 0}, \
    backup: {retentionDays: 4000}, extensions: ['a b'], \
    network: {firewallRules: [{name: a, startIp: here, endIp: somewhere}, {name: a, startIp: 1.1.1.2, endIp: 1.1.1.1}]}, \
    maintenance: {window: {weekday: Wednesday, starttime: noon}}}";

/// The status that the original leaves.
const STATUS: &str = "status: {backend: gone, kopf: {progress: {}}, deployment: {status: finished, \
    reason: Database server created, latest-update: '2024-01-01T00:00:00.000000+00:00'}}\n";

#[tokio::test]
async fn stored_objects_stay_readable_and_changeable() {
    let world = World::start().await;
    for crd in crds() {
        world.create(&serde_json::to_string(&as_the_original(serde_json::to_value(crd).unwrap())).unwrap());
    }
    world.until(&["get", "pg,db"], |said| said.ok);
    world.create(&(server("wrong", WRONG) + STATUS));
    world.create(&(server("empty", "{credentialsSecret: a}") + "status: null\n"));
    let wrong =
        "{serverRef: {name: Not_A_Name}, credentialsSecret: '', database: {extensions: ['\"uuid-ossp\"']}}";
    world.create(&(database("wrong", wrong) + STATUS));
    let hollow = "apiVersion: hybridcloud.maibornwolff.de/v1alpha1\nkind: PostgreSQLServer\n\
        metadata: {name: hollow, finalizers: [kopf.zalando.org/KopfFinalizerMarker]}\n";
    world.create(hollow);

    world.install(&["--force-conflicts"]);

    let client = world.client().await;
    let servers: Api<PostgreSQLServer> = Api::default_namespaced(client.clone());
    let databases: Api<PostgreSQLDatabase> = Api::default_namespaced(client.clone());
    let read = servers.get("wrong").await.unwrap();
    assert_eq!(read.spec.size.unwrap().cpu, Some(0));
    let deployment = read.status.unwrap().deployment.unwrap();
    assert_eq!(deployment.status, Some(DeploymentStatus::Finished));
    assert_eq!(servers.get("empty").await.unwrap().status, None);
    assert_eq!(databases.get("wrong").await.unwrap().spec.server_ref.name, "Not_A_Name");

    // Marks, status and other fields of the spec can be changed.
    let nothing = PatchParams::default();
    let mark = Patch::Merge(json!({"metadata": {"finalizers": ["hybridcloud.maibornwolff.de/operator"]}}));
    let change = Patch::Merge(json!({"spec": {"version": "17", "size": {"memoryMB": 512}}}));
    let status = Patch::Merge(json!({"status": {"phase": "Pending"}}));
    for name in ["wrong", "empty"] {
        servers.patch(name, &nothing, &mark).await.unwrap();
        servers.patch(name, &nothing, &change).await.unwrap();
        servers.patch_status(name, &nothing, &status).await.unwrap();
    }
    databases.patch("wrong", &nothing, &mark).await.unwrap();
    databases.patch_status("wrong", &nothing, &status).await.unwrap();

    // What is changed must be right.
    let worse = Patch::Merge(json!({"spec": {"size": {"cpu": -1}}}));
    let refused = servers.patch("wrong", &nothing, &worse).await.unwrap_err();
    assert!(refused.to_string().contains("spec.size.cpu"), "{refused}");

    // One without a spec can be let go, and can get a spec, but lose it no more.
    let resource = ApiResource::erase::<PostgreSQLServer>(&());
    let any: Api<DynamicObject> = Api::default_namespaced_with(client, &resource);
    any.patch("hollow", &nothing, &Patch::Merge(json!({"metadata": {"finalizers": null}}))).await.unwrap();
    let spec = Patch::Merge(json!({"spec": {"credentialsSecret": "a"}}));
    any.patch("hollow", &nothing, &spec).await.unwrap();
    let refused = any.patch("hollow", &nothing, &Patch::Merge(json!({"spec": null}))).await.unwrap_err();
    assert!(refused.to_string().contains("spec is required"), "{refused}");
}

/// A definition with what matters here of the original's: types only, any status, no subresource, no spec required.
fn as_the_original(mut crd: Value) -> Value {
    let version = &mut crd["spec"]["versions"][0];
    for extra in ["subresources", "selectableFields", "additionalPrinterColumns"] {
        version.as_object_mut().unwrap().remove(extra);
    }
    let schema = &mut version["schema"]["openAPIV3Schema"];
    types_only(schema);
    schema["properties"]["status"] =
        json!({"type": "object", "nullable": true, "x-kubernetes-preserve-unknown-fields": true});
    crd
}

fn types_only(schema: &mut Value) {
    let keywords = schema.as_object_mut().unwrap();
    let kept = ["type", "properties", "items", "additionalProperties", "required"];
    keywords.retain(|keyword, _| {
        kept.contains(&keyword.as_str()) || keyword == "x-kubernetes-preserve-unknown-fields"
    });
    for (keyword, below) in keywords {
        match keyword.as_str() {
            "properties" => below.as_object_mut().unwrap().values_mut().for_each(types_only),
            "items" | "additionalProperties" => types_only(below),
            _ => {}
        }
    }
}
