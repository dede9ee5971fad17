//! The effects on a database, one function per action.

use kube::api::Api;

use super::observe::DatabaseSeen;
use crate::api::{PostgreSQLDatabase, Reason};
use crate::controller::context::Context;
use crate::controller::failure::Failure;
use crate::controller::subject::Note;
use crate::controller::{actions, requests};
use crate::fsm::CredentialsAction;
use crate::fsm::database::{DatabaseAction, DatabaseTrigger};
use crate::postgres::{self, Adoption, DatabaseNames, PasswordForm, Session};

pub(super) async fn act(
    context: &Context,
    object: &PostgreSQLDatabase,
    seen: &mut DatabaseSeen,
    trigger: DatabaseTrigger,
    action: DatabaseAction,
) -> Result<Vec<Note>, Failure> {
    if let DatabaseAction::Credentials(action) = action {
        return act_on_credentials(context, object, seen, trigger, action).await;
    }
    let names = seen.names.clone().map_err(Failure::conflict)?;
    let adoption = if seen.adopts_unmarked { Adoption::AlsoUnmarked } else { Adoption::OnlyMarked };
    // One login for the whole pass; an action whose session broke fails, and the next pass opens another.
    let admin = match seen.session.take() {
        Some(session) => session,
        None => Box::new(open(seen).await?),
    };
    let form = PasswordForm::AsAccepted;
    let uid = &seen.owner.uid;
    match action {
        DatabaseAction::CreateRole => {
            let password = seen.credentials.pending_password()?;
            postgres::create_role(&admin, &names, uid, password, form, adoption).await?;
            let access = seen.server.access.as_ref();
            seen.credentials.endpoint = access.map(|access| access.endpoint.clone());
        }
        DatabaseAction::CreateDatabase => {
            postgres::create_database(&admin, &seen.spec(&names), adoption).await?;
        }
        DatabaseAction::ConfigureDatabase => {
            postgres::configure_database(&admin, &seen.spec(&names), adoption).await?;
        }
        DatabaseAction::ApplyPassword => {
            let password = seen.credentials.pending_password()?;
            postgres::set_role_password(&admin, &names, uid, password, form, adoption).await?;
        }
        DatabaseAction::RestorePassword => {
            let published = seen.credentials.published.as_ref();
            let published = published.ok_or_else(|| Failure::conflict("the published password is gone"))?;
            postgres::set_role_password(&admin, &names, uid, published, form, adoption).await?;
        }
        DatabaseAction::DropDatabase => postgres::drop_database(&admin, &seen.spec(&names), adoption).await?,
        DatabaseAction::DropRole => drop_role(&admin, &names, uid, adoption).await?,
        DatabaseAction::Credentials(_) => {}
    }
    seen.session = Some(admin);
    Ok(Vec::new())
}

async fn open(seen: &DatabaseSeen) -> Result<Session, Failure> {
    let access = seen.server.access.as_ref();
    let access = access.ok_or_else(|| Failure::conflict("the server cannot be used any more"))?;
    // It let us in a moment ago; if it does not now, that is for the next observation to judge.
    access.open().await.map_err(|error| Failure::conflict(error.to_string()))
}

async fn drop_role(
    admin: &Session,
    names: &DatabaseNames,
    uid: &str,
    adoption: Adoption<'_>,
) -> Result<(), Failure> {
    Ok(postgres::drop_role(admin, names, uid, adoption).await?)
}

async fn act_on_credentials(
    context: &Context,
    object: &PostgreSQLDatabase,
    seen: &mut DatabaseSeen,
    trigger: DatabaseTrigger,
    action: CredentialsAction,
) -> Result<Vec<Note>, Failure> {
    let api: Api<PostgreSQLDatabase> = Api::namespaced(context.client.clone(), &seen.owner.namespace);
    let obsolete = match trigger {
        DatabaseTrigger::RecreateRequested => requests::Obsolete::Recreate,
        DatabaseTrigger::IdleRequest => requests::Obsolete::EverythingButReset,
        _ => requests::Obsolete::Settled,
    };
    let mut notes =
        actions::act(context, &api, object, &mut seen.credentials, &seen.requests, obsolete, action).await?;
    if action == CredentialsAction::ReleaseFinalizer {
        notes.extend(farewell(object, seen, trigger));
    }
    Ok(notes)
}

/// Names what stays behind in PostgreSQL, if anything of ours may.
fn farewell(object: &PostgreSQLDatabase, seen: &DatabaseSeen, trigger: DatabaseTrigger) -> Option<Note> {
    let pinned = object.status.as_ref()?.database.as_ref()?.name.as_ref()?;
    match trigger {
        DatabaseTrigger::Abandoned => Some(Note {
            reason: Reason::LeftBehind,
            message: format!(
                "{}; the database {pinned} and its role were not dropped and stay wherever that server stays",
                seen.server.waiting_for
            ),
            warning: true,
        }),
        DatabaseTrigger::RetainedUnpublished => Some(Note {
            reason: Reason::LeftBehind,
            message: format!(
                "the database {pinned} was left as it is; its password is in the Secret {} of the operator's namespace",
                crate::secrets::pending_name(&seen.owner.uid)
            ),
            warning: true,
        }),
        DatabaseTrigger::Retained => Some(Note {
            reason: Reason::LeftBehind,
            message: format!("the database {pinned} belongs to somebody else and was left as it is"),
            warning: true,
        }),
        _ => None,
    }
}
