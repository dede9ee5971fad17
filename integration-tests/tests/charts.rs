//! The charts, rendered by a real helm: what an administrator gets for which values.

// A test fails by panicking; its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use integration_tests::helm::{self, KUBERNETES};
use serde_json::{Value, json};

const NAME: &str = "hybrid-cloud-postgresql-operator";

/// Every file of values in the fixtures.
const VALUES: [&str; 10] = [
    "defaults",
    "everything",
    "config-text",
    "config-map",
    "config-none",
    "own-service-account",
    "cluster-admin",
    "labels",
    "replicas",
    "namespaces",
];

fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts").join(NAME)
}

fn values(name: &str) -> String {
    format!("{}/tests/fixtures/values/{name}.yaml", env!("CARGO_MANIFEST_DIR"))
}

fn yaml(path: impl AsRef<Path>) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The objects rendered for one file of the fixtures.
struct Rendered(Vec<Value>);

impl Rendered {
    async fn new(values_name: &str) -> Self {
        Self(helm::template(&chart(), "rel", "ops", &["--values", &values(values_name)]).await.unwrap())
    }

    fn all(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter(|object| object["kind"] == kind).collect()
    }

    fn one(&self, kind: &str) -> &Value {
        let all = self.all(kind);
        assert_eq!(all.len(), 1, "{kind} in {:?}", self.0);
        all[0]
    }

    fn pod(&self) -> &Value {
        &self.one("Deployment")["spec"]["template"]
    }

    fn container(&self) -> &Value {
        &self.pod()["spec"]["containers"][0]
    }

    fn config(&self) -> Value {
        let text = self.one("ConfigMap")["data"]["config.yaml"].as_str().unwrap();
        serde_saphyr::from_str(text).unwrap()
    }

    /// Binding name → (kind and name of the role, name and namespace of the subject).
    fn bindings(&self) -> Vec<Value> {
        let both = self.all("ClusterRoleBinding").into_iter().chain(self.all("RoleBinding"));
        both.map(|binding| {
            let (role, subject) = (&binding["roleRef"], &binding["subjects"][0]);
            json!([
                binding["metadata"]["name"],
                role["kind"],
                role["name"],
                subject["name"],
                subject["namespace"]
            ])
        })
        .collect()
    }
}

#[tokio::test]
async fn every_chart_passes_strict_lint_and_renders_with_its_defaults() {
    let charts = helm::charts().unwrap();
    assert!(charts.iter().any(|chart| chart.ends_with(NAME)));
    for chart in charts {
        let path = chart.to_str().unwrap();
        helm::helm(&["lint", "--strict", "--kube-version", KUBERNETES, path]).await.unwrap();
        let objects = helm::template(&chart, "rel", "ops", &[]).await.unwrap();
        assert!(!objects.is_empty(), "{path} renders nothing");
        let about = yaml(chart.join("Chart.yaml"));
        assert_eq!(about["kubeVersion"], ">=1.34.0-0", "{path}");
        for version in ["version", "appVersion"] {
            assert_eq!(about[version], env!("CARGO_PKG_VERSION"), "{version} of {path} and Cargo.toml");
        }
    }
}

#[tokio::test]
async fn every_file_of_values_passes_strict_lint() {
    let mut there: Vec<_> = fs::read_dir(Path::new(&values("x")).parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    there.sort();
    let mut table = VALUES.to_vec();
    table.sort_unstable();
    assert_eq!(there, table);
    for name in VALUES {
        let (chart, values) = (chart(), values(name));
        let arguments = ["lint", "--strict", "--kube-version", KUBERNETES, "--values", &values];
        helm::helm(&[&arguments[..], &[chart.to_str().unwrap()]].concat()).await.unwrap();
    }
}

#[tokio::test]
async fn the_rights_are_those_of_the_files() {
    let cluster = yaml(chart().join("files/cluster-role-rules.yaml"));
    let namespace = yaml(chart().join("files/operator-namespace-rules.yaml"));
    let elsewhere = ["own-service-account", "namespaces"];
    for name in VALUES.into_iter().filter(|name| !elsewhere.contains(name)) {
        let rendered = Rendered::new(name).await;
        assert_eq!(rendered.one("ClusterRole")["rules"], cluster, "{name}");
        let roles = rendered.all("Role");
        let rules: Vec<_> = roles.iter().flat_map(|role| role["rules"].as_array().unwrap()).collect();
        assert_eq!(json!(rules), namespace, "{name}");
    }
}

#[tokio::test]
async fn with_namespaces_given_there_are_rights_in_these_only() {
    let rendered = Rendered::new("namespaces").await;
    assert!(rendered.all("ClusterRole").is_empty() && rendered.all("ClusterRoleBinding").is_empty());
    let served = yaml(chart().join("files/cluster-role-rules.yaml"));
    let own = yaml(chart().join("files/operator-namespace-rules.yaml"));
    let both = [served.as_array().unwrap().clone(), own.as_array().unwrap().clone()].concat();
    let of = |objects: Vec<&Value>, key: &str| -> Vec<(String, Value)> {
        let pair =
            |one: &Value| (one["metadata"]["namespace"].as_str().unwrap().to_owned(), one[key].clone());
        objects.into_iter().map(pair).collect()
    };
    let expected = [("team-a", served.clone()), ("team-b", served), ("ops", json!(both))];
    assert_eq!(
        of(rendered.all("Role"), "rules"),
        expected.map(|(namespace, rules)| (namespace.to_owned(), rules))
    );
    for (_, subjects) in of(rendered.all("RoleBinding"), "subjects") {
        assert_eq!(subjects, json!([{"kind": "ServiceAccount", "name": NAME, "namespace": "ops"}]));
    }
    let variable = json!({"name": "WATCH_NAMESPACES", "value": "team-a,ops,team-b"});
    assert!(rendered.container()["env"].as_array().unwrap().contains(&variable));
    let all = Rendered::new("defaults").await;
    let variables = all.container()["env"].as_array().unwrap();
    assert!(!variables.iter().any(|variable| variable["name"] == "WATCH_NAMESPACES"));
}

#[tokio::test]
async fn replicas_stand_on_different_nodes_and_do_not_go_all_at_once() {
    let rendered = Rendered::new("replicas").await;
    let selector = &rendered.one("Deployment")["spec"]["selector"];
    assert_eq!(rendered.one("Deployment")["spec"]["replicas"], 2);
    let budget = &rendered.one("PodDisruptionBudget")["spec"];
    assert_eq!((&budget["maxUnavailable"], &budget["selector"]), (&json!(1), selector));
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    let term = &rendered.pod()["spec"]["affinity"]["podAntiAffinity"][preferred][0]["podAffinityTerm"];
    assert_eq!(&term["labelSelector"], selector);
    let one = Rendered::new("defaults").await;
    assert!(one.all("PodDisruptionBudget").is_empty() && one.pod()["spec"]["affinity"].is_null());
}

#[test]
fn nobody_can_collect_secrets_with_the_operators_token() {
    for file in ["files/cluster-role-rules.yaml", "files/operator-namespace-rules.yaml"] {
        for rule in yaml(chart().join(file)).as_array().unwrap() {
            let has = |key: &str, what: &str| rule[key].as_array().unwrap().contains(&json!(what));
            assert!(!["apiGroups", "resources", "verbs"].iter().any(|key| has(key, "*")), "{rule}");
            if has("resources", "secrets") {
                assert!(
                    !["list", "watch", "deletecollection"].iter().any(|verb| has("verbs", verb)),
                    "{rule}"
                );
            }
            if has("apiGroups", "hybridcloud.maibornwolff.de") {
                assert!(!["create", "update", "delete"].iter().any(|verb| has("verbs", verb)), "{rule}");
            }
        }
    }
}

#[tokio::test]
async fn the_service_account_and_who_is_bound_to_what() {
    let rendered = Rendered::new("defaults").await;
    assert_eq!(rendered.one("ServiceAccount")["metadata"]["name"], NAME);
    let expected =
        [json!([NAME, "ClusterRole", NAME, NAME, "ops"]), json!([NAME, "Role", NAME, NAME, "ops"])];
    assert_eq!(rendered.bindings(), expected);
    assert_eq!(rendered.pod()["spec"]["serviceAccountName"], NAME);

    let rendered = Rendered::new("cluster-admin").await;
    let expected = [
        json!(["strong", "ClusterRole", "strong", "strong", "ops"]),
        json!(["strong-admin", "ClusterRole", "cluster-admin", "strong", "ops"]),
        json!(["strong", "Role", "strong", "strong", "ops"]),
    ];
    assert_eq!(rendered.bindings(), expected);

    let rendered = Rendered::new("own-service-account").await;
    for kind in ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"] {
        assert!(rendered.all(kind).is_empty(), "{kind}");
    }
    assert_eq!(rendered.pod()["spec"]["serviceAccountName"], "mine");

    let rendered = Rendered::new("everything").await;
    let annotations = &rendered.one("ServiceAccount")["metadata"]["annotations"];
    assert_eq!(annotations["eks.amazonaws.com/role-arn"], "arn:aws:iam::123456789012:role/operator");
}

#[tokio::test]
async fn the_pod_is_restricted_whatever_else_is_set() {
    for name in VALUES {
        let rendered = Rendered::new(name).await;
        let pod = &rendered.pod()["spec"]["securityContext"];
        assert_eq!(pod["runAsNonRoot"], true, "{name}");
        assert_eq!(pod["seccompProfile"], json!({"type": "RuntimeDefault"}), "{name}");
        let container = &rendered.container()["securityContext"];
        assert_eq!(container["allowPrivilegeEscalation"], false, "{name}");
        assert_eq!(container["readOnlyRootFilesystem"], true, "{name}");
        assert_eq!(container["capabilities"], json!({"drop": ["ALL"]}), "{name}");
    }
}

#[tokio::test]
async fn selectors_are_those_of_the_original() {
    let original = json!({"app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": "rel"});
    let with_label =
        json!({"app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": "rel", "tenant": "blue"});
    for (name, selector) in [("defaults", &original), ("config-map", &original), ("labels", &with_label)] {
        let rendered = Rendered::new(name).await;
        assert_eq!(&rendered.one("Deployment")["spec"]["selector"]["matchLabels"], selector, "{name}");
        assert_eq!(&rendered.one("Service")["spec"]["selector"], selector, "{name}");
        let labels = rendered.pod()["metadata"]["labels"].as_object().unwrap();
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(&labels[key], value, "{name}: the pod must match its selector");
        }
    }
}

#[tokio::test]
async fn labels_are_on_every_object_and_pod_labels_on_pods() {
    let rendered = Rendered::new("labels").await;
    for object in &rendered.0 {
        let labels = &object["metadata"]["labels"];
        let ours = [&labels["team"], &labels["stage"], &labels["tenant"], &labels["app.kubernetes.io/name"]];
        assert_eq!(json!(ours), json!(["data", "1", "blue", NAME]), "{object}");
    }
    let pod = &rendered.pod()["metadata"]["labels"];
    assert_eq!(pod["azure.workload.identity/use"], "true");
    assert_eq!(pod["team"], Value::Null, "as in the original, extraLabels are not for pods");
}

#[tokio::test]
async fn text_and_map_give_the_same_configuration() {
    let (text, map) = (Rendered::new("config-text").await, Rendered::new("config-map").await);
    assert_eq!(map.config(), yaml(values("config-map"))["operatorConfig"]);
    assert_eq!(text.config(), map.config());
    // Text arrives as it was written, comments included.
    let written = yaml(values("config-text"))["operatorConfig"].clone();
    assert_eq!(text.one("ConfigMap")["data"]["config.yaml"], written);

    let original =
        json!({"backend": "helmbitnami", "backends": {"helmbitnami": {"admin_username": "postgres"}}});
    assert_eq!(Rendered::new("defaults").await.config(), original);
}

#[tokio::test]
async fn the_configuration_is_mounted_and_a_change_of_it_leaves_the_pod_alone() {
    for name in ["defaults", "config-map", "everything"] {
        let rendered = Rendered::new(name).await;
        let container = rendered.container();
        let variables = container["env"].as_array().unwrap();
        let path = json!({"name": "OPERATOR_CONFIG", "value": "/operator-config/config.yaml"});
        assert!(variables.contains(&path), "{name}");
        for (variable, field) in
            [("KUBERNETES_NAMESPACE", "metadata.namespace"), ("KUBERNETES_POD_NAME", "metadata.name")]
        {
            let found = variables.iter().find(|entry| entry["name"] == variable).unwrap();
            assert_eq!(found["valueFrom"]["fieldRef"]["fieldPath"], field, "{name}");
        }
        assert_eq!(container["volumeMounts"][0]["mountPath"], "/operator-config", "{name}");
        let config_map = &rendered.one("ConfigMap")["metadata"]["name"];
        assert!(config_map.as_str().unwrap().len() <= 63);
        assert_eq!(&rendered.pod()["spec"]["volumes"][0]["configMap"]["name"], config_map, "{name}");
    }
    let (one, other) = (Rendered::new("config-map").await, Rendered::new("defaults").await);
    assert_ne!(one.config(), other.config());
    // The operator reads what has changed; a restart would end the servers of the backend `local`.
    assert_eq!(one.pod(), other.pod());
    let rendered = Rendered::new("config-none").await;
    assert!(rendered.all("ConfigMap").is_empty());
    let variables = rendered.container()["env"].as_array().unwrap();
    assert!(!variables.iter().any(|entry| entry["name"] == "OPERATOR_CONFIG"));
    assert_eq!(rendered.container()["volumeMounts"], Value::Null);
}

#[tokio::test]
async fn probes_and_what_everything_sets_arrive() {
    let defaults = Rendered::new("defaults").await;
    let path = |rendered: &Rendered, probe: &str| rendered.container()[probe]["httpGet"].clone();
    assert_eq!(path(&defaults, "livenessProbe"), json!({"path": "/healthz", "port": "http"}));
    assert_eq!(path(&defaults, "readinessProbe"), json!({"path": "/readyz", "port": "http"}));
    assert_eq!(defaults.one("Deployment")["spec"]["strategy"], json!({"type": "Recreate"}));
    assert_eq!(defaults.one("Service")["spec"]["ports"][0]["port"], 80);

    let everything = Rendered::new("everything").await;
    let (set, pod) = (yaml(values("everything")), &everything.pod()["spec"]);
    for key in ["imagePullSecrets", "nodeSelector", "tolerations", "affinity"] {
        assert_eq!(pod[key], set[key], "{key}");
    }
    let container = everything.container();
    assert_eq!(container["ports"], set["pod"]["ports"]);
    assert_eq!(container["envFrom"][0]["secretRef"]["name"], "cloud-credentials");
    assert_eq!(container["env"].as_array().unwrap().last(), set["extraEnv"].get(0));
    assert_eq!(container["volumeMounts"].as_array().unwrap().last(), set["volumeMounts"].get(0));
    assert_eq!(pod["volumes"].as_array().unwrap().last(), set["volumes"].get(0));
    assert_eq!(everything.pod()["metadata"]["annotations"]["example.com/note"], "hello");
    assert_eq!(everything.one("Service")["spec"]["type"], "NodePort");
}

#[tokio::test]
async fn an_empty_image_tag_means_the_version_of_the_chart() {
    let image = |rendered: &Rendered| rendered.container()["image"].as_str().unwrap().to_owned();
    let defaults = image(&Rendered::new("defaults").await);
    assert_eq!(defaults, format!("{NAME}:{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        image(&Rendered::new("everything").await),
        "images.example.com/team/".to_owned() + NAME + ":9.9.9"
    );
}

#[tokio::test]
async fn values_that_cannot_work_are_refused_with_a_reason() {
    for (setting, reason) in [
        ("replicaCount=two", "replicaCount"),
        ("replicaCount=2,operatorConfig.backends.local.data_dir=/data", "the backend local"),
        ("watchNamespaces={Team_A}", "watchNamespaces"),
        ("operatorConfig=5", "operatorConfig"),
        ("serviceAccount.clusterAdmin=yes", "clusterAdmin"),
        ("extraLabels=team", "extraLabels"),
        ("pod=small", "pod"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
    ] {
        let refusal =
            helm::template(&chart(), "rel", "ops", &["--set", setting]).await.unwrap_err().to_string();
        assert!(refusal.contains(reason), "{setting}: {refusal}");
    }
}
