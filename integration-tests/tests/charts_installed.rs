//! The operator chart on a real API server: it takes the objects, the pod, and holds the rights.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use integration_tests::control_plane::{Cluster, ControlPlane, Options, create_namespace, kubeconfig};
use integration_tests::helm::helm;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use kube::Client;
use kube::api::{Api, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::json;

const NAME: &str = "hybrid-cloud-postgresql-operator";

fn status(error: &kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_installed_operator_may_what_it_needs_and_no_more() {
    let control_plane = ControlPlane::start(Options::throw_away()).await.unwrap();
    let path = control_plane.kubeconfig_path();
    let cluster = Cluster::Ours(control_plane);
    let admin = cluster.client().await.unwrap();
    create_namespace(&admin, "ops").await.unwrap();
    create_namespace(&admin, "apps").await.unwrap();
    let restricted = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    let namespaces: Api<Namespace> = Api::all(admin.clone());
    namespaces.patch("ops", &PatchParams::default(), &Patch::Merge(restricted)).await.unwrap();

    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts").join(NAME);
    let fixed = ["upgrade", "--install", NAME, chart.to_str().unwrap(), "--namespace", "ops", "--kubeconfig"];
    let install = [&fixed[..], &[path.to_str().unwrap()]].concat();
    let notes = helm(&install).await.unwrap();
    assert!(notes.contains("kubectl --namespace ops logs deployment/"), "{notes}");
    helm(&[&install[..], &["--set", "operatorConfig.backend=awsrds"]].concat()).await.expect("an upgrade");

    admitted_as_restricted(&admin).await;
    let login = cluster.kubeconfig_for_service_account("ops", NAME).await.unwrap();
    only_what_it_needs(kubeconfig::client(&login).await.unwrap()).await;
}

/// There is no Deployment controller, so the pod is asked for directly.
async fn admitted_as_restricted(admin: &Client) {
    let deployment = Api::<Deployment>::namespaced(admin.clone(), "ops").get(NAME).await.unwrap();
    let template = deployment.spec.unwrap().template;
    let metadata = ObjectMeta { name: Some("probe".to_owned()), ..template.metadata.unwrap() };
    let mut pod = Pod { metadata, spec: template.spec, ..Pod::default() };
    let pods: Api<Pod> = Api::namespaced(admin.clone(), "ops");
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    pods.create(&dry_run, &pod).await.expect("the pod fits a restricted namespace");
    pod.spec.as_mut().unwrap().containers[0].security_context = None;
    let refused = pods.create(&dry_run, &pod).await.unwrap_err();
    assert!(refused.to_string().contains("restricted"), "the namespace does enforce it: {refused}");
}

async fn only_what_it_needs(operator: Client) {
    let secrets: Api<Secret> = Api::namespaced(operator.clone(), "apps");
    assert_eq!(status(&secrets.list(&ListParams::default()).await.unwrap_err()), 403);
    let everywhere: Api<Secret> = Api::all(operator.clone());
    assert_eq!(status(&everywhere.list(&ListParams::default()).await.unwrap_err()), 403);
    assert_eq!(status(&secrets.get("login").await.unwrap_err()), 404);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}});
    secrets
        .patch("login", &PatchParams::apply("test"), &Patch::Apply(&secret))
        .await
        .expect("an apply creates it");
    secrets.delete("login", &Default::default()).await.expect("and it may go");
    for (namespace, answer) in [("ops", 404), ("apps", 403)] {
        let leases: Api<Lease> = Api::namespaced(operator.clone(), namespace);
        assert_eq!(status(&leases.get(NAME).await.unwrap_err()), answer, "leases in {namespace}");
    }
    let pods: Api<Pod> = Api::namespaced(operator, "apps");
    assert_eq!(status(&pods.list(&ListParams::default()).await.unwrap_err()), 403);
}
