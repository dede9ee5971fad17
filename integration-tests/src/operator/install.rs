//! What has to be in a cluster before the operator can run: the definitions, and an account with the chart's rights.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, ObjectMeta, Patch, PatchParams};
use kube::core::{ClusterResourceScope, NamespaceResourceScope};
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Error;
use crate::control_plane::create_namespace;

/// The operator's namespace.
pub const OPERATOR_NAMESPACE: &str = "hcpg-system";
/// The operator's ServiceAccount there, and the name of its roles.
pub const SERVICE_ACCOUNT: &str = "hcpg-operator";
/// The operator as the audit log calls it.
pub const OPERATOR_USER: &str = "system:serviceaccount:hcpg-system:hcpg-operator";

const FIELD_MANAGER: &str = "hcpg-testbed";
/// On everything that is installed: only that is ever taken out again.
const MARK: (&str, &str) = ("app.kubernetes.io/managed-by", "hcpg-testbed");
const ESTABLISHED_WITHIN: Duration = Duration::from_secs(20);

/// A file of the project.
pub fn project_file(path: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).join(path)
}

/// An account for an operator.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// The operator's namespace.
    pub namespace: &'a str,
    /// Its ServiceAccount there, and the name of its roles.
    pub name: &'a str,
    /// Namespaces in which it has rights; none: in all.
    pub serves: &'a [&'a str],
}

/// Installs the definitions and the account; what is there already is brought up to date.
pub async fn install(client: &Client) -> Result<(), Error> {
    install_definitions(client).await?;
    let account = Account { namespace: OPERATOR_NAMESPACE, name: SERVICE_ACCOUNT, serves: &[] };
    install_account(client, account).await
}

/// Installs an account with the chart's rules. The namespaces that it serves must be there.
pub async fn install_account(client: &Client, account: Account<'_>) -> Result<(), Error> {
    let Account { namespace, name, serves } = account;
    create_namespace(client, namespace).await?;
    apply(client, &Namespace { metadata: named(namespace), ..Namespace::default() }).await?;
    let within = |namespace: &str| ObjectMeta { namespace: Some(namespace.to_owned()), ..named(name) };
    let role_ref = |kind: &str| RoleRef {
        api_group: "rbac.authorization.k8s.io".to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
    };
    let subjects = Some(vec![Subject {
        kind: "ServiceAccount".to_owned(),
        name: name.to_owned(),
        namespace: Some(namespace.to_owned()),
        ..Subject::default()
    }]);
    apply_local(client, &ServiceAccount { metadata: within(namespace), ..ServiceAccount::default() }).await?;
    let rules = rules_of("cluster-role-rules.yaml")?;
    if serves.is_empty() {
        let role =
            ClusterRole { metadata: named(name), rules: Some(rules.clone()), ..ClusterRole::default() };
        apply(client, &role).await?;
        let (role_ref, subjects) = (role_ref("ClusterRole"), subjects.clone());
        apply(client, &ClusterRoleBinding { metadata: named(name), role_ref, subjects }).await?;
    }
    let own = (namespace, rules_of("operator-namespace-rules.yaml")?);
    for (place, rules) in serves.iter().map(|place| (*place, rules.clone())).chain([own]) {
        apply_local(client, &Role { metadata: within(place), rules: Some(rules) }).await?;
        let (role_ref, subjects) = (role_ref("Role"), subjects.clone());
        apply_local(client, &RoleBinding { metadata: within(place), role_ref, subjects }).await?;
    }
    Ok(())
}

/// Whether the cluster knows one of the kinds from somebody else: then another operator works there.
pub async fn is_taken(client: &Client) -> Result<bool, Error> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for name in definitions()?.iter().map(ResourceExt::name_any) {
        let found = api.get_opt(&name).await.map_err(Error::kube(format!("reading {name}")))?;
        if found.is_some_and(|found| !is_marked(&found)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes out what [`install`] has put in, and nothing that bears no mark of it. Objects of both kinds must be gone
/// already.
pub async fn uninstall(client: &Client) -> Result<(), Error> {
    delete(&Api::<ClusterRoleBinding>::all(client.clone()), SERVICE_ACCOUNT).await?;
    delete(&Api::<ClusterRole>::all(client.clone()), SERVICE_ACCOUNT).await?;
    for definition in definitions()? {
        delete(&Api::<CustomResourceDefinition>::all(client.clone()), &definition.name_any()).await?;
    }
    let namespaced = Api::<ServiceAccount>::namespaced(client.clone(), OPERATOR_NAMESPACE);
    delete(&namespaced, SERVICE_ACCOUNT).await?;
    delete(&Api::<Namespace>::all(client.clone()), OPERATOR_NAMESPACE).await
}

/// The definitions in `crds/`.
pub fn definitions() -> Result<Vec<CustomResourceDefinition>, Error> {
    ["crds/postgresqlservers.yaml", "crds/postgresqldatabases.yaml"].into_iter().map(read).collect()
}

async fn install_definitions(client: &Client) -> Result<(), Error> {
    let definitions = definitions()?;
    for definition in &definitions {
        apply(client, definition).await?;
    }
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let since = Instant::now();
    for name in definitions.iter().map(ResourceExt::name_any) {
        while !is_established(&api.get(&name).await.map_err(Error::kube(format!("reading {name}")))?) {
            if since.elapsed() > ESTABLISHED_WITHIN {
                return Err(Error::NotEstablished { kind: name, seconds: ESTABLISHED_WITHIN.as_secs() });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

fn is_established(definition: &CustomResourceDefinition) -> bool {
    let conditions = definition.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Established" && condition.status == "True")
}

fn rules_of(file: &str) -> Result<Vec<PolicyRule>, Error> {
    read(&format!("charts/hybrid-cloud-postgresql-operator/files/{file}"))
}

fn read<T: DeserializeOwned>(path: &str) -> Result<T, Error> {
    let path = project_file(path);
    let text = std::fs::read_to_string(&path).map_err(Error::io("reading", &path))?;
    serde_saphyr::from_str(&text).map_err(|error| Error::File { path, message: error.to_string() })
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }
}

fn is_marked<K: Resource>(object: &K) -> bool {
    object.labels().get(MARK.0).map(String::as_str) == Some(MARK.1)
}

async fn apply<K>(client: &Client, object: &K) -> Result<(), Error>
where
    K: Resource<DynamicType = (), Scope = ClusterResourceScope>
        + Clone
        + Serialize
        + DeserializeOwned
        + std::fmt::Debug,
{
    apply_in(&Api::all(client.clone()), object).await
}

async fn apply_local<K>(client: &Client, object: &K) -> Result<(), Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Serialize
        + DeserializeOwned
        + std::fmt::Debug,
{
    let namespace = object.namespace().unwrap_or_default();
    apply_in(&Api::namespaced(client.clone(), &namespace), object).await
}

async fn apply_in<K>(api: &Api<K>, object: &K) -> Result<(), Error>
where
    K: Resource<DynamicType = ()> + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
{
    let name = object.name_any();
    let mut object = object.clone();
    object.labels_mut().insert(MARK.0.to_owned(), MARK.1.to_owned());
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let what = format!("applying {} {name}", K::kind(&()));
    api.patch(&name, &params, &Patch::Apply(&object)).await.map(drop).map_err(Error::kube(what))
}

async fn delete<K>(api: &Api<K>, name: &str) -> Result<(), Error>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
{
    let what = || format!("deleting {} {name}", K::kind(&()));
    let found = api.get_opt(name).await.map_err(Error::kube(what()))?;
    if !found.is_some_and(|found| is_marked(&found)) {
        return Ok(());
    }
    match api.delete(name, &DeleteParams::default()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(Error::kube(what())(error)),
        Ok(_) => Ok(()),
    }
}
