//! What both kinds look at around an object.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use kube::api::{Api, ListParams};

use super::context::Context;
use super::credentials::CredentialsSeen;
use super::failure::Failure;
use super::requests::{Requests, ResetDue};
use crate::api::PostgreSQLDatabase;
use crate::backend::Owner;

/// Whether a password reset is due.
pub fn reset_due(context: &Context, requests: &Requests, seen: &CredentialsSeen, now: Timestamp) -> ResetDue {
    let seconds = i64::try_from(context.config.reconcile.label_reset_interval_seconds).unwrap_or(i64::MAX);
    requests.reset_due(seen.issued_at(), seen.last_reset(), SignedDuration::from_secs(seconds), now)
}

/// Whether the namespace is being deleted. Asked only when something may have to be begun in it: a password that is on
/// its way was begun already.
pub async fn terminating(
    context: &Context,
    namespace: &str,
    absent: bool,
    deleting: bool,
    never_begun: bool,
    seen: &CredentialsSeen,
    reset_due: ResetDue,
) -> Result<bool, Failure> {
    let begun = seen.pending.is_some() && !deleting;
    if !absent && (begun || seen.published.is_some() && reset_due != ResetDue::Now) {
        return Ok(false);
    }
    if never_begun && !deleting && context.namespaces.was_there(namespace) {
        return Ok(false);
    }
    let api: Api<Namespace> = Api::all(context.client.clone());
    let found = api.get_opt(namespace).await?;
    let is_there = found.is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_none());
    if is_there {
        context.namespaces.note(namespace);
    }
    Ok(!is_there)
}

/// The databases that refer to the server and are not being deleted, read from the API server.
pub async fn databases_of(context: &Context, server: &Owner) -> Result<Vec<String>, Failure> {
    let namespaces: Api<Namespace> = Api::all(context.client.clone());
    let namespace = namespaces.get_opt(&server.namespace).await?;
    if namespace.is_none_or(|namespace| namespace.metadata.deletion_timestamp.is_some()) {
        return Ok(Vec::new());
    }
    let api: Api<PostgreSQLDatabase> = Api::namespaced(context.client.clone(), &server.namespace);
    let databases = api.list(&ListParams::default()).await?;
    Ok(databases
        .iter()
        .filter(|database| database.spec.server_ref.name == server.name)
        .filter(|database| database.metadata.deletion_timestamp.is_none())
        .map(ResourceExt::name_any)
        .collect())
}
