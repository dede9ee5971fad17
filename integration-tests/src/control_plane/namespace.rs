//! Namespaces on a cluster that may have no controllers.

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, Error as KubeError, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Error;

/// Makes a namespace with its ServiceAccount `default`; what exists is left as it is.
///
/// A control plane of ours runs no kube-controller-manager. What its controllers would do does not happen:
///
/// * a new namespace gets no ServiceAccount `default` by itself; hence this function;
/// * a namespace that is deleted stays in phase `Terminating` with everything in it: use a new name for each test, and
///   delete the objects themselves where their end matters;
/// * objects of a deleted owner stay (no garbage collection), Deployments and StatefulSets get no Pods, and
///   PersistentVolumeClaims are not bound.
///
/// Finalizers, admission, validation, watches, RBAC and tokens are the API server's own work and behave as everywhere.
pub async fn create_namespace(client: &Client, name: &str) -> Result<(), Error> {
    let metadata = |name: &str| ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let namespace = Namespace { metadata: metadata(name), ..Namespace::default() };
    create_if_missing(&Api::all(client.clone()), &namespace).await?;
    let account = ServiceAccount { metadata: metadata("default"), ..ServiceAccount::default() };
    create_if_missing(&Api::namespaced(client.clone(), name), &account).await
}

async fn create_if_missing<K>(api: &Api<K>, object: &K) -> Result<(), Error>
where
    K: Resource<DynamicType = ()> + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
{
    match api.create(&PostParams::default(), object).await {
        Err(KubeError::Api(status)) if status.code == 409 => Ok(()),
        Err(error) => {
            let name = object.meta().name.as_deref().unwrap_or_default();
            Err(Error::api(format!("creating {} {name}", K::kind(&())))(error))
        }
        Ok(_) => Ok(()),
    }
}
