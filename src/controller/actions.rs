//! The effects both kinds share: on Secrets and on the object itself.

use kube::api::{Api, Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::context::Context;
use super::credentials::CredentialsSeen;
use super::failure::Failure;
use super::finalizer;
use super::requests::{Obsolete, Place, Request, Requests};
use super::subject::Note;
use crate::api::Reason;
use crate::api::names::ACTION;
use crate::failpoints;
use crate::fsm::CredentialsAction;

/// Carries out one of the shared actions.
///
/// # Errors
/// When it was refused, or its answer did not arrive.
pub async fn act<K>(
    context: &Context,
    api: &Api<K>,
    object: &K,
    credentials: &mut CredentialsSeen,
    requests: &Requests,
    obsolete: Obsolete,
    action: CredentialsAction,
) -> Result<Vec<Note>, Failure>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
{
    match action {
        CredentialsAction::StorePassword => {
            credentials.store_pending(context, &requests.reset_tokens()).await?;
        }
        CredentialsAction::VerifyLogin => credentials.verify().await?,
        CredentialsAction::PublishCredentials => credentials.publish(context).await?,
        CredentialsAction::ClearRequest => {
            let settled = credentials.pending.as_ref().map_or(&[][..], |pending| &pending.settles);
            return clear(api, object, &requests.obsolete(obsolete, settled)).await;
        }
        CredentialsAction::DropPending => credentials.drop_pending(context).await?,
        CredentialsAction::RemoveFormerSecret => credentials.remove_former(context).await?,
        CredentialsAction::RemoveSecret => credentials.remove(context).await?,
        CredentialsAction::ReleaseFinalizer => match finalizer::release(api, object).await {
            Err(kube::Error::Api(status)) if status.code == 422 => {
                return Err(Failure::conflict("the finalizers changed"));
            }
            answer => answer?,
        },
    }
    Ok(Vec::new())
}

/// Removes requests, each only while it still has the value that was carried out.
async fn clear<K>(api: &Api<K>, object: &K, requests: &[&Request]) -> Result<Vec<Note>, Failure>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
{
    let mut notes = Vec::new();
    for request in requests {
        let map = match request.place {
            Place::Label => "labels",
            Place::Annotation => "annotations",
        };
        let path = format!("/metadata/{map}/{}", ACTION.replace('~', "~0").replace('/', "~1"));
        let operations = json!([
            {"op": "test", "path": "/metadata/uid", "value": object.uid()},
            {"op": "test", "path": path, "value": request.value},
            {"op": "remove", "path": path},
        ]);
        let patch: json_patch::Patch =
            serde_json::from_value(operations).map_err(|error| Failure::conflict(error.to_string()))?;
        match api.patch(&object.name_any(), &PatchParams::default(), &Patch::<()>::Json(patch)).await {
            Ok(_) => {
                failpoints::done("request cleared");
                notes.push(note(request));
            }
            // Changed or gone since: what stands there now is another request.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 422) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(notes)
}

fn note(request: &Request) -> Note {
    match request.action {
        Some(_) => Note {
            reason: Reason::ActionDone,
            message: format!("the action {} was carried out or had nothing to do", request.value),
            warning: false,
        },
        None => Note {
            reason: Reason::UnknownAction,
            message: format!(
                "Unknown action: {}; expected reset-password, recreate or apply-now",
                request.value
            ),
            warning: true,
        },
    }
}
