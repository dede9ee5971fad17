//! Kubeconfigs: the admin's, and one for a ServiceAccount, so that the operator under test has its own rights only.

use std::path::Path;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use kube::config::{
    AuthInfo, Cluster as ClusterInfo, Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster,
    NamedContext,
};
use kube::{Client, Config};

use super::certificates::{self, Files};
use super::error::Error;
use super::folder;

/// The name of cluster, user and context in the kubeconfigs of a control plane of ours.
const NAME: &str = "hcpg-test";
/// Lifetime of ServiceAccount tokens: longer than any test; the API server may shorten it.
const TOKEN_SECONDS: i64 = 24 * 3600;

/// The admin's kubeconfig. Keys and certificates are named by their files, so that they exist once only.
pub(super) fn admin(port: u16, files: &Files) -> Kubeconfig {
    let path = |path: &Path| Some(path.to_string_lossy().into_owned());
    let cluster = ClusterInfo {
        server: Some(format!("https://127.0.0.1:{port}")),
        certificate_authority: path(&files.ca),
        ..ClusterInfo::default()
    };
    let user = AuthInfo {
        client_certificate: path(&files.admin),
        client_key: path(&files.admin_key),
        ..AuthInfo::default()
    };
    assemble(NAME, cluster, user, None)
}

/// The part of `kubeconfig` that `context` needs, with `context` as the current one.
pub fn narrow(kubeconfig: &Kubeconfig, context: &str) -> Result<Kubeconfig, Error> {
    let unknown = || Error::UnknownContext { context: context.to_owned() };
    let wanted = kubeconfig
        .contexts
        .iter()
        .find(|named| named.name == context)
        .and_then(|named| named.context.clone())
        .ok_or_else(unknown)?;
    let cluster =
        kubeconfig.clusters.iter().find(|named| named.name == wanted.cluster).ok_or_else(unknown)?;
    let user = kubeconfig.auth_infos.iter().find(|named| Some(&named.name) == wanted.user.as_ref());
    Ok(assemble(
        context,
        cluster.cluster.clone().unwrap_or_default(),
        user.and_then(|named| named.auth_info.clone()).unwrap_or_default(),
        wanted.namespace,
    ))
}

/// A kubeconfig for the cluster of `kubeconfig`'s current context, with a fresh token of the ServiceAccount as login.
///
/// `client` asks for the token and needs the right to create `serviceaccounts/token`.
pub async fn kubeconfig_for_service_account(
    client: &Client,
    kubeconfig: &Kubeconfig,
    namespace: &str,
    name: &str,
) -> Result<Kubeconfig, Error> {
    let token = service_account_token(client, namespace, name, TOKEN_SECONDS).await?;
    as_account(kubeconfig, namespace, &AuthInfo { token: Some(token.into()), ..AuthInfo::default() })
}

/// The same with the token in a file, which clients read again when it changes.
pub fn kubeconfig_with_token_file(
    kubeconfig: &Kubeconfig,
    namespace: &str,
    token: &Path,
) -> Result<Kubeconfig, Error> {
    let token_file = Some(token.to_string_lossy().into_owned());
    as_account(kubeconfig, namespace, &AuthInfo { token_file, ..AuthInfo::default() })
}

fn as_account(kubeconfig: &Kubeconfig, namespace: &str, login: &AuthInfo) -> Result<Kubeconfig, Error> {
    let mut narrowed = narrow(kubeconfig, kubeconfig.current_context.as_deref().unwrap_or_default())?;
    for user in &mut narrowed.auth_infos {
        user.auth_info = Some(login.clone());
    }
    for context in narrowed.contexts.iter_mut().filter_map(|named| named.context.as_mut()) {
        context.namespace = Some(namespace.to_owned());
    }
    Ok(narrowed)
}

/// A token of a ServiceAccount for the API server, which may grant a shorter life than asked for.
pub async fn service_account_token(
    client: &Client,
    namespace: &str,
    name: &str,
    seconds: i64,
) -> Result<String, Error> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let spec = TokenRequestSpec { expiration_seconds: Some(seconds), ..TokenRequestSpec::default() };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    accounts
        .create_token_request(name, &PostParams::default(), &request)
        .await
        .map_err(Error::api(format!("asking for a token of ServiceAccount {namespace}/{name}")))?
        .status
        .map(|status| status.token)
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Error::NoToken { namespace: namespace.to_owned(), name: name.to_owned() })
}

/// A client for the current context of `kubeconfig`.
pub async fn client(kubeconfig: &Kubeconfig) -> Result<Client, Error> {
    let config = Config::from_custom_kubeconfig(kubeconfig.clone(), &KubeConfigOptions::default()).await?;
    Client::try_from(config).map_err(Error::api("making a client from the kubeconfig"))
}

/// Writes a kubeconfig to a file that only its owner may read; a folder that is missing is made.
pub fn write(path: &Path, kubeconfig: &Kubeconfig) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        folder::create_private(parent)?;
    }
    certificates::write(path, &serde_saphyr::to_string(kubeconfig)?)
}

fn assemble(name: &str, cluster: ClusterInfo, user: AuthInfo, namespace: Option<String>) -> Kubeconfig {
    let name = name.to_owned();
    let context =
        Context { cluster: name.clone(), user: Some(name.clone()), namespace, ..Context::default() };
    Kubeconfig {
        kind: Some("Config".to_owned()),
        api_version: Some("v1".to_owned()),
        clusters: vec![NamedCluster {
            name: name.clone(),
            cluster: Some(cluster),
            ..NamedCluster::default()
        }],
        auth_infos: vec![NamedAuthInfo {
            name: name.clone(),
            auth_info: Some(user),
            ..NamedAuthInfo::default()
        }],
        contexts: vec![NamedContext {
            name: name.clone(),
            context: Some(context),
            ..NamedContext::default()
        }],
        current_context: Some(name),
        ..Kubeconfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_takes_what_the_context_needs() {
        let text = "
            contexts:
              - {name: a, context: {cluster: one, user: alice, namespace: apps}}
              - {name: b, context: {cluster: two, user: bob}}
            clusters:
              - {name: one, cluster: {server: https://one}}
              - {name: two, cluster: {server: https://two}}
            users:
              - {name: alice, user: {username: alice}}
              - {name: bob, user: {username: bob}}
            current-context: b";
        let narrowed = narrow(&Kubeconfig::from_yaml(text).unwrap(), "a").unwrap();
        assert_eq!(narrowed.current_context.as_deref(), Some("a"));
        let yaml = serde_saphyr::to_string(&narrowed).unwrap();
        assert!(yaml.contains("https://one") && yaml.contains("alice") && yaml.contains("apps"), "{yaml}");
        assert!(!yaml.contains("two") && !yaml.contains("bob"), "{yaml}");
        assert!(matches!(narrow(&narrowed, "b"), Err(Error::UnknownContext { .. })));
    }
}
