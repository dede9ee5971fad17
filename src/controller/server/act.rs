//! The effects on a server, one function per action.

use std::sync::Arc;

use kube::api::Api;

use super::observe::ServerSeen;
use crate::api::{DeletionPolicy, PostgreSQLServer, Reason};
use crate::backend::{BackendError, DesiredServer, Removal, Retry, ServerBackend, ServerIdentity, Stage};
use crate::controller::context::Context;
use crate::controller::failure::Failure;
use crate::controller::subject::Note;
use crate::controller::{actions, requests};
use crate::fsm::CredentialsAction;
use crate::fsm::server::{ServerAction, ServerTrigger};

pub(super) async fn act(
    context: &Context,
    object: &PostgreSQLServer,
    seen: &mut ServerSeen,
    trigger: ServerTrigger,
    action: ServerAction,
) -> Result<Vec<Note>, Failure> {
    if let ServerAction::Credentials(action) = action {
        // The first of the last ones: while the object is there, somebody can be told.
        if trigger == ServerTrigger::Gone && action == CredentialsAction::RemoveSecret {
            conclude(object, seen).await?;
        }
        return act_on_credentials(context, object, seen, trigger, action).await;
    }
    let (backend, identity) = target(seen)?;
    let (managed, managed_rules) = object
        .status
        .as_ref()
        .map_or((&[][..], &[][..]), |status| (&status.managed_parameters, &status.managed_firewall_rules));
    let desired = DesiredServer { owner: &seen.owner, spec: &object.spec, managed, managed_rules };
    match action {
        ServerAction::CreateServer => {
            backend.create(&identity, &desired, seen.credentials.pending_password()?).await?;
        }
        // What failed before it was ever available holds nothing; a server that was seen has an id and is not this.
        ServerAction::RemoveShell => {
            backend.delete(&identity, &seen.owner, None, Removal::Delete).await?;
            let message = format!("creation failed and is tried again: {}", super::verdict::unusable(seen));
            return Err(Failure::new(Reason::CreateFailed, message, Retry::Backoff(None)));
        }
        ServerAction::UpdateServer => backend.update(&identity, &desired, &seen.due(Stage::Update)).await?,
        ServerAction::ConfigureServer => {
            backend.configure(&identity, &desired, &seen.due(Stage::Configure)).await?
        }
        ServerAction::ApplyPassword => {
            let pending = seen.credentials.pending_password()?;
            backend.set_admin_password(&identity, &seen.owner, pending).await?;
            context.awaited.set(&seen.owner.uid, pending);
        }
        ServerAction::RestorePassword => {
            let published = seen.credentials.published.as_ref();
            let published = published.ok_or_else(|| Failure::conflict("the published password is gone"))?;
            match backend.set_admin_password(&identity, &seen.owner, published).await {
                Ok(()) => context.awaited.set(&seen.owner.uid, published),
                // Whoever wrote it there did not know the backend's rules. Asking again is of no use, and the rest waits.
                Err(BackendError::Rejected { message }) => {
                    context.awaited.refuse(&seen.owner.uid, published);
                    let message = format!("{message}; a new password is set in place of the published one");
                    return Err(Failure::new(Reason::Rejected, message, Retry::Poll));
                }
                Err(error) => return Err(error.into()),
            }
        }
        ServerAction::MarkServer => backend.mark(&identity, &seen.owner, seen.deleting).await?,
        ServerAction::DeleteServer => {
            let (uid, removal) = (seen.recorded_uid.as_deref(), removal(object, seen));
            backend.delete(&identity, &seen.owner, uid, removal).await?;
        }
        ServerAction::Credentials(_) => {}
    }
    Ok(Vec::new())
}

fn removal(object: &PostgreSQLServer, seen: &ServerSeen) -> Removal {
    match (seen.deletion, &object.metadata.deletion_timestamp) {
        (DeletionPolicy::Snapshot, Some(since)) => Removal::SnapshotAndDelete { since: since.0 },
        _ => Removal::Delete,
    }
}

/// Where nothing was ever begun, there is nothing to look after.
async fn conclude(object: &PostgreSQLServer, seen: &ServerSeen) -> Result<(), Failure> {
    let pinned = object.status.as_ref().is_some_and(|status| status.server.is_some());
    if let (true, Ok(backend), Some(identity)) = (pinned, &seen.backend, &seen.identity)
        && backend.concludes()
    {
        let last_seen = seen.last_seen.as_deref().filter(|_| seen.was_ready);
        let removal = removal(object, seen);
        backend.conclude(identity, &seen.owner, removal, last_seen).await?;
    }
    Ok(())
}

fn target(seen: &ServerSeen) -> Result<(Arc<dyn ServerBackend>, ServerIdentity), Failure> {
    match (&seen.backend, &seen.identity) {
        (Ok(backend), Some(identity)) => Ok((backend.clone(), identity.clone())),
        (Err(message), _) => Err(Failure::new(Reason::BackendNotAvailable, message.clone(), Retry::Slowly)),
        (_, None) => Err(Failure::conflict("the server has no name")),
    }
}

async fn act_on_credentials(
    context: &Context,
    object: &PostgreSQLServer,
    seen: &mut ServerSeen,
    trigger: ServerTrigger,
    action: CredentialsAction,
) -> Result<Vec<Note>, Failure> {
    let api: Api<PostgreSQLServer> = Api::namespaced(context.client.clone(), &seen.owner.namespace);
    let obsolete = match trigger {
        ServerTrigger::RecreateRequested => requests::Obsolete::Recreate,
        ServerTrigger::IdleRequest => requests::Obsolete::EverythingButReset,
        _ => requests::Obsolete::Settled,
    };
    let mut notes =
        actions::act(context, &api, object, &mut seen.credentials, &seen.requests, obsolete, action).await?;
    if action == CredentialsAction::ReleaseFinalizer {
        notes.extend(farewell(seen, trigger));
    }
    Ok(notes)
}

fn farewell(seen: &ServerSeen, trigger: ServerTrigger) -> Option<Note> {
    let name = seen.identity.as_ref().map_or("", |identity| identity.name.as_str());
    let message = match trigger {
        ServerTrigger::Retained => format!("the server {name} was left as it is"),
        ServerTrigger::RetainedUnpublished => format!(
            "the server {name} was left as it is; its password is in the Secret {} of the operator's namespace",
            crate::secrets::pending_name(&seen.owner.uid)
        ),
        _ => return None,
    };
    Some(Note { reason: Reason::Retained, message, warning: false })
}
